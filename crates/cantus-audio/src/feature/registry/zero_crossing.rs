//! Zero-crossing rate: sign changes per sample of each frame.
//!
//! # Conventions
//! - Samples within ±1e-10 count as zero, and zero as positive.
//! - Centred frames are padded with the first and last sample, whatever `pad_mode` is: no crossings in the padding.
//!
//! # Reference
//! `librosa.feature.zero_crossing_rate` 0.11, with `frame_length = n_fft`.

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::rows::Rows;

/// Smaller magnitudes count as zero: librosa's `threshold`.
const THRESHOLD: f32 = 1e-10;

/// Crossings per sample of each frame: `[n_frames, 1]`; equals librosa's to the last bit of f32.
#[derive(Debug, Clone)]
pub(crate) struct ZeroCrossingRate {
    /// `[n_samples]`, number of crossings up to each sample, inclusive.
    cumulative: Vec<u32>,
}

impl Feature for ZeroCrossingRate {
    type Config = ();
    const NAME: &'static str = "zero_crossing_rate";
    const TITLE: &'static str = "Zero-crossing rate";
    const UNIT: &'static str = "crossings per sample";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_: &Self::Config, _: &FrameParams) -> Self {
        Self { cumulative: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.count(input.samples);
        let stft = &input.params.stft;
        let (n_fft, padding) = (stft.n_fft, stft.padding());
        let crossings_before = |end: usize| {
            // `end` counts samples of the padded segment
            let within = end.saturating_sub(padding).min(self.cumulative.len());
            within.checked_sub(1).map_or(0, |last| self.cumulative[last])
        };
        for (t, row) in rows.iter_mut().enumerate() {
            let start = t * stft.hop_length;
            // The first sample of a frame has no predecessor.
            row[0] = (f64::from(crossings_before(start + n_fft) - crossings_before(start + 1)) / n_fft as f64)
                as f32;
        }
    }
}

impl ZeroCrossingRate {
    fn count(&mut self, samples: &[f32]) {
        self.cumulative.clear();
        let mut n = 0;
        let mut previous = samples.first().is_some_and(|&x| is_negative(x));
        self.cumulative.extend(samples.iter().map(|&x| {
            let now = is_negative(x);
            n += u32::from(now != previous);
            previous = now;
            n
        }));
    }
}

fn is_negative(sample: f32) -> bool {
    sample < -THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::frame_level::extract_alone;
    use crate::transform::StftConfig;

    /// The definition, literally.
    fn naive(samples: &[f32], params: &FrameParams) -> Vec<f32> {
        let StftConfig { n_fft, hop_length, .. } = params.stft;
        let padding = n_fft / 2;
        let at = |i: usize| samples[i.saturating_sub(padding).min(samples.len() - 1)];
        let crosses = |i: usize| (at(i - 1) < -1e-10) != (at(i) < -1e-10);
        let frames = (0..params.n_frames(samples.len())).map(|t| t * hop_length);
        frames
            .map(|start| (start + 1..start + n_fft).filter(|&i| crosses(i)).count())
            .map(|n| n as f32 / n_fft as f32)
            .collect()
    }

    #[test]
    fn rates_equal_the_definition() {
        for (n_fft, hop_length, n_samples) in [(64, 16, 1000), (64, 64, 20), (63, 10, 500), (2, 1, 1)] {
            let samples: Vec<f32> = (0..n_samples).map(|n| ((n * n) as f32 * 0.01).sin()).collect();
            let stft = StftConfig { n_fft, hop_length, ..StftConfig::default() };
            let params = FrameParams { stft, ..FrameParams::default() };
            assert_eq!(extract_alone::<ZeroCrossingRate>(&(), &params, &samples), naive(&samples, &params));
        }
    }

    #[test]
    fn zero_counts_as_positive_and_silence_has_no_crossings() {
        let mut rate = ZeroCrossingRate { cumulative: Vec::new() };
        rate.count(&[0.0, -0.0, 1e-11, -1e-11, 1.0, 0.0, -1.0, -1e-12]);
        assert_eq!(rate.cumulative, [0, 0, 0, 0, 0, 0, 1, 2]);
    }
}
