//! Extraction of the tracks of one part, in parallel.

use std::sync::atomic::{AtomicBool, Ordering};

use cantus_audio::feature::Segments;
use rayon::prelude::*;

use super::progress::ProgressCounter;
use super::worker::{ExtractWorker, TrackFeatures};
use crate::audit::AuditedFile;
use crate::store::{PartRecord, TrackInput, TrackRecord};
use crate::{Catalog, Track, tags};

/// Extraction of the tracks of one part.
pub(super) struct PartJob<'a> {
    pub(super) catalog: &'a Catalog,
    /// Cloned for each thread.
    pub(super) worker: &'a ExtractWorker<'a>,
    pub(super) cancel: &'a AtomicBool,
    pub(super) progress: &'a ProgressCounter<'a>,
    pub(super) is_audited: bool,
}

/// Result of a [`PartJob`].
pub(super) struct ExtractedPart {
    pub(super) record: PartRecord,
    /// `[n_rows, n_frames, n_bins]`
    pub(super) features: Vec<f32>,
    /// Empty without an audit.
    pub(super) audited: Vec<AuditedFile>,
}

/// A track's record and features, and its analysis with an audit.
type ExtractedTrack = ((TrackRecord, Vec<f32>), Option<AuditedFile>);

impl PartJob<'_> {
    /// Extracts the tracks of a part in parallel; `None` if cancelled.
    pub(super) fn run(&self, tracks: &[Track], inputs: Vec<TrackInput>) -> Option<ExtractedPart> {
        let extracted: Option<Vec<ExtractedTrack>> = tracks
            .par_iter()
            .zip(inputs)
            .with_max_len(1)
            .map_init(
                || self.worker.clone(),
                |worker, (track, input)| {
                    (!self.cancel.load(Ordering::Relaxed)).then(|| self.extract_track(worker, track, input))
                },
            )
            .collect();
        let (extracted, audited): (Vec<_>, Vec<_>) = extracted?.into_iter().unzip();
        let (tracks, features): (Vec<_>, Vec<_>) = extracted.into_iter().unzip();
        let record = PartRecord::new(self.worker.extractor.spec(), self.worker.augmentation, tracks);
        let audited = audited.into_iter().flatten().collect();
        Some(ExtractedPart { record, features: features.concat(), audited })
    }

    fn extract_track(
        &self,
        worker: &mut ExtractWorker<'_>,
        track: &Track,
        input: TrackInput,
    ) -> ExtractedTrack {
        let path = self.catalog.path_of(track);
        let (result, analysis) = worker.extract(&path, &track.path, self.is_audited);
        let artist = track.artist.clone().or_else(|| tags::read(&path).ok().and_then(|tags| tags.artist));
        self.progress.track_done(track, result.is_err());
        let audited = analysis.map(|analysis| AuditedFile {
            path: track.path.clone(),
            label: input.label_set.class().map(str::to_owned),
            artist: artist.clone(),
            analysis,
        });
        let record = TrackRecord { artist, ..TrackRecord::new(input, 0) };
        let extracted = match result {
            Err(failure) => (TrackRecord { failure: Some(failure), ..record }, Vec::new()),
            Ok(TrackFeatures { features, starts, copies, warnings }) => {
                let n_segments = starts.len();
                // The parts of a track begin at multiples of their length.
                let (n_dropped, starts) = match worker.extractor.spec().segments {
                    Segments::Parts { n_segments: all, .. } => (all - n_segments, Vec::new()),
                    Segments::Windows(_) => (0, starts),
                };
                (TrackRecord { n_segments, starts, copies, n_dropped, warnings, ..record }, features)
            }
        };
        (extracted, audited)
    }
}
