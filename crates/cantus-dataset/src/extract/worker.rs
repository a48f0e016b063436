//! Extraction of one recording: decode, resample, features; with augmentation, altered copies; with an audit, analysis in the
//! same pass.

use std::path::Path;

use cantus_audio::Audio;
use cantus_audio::augment::{AugmentSpec, Augmenter};
use cantus_audio::decode::{self, AudioSource, DecodeWarning, Decoder};
use cantus_audio::feature::{FeatureExtractor, SegmentError, SegmentFeatures, TrackSegmenter};
use cantus_audio::resample::resample;

use crate::audit::{FileAnalysis, analyze};
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

/// What is known of a decoded file besides its samples.
struct DecodedFile {
    source: AudioSource,
    warnings: Vec<DecodeWarning>,
    /// `None` without an audit.
    analysis: Option<FileAnalysis>,
}

/// A decoded file, and its features or why it has none.
type Extracted = (DecodedFile, Result<TrackFeatures, SegmentError>);

impl ExtractWorker<'_> {
    /// Decodes a file and extracts its features; `name` is the key of the random augmentation.
    pub(super) fn extract(
        &mut self,
        path: &Path,
        name: &str,
        is_audited: bool,
    ) -> (Result<TrackFeatures, ExtractFailure>, MaybeAnalysis) {
        let extracted = match self.augmenter {
            None => self.extract_in_blocks(path, is_audited),
            Some(_) => self.extract_with_copies(path, name, is_audited),
        };
        match extracted {
            Ok((file, features)) => {
                let features = features
                    .map_err(|reason| ExtractFailure { reason: reason.to_string(), retry: false })
                    .map(|features| TrackFeatures {
                        warnings: file.all_warnings(features.warnings),
                        ..features
                    });
                (features, file.analysis.map(Ok))
            }
            Err(error) => {
                let retry = matches!(error, cantus_audio::Error::Io { .. });
                let reason = without_path(&error.to_string(), path);
                (Err(ExtractFailure { reason: reason.clone(), retry }), is_audited.then_some(Err(reason)))
            }
        }
    }

    /// Features of a file, in memory that does not depend on its length.
    fn extract_in_blocks(&mut self, path: &Path, is_audited: bool) -> Result<Extracted, cantus_audio::Error> {
        let decoder = Decoder::open(path)?;
        let mut segmenter = TrackSegmenter::new(&decoder, &self.extractor);
        let file = decode_all(decoder, is_audited, |samples| {
            segmenter.push(&mut self.extractor, samples);
            Ok(())
        })?;
        let segments = segmenter.finish(&mut self.extractor, path)?;
        let features = segments.map_err(|error| error.explained_by(&file.warnings)).map(TrackFeatures::of);
        Ok((file, features))
    }

    /// Features of a file and of its augmented copies, which are made from all of its samples.
    fn extract_with_copies(
        &mut self,
        path: &Path,
        name: &str,
        is_audited: bool,
    ) -> Result<Extracted, cantus_audio::Error> {
        let sample_rate = self.extractor.spec().sample_rate;
        let mut samples = Vec::new();
        let append = |block: &[f32]| decode::append(path, &mut samples, block);
        let file = decode_all(Decoder::open(path)?, is_audited, append)?;
        if file.source.sample_rate != sample_rate {
            samples = resample(&samples, file.source.sample_rate, sample_rate);
        }
        let audio = Audio { samples, sample_rate };
        let segments = self.extractor.segment(&audio, self.extractor.spec().segments.max_per_track());
        let features = segments.map_err(|error| error.explained_by(&file.warnings)).map(|segments| {
            let mut track = TrackFeatures::of(segments);
            for number in 1..=self.augmentation.map_or(0, |augmentation| augmentation.copies) {
                self.add_copy(&audio, name, number, &mut track);
            }
            track
        });
        Ok((file, features))
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

impl TrackFeatures {
    fn of(segments: SegmentFeatures) -> Self {
        let SegmentFeatures { features, starts, .. } = segments;
        Self { features, starts, copies: Vec::new(), warnings: Vec::new() }
    }
}

impl DecodedFile {
    /// One line on all damage that the decoder tolerated, and the warnings of the extraction.
    fn all_warnings(&self, of_extraction: Vec<String>) -> Vec<String> {
        let rate = f64::from(self.source.sample_rate);
        let describe = |warning: &DecodeWarning| {
            format!("{} (at {:.2} s)", warning.reason, warning.position as f64 / rate)
        };
        let damage = match &self.warnings[..] {
            [] => None,
            [warning] => Some(describe(warning)),
            [first, ..] => Some(format!("{} faults, the first: {}", self.warnings.len(), describe(first))),
        };
        damage.into_iter().chain(of_extraction).collect()
    }
}

/// Decodes a file to its end, and analyses it if it is audited; `on_block` receives its samples, at its sample rate.
fn decode_all(
    mut decoder: Decoder,
    is_audited: bool,
    mut on_block: impl FnMut(&[f32]) -> Result<(), cantus_audio::Error>,
) -> Result<DecodedFile, cantus_audio::Error> {
    if is_audited {
        let analysis = analyze(decoder, on_block)?;
        let (source, warnings) = (analysis.source.clone(), analysis.faults.clone());
        return Ok(DecodedFile { source, warnings, analysis: Some(analysis) });
    }
    while let Some(block) = decoder.next_block()? {
        on_block(block)?;
    }
    Ok(DecodedFile { source: decoder.source().clone(), warnings: decoder.into_warnings(), analysis: None })
}

/// An error message without the path, which failures and warnings have in a column of its own.
fn without_path(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}
