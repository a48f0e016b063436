//! A store in the making: parts one after the other, then the tables, then the header that says "complete".

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use super::evidence_file::is_evidence;
use super::header::{Header, NAME as HEADER_NAME};
use super::part_file::PartFile;
use super::part_writer::write_part;
use super::record::{Input, PartRecord};
use super::tables::{is_table, write_failures, write_warnings};
use super::{is_part, part_path};
use crate::track::{Failure, Warning};
use crate::{Error, FolderLock, spec_difference};

/// What an extraction locks while it writes.
const LOCK: &str = ".lock";

/// Adds parts to a store and keeps count.
pub(crate) struct StoreWriter {
    dir: PathBuf,
    header: Header,
    failures: Vec<Failure>,
    warnings: Vec<Warning>,
    _lock: FolderLock,
}

impl StoreWriter {
    /// Begins a store, or goes on with one of the same features; `overwrite` discards one of others.
    pub(crate) fn begin(dir: &Path, header: Header, overwrite: bool) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        if dir.join(HEADER_NAME).exists() {
            if !overwrite {
                check_same(dir, &Header::read(dir)?, &header)?;
            }
        } else if holds_something_else(dir)? {
            return Err(Error::NotEmpty { path: dir.to_owned() });
        }
        let lock = FolderLock::try_take(&dir.join(LOCK)).map_err(Error::io(dir))?;
        let lock = lock.ok_or_else(|| Error::Locked { path: dir.to_owned() })?;
        remove_files(dir, atomic_file::is_temporary)?;
        // Before anything is removed: killed in between, the folder is still known for a store, and not for a finished one.
        header.write(dir)?;
        if overwrite {
            remove_files(dir, |name| is_part(name) || is_evidence(name))?;
        }
        Ok(Self { dir: dir.to_owned(), header, failures: Vec::new(), warnings: Vec::new(), _lock: lock })
    }

    /// Number of parts so far.
    pub(crate) fn n_parts(&self) -> usize {
        self.header.n_parts
    }

    /// Keeps the next part as it lies there, if it was made of these inputs in the same way.
    pub(crate) fn keep(&mut self, inputs: &[Input]) -> bool {
        let Ok(part) = PartFile::open(&part_path(&self.dir, self.n_parts())) else { return false };
        let Header { features, augmentation, .. } = &self.header;
        let same = part.record.is_of(features, augmentation.as_ref(), inputs.iter()) && part.verify().is_ok();
        if same {
            self.count(&part.record);
        }
        same
    }

    /// Writes the next part; `features` are `[n_rows, n_frames, n_bins]`.
    pub(crate) fn write(&mut self, record: &PartRecord, features: Vec<f32>) -> Result<(), Error> {
        write_part(&part_path(&self.dir, self.n_parts()), record, features, self.header.tracks_known)?;
        self.count(record);
        Ok(())
    }

    fn count(&mut self, part: &PartRecord) {
        self.header.n_parts += 1;
        let n_segments: usize = part.tracks.iter().map(|track| track.n_segments).sum();
        self.header.n_segments += n_segments;
        self.header.n_copied_segments += part.n_rows() - n_segments;
        for track in &part.tracks {
            let path = &track.input.path;
            self.header.n_dropped += track.n_dropped;
            self.warnings.extend(
                track.warnings.iter().map(|reason| Warning { path: path.clone(), reason: reason.clone() }),
            );
            match &track.failure {
                None => self.header.n_tracks += 1,
                Some(lost) => self.failures.push(Failure { path: path.clone(), reason: lost.reason.clone() }),
            }
        }
    }

    /// Writes the tables and declares the store complete, unless it is empty.
    ///
    /// `found_before` are the failures of the catalogue, which no part knows of.
    pub(crate) fn finish(mut self, found_before: &[Failure]) -> Result<Finished, Error> {
        self.failures.splice(0..0, found_before.iter().cloned());
        self.remove_stale_parts()?;
        write_failures(&self.dir, &self.failures)?;
        write_warnings(&self.dir, &self.warnings)?;
        self.header.n_failures = self.failures.len();
        if self.header.n_segments == 0 {
            let nothing = Failure { path: self.header.source.clone(), reason: "no segments".to_owned() };
            let first = self.failures.into_iter().next().unwrap_or(nothing);
            return Err(Error::NothingExtracted { n_tracks: self.header.n_failures, first });
        }
        self.header.complete = true;
        self.header.write(&self.dir)?;
        sync_folder(&self.dir)?;
        Ok(Finished { header: self.header, failures: self.failures, warnings: self.warnings })
    }
}

impl StoreWriter {
    /// Parts of an earlier extraction, of a catalogue with more tracks.
    fn remove_stale_parts(&self) -> Result<(), Error> {
        let mut number = self.n_parts();
        loop {
            let path = part_path(&self.dir, number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                removed => removed.map_err(Error::io(&path))?,
            }
            number += 1;
        }
    }
}

/// What a finished store holds.
pub(crate) struct Finished {
    pub(crate) header: Header,
    pub(crate) failures: Vec<Failure>,
    pub(crate) warnings: Vec<Warning>,
}

/// Whether a folder without a header holds files that are none of a store: one that was killed before its header was
/// written, or whose damaged header was deleted, is gone on with.
fn holds_something_else(dir: &Path) -> Result<bool, Error> {
    let is_ours = |name: &str| {
        is_part(name)
            || is_evidence(name)
            || is_table(name)
            || atomic_file::is_temporary(name)
            || name == LOCK
    };
    let mut entries = fs::read_dir(dir).map_err(Error::io(dir))?.flatten();
    Ok(entries.any(|entry| !is_ours(&entry.file_name().to_string_lossy())))
}

/// Whether an existing store may be gone on with.
fn check_same(dir: &Path, old: &Header, new: &Header) -> Result<(), Error> {
    let difference = match (old.tracks_known, new.tracks_known) {
        (true, true) => spec_difference(&old.features, &new.features)
            .or_else(|| {
                (old.augmentation != new.augmentation).then(|| "the augmentation of its copies".to_owned())
            })
            .or_else(|| (old.tagging != new.tagging).then(|| "whether labels are tags".to_owned())),
        _ => Some("an imported data.json cannot be gone on with".to_owned()),
    };
    difference.map_or(Ok(()), |difference| Err(Error::OtherStore { path: dir.to_owned(), difference }))
}

fn remove_files(dir: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))?.flatten() {
        if is_ours(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(Error::io(&entry.path()))?;
        }
    }
    Ok(())
}

/// Brings the renames to the disk; Windows has no such thing for folders.
fn sync_folder(dir: &Path) -> Result<(), Error> {
    if cfg!(unix) { File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io(dir)) } else { Ok(()) }
}
