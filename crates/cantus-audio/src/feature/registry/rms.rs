//! Root-mean-square amplitude of each frame.
//!
//! `√(mean of x²)`; the amplitude over √2 for a sine.
//!
//! # Reference
//! `librosa.feature.rms` 0.11, with `frame_length = n_fft`.

use cantus_simd::multiversion;

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::framing::{HopBuffers, scalar_of_hops};
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
    let mut energy = [0.0];
    if !frame.is_empty() {
        energy_of_each(frame, frame.len(), &mut energy);
    }
    root(energy[0], frame.len())
}

/// The root of the mean of `n` squares.
fn root(energy: f32, n: usize) -> f32 {
    (energy / n.max(1) as f32).sqrt()
}

/// Writes `Σ x²` of each of the successive pieces of `length` samples.
///
/// # Shapes
/// - `samples`: at least `[n_pieces * length]`
/// - `energies`: `[n_pieces]`
#[multiversion]
fn energy_of_each(samples: &[f32], length: usize, energies: &mut [f32]) {
    for (energy, piece) in energies.iter_mut().zip(samples.chunks_exact(length)) {
        let (chunks, rest) = piece.as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x * x);
        }
        *energy = sum_lanes(lanes) + rest.iter().map(|x| x * x).sum::<f32>();
    }
}

/// [`rms`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Rms(HopBuffers);

impl Feature for Rms {
    type Config = ();
    const NAME: &'static str = "rms";
    const TITLE: &'static str = "Root mean square";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_: &Self::Config, _: &FrameParams) -> Self {
        Self(HopBuffers::default())
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let n_fft = input.params.stft.n_fft;
        let join = |energies: &[f32]| root(energies.iter().sum(), n_fft);
        scalar_of_hops(input, &mut self.0, &mut rows, energy_of_each, join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;
    use crate::feature::frame_level::extract_alone;
    use crate::transform::StftConfig;

    #[test]
    fn frames_computed_from_hops_equal_those_computed_alone() {
        let samples: Vec<f32> = (0..2000).map(|n| (n as f32 * n as f32 * 0.37).sin() - 0.5).collect();
        for (n_fft, hop_length, center) in [
            (256, 64, true),
            (256, 64, false),
            (256, 256, true),
            (256, 100, true),
            (96, 32, true),
            (64, 64, false),
        ] {
            let stft = StftConfig { n_fft, hop_length, center, ..StftConfig::default() };
            let params = FrameParams { stft, ..FrameParams::default() };
            let found = extract_alone::<Rms>(&(), &params, &samples);
            let silence = vec![0.0; if center { n_fft / 2 } else { 0 }];
            let padded = [&silence[..], &samples, &silence].concat();
            let of_frame = |frame: &[f32]| {
                let squares: f64 = frame.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                (squares / n_fft as f64).sqrt() as f32
            };
            let expected: Vec<f32> = padded.windows(n_fft).step_by(hop_length).map(of_frame).collect();
            assert_close(&found, &expected, 3e-7);
        }
    }

    #[test]
    fn a_sine_has_its_amplitude_over_the_root_of_two() {
        let sine: Vec<f32> =
            (0..2048).map(|n| 0.5 * (n as f32 * std::f32::consts::TAU / 64.0).sin()).collect();
        assert_close(&[rms(&sine)], &[0.5 / std::f32::consts::SQRT_2], 1e-6);
        assert_eq!(rms(&[]), 0.0);
    }
}
