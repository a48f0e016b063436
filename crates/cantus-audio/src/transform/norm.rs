//! The length of a frame, and frames brought to length one.
//!
//! A chord is the same chord whether played softly or loudly: dividing a frame by its length leaves the proportions
//! and takes the loudness away. What counts as the length is a choice.
//!
//! # Reference
//! `librosa.util.normalize` 0.11; scikit-learn's names for librosa's `np.inf`, `1` and `2`.

use serde::{Deserialize, Serialize};

/// What counts as the length of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// The largest magnitude (librosa's `np.inf`).
    Max,
    /// The sum of magnitudes (librosa's `1`).
    L1,
    /// The root of the sum of squares (librosa's `2`).
    L2,
    /// Nothing: frames are left as they are.
    None,
}

impl Norm {
    /// The length of a frame; of [`Norm::None`] it is 1.
    pub fn length(self, frame: &[f32]) -> f32 {
        let magnitudes = frame.iter().map(|x| x.abs());
        match self {
            Self::Max => magnitudes.fold(0.0, f32::max),
            Self::L1 => magnitudes.map(f64::from).sum::<f64>() as f32,
            Self::L2 => magnitudes.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt() as f32,
            Self::None => 1.0,
        }
    }

    /// Divides a frame by its length, in place. A frame of length zero is left as it is.
    ///
    /// # Reference
    /// Equals `librosa.util.normalize(frame, norm=…)`.
    pub fn normalize(self, frame: &mut [f32]) {
        let length = self.length(frame);
        if self != Self::None && length >= f32::MIN_POSITIVE {
            frame.iter_mut().for_each(|x| *x /= length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn frames_get_length_one() {
        let normalized = |norm: Norm| {
            let mut frame = [3.0, -4.0, 0.0];
            norm.normalize(&mut frame);
            frame
        };
        assert_close(&normalized(Norm::Max), &[0.75, -1.0, 0.0], 1e-7);
        assert_close(&normalized(Norm::L1), &[3.0 / 7.0, -4.0 / 7.0, 0.0], 1e-7);
        assert_close(&normalized(Norm::L2), &[0.6, -0.8, 0.0], 1e-7);
        assert_eq!(normalized(Norm::None), [3.0, -4.0, 0.0]);
    }

    #[test]
    fn silence_stays_silence() {
        for norm in [Norm::Max, Norm::L1, Norm::L2, Norm::None] {
            let mut frame = [0.0, 1e-40];
            norm.normalize(&mut frame);
            assert_eq!(frame, [0.0, 1e-40]);
        }
    }
}
