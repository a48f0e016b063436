//! Cuts a recording into segments and extracts their features; rejects silent, short or non-finite input.

mod track;
mod windows;

pub use self::track::{TrackSegmenter, segment_file};

use self::windows::{WindowStarts, padded};
use super::{FeatureExtractor, FeatureSpec, SegmentPadding, Segments};
use crate::Audio;
use crate::decode::{CHANNELS_CANCEL, DecodeWarning, NON_FINITE};

/// The features of the segments of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFeatures {
    /// `[n_segments, spec.frames_per_segment(), spec.n_bins()]`
    pub features: Vec<f32>,
    /// At least 1.
    pub n_segments: usize,
    /// First sample of each segment in the recording.
    pub starts: Vec<u64>,
}

/// Why a recording has no usable segments.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// Every sample is zero.
    #[error("silent: every sample is zero")]
    Silent,
    /// Every sample of the average of the channels is zero, and those of the channels are not.
    #[error("silent: the channels cancel each other")]
    ChannelsCancel,
    /// Every sample is NaN, infinite or zero.
    #[error("no sound: its samples are NaN or infinite")]
    SamplesNotFinite,
    /// The recording is shorter than a segment.
    #[error("too short: it lasts {duration_s:.2} s, and a segment takes {segment_s:.2} s")]
    TooShort {
        /// Duration of the recording, in seconds.
        duration_s: f64,
        /// Duration of a segment, in seconds.
        segment_s: f64,
    },
    /// A feature is NaN or infinite.
    #[error("features contain NaN or infinity")]
    NotFinite,
}

impl SegmentError {
    /// The cause of silence, by the warnings of the decoder, instead of [`Silent`](Self::Silent).
    #[must_use]
    pub fn explained_by(self, warnings: &[DecodeWarning]) -> Self {
        let has = |reason: &str| warnings.iter().any(|warning| warning.reason == reason);
        match self {
            Self::Silent if has(CHANNELS_CANCEL) => Self::ChannelsCancel,
            Self::Silent if has(NON_FINITE) => Self::SamplesNotFinite,
            other => other,
        }
    }
}

impl FeatureExtractor {
    /// Features of the segments of a recording, `max_segments` at most: of the course's parts the first ones, of windows as
    /// many at equal distances.
    ///
    /// `audio` is at the specification's sample rate.
    ///
    /// # Errors
    /// [`SegmentError`], if all of the recording is silent, or the segments are shorter than one segment or have features
    /// that are not finite.
    pub fn segment(&mut self, audio: &Audio, max_segments: usize) -> Result<SegmentFeatures, SegmentError> {
        if audio.is_silent() {
            return Err(SegmentError::Silent);
        }
        let mut segmenter = Segmenter::at_most(max_segments, audio.samples.len() as u64, self.spec());
        let mut features = Vec::new();
        segmenter.push(self, &audio.samples, &mut features);
        let starts = segmenter.finish(self, &mut features)?;
        Ok(SegmentFeatures { features, n_segments: starts.len(), starts })
    }
}

/// Streaming segmentation: keeps fewer samples in memory than three segments have.
#[derive(Debug, Clone, Default)]
pub struct Segmenter {
    selection: Selection,
    /// The latest samples.
    buffer: Vec<f32>,
    /// Number of the first sample of the buffer.
    buffer_start: u64,
    /// First sample of the next segment; none comes after [`NO_START`].
    next_start: u64,
    /// First samples of the segments so far.
    starts: Vec<u64>,
    features: Vec<f32>,
    n_samples: u64,
    has_signal: bool,
    has_non_finite: bool,
}

/// The first sample of no segment: all selected ones are extracted.
const NO_START: u64 = u64::MAX;

/// Which segments of a recording are extracted.
#[derive(Debug, Clone, Default)]
enum Selection {
    #[default]
    All,
    /// So many parts from the beginning.
    First(usize),
    /// Windows whose first samples are these, in ascending order.
    Windows(std::vec::IntoIter<u64>),
}

impl Segmenter {
    /// A segmenter of at most `max_segments` segments of a recording of `n_samples` samples: of the course's parts the first
    /// ones, of windows as many at equal distances.
    #[must_use]
    pub fn at_most(max_segments: usize, n_samples: u64, spec: &FeatureSpec) -> Self {
        let selection = match spec.segments {
            Segments::Parts { .. } => Selection::First(max_segments),
            Segments::Windows(_) => {
                let windows = WindowStarts::new(n_samples, spec.segment_samples(), spec.segment_hop());
                if windows.len() <= max_segments as u64 {
                    Selection::All
                } else {
                    Selection::Windows(windows.spread(max_segments).into_iter())
                }
            }
        };
        let mut segmenter = Self { selection, ..Self::default() };
        segmenter.next_start = segmenter.start_after(None, spec.segment_hop());
        segmenter
    }

    /// Takes the next samples; appends the features of every completed segment.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, at the specification's sample rate
    /// - `features`: grows by `[n_completed, spec.frames_per_segment(), spec.n_bins()]`
    pub fn push(&mut self, extractor: &mut FeatureExtractor, samples: &[f32], features: &mut Vec<f32>) {
        self.has_signal = self.has_signal || samples.iter().any(|&sample| sample != 0.0);
        let length = extractor.spec().segment_samples().max(1);
        let hop = extractor.spec().segment_hop();
        for block in samples.chunks(length) {
            self.buffer.extend_from_slice(block);
            self.n_samples += block.len() as u64;
            while self.next_start.saturating_add(length as u64) <= self.n_samples {
                let start = self.next_start;
                self.extract_buffered(extractor, start, length, features);
                self.next_start = self.start_after(Some(start), hop);
            }
            self.discard(length as u64);
        }
    }

    /// Number of samples so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// Ends the recording; returns the first sample of each of its segments.
    ///
    /// # Errors
    /// [`SegmentError`], if it was silent, shorter than a segment and is not padded, or has features that are not finite.
    pub fn finish(
        mut self,
        extractor: &mut FeatureExtractor,
        features: &mut Vec<f32>,
    ) -> Result<Vec<u64>, SegmentError> {
        match extractor.spec().segments {
            Segments::Parts { .. } => self.finish_parts(extractor, features),
            Segments::Windows(windows) => self.finish_windows(extractor, windows.padding, features),
        }
        if !self.has_signal {
            return Err(SegmentError::Silent);
        }
        if self.starts.is_empty() {
            let sample_rate = f64::from(extractor.spec().sample_rate);
            return Err(SegmentError::TooShort {
                duration_s: self.n_samples as f64 / sample_rate,
                segment_s: extractor.spec().segment_samples() as f64 / sample_rate,
            });
        }
        if self.has_non_finite {
            return Err(SegmentError::NotFinite);
        }
        Ok(self.starts)
    }

    /// First sample of the segment that follows the one at `start`, or of the first one.
    fn start_after(&mut self, start: Option<u64>, hop: usize) -> u64 {
        let next = start.map_or(0, |start| start + hop as u64);
        match &mut self.selection {
            Selection::All => next,
            Selection::First(n) if self.starts.len() < *n => next,
            Selection::First(_) => NO_START,
            Selection::Windows(starts) => starts.next().unwrap_or(NO_START),
        }
    }

    /// The course's rule: a last segment counts if it has as many frames as a whole one.
    fn finish_parts(&mut self, extractor: &mut FeatureExtractor, features: &mut Vec<f32>) {
        let spec = extractor.spec();
        let rest = self.n_samples.saturating_sub(self.next_start) as usize;
        let stft = spec.stft_config();
        if rest > 0 && stft.n_frames(rest) == stft.n_frames(spec.segment_samples()) {
            self.extract_buffered(extractor, self.next_start, rest, features);
        }
    }

    /// A window that ends with the recording, or the padded recording if it is shorter than a window.
    fn finish_windows(
        &mut self,
        extractor: &mut FeatureExtractor,
        padding: SegmentPadding,
        features: &mut Vec<f32>,
    ) {
        if matches!(self.selection, Selection::Windows(_)) {
            return;
        }
        let (length, hop) = (extractor.spec().segment_samples(), extractor.spec().segment_hop() as u64);
        match self.n_samples.checked_sub(length as u64) {
            Some(last) if last % hop > 0 && 2 * (last % hop) >= hop => {
                self.extract_buffered(extractor, last, length, features);
            }
            Some(_) => {}
            None if self.buffer.is_empty() || padding == SegmentPadding::None => {}
            None => {
                let padded = padded(&self.buffer, length, padding);
                self.extract(extractor, &padded, 0, features);
            }
        }
    }

    /// Drops the samples that neither the next segment nor a window at the end needs, once they are as many as a segment.
    fn discard(&mut self, length: u64) {
        let keep_from = self.next_start.min(self.n_samples.saturating_sub(length));
        let n_unused = keep_from.saturating_sub(self.buffer_start);
        if n_unused >= length {
            self.buffer.drain(..n_unused as usize);
            self.buffer_start += n_unused;
        }
    }

    /// Appends the features of `length` buffered samples from sample `start`.
    fn extract_buffered(
        &mut self,
        extractor: &mut FeatureExtractor,
        start: u64,
        length: usize,
        features: &mut Vec<f32>,
    ) {
        let buffer = std::mem::take(&mut self.buffer);
        let first = (start - self.buffer_start) as usize;
        self.extract(extractor, &buffer[first..][..length], start, features);
        self.buffer = buffer;
    }

    /// Appends the features of a segment.
    fn extract(
        &mut self,
        extractor: &mut FeatureExtractor,
        segment: &[f32],
        start: u64,
        features: &mut Vec<f32>,
    ) {
        extractor.extract_into(segment, &mut self.features);
        self.has_non_finite = self.has_non_finite || self.features.iter().any(|value| !value.is_finite());
        features.extend_from_slice(&self.features);
        self.starts.push(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::SegmentWindows;

    fn tone(n_samples: usize) -> Audio {
        let samples = (0..n_samples).map(|n| (n as f32 * 0.1).sin() * 0.5).collect();
        Audio { samples, sample_rate: 22_050 }
    }

    #[test]
    fn whole_segments_are_extracted_and_the_rest_is_left_out() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        let segments = extractor.segment(&tone(66_150 * 2 + 30_000), 10).unwrap();
        assert_eq!((segments.n_segments, segments.features.len()), (2, 2 * 130 * 13));
        assert_eq!(extractor.segment(&tone(66_150 * 3), 2).unwrap().n_segments, 2);
        let second = extractor.extract(&tone(66_150 * 2).samples[66_150..]).values;
        assert_eq!(segments.features[130 * 13..], second);
    }

    #[test]
    fn streaming_equals_the_whole_recording() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        // The last segment lacks some samples, but no frame.
        let recording = tone(66_150 * 2 + 66_100);
        let whole = extractor.segment(&recording, 10).unwrap();
        for block in [1000, 66_150, 150_000] {
            let (mut segmenter, mut features) = (Segmenter::default(), Vec::new());
            for samples in recording.samples.chunks(block) {
                segmenter.push(&mut extractor, samples, &mut features);
            }
            assert_eq!(segmenter.finish(&mut extractor, &mut features), Ok(vec![0, 66_150, 132_300]));
            assert!(features == whole.features, "in blocks of {block}");
        }
    }

    #[test]
    fn silence_is_explained_by_the_warnings_of_the_decoder() {
        let explained = |reason: &str| {
            let warning =
                DecodeWarning { position: 0, n_samples: 9, count: 1, reason: reason.into(), is_end: false };
            SegmentError::Silent.explained_by(&[warning])
        };
        assert_eq!(explained(CHANNELS_CANCEL).to_string(), "silent: the channels cancel each other");
        assert_eq!(explained(NON_FINITE), SegmentError::SamplesNotFinite);
        assert_eq!(explained("the file is truncated"), SegmentError::Silent);
        assert_eq!(SegmentError::NotFinite.explained_by(&[]), SegmentError::NotFinite);
    }

    #[test]
    fn silent_and_short_recordings_are_errors() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        let silence = Audio { samples: vec![0.0; 100_000], sample_rate: 22_050 };
        assert_eq!(extractor.segment(&silence, 10), Err(SegmentError::Silent));
        let error = extractor.segment(&tone(2205), 10).unwrap_err();
        assert_eq!(error.to_string(), "too short: it lasts 0.10 s, and a segment takes 3.00 s");
    }

    fn windows(duration_s: f64, hop_s: f64, padding: SegmentPadding) -> FeatureExtractor {
        let windows = SegmentWindows { hop_s, padding, ..SegmentWindows::adjacent(duration_s) };
        let spec = FeatureSpec { segments: Segments::Windows(windows), ..FeatureSpec::course() };
        spec.extractor().unwrap()
    }

    /// Windows longer, as long, and shorter than their hop, on recordings of many lengths in blocks of several sizes.
    #[test]
    fn streaming_windows_equal_those_of_the_whole_recording() {
        for (duration_s, hop_s) in [(0.2, 0.1), (0.2, 0.2), (0.2, 0.13), (0.1, 0.25)] {
            let mut extractor = windows(duration_s, hop_s, SegmentPadding::Repeat);
            let length = extractor.spec().segment_samples();
            for n_samples in [length / 3, length, length + 1, 3 * length + 700, 7 * length + 1234] {
                let recording = tone(n_samples);
                let whole = extractor.segment(&recording, 1000).unwrap();
                let windows = WindowStarts::new(n_samples as u64, length, extractor.spec().segment_hop());
                let expected: Vec<u64> =
                    (0..windows.len().max(1)).map(|index| windows.start(index)).collect();
                for block in [100, length, 10 * length] {
                    let (mut segmenter, mut features) = (Segmenter::default(), Vec::new());
                    for samples in recording.samples.chunks(block) {
                        segmenter.push(&mut extractor, samples, &mut features);
                        assert!(segmenter.buffer.len() <= 3 * length, "bounded memory");
                    }
                    assert_eq!(segmenter.finish(&mut extractor, &mut features).unwrap(), expected);
                    assert!(features == whole.features, "{n_samples} in blocks of {block}");
                }
            }
        }
    }

    #[test]
    fn of_a_long_recording_windows_at_equal_distances_are_extracted() {
        let mut extractor = windows(0.2, 0.2, SegmentPadding::Repeat);
        let recording = tone(20 * 4410);
        let sampled = extractor.segment(&recording, 3).unwrap();
        assert_eq!((sampled.n_segments, &sampled.starts[..]), (3, &[0, 9 * 4410, 19 * 4410][..]));
        let all = extractor.segment(&recording, 20).unwrap().features;
        let len = all.len() / 20;
        let expected = [&all[..len], &all[9 * len..10 * len], &all[19 * len..]].concat();
        assert!(sampled.features == expected);
        let middle = extractor.segment(&recording, 1).unwrap().features;
        assert!(middle == all[9 * len..10 * len], "a single window is in the middle");
    }

    #[test]
    fn a_short_recording_is_padded_as_specified() {
        let short = tone(1000);
        let samples = &short.samples;
        let mut zeros = samples.clone();
        zeros.resize(4410, 0.0);
        let repeated: Vec<f32> = samples.iter().copied().cycle().take(4410).collect();
        for (padding, expected) in [(SegmentPadding::Zero, zeros), (SegmentPadding::Repeat, repeated)] {
            let mut extractor = windows(0.2, 0.2, padding);
            let segments = extractor.segment(&short, 9).unwrap();
            assert_eq!((segments.n_segments, segments.starts), (1, vec![0]));
            assert_eq!(segments.features, extractor.extract(&expected).values);
        }
        let left_out = windows(0.2, 0.2, SegmentPadding::None).segment(&short, 9);
        assert!(matches!(left_out, Err(SegmentError::TooShort { .. })));
        let empty = windows(0.2, 0.2, SegmentPadding::Repeat).segment(&tone(0), 9);
        assert!(empty.is_err());
    }
}
