//! Verifies all bytes of a store: the parts against their hashes, embedding models against theirs, tables and analyses by reading.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cantus_audio::regular_file;
use rayon::prelude::*;

use super::analysis_cache::AnalysisCache;
use super::file_names::{self, GRAPHS, analysis_path, part_path};
use super::header::Header;
use super::observer::StoreObserver;
use super::part_file::PartFile;
use super::part_hash::sha256_of;
use super::tables::Tables;
use crate::{Damage, Error};

/// Result of [`verify_store`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verification {
    /// Number of parts.
    pub n_parts: usize,
    /// Size of the parts in bytes.
    pub n_bytes: u64,
    /// What is wrong, a line for each file; empty if the store is intact.
    pub damage: Vec<String>,
}

/// Reads all bytes of a complete store and compares them with their hashes. A store of a format without hashes has the checksum
/// of each part, over its record and features.
///
/// # Errors
/// If the folder is no store or an incomplete one, its header is damaged, or it was cancelled.
pub fn verify_store(dir: &Path, observer: StoreObserver<'_>) -> Result<Verification, Error> {
    let header = Header::read(dir)?;
    if !header.complete {
        return Err(Error::Incomplete { path: dir.to_owned() });
    }
    let n_done = AtomicUsize::new(0);
    let verified = (0..header.n_parts).into_par_iter().with_max_len(1).map(|index| {
        let found = verify_part(dir, &header, index);
        observer.step(n_done.fetch_add(1, Ordering::Relaxed) + 1, header.n_parts, dir)?;
        Ok(found)
    });
    let parts = verified.collect::<Result<Vec<_>, Error>>()?;
    let mut counts = Counts::default();
    let mut damage = Vec::new();
    for part in parts {
        match part {
            Ok(part) => counts.add(&part),
            Err(error) => damage.push(error.to_string()),
        }
    }
    // Without all parts, the numbers are those of the ones that are left.
    let mismatch = damage.is_empty().then(|| counts.mismatch(dir, &header)).flatten();
    damage.extend(mismatch.map(|error| error.to_string()));
    damage.extend(table_errors(dir, &header).map(|error| error.to_string()));
    damage.extend(graph_errors(dir)?.into_iter().map(|error| error.to_string()));
    Ok(Verification { n_parts: header.n_parts, n_bytes: counts.n_bytes, damage })
}

/// Numbers of intact parts.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    n_bytes: u64,
    n_segments: usize,
    n_copied_segments: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.n_bytes += other.n_bytes;
        self.n_segments += other.n_segments;
        self.n_copied_segments += other.n_copied_segments;
    }

    /// How the numbers of segments differ from those of the header.
    fn mismatch(&self, dir: &Path, header: &Header) -> Option<Error> {
        let damage = Damage::SegmentCount {
            expected: header.n_segments,
            found: self.n_segments,
            expected_augmented: header.n_copied_segments,
            found_augmented: self.n_copied_segments,
        };
        let is_equal =
            (self.n_segments, self.n_copied_segments) == (header.n_segments, header.n_copied_segments);
        (!is_equal).then(|| Error::Damaged { path: dir.join(file_names::HEADER), damage })
    }
}

/// Verifies a part and the analyses of its tracks.
fn verify_part(dir: &Path, header: &Header, index: usize) -> Result<Counts, Error> {
    let path = part_path(dir, index);
    let damaged = |path: &Path, reason: &str| Error::Damaged {
        path: path.to_owned(),
        damage: Damage::Malformed(reason.to_owned()),
    };
    let mut part = PartFile::open(&path)?;
    if let Some(hash) = header.parts.get(index) {
        part.require(hash)?;
    }
    part.verify()?;
    if let Some(difference) = header.difference(&part.record) {
        return Err(damaged(&path, difference));
    }
    let tracks = &part.record.tracks;
    let analyses = analysis_path(dir, index);
    let paths = tracks.iter().map(|track| track.input.path.as_str());
    if analyses.exists() && !AnalysisCache::of_part(dir, index).is_intact(paths) {
        return Err(damaged(&analyses, "not the analyses of the tracks of its part"));
    }
    let n_segments = tracks.iter().map(|track| track.n_segments).sum();
    let n_bytes = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
    Ok(Counts { n_bytes, n_segments, n_copied_segments: part.record.n_rows() - n_segments })
}

/// Errors of reading the tables.
fn table_errors(dir: &Path, header: &Header) -> impl Iterator<Item = Error> {
    let tables = Tables { dir, number: header.tables };
    let errors = [tables.read_failures().err(), tables.read_warnings().err(), tables.read_recordings().err()];
    errors.into_iter().flatten()
}

/// Graphs of embedding models whose content does not have the SHA-256 that names them.
fn graph_errors(dir: &Path) -> Result<Vec<Error>, Error> {
    let mut errors = Vec::new();
    for entry in std::fs::read_dir(dir.join(GRAPHS)).into_iter().flatten().flatten() {
        let path = entry.path();
        let expected = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let found =
            regular_file::open(&path).and_then(|mut file| sha256_of(&mut file)).map_err(Error::io(&path))?;
        if found != expected {
            errors.push(Error::Damaged { path, damage: Damage::Sha256 { expected, found } });
        }
    }
    Ok(errors)
}
