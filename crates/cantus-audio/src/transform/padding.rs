//! Padding of signals at their ends, for centred frames.
//!
//! # Reference
//! `numpy.pad`, whose names these are; the modes are those that `librosa.stft` takes.

use serde::{Deserialize, Serialize};

/// How a signal is padded at its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PadMode {
    /// Zeros.
    #[default]
    Constant,
    /// The first or last sample, repeated.
    Edge,
    /// Reflection about the end sample, which is not repeated.
    Reflect,
    /// Reflection that repeats the end sample.
    Symmetric,
}

impl PadMode {
    /// Index of the sample at `position` of the padded signal among `n_samples > 0`; `None` is zero.
    pub(crate) fn source(self, position: isize, n_samples: usize) -> Option<usize> {
        let n = n_samples as isize;
        if (0..n).contains(&position) {
            return Some(position as usize);
        }
        let index = match self {
            Self::Constant => return None,
            Self::Edge => position.clamp(0, n - 1),
            Self::Reflect if n == 1 => 0,
            Self::Reflect => {
                let within = position.rem_euclid(2 * (n - 1));
                within.min(2 * (n - 1) - within)
            }
            Self::Symmetric => {
                let within = position.rem_euclid(2 * n);
                within.min(2 * n - 1 - within)
            }
        };
        Some(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(mode: PadMode, samples: &[i32], n: isize) -> Vec<i32> {
        let end = samples.len() as isize + n;
        (-n..end).map(|i| mode.source(i, samples.len()).map_or(0, |source| samples[source])).collect()
    }

    #[test]
    fn padding_equals_numpys() {
        // for mode in ["constant", "edge", "reflect", "symmetric"]: print(np.pad([1, 2, 3], 5, mode=mode))
        assert_eq!(padded(PadMode::Constant, &[1, 2, 3], 5), [0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
        assert_eq!(padded(PadMode::Edge, &[1, 2, 3], 5), [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(padded(PadMode::Reflect, &[1, 2, 3], 5), [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]);
        assert_eq!(padded(PadMode::Symmetric, &[1, 2, 3], 5), [2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2]);
    }

    #[test]
    fn a_single_sample_is_reflected_to_itself() {
        // print(np.pad([7], 2, mode="reflect"))
        assert_eq!(padded(PadMode::Reflect, &[7], 2), [7; 5]);
        assert_eq!(padded(PadMode::Symmetric, &[7], 2), [7; 5]);
    }
}
