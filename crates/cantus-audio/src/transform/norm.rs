//! Normalisation of frames by a norm, which makes them independent of level.
//!
//! # Reference
//! `librosa.util.normalize` 0.11; scikit-learn's names for librosa's `np.inf`, `1` and `2`.

use serde::{Deserialize, Serialize};

/// The norm of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// The largest magnitude (librosa's `np.inf`).
    Max,
    /// The sum of magnitudes (librosa's `1`).
    L1,
    /// The square root of the sum of squares (librosa's `2`).
    L2,
    /// No normalisation.
    None,
}

impl Norm {
    /// The norm of a frame; 1 for [`Norm::None`].
    #[must_use]
    pub fn length(self, frame: &[f32]) -> f32 {
        let magnitudes = frame.iter().map(|x| x.abs());
        match self {
            Self::Max => magnitudes.fold(0.0, f32::max),
            Self::L1 => magnitudes.map(f64::from).sum::<f64>() as f32,
            Self::L2 => magnitudes.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt() as f32,
            Self::None => 1.0,
        }
    }

    /// Divides a frame by its norm, in place. A frame whose norm is zero or subnormal is unchanged.
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
    fn normalized_frames_have_norm_one() {
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
    fn silent_frames_are_unchanged() {
        for norm in [Norm::Max, Norm::L1, Norm::L2, Norm::None] {
            let mut frame = [0.0, 1e-40];
            norm.normalize(&mut frame);
            assert_eq!(frame, [0.0, 1e-40]);
        }
    }
}
