//! Cuts a recording into segments and extracts their features; rejects silent, short or non-finite input.

use super::FeatureExtractor;
use crate::Audio;
use crate::decode::{CHANNELS_CANCEL, DecodeWarning, NON_FINITE};

/// The features of the segments of one recording.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFeatures {
    /// `[n_segments, spec.frames_per_segment(), spec.n_bins()]`
    pub features: Vec<f32>,
    /// At least 1.
    pub n_segments: usize,
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
    /// Features of the first whole segments of a recording, `max_segments` at most. An incomplete last segment is left
    /// out.
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
        let max_samples = max_segments.saturating_mul(self.spec().segment_samples());
        // The recording as a whole is not silent; its first segments may be.
        let (mut segmenter, mut features) =
            (Segmenter { has_signal: true, ..Segmenter::default() }, Vec::new());
        segmenter.push(self, &audio.samples[..max_samples.min(audio.samples.len())], &mut features);
        let n_segments = segmenter.finish(self, &mut features)?;
        Ok(SegmentFeatures { features, n_segments })
    }
}

/// Streaming segmentation: keeps one segment of samples in memory.
#[derive(Debug, Clone, Default)]
pub struct Segmenter {
    /// The current segment, incomplete.
    segment: Vec<f32>,
    features: Vec<f32>,
    n_samples: u64,
    n_segments: usize,
    has_signal: bool,
    has_non_finite: bool,
}

impl Segmenter {
    /// Takes the next samples; appends the features of every completed segment.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, at the specification's sample rate
    /// - `features`: grows by `[n_completed, spec.frames_per_segment(), spec.n_bins()]`
    pub fn push(&mut self, extractor: &mut FeatureExtractor, mut samples: &[f32], features: &mut Vec<f32>) {
        self.n_samples += samples.len() as u64;
        self.has_signal = self.has_signal || samples.iter().any(|&sample| sample != 0.0);
        let segment_samples = extractor.spec().segment_samples().max(1);
        while self.segment.len() + samples.len() >= segment_samples {
            let (current, rest) = samples.split_at(segment_samples - self.segment.len());
            self.segment.extend_from_slice(current);
            samples = rest;
            self.extract(extractor, features);
        }
        self.segment.extend_from_slice(samples);
    }

    /// Number of samples so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// Ends the recording; returns its number of segments.
    ///
    /// # Errors
    /// [`SegmentError`], if it was silent, shorter than a segment, or has features that are not finite.
    pub fn finish(
        mut self,
        extractor: &mut FeatureExtractor,
        features: &mut Vec<f32>,
    ) -> Result<usize, SegmentError> {
        let spec = extractor.spec();
        let (segment_samples, sample_rate) = (spec.segment_samples(), f64::from(spec.sample_rate));
        // The course's rule: a last segment counts if it has as many frames as a whole one.
        if !self.segment.is_empty() && spec.n_frames(self.segment.len()) == spec.frames_per_segment() {
            self.extract(extractor, features);
        }
        if !self.has_signal {
            return Err(SegmentError::Silent);
        }
        if self.n_segments == 0 {
            let duration_s = self.n_samples as f64 / sample_rate;
            return Err(SegmentError::TooShort {
                duration_s,
                segment_s: segment_samples as f64 / sample_rate,
            });
        }
        if self.has_non_finite {
            return Err(SegmentError::NotFinite);
        }
        Ok(self.n_segments)
    }

    /// Appends the features of the current segment, and begins the next.
    fn extract(&mut self, extractor: &mut FeatureExtractor, features: &mut Vec<f32>) {
        extractor.extract_into(&self.segment, &mut self.features);
        self.has_non_finite = self.has_non_finite || self.features.iter().any(|value| !value.is_finite());
        features.extend_from_slice(&self.features);
        self.n_segments += 1;
        self.segment.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::FeatureSpec;

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
            assert_eq!(segmenter.finish(&mut extractor, &mut features), Ok(3));
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
}
