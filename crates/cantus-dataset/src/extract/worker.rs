//! Extraction of one recording: decode, resample, augment, features; with an audit, analysis in the same pass.

use std::path::Path;

use cantus_audio::Audio;
use cantus_audio::augment::{AugmentSpec, Augmenter};
use cantus_audio::decode::{self, DecodeWarning, Recording};
use cantus_audio::feature::{FeatureExtractor, SegmentFeatures};
use cantus_audio::resample::resample;

use crate::audit::{FileAnalysis, analyze_file};
use crate::store::ExtractFailure;

/// Feature extractor and augmenter of one thread.
#[derive(Clone)]
pub(super) struct ExtractWorker<'a> {
    pub(super) extractor: FeatureExtractor,
    pub(super) augmenter: Option<Augmenter>,
    pub(super) augmentation: Option<&'a AugmentSpec>,
}

/// Features of a track and of its augmented copies.
pub(super) struct TrackFeatures {
    /// `[n_rows, n_frames, n_bins]`: the segments of the track, then those of each copy.
    pub(super) features: Vec<f32>,
    /// First sample of each segment of the track.
    pub(super) starts: Vec<u64>,
    /// Segments of each copy.
    pub(super) copies: Vec<usize>,
    pub(super) warnings: Vec<String>,
}

/// The analysis of a file, or why it cannot be read; `None` without an audit.
type MaybeAnalysis = Option<Result<FileAnalysis, String>>;

impl ExtractWorker<'_> {
    /// Decodes a file and extracts its features; `name` is the key of the random augmentation.
    pub(super) fn extract(
        &mut self,
        path: &Path,
        name: &str,
        is_audited: bool,
    ) -> (Result<TrackFeatures, ExtractFailure>, MaybeAnalysis) {
        let sample_rate = self.extractor.spec().sample_rate;
        let (recording, analysis) = if is_audited {
            match load_and_analyze(path, sample_rate) {
                Ok((recording, analysis)) => (Ok(recording), Some(Ok(analysis))),
                Err(error) => {
                    let reason = without_path(&error.to_string(), path);
                    (Err(error), Some(Err(reason)))
                }
            }
        } else {
            (decode::load(path, sample_rate), None)
        };
        let features = recording
            .map_err(|error| ExtractFailure {
                retry: matches!(error, cantus_audio::Error::Io { .. }),
                reason: without_path(&error.to_string(), path),
            })
            .and_then(|recording| self.extract_recording(&recording, name));
        (features, analysis)
    }

    /// Features of a recording and of its augmented copies.
    fn extract_recording(
        &mut self,
        recording: &Recording,
        name: &str,
    ) -> Result<TrackFeatures, ExtractFailure> {
        let max_segments = self.extractor.spec().segments.max_per_track();
        let SegmentFeatures { features, starts, .. } = self
            .extractor
            .segment(&recording.audio, max_segments)
            .map_err(|error| error.explained_by(&recording.warnings))
            .map_err(|error| ExtractFailure { reason: error.to_string(), retry: false })?;
        let warnings = damage_summary(recording).into_iter().collect();
        let mut track = TrackFeatures { features, starts, copies: Vec::new(), warnings };
        for number in 1..=self.augmentation.map_or(0, |augmentation| augmentation.copies) {
            self.add_copy(&recording.audio, name, number, &mut track);
        }
        Ok(track)
    }

    /// Adds the features of an augmented copy; one without a segment, such as a silent one, is a warning.
    fn add_copy(&mut self, recording: &Audio, name: &str, number: usize, track: &mut TrackFeatures) {
        let Some(augmenter) = &mut self.augmenter else { return };
        let copy = augmenter.copy(recording, name, number);
        match self.extractor.segment(&copy, self.extractor.spec().segments.max_per_track()) {
            Ok(SegmentFeatures { features, n_segments, .. }) => {
                track.features.extend_from_slice(&features);
                track.copies.push(n_segments);
            }
            Err(error) => {
                track.warnings.push(format!("altered copy {number} left out: {error}"));
                track.copies.push(0);
            }
        }
    }
}

/// The result of [`decode::load`], and the analysis of the file.
fn load_and_analyze(path: &Path, sample_rate: u32) -> Result<(Recording, FileAnalysis), cantus_audio::Error> {
    let mut samples = Vec::new();
    let analysis = analyze_file(path, |block| decode::append(path, &mut samples, block))?;
    let file_rate = analysis.source.sample_rate;
    if file_rate != sample_rate {
        samples = resample(&samples, file_rate, sample_rate);
    }
    let (source, warnings) = (analysis.source.clone(), analysis.faults.clone());
    Ok((Recording { audio: Audio { samples, sample_rate }, source, warnings }, analysis))
}

/// One line on all damage that the decoder tolerated.
fn damage_summary(recording: &Recording) -> Option<String> {
    let rate = f64::from(recording.source.sample_rate);
    let describe =
        |warning: &DecodeWarning| format!("{} (at {:.2} s)", warning.reason, warning.position as f64 / rate);
    match &recording.warnings[..] {
        [] => None,
        [warning] => Some(describe(warning)),
        [first, ..] => Some(format!("{} faults, the first: {}", recording.warnings.len(), describe(first))),
    }
}

/// An error message without the path, which failures and warnings have in a column of its own.
fn without_path(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}
