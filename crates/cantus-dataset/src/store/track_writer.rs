//! Writes a store from tracks of other stores, in parts of the usual number of tracks, so that it equals one that was extracted.

use std::collections::HashMap;
use std::path::Path;

use cantus_audio::staging::{Staging, StagingError};

use super::analysis_cache::AnalysisCache;
use super::graphs;
use super::header::Header;
use super::part_size::tracks_per_part;
use super::record::{PartRecord, TrackRecord};
use super::track_reader::StoredTrack;
use super::writer::{Finished, StoreWriter};
use crate::Error;
use crate::audit::{Audit, AuditedFile, audit};
use crate::failure::Failure;

/// Writes tracks to a new store.
pub(super) struct TrackWriter {
    header: Header,
    writer: StoreWriter,
    staging: Staging,
    tracks_per_part: usize,
    /// Tracks of the part that is being collected.
    tracks: Vec<TrackRecord>,
    /// Their features, `[n_rows, n_frames, n_bins]`.
    features: Vec<f32>,
    /// Analyses of all tracks; `None` if not all were audited.
    audited: Option<Vec<AuditedFile>>,
    /// Analyses before the part.
    n_audited: usize,
}

impl TrackWriter {
    /// Begins a store with the settings, labels and source of a header.
    pub(super) fn begin(out: &Path, header: &Header, is_audited: bool) -> Result<Self, Error> {
        let header = header.emptied();
        let staging = Staging::begin(out)?;
        let writer = StoreWriter::begin_staged(staging.folder(), header.clone())?;
        graphs::write(staging.folder(), &header.features)?;
        let n_copies = header.augmentation.as_ref().map_or(0, |augmentation| augmentation.copies);
        Ok(Self {
            tracks_per_part: tracks_per_part(&header.features, n_copies),
            header,
            writer,
            staging,
            tracks: Vec::new(),
            features: Vec::new(),
            audited: is_audited.then(Vec::new),
            n_audited: 0,
        })
    }

    /// Adds a track behind those before it.
    pub(super) fn push(&mut self, track: StoredTrack) -> Result<(), Error> {
        let StoredTrack { record, features, analysis } = track;
        self.tracks.push(record);
        self.features.extend_from_slice(&features);
        if let Some(audited) = &mut self.audited {
            audited.extend(analysis);
        }
        if self.tracks.len() == self.tracks_per_part { self.end_part() } else { Ok(()) }
    }

    fn end_part(&mut self) -> Result<(), Error> {
        let (tracks, features) = (std::mem::take(&mut self.tracks), std::mem::take(&mut self.features));
        if tracks.is_empty() {
            return Ok(());
        }
        if let Some(audited) = &self.audited {
            let cache = AnalysisCache::of_part(self.staging.folder(), self.writer.n_parts());
            cache.write(&audited[self.n_audited..])?;
            self.n_audited = audited.len();
        }
        let Header { features: spec, augmentation, version, .. } = &self.header;
        let record = PartRecord::new(spec, augmentation.as_ref(), tracks);
        self.writer.write(&PartRecord { version: version.clone(), ..record }, features)
    }

    /// Writes the tables and the header, and gives the store its name. Duplicates are those that the audit of all tracks finds
    /// or, without one, `duplicates`: (path, recording) of those of the stores that the tracks came from.
    pub(super) fn finish(
        mut self,
        catalog_failures: &[Failure],
        duplicates: Vec<(String, String)>,
    ) -> Result<Finished, Error> {
        self.end_part()?;
        let Self { header, writer, staging, audited, .. } = self;
        let found = audited.map(|audited| audit(&audited, &header.features)).as_ref().map(Audit::recordings);
        writer.write_recordings(&found.unwrap_or_else(|| of_several(duplicates)))?;
        let finished = writer.finish(catalog_failures)?;
        staging.commit()?;
        Ok(finished)
    }
}

/// The rows of recordings with several tracks, sorted.
fn of_several(mut rows: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut n_tracks: HashMap<String, usize> = HashMap::new();
    rows.iter().for_each(|(_, recording)| *n_tracks.entry(recording.clone()).or_default() += 1);
    rows.retain(|(_, recording)| n_tracks.get(recording).is_some_and(|&n| n > 1));
    rows.sort();
    rows
}

impl From<StagingError> for Error {
    fn from(error: StagingError) -> Self {
        match error {
            StagingError::Exists { path } => Self::OutputExists { path },
            StagingError::Locked { path } => Self::Locked { path },
            StagingError::Io { path, source } => Self::Io { path, source },
        }
    }
}
