//! Random crop of the recording, which shifts the boundaries of its segments.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

use super::default_probability;

/// Keeps a contiguous part whose share of the recording is drawn uniformly from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// Probability, in [0, 1].
    #[serde(default = "default_probability")]
    pub probability: f32,
    /// Share of the recording that is kept, from 0.01 to 1.
    pub range: [f32; 2],
}

/// Keeps `share` of a signal from a random position on; at least one sample of a non-empty signal.
pub(super) fn crop(samples: &[f32], share: f32, rng: &mut KeyedRng) -> Vec<f32> {
    let n_kept = ((samples.len() as f64 * f64::from(share)).round() as usize).max(1).min(samples.len());
    let first = rng.below(samples.len() - n_kept + 1);
    samples[first..first + n_kept].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_has_the_requested_share_and_a_random_position() {
        let samples: Vec<f32> = (0..1000_u16).map(f32::from).collect();
        let mut firsts: Vec<f32> = Vec::new();
        for i in 0..200 {
            let cropped = crop(&samples, 0.8, &mut KeyedRng::new([i, 0, 0, 0]));
            assert_eq!(cropped.len(), 800);
            assert!(cropped.windows(2).all(|pair| pair[1] == pair[0] + 1.0));
            firsts.push(cropped[0]);
        }
        let least = firsts.iter().copied().fold(f32::MAX, f32::min);
        let most = firsts.iter().copied().fold(0.0, f32::max);
        assert!(least < 10.0 && most > 190.0 && most <= 200.0, "from {least} to {most}");
        assert!(crop(&[], 0.5, &mut KeyedRng::new([0; 4])).is_empty());
        assert_eq!(crop(&[7.0], 0.01, &mut KeyedRng::new([0; 4])), [7.0]);
    }
}
