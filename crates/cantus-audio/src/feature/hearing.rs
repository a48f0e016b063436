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
        let heard = self.segments(&audio.samples, n_most);
        if heard.n_segments == 0 {
            let segment_s = self.spec().segment_samples() as f64 / f64::from(self.spec().sample_rate);
            return Err(NothingToHear::TooShort { duration_s: audio.duration_s(), segment_s });
        }
        if !heard.features.iter().all(|value| value.is_finite()) {
            return Err(NothingToHear::NotFinite);
        }
        Ok(heard)
    }

    fn segments(&mut self, samples: &[f32], n_most: usize) -> Heard {
        let (n_samples, n_frames) = (self.spec().segment_samples(), self.spec().frames_per_segment());
        let mut heard = Heard { features: Vec::new(), n_segments: 0 };
        let mut segment = Vec::new();
        for piece in samples.chunks(n_samples.max(1)).take(n_most) {
            // The course's rule: a piece counts if it gives as many frames as a whole segment.
            if self.spec().n_frames(piece.len()) == n_frames {
                self.extract_into(piece, &mut segment);
                heard.features.extend_from_slice(&segment);
                heard.n_segments += 1;
            }
        }
        heard
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
    fn silence_and_snippets_are_refused_with_their_reason() {
        let mut extractor = FeatureSpec::course().extractor().unwrap();
        let silence = Audio { samples: vec![0.0; 100_000], sample_rate: 22_050 };
        assert_eq!(extractor.hear(&silence, 10), Err(NothingToHear::Silent));
        let error = extractor.hear(&tone(2205), 10).unwrap_err();
        assert_eq!(error.to_string(), "too short: it lasts 0.10 s, and a segment takes 3.00 s");
    }
}
