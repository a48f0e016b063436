//! Writes a feature store: the parts in order, the tables, and finally the header with `complete = true`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;
use cantus_audio::folder_lock::FolderLock;

use super::file_names::{self, is_analysis, is_part, is_table, part_path};
use super::header::Header;
use super::part_file::PartFile;
use super::part_hash::PartHash;
use super::part_writer::write_part;
use super::record::{PartRecord, TrackInput};
use super::tables::Tables;
use crate::failure::{Failure, Warning};
use crate::{Error, spec_difference};

/// Writes the parts of a store in order, and keeps counts.
pub(crate) struct StoreWriter {
    dir: PathBuf,
    header: Header,
    failures: Vec<Failure>,
    warnings: Vec<Warning>,
    /// Failures and warnings of a store that is continued behind its last part.
    n_earlier: (usize, usize),
    _lock: FolderLock,
}

impl StoreWriter {
    /// Starts a store, or continues one with the same settings; `overwrite` discards an existing one.
    pub(crate) fn begin(dir: &Path, header: Header, overwrite: bool) -> Result<Self, Error> {
        atomic_file::create_folder(dir).map_err(Error::io(dir))?;
        if dir.join(file_names::HEADER).exists() {
            if !overwrite && !is_empty(dir)? {
                check_same_settings(dir, &Header::read(dir)?, &header)?;
            }
        } else if has_other_files(dir)? {
            return Err(Error::NotEmpty { path: dir.to_owned() });
        }
        let lock = lock(dir)?;
        remove_files(dir, atomic_file::is_temporary)?;
        // Before anything is removed, so that a folder left by a killed process is an incomplete store.
        header.write(dir)?;
        if overwrite {
            remove_files(dir, |name| is_part(name) || is_analysis(name))?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            header,
            failures: Vec::new(),
            warnings: Vec::new(),
            n_earlier: (0, 0),
            _lock: lock,
        })
    }

    /// Starts a store in an empty folder that gets its name when the store is complete.
    pub(super) fn begin_staged(dir: &Path, header: Header) -> Result<Self, Error> {
        let lock = lock(dir)?;
        header.write(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            header,
            failures: Vec::new(),
            warnings: Vec::new(),
            n_earlier: (0, 0),
            _lock: lock,
        })
    }

    /// Continues a complete store behind its last part. The store stays as it is until [`finish`](Self::finish) replaces its
    /// header: its tables are written under other names.
    pub(crate) fn append(dir: &Path) -> Result<Self, Error> {
        // A folder that is no store is not locked.
        Header::read(dir)?;
        let lock = lock(dir)?;
        let mut header = Header::read(dir)?;
        if !header.complete {
            return Err(Error::Incomplete { path: dir.to_owned() });
        }
        remove_files(dir, atomic_file::is_temporary)?;
        let tables = Tables { dir, number: header.tables };
        // Those that a killed process wrote and did not name in the header, or named and did not remove the ones before.
        tables.remove_others()?;
        let (failures, warnings) = (tables.read_failures()?, tables.read_warnings()?);
        let n_earlier = (failures.len(), warnings.len());
        header.add_hashes(dir)?;
        header.tables = Some(header.tables.map_or(1, |number| number + 1));
        Ok(Self { dir: dir.to_owned(), header, failures, warnings, n_earlier, _lock: lock })
    }

    /// The header that is written at the end.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Adds labels to those of the header.
    pub(crate) fn add_labels(&mut self, labels: BTreeSet<String>) {
        let all: BTreeSet<String> = self.header.labels.drain(..).chain(labels).collect();
        self.header.labels.extend(all);
    }

    /// The failures whose path is not that of an earlier failure.
    pub(crate) fn further_failures(&self, failures: &[Failure]) -> Vec<Failure> {
        let known: BTreeSet<&str> = self.failures.iter().map(|failure| failure.path.as_str()).collect();
        failures.iter().filter(|failure| !known.contains(failure.path.as_str())).cloned().collect()
    }

    /// Folder of the store.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Number of parts written or kept so far.
    pub(crate) fn n_parts(&self) -> usize {
        self.header.n_parts
    }

    /// Keeps the next part from an earlier extraction, if it was made from these inputs with the same settings.
    pub(crate) fn keep(&mut self, inputs: &[TrackInput]) -> bool {
        let Ok(part) = PartFile::open(&part_path(&self.dir, self.n_parts())) else { return false };
        let Header { features, augmentation, .. } = &self.header;
        let is_same =
            part.record.matches(features, augmentation.as_ref(), inputs.iter()) && part.verify().is_ok();
        let hash = if is_same { part.hash().ok() } else { None };
        let Some(hash) = hash else { return false };
        self.count(&part.record, hash);
        true
    }

    /// Writes the next part; `features` are `[n_rows, n_frames, n_bins]`.
    pub(crate) fn write(&mut self, record: &PartRecord, features: Vec<f32>) -> Result<(), Error> {
        let path = part_path(&self.dir, self.n_parts());
        let hash = write_part(&path, record, features, self.header.tracks_known)?;
        self.count(record, hash);
        Ok(())
    }

    fn count(&mut self, part: &PartRecord, hash: PartHash) {
        self.header.n_parts += 1;
        self.header.parts.push(hash);
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
                Some(failure) => {
                    let reason = failure.reason.clone();
                    self.failures.push(Failure { path: path.clone(), reason });
                }
            }
        }
    }

    /// Writes the (path, recording) pairs of duplicates.
    pub(crate) fn write_recordings(&self, duplicates: &[(String, String)]) -> Result<(), Error> {
        self.tables().write_recordings(duplicates)
    }

    fn tables(&self) -> Tables<'_> {
        Tables { dir: &self.dir, number: self.header.tables }
    }

    /// Writes the tables and the header of a complete store. If no track has a segment, only the tables, which say why: then
    /// the folder is no store, and an extraction with other settings may follow. A shard may be empty.
    ///
    /// `catalog_failures` are listed before those of the extraction. Failures and warnings that were listed before it are not
    /// returned.
    pub(crate) fn finish(mut self, catalog_failures: &[Failure]) -> Result<Finished, Error> {
        let (n_failures, n_warnings) = self.n_earlier;
        self.failures.splice(n_failures..n_failures, catalog_failures.iter().cloned());
        self.remove_stale_parts()?;
        self.tables().write_failures(&self.failures)?;
        self.tables().write_warnings(&self.warnings)?;
        self.header.n_failures = self.failures.len();
        if self.header.n_segments == 0 && self.header.shard.is_none() {
            let nothing = Failure { path: self.header.source.clone(), reason: "no segments".to_owned() };
            let first = self.failures.into_iter().next().unwrap_or(nothing);
            remove_files(&self.dir, |name| is_part(name) || is_analysis(name) || name == file_names::HEADER)?;
            return Err(Error::NothingExtracted { n_tracks: self.header.n_failures, first });
        }
        self.header.complete = true;
        self.header.write(&self.dir)?;
        self.tables().remove_others()?;
        let (failures, warnings) = (self.failures.split_off(n_failures), self.warnings.split_off(n_warnings));
        Ok(Finished { header: self.header, failures, warnings })
    }

    /// Removes parts of an earlier extraction of a catalog with more tracks.
    fn remove_stale_parts(&self) -> Result<(), Error> {
        let mut index = self.n_parts();
        loop {
            let path = part_path(&self.dir, index);
            match fs::remove_file(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                removed => removed.map_err(Error::io(&path))?,
            }
            index += 1;
        }
    }
}

/// Result of writing a store.
pub(crate) struct Finished {
    pub(crate) header: Header,
    pub(crate) failures: Vec<Failure>,
    pub(crate) warnings: Vec<Warning>,
}

/// Whether a folder without a header has files that are not a store's. If not, it may be a store whose extraction was
/// killed before the header was written, or whose damaged header was deleted, and is continued.
fn has_other_files(dir: &Path) -> Result<bool, Error> {
    let is_of_store = |name: &str| {
        is_part(name)
            || is_analysis(name)
            || is_table(name)
            || atomic_file::is_temporary(name)
            || name == file_names::LOCK
            || name == file_names::GRAPHS
            || name == file_names::NOISE
    };
    let mut entries = fs::read_dir(dir).map_err(Error::io(dir))?.flatten();
    Ok(entries.any(|entry| !is_of_store(&entry.file_name().to_string_lossy())))
}

/// Whether a store is incomplete and has no part yet, so that nothing of it could be continued.
fn is_empty(dir: &Path) -> Result<bool, Error> {
    Ok(!part_path(dir, 0).exists() && !Header::read(dir)?.complete)
}

/// Fails if the settings of an existing store differ, so that it cannot be continued.
fn check_same_settings(dir: &Path, old: &Header, new: &Header) -> Result<(), Error> {
    let difference = match (old.tracks_known, new.tracks_known) {
        (true, true) => spec_difference(&old.features, &new.features)
            .or_else(|| {
                (old.augmentation != new.augmentation).then(|| "the augmentation of its copies".to_owned())
            })
            .or_else(|| (old.tagging != new.tagging).then(|| "whether labels are tags".to_owned()))
            .or_else(|| shard_difference(old, new)),
        _ => Some("an imported data.json cannot be continued".to_owned()),
    };
    difference.map_or(Ok(()), |difference| Err(Error::SettingsDiffer { path: dir.to_owned(), difference }))
}

/// How the shards of two stores differ.
fn shard_difference(old: &Header, new: &Header) -> Option<String> {
    let text = |header: &Header| header.shard.map_or("none".to_owned(), |shard| shard.to_string());
    (old.shard != new.shard).then(|| format!("shard = {} there, {} here", text(old), text(new)))
}

fn lock(dir: &Path) -> Result<FolderLock, Error> {
    let lock = FolderLock::try_acquire(&dir.join(file_names::LOCK)).map_err(Error::io(dir))?;
    lock.ok_or_else(|| Error::Locked { path: dir.to_owned() })
}

fn remove_files(dir: &Path, is_of_store: impl Fn(&str) -> bool) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))?.flatten() {
        if is_of_store(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(Error::io(&entry.path()))?;
        }
    }
    Ok(())
}
