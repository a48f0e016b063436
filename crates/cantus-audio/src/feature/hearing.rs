//! A track as a network hears it: its whole segments, or why there is nothing to hear.

use super::FeatureExtractor;
use crate::Audio;

/// The segments of one track.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// `[n_segments, spec.frames_per_segment(), spec.n_bins()]`
    pub features: Vec<f32>,
    /// How many there are; at least one.
    pub n_segments: usize,
}

/// Why nothing can be made of a recording.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NothingToHear {
    /// Every sample is zero.
    #[error("silent from beginning to end")]
    Silent,
    /// It ends before its first segment does.
    #[error("too short: it lasts {duration_s:.2} s, and a segment takes {segment_s:.2} s")]
    TooShort {
        /// Length of the recording, in seconds.
        duration_s: f64,
        /// Length of a segment, in seconds.
        segment_s: f64,
    },
    /// Its features are infinite or no numbers.
    #[error("its features are not finite: its samples are beyond all measure")]
    NotFinite,
}

impl FeatureExtractor {
    /// Features of the first `n_most` whole segments of a recording at the specification's sample rate. A rest that is
    /// shorter than a segment is left out.
    ///
    /// # Errors
    /// If there is nothing to hear: silence, less than one segment, or samples beyond all measure.
    pub fn hear(&mut self, audio: &Audio, n_most: usize) -> Result<Heard, NothingToHear> {
        if audio.is_silent() {
            return Err(NothingToHear::Silent);
        }
        let n_most = n_most.saturating_mul(self.spec().segment_samples());
        // It is the whole recording that is not silent: its first segments may be.
        let (mut hearing, mut features) = (Hearing { is_loud: true, ..Hearing::default() }, Vec::new());
        hearing.push(self, &audio.samples[..n_most.min(audio.samples.len())], &mut features);
        let n_segments = hearing.finish(self, &mut features)?;
        Ok(Heard { features, n_segments })
    }
}

/// A recording that is heard piece by piece, in memory for one segment.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    /// The segment that is not whole yet.
    segment: Vec<f32>,
    features: Vec<f32>,
    n_samples: u64,
    n_segments: usize,
    is_loud: bool,
    is_infinite: bool,
}

impl Hearing {
    /// The next samples; features of segments that are whole by now are added to `features`.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, at the specification's sample rate
    /// - `features`: grows by `[n_segments, spec.frames_per_segment(), spec.n_bins()]`
    pub fn push(&mut self, extractor: &mut FeatureExtractor, mut samples: &[f32], features: &mut Vec<f32>) {
        self.n_samples += samples.len() as u64;
        self.is_loud = self.is_loud || samples.iter().any(|&sample| sample != 0.0);
        let segment_samples = extractor.spec().segment_samples().max(1);
        while self.segment.len() + samples.len() >= segment_samples {
            let (now, later) = samples.split_at(segment_samples - self.segment.len());
            self.segment.extend_from_slice(now);
            samples = later;
            self.hear(extractor, features);
        }
        self.segment.extend_from_slice(samples);
    }

    /// Samples that were pushed so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// The end of the recording: how many segments it had.
    ///
    /// # Errors
    /// If there was nothing to hear: silence, less than one segment, or samples beyond all measure.
    pub fn finish(
        mut self,
        extractor: &mut FeatureExtractor,
        features: &mut Vec<f32>,
    ) -> Result<usize, NothingToHear> {
        let spec = extractor.spec();
        let (segment_samples, sample_rate) = (spec.segment_samples(), f64::from(spec.sample_rate));
        // The course's rule: a piece counts if it gives as many frames as a whole segment.
        if !self.segment.is_empty() && spec.n_frames(self.segment.len()) == spec.frames_per_segment() {
            self.hear(extractor, features);
        }
        if !self.is_loud {
            return Err(NothingToHear::Silent);
        }
        if self.n_segments == 0 {
            let duration_s = self.n_samples as f64 / sample_rate;
            return Err(NothingToHear::TooShort {
                duration_s,
                segment_s: segment_samples as f64 / sample_rate,
            });
        }
        if self.is_infinite {
            return Err(NothingToHear::NotFinite);
        }
        Ok(self.n_segments)
    }

    fn hear(&mut self, extractor: &mut FeatureExtractor, features: &mut Vec<f32>) {
        extractor.extract_into(&self.segment, &mut self.features);
        self.is_infinite = self.is_infinite || self.features.iter().any(|value| !value.is_finite());
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
    fn whole_segments_are_heard_and_the_rest_is_left_out() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        let heard = extractor.hear(&tone(66_150 * 2 + 30_000), 10).unwrap();
        assert_eq!((heard.n_segments, heard.features.len()), (2, 2 * 130 * 13));
        assert_eq!(extractor.hear(&tone(66_150 * 3), 2).unwrap().n_segments, 2);
        let second = extractor.extract(&tone(66_150 * 2).samples[66_150..]).values;
        assert_eq!(heard.features[130 * 13..], second);
    }

    #[test]
    fn pieces_are_heard_as_the_whole_is() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        // The last segment lacks some samples, but no frame.
        let recording = tone(66_150 * 2 + 66_100);
        let whole = extractor.hear(&recording, 10).unwrap();
        for piece in [1000, 66_150, 150_000] {
            let (mut hearing, mut features) = (Hearing::default(), Vec::new());
            for samples in recording.samples.chunks(piece) {
                hearing.push(&mut extractor, samples, &mut features);
            }
            assert_eq!(hearing.finish(&mut extractor, &mut features), Ok(3));
            assert!(features == whole.features, "in pieces of {piece}");
        }
    }

    #[test]
    fn silence_and_snippets_are_refused_with_their_reason() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        let silence = Audio { samples: vec![0.0; 100_000], sample_rate: 22_050 };
        assert_eq!(extractor.hear(&silence, 10), Err(NothingToHear::Silent));
        let error = extractor.hear(&tone(2205), 10).unwrap_err();
        assert_eq!(error.to_string(), "too short: it lasts 0.10 s, and a segment takes 3.00 s");
    }
}
