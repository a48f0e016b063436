//! SpecAugment: masks random bands of bins and spans of frames of the input features.
//!
//! A frequency mask covers a random number of adjacent bins in all frames, a time mask a random number of adjacent frames
//! in all bins. Masked values are 0, which is the mean of normalised features. The paper's time warping is left out: its
//! authors found it the least effective.
//!
//! # Reference
//! Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition", 2019.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

/// Number and maximum width of the masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpecAugment {
    /// Number of frequency masks; the paper's `m_F`.
    pub n_frequency_masks: usize,
    /// Maximum width of a frequency mask, in bins; the paper's `F`.
    pub frequency_width: usize,
    /// Number of time masks; the paper's `m_T`.
    pub n_time_masks: usize,
    /// Maximum width of a time mask, in frames; the paper's `T`.
    pub time_width: usize,
}

impl Default for SpecAugment {
    /// Two masks of each kind, of up to 8 bins and 16 frames: an eighth of 64 mel bands, and of 3 s at 23 ms a frame.
    fn default() -> Self {
        Self { n_frequency_masks: 2, frequency_width: 8, n_time_masks: 2, time_width: 16 }
    }
}

impl SpecAugment {
    /// Error text if a mask is wider than inputs of this shape; `None` if all fit.
    pub(crate) fn misfit(self, n_frames: usize, n_bins: usize) -> Option<String> {
        let too_wide = |name, width: usize, n: usize, of: &str| {
            (width > n)
                .then(|| format!("spec_augment: {name} = {width}, but the network's input has {n} {of}"))
        };
        too_wide("frequency_width", self.frequency_width, n_bins, "bins")
            .or_else(|| too_wide("time_width", self.time_width, n_frames, "frames"))
    }

    /// Masks an input in place.
    ///
    /// # Shapes
    /// - `input`: `[n_frames, n_bins]`
    pub(crate) fn apply(self, input: &mut [f32], n_bins: usize, rng: &mut KeyedRng) {
        let n_frames = input.len() / n_bins;
        for _ in 0..self.n_frequency_masks {
            let (first, width) = mask(self.frequency_width, n_bins, rng);
            input.chunks_exact_mut(n_bins).for_each(|frame| frame[first..first + width].fill(0.0));
        }
        for _ in 0..self.n_time_masks {
            let (first, width) = mask(self.time_width, n_frames, rng);
            input[first * n_bins..(first + width) * n_bins].fill(0.0);
        }
    }
}

/// Start and width of a mask over an axis of `n`; the width is at most `max_width`.
fn mask(max_width: usize, n: usize, rng: &mut KeyedRng) -> (usize, usize) {
    let width = rng.below(max_width.min(n) + 1);
    (rng.below(n - width + 1), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_BINS: usize = 10;

    /// The bins that are 0 in all frames, and the frames that are 0 in all bins.
    fn stripes(input: &[f32]) -> (Vec<usize>, Vec<usize>) {
        let bins = (0..N_BINS).filter(|b| input.iter().skip(*b).step_by(N_BINS).all(|v| *v == 0.0)).collect();
        let frames = input.chunks(N_BINS).enumerate().filter(|(_, frame)| frame.iter().all(|v| *v == 0.0));
        (bins, frames.map(|(t, _)| t).collect())
    }

    fn masked(spec: SpecAugment, example: u64) -> Vec<f32> {
        let mut input = vec![1.0; 40 * N_BINS];
        spec.apply(&mut input, N_BINS, &mut KeyedRng::new([1, 2, example, 3]));
        input
    }

    #[test]
    fn masks_cover_adjacent_bins_and_frames_only() {
        let spec = SpecAugment { n_frequency_masks: 1, frequency_width: 3, n_time_masks: 1, time_width: 5 };
        let mut widths = [[0; 6]; 2];
        for example in 0..500 {
            let input = masked(spec, example);
            let (bins, frames) = stripes(&input);
            let n_zeros = input.iter().filter(|value| **value == 0.0).count();
            let expected = bins.len() * 40 + frames.len() * N_BINS - bins.len() * frames.len();
            assert_eq!(n_zeros, expected, "{bins:?} {frames:?}");
            assert!(bins.windows(2).chain(frames.windows(2)).all(|pair| pair[1] == pair[0] + 1));
            widths[0][bins.len()] += 1;
            widths[1][frames.len()] += 1;
        }
        // All widths from 0 to the maximum, about equally often: within five standard deviations.
        for (widths, widest) in widths.iter().zip([3, 5]) {
            let expected = 500.0 / (widest + 1) as f64;
            for (width, &n) in widths.iter().enumerate() {
                let expected = if width <= widest { expected } else { 0.0 };
                assert!((f64::from(n) - expected).abs() <= 5.0 * expected.sqrt(), "{widths:?}");
            }
        }
    }

    #[test]
    fn masks_depend_on_the_example_only() {
        let spec = SpecAugment { frequency_width: 4, ..SpecAugment::default() };
        assert_eq!(masked(spec, 7), masked(spec, 7));
        assert_ne!(masked(spec, 7), masked(spec, 8));
    }

    #[test]
    fn masks_wider_than_the_input_are_refused_and_clipped() {
        let spec = SpecAugment { frequency_width: 99, time_width: 99, ..SpecAugment::default() };
        assert!(spec.misfit(40, N_BINS).is_some_and(|why| why.contains("the network's input has 10 bins")));
        assert!(SpecAugment { frequency_width: 3, ..spec }.misfit(40, N_BINS).is_some());
        for example in 0..50 {
            masked(spec, example);
        }
    }
}
