//! The zero-crossing rate: how often the wave changes its sign; high for noise and hiss, low for deep tones.
//!
//! # Conventions
//! - Samples within ±1e-10 count as zero, and zero as positive.
//! - Centred frames see the first or last sample held beyond the ends, whatever `pad_mode` says: nothing crosses there.
//!
//! # Reference
//! `librosa.feature.zero_crossing_rate` 0.11, with `frame_length = n_fft`.

use super::FeatureSpec;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};

/// What counts as zero: librosa's `threshold`.
const THRESHOLD: f32 = 1e-10;

/// Crossings per sample of each frame: `[n_frames, 1]`; equals librosa's to the last bit of f32.
#[derive(Debug, Clone)]
pub(super) struct ZeroCrossingRate {
    /// `[n_samples]`, crossings up to and with each sample.
    n_so_far: Vec<u32>,
}

impl Feature for ZeroCrossingRate {
    const NAME: &'static str = "zero_crossing_rate";
    const TITLE: &'static str = "Zero-crossing rate";
    const UNIT: &'static str = "crossings per sample";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_spec: &FeatureSpec) -> Self {
        Self { n_so_far: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        self.count(sound.samples);
        let n_fft = sound.spec.n_fft;
        let padding = sound.spec.stft_config().padding();
        let so_far = |end: usize| {
            // crossings before sample `end`, the padding before the sound included in the count
            let within = end.saturating_sub(padding).min(self.n_so_far.len());
            within.checked_sub(1).map_or(0, |last| self.n_so_far[last])
        };
        for (t, row) in rows.iter_mut().enumerate() {
            let start = t * sound.spec.hop_length;
            // The first sample of a frame has no sample before it to differ from.
            row[0] = (f64::from(so_far(start + n_fft) - so_far(start + 1)) / n_fft as f64) as f32;
        }
    }
}

impl ZeroCrossingRate {
    fn count(&mut self, samples: &[f32]) {
        self.n_so_far.clear();
        let mut n = 0;
        let mut before = samples.first().is_some_and(|&x| is_negative(x));
        self.n_so_far.extend(samples.iter().map(|&x| {
            let now = is_negative(x);
            n += u32::from(now != before);
            before = now;
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
    use crate::feature::FeatureKind;

    /// Straight from the definition.
    fn naive(samples: &[f32], spec: &FeatureSpec) -> Vec<f32> {
        let padding = spec.n_fft / 2;
        let at = |i: usize| samples[i.saturating_sub(padding).min(samples.len() - 1)];
        let crosses = |i: usize| (at(i - 1) < -1e-10) != (at(i) < -1e-10);
        let frames = (0..spec.n_frames(samples.len())).map(|t| t * spec.hop_length);
        frames
            .map(|start| (start + 1..start + spec.n_fft).filter(|&i| crosses(i)).count())
            .map(|n| n as f32 / spec.n_fft as f32)
            .collect()
    }

    #[test]
    fn crossings_are_counted_as_by_hand() {
        for (n_fft, hop_length, n_samples) in [(64, 16, 1000), (64, 64, 20), (63, 10, 500), (2, 1, 1)] {
            let samples: Vec<f32> = (0..n_samples).map(|n| ((n * n) as f32 * 0.01).sin()).collect();
            let kinds = vec![FeatureKind::ZeroCrossingRate];
            let spec = FeatureSpec { kinds, n_fft, hop_length, ..FeatureSpec::default() };
            assert_eq!(spec.extractor().unwrap().extract(&samples).values, naive(&samples, &spec));
        }
    }

    #[test]
    fn zero_is_positive_and_silence_never_crosses() {
        let mut rate = ZeroCrossingRate { n_so_far: Vec::new() };
        rate.count(&[0.0, -0.0, 1e-11, -1e-11, 1.0, 0.0, -1.0, -1e-12]);
        assert_eq!(rate.n_so_far, [0, 0, 0, 0, 0, 0, 1, 2]);
    }
}
