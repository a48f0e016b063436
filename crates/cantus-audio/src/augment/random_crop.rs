//! Random crop: a piece of the recording, from somewhere. What comes after is cut into segments that begin elsewhere.

use cantus_random::KeyedRng;
use serde::{Deserialize, Serialize};

use super::always;

/// Keeps one piece, whose share of the whole is drawn from `range`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// How often, in [0, 1].
    #[serde(default = "always")]
    pub probability: f32,
    /// Share of the recording that is kept, more than 0 and at most 1.
    pub range: [f32; 2],
}

/// Keeps `share` of a signal, from a random place on; at least one sample of a signal that has any.
pub fn crop(samples: &[f32], share: f32, chance: &mut KeyedRng) -> Vec<f32> {
    let n_kept = ((samples.len() as f64 * f64::from(share)).round() as usize).max(1).min(samples.len());
    let first = chance.below(samples.len() - n_kept + 1);
    samples[first..first + n_kept].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_the_share_asked_for_and_begins_anywhere() {
        let samples: Vec<f32> = (0..1000_u16).map(f32::from).collect();
        let mut firsts: Vec<f32> = Vec::new();
        for i in 0..200 {
            let piece = crop(&samples, 0.8, &mut KeyedRng::new([i, 0, 0, 0]));
            assert_eq!(piece.len(), 800);
            assert!(piece.windows(2).all(|pair| pair[1] == pair[0] + 1.0));
            firsts.push(piece[0]);
        }
        let least = firsts.iter().copied().fold(f32::MAX, f32::min);
        let most = firsts.iter().copied().fold(0.0, f32::max);
        assert!(least < 10.0 && most > 190.0 && most <= 200.0, "from {least} to {most}");
        assert!(crop(&[], 0.5, &mut KeyedRng::new([0; 4])).is_empty());
        assert_eq!(crop(&[7.0], 0.01, &mut KeyedRng::new([0; 4])), [7.0]);
    }
}
