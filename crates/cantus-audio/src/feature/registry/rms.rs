//! Root-mean-square amplitude of each frame.
//!
//! `√(mean of x²)`; the amplitude over √2 for a sine.
//!
//! # Reference
//! `librosa.feature.rms` 0.11, with `frame_length = n_fft`.

use cantus_simd::multiversion;

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::framing::scalar_per_frame;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::{LANES, sum_lanes};
use crate::feature::rows::Rows;

/// Root mean square of a frame.
///
/// # Shapes
/// - `frame`: `[n_fft]`, without window
///
/// # Reference
/// Equals `librosa.feature.rms` 0.11 within 1e-6 of the value.
pub fn rms(frame: &[f32]) -> f32 {
    let (chunks, rest) = frame.as_chunks::<LANES>();
    let energy = sum_lanes(squares(chunks)) + rest.iter().map(|x| x * x).sum::<f32>();
    (energy / frame.len().max(1) as f32).sqrt()
}

/// `Σ x²` in each lane.
#[multiversion]
fn squares(chunks: &[[f32; LANES]]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x * x);
    }
    lanes
}

/// [`rms`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Rms {
    frame: Vec<f32>,
}

impl Feature for Rms {
    type Config = ();
    const NAME: &'static str = "rms";
    const TITLE: &'static str = "Root mean square";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_: &Self::Config, _: &FrameParams) -> Self {
        Self { frame: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        scalar_per_frame(input, &mut self.frame, &mut rows, rms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_sine_has_its_amplitude_over_the_root_of_two() {
        let sine: Vec<f32> =
            (0..2048).map(|n| 0.5 * (n as f32 * std::f32::consts::TAU / 64.0).sin()).collect();
        assert_close(&[rms(&sine)], &[0.5 / std::f32::consts::SQRT_2], 1e-6);
        assert_eq!(rms(&[]), 0.0);
    }
}
