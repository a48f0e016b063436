//! Reads a complete store track by track: the record, the features and, if there is one, the audit's analysis of each.
//!
//! Only a few parts are open at a time, and only the features of one track in memory, whatever the size of the store.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::analysis_cache::AnalysisCache;
use super::file_names::part_path;
use super::graphs;
use super::header::Header;
use super::part_file::PartFile;
use super::record::TrackRecord;
use super::tables::Tables;
use crate::audit::AuditedFile;
use crate::failure::Failure;
use crate::{Damage, Error};

/// Maximum number of open parts. Stores that recordings were added to have several runs of sorted tracks, which a merge reads
/// in turn.
const MAX_OPEN_PARTS: usize = 32;

/// Reads the tracks of a store.
pub(super) struct TrackReader {
    dir: PathBuf,
    pub(super) header: Header,
    /// Whether the analyses of the tracks are read.
    has_analyses: bool,
    /// The most recently used first.
    parts: VecDeque<OpenPart>,
}

/// Where a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrackLocation {
    pub(super) part: usize,
    /// Number of the track in its part.
    pub(super) position: usize,
}

/// A track with its features and analysis.
pub(super) struct StoredTrack {
    pub(super) record: TrackRecord,
    /// `[n_rows, n_frames, n_bins]`
    pub(super) features: Vec<f32>,
    pub(super) analysis: Option<AuditedFile>,
}

/// A part with the analyses of its tracks.
pub(super) struct OpenPart {
    index: usize,
    pub(super) file: PartFile,
    /// `None` if the store was not audited.
    pub(super) analyses: Option<Vec<AuditedFile>>,
}

impl TrackReader {
    /// Opens a complete store.
    ///
    /// # Errors
    /// If there is no store, it is incomplete, or its format is not supported.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let mut header = Header::read(dir)?;
        if !header.complete {
            return Err(Error::Incomplete { path: dir.to_owned() });
        }
        graphs::load(dir, &mut header.features)?;
        Ok(Self { dir: dir.to_owned(), header, has_analyses: true, parts: VecDeque::new() })
    }

    /// The same, but without the analyses of the tracks.
    pub(super) fn open_without_analyses(dir: &Path) -> Result<Self, Error> {
        Ok(Self { has_analyses: false, ..Self::open(dir)? })
    }

    /// Folder of the store.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its tables.
    pub(super) fn tables(&self) -> Tables<'_> {
        Tables { dir: &self.dir, number: self.header.tables }
    }

    /// A part, whose hash is required if the header has one, and which must be consistent with the header.
    pub(super) fn part(&mut self, index: usize) -> Result<&OpenPart, Error> {
        match self.parts.iter().position(|part| part.index == index) {
            Some(0) => {}
            Some(at) => {
                let part = self.parts.remove(at);
                part.into_iter().for_each(|part| self.parts.push_front(part));
            }
            None => {
                self.parts.truncate(MAX_OPEN_PARTS - 1);
                self.parts.push_front(self.open_part(index)?);
            }
        }
        let missing = || Error::NotFound { path: part_path(&self.dir, index) };
        self.parts.front().ok_or_else(missing)
    }

    /// Reads a track.
    pub(super) fn track(&mut self, location: TrackLocation) -> Result<StoredTrack, Error> {
        let TrackLocation { part, position } = location;
        let OpenPart { file, analyses, .. } = self.part(part)?;
        let first = file.record.tracks.iter().take(position).map(TrackRecord::n_rows).sum();
        let other_part = || file.damaged(Damage::OtherPart);
        let record = file.record.tracks.get(position).cloned().ok_or_else(other_part)?;
        let features = file.read_rows(first, record.n_rows())?;
        let analysis = analyses.as_ref().and_then(|analyses| analyses.get(position)).cloned();
        Ok(StoredTrack { record, features, analysis })
    }

    /// Calls `visit` with every track and whether its part was audited, in order.
    pub(super) fn visit(
        &mut self,
        mut visit: impl FnMut(TrackLocation, &TrackRecord, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for part in 0..self.header.n_parts {
            let OpenPart { file, analyses, .. } = self.part(part)?;
            for (position, record) in file.record.tracks.iter().enumerate() {
                visit(TrackLocation { part, position }, record, analyses.is_some())?;
            }
        }
        Ok(())
    }

    /// The failures that are no tracks: recordings that could not be listed.
    pub(super) fn catalog_failures(&mut self) -> Result<Vec<Failure>, Error> {
        let mut failures = self.tables().read_failures()?;
        let mut failed = std::collections::HashSet::new();
        self.visit(|_, record, _| {
            if record.failure.is_some() {
                failed.insert(record.input.path.clone());
            }
            Ok(())
        })?;
        failures.retain(|failure| !failed.contains(&failure.path));
        Ok(failures)
    }

    /// Opens a part and checks that it is consistent with the header.
    fn open_part(&self, index: usize) -> Result<OpenPart, Error> {
        let Self { dir, header, .. } = self;
        let path = part_path(dir, index);
        let mut file = PartFile::open(&path)?;
        if let Some(hash) = header.parts.get(index) {
            file.require(hash)?;
        }
        let tracks = &file.record.tracks;
        let is_known = |name: &String| header.labels.binary_search(name).is_ok();
        let are_known = tracks.iter().all(|track| track.input.label_set.names().iter().all(is_known));
        let unknown = (!are_known).then_some("a label that is not one of the store's");
        if let Some(difference) = header.difference(&file.record).or(unknown) {
            return Err(file.damaged(Damage::Malformed(difference.to_owned())));
        }
        let paths = tracks.iter().map(|track| track.input.path.as_str());
        let analyses = self.has_analyses.then(|| AnalysisCache::of_part(dir, index).read(paths)).flatten();
        Ok(OpenPart { index, file, analyses })
    }
}
