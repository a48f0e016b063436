//! Amplitude envelope: the largest sample of each frame.
//!
//! # Reference
//! librosa has none. It is `np.max` of each of librosa's frames,
//! `librosa.util.frame(np.pad(samples, n_fft // 2), frame_length=n_fft, hop_length=hop_length).max(axis=0)`, exactly.
//! Textbooks use uncentred frames: `max(samples[t * hop : t * hop + n_fft])` is frame `t` with `center = false`.

use cantus_simd::multiversion;

use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::framing::{HopBuffers, scalar_of_hops};
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::lane_sum::{LANES, join_lanes};
use crate::feature::rows::Rows;

/// The largest sample of a frame, signed: the envelope of a waveform that is nowhere positive is not positive.
///
/// # Shapes
/// - `frame`: `[n_fft]`; 0 if empty
pub fn amplitude_envelope(frame: &[f32]) -> f32 {
    let mut largest = [0.0];
    if !frame.is_empty() {
        largest_of_each(frame, frame.len(), &mut largest);
    }
    largest[0]
}

/// Writes the largest sample of each of the successive pieces of `length` samples.
///
/// # Shapes
/// - `samples`: at least `[n_pieces * length]`
/// - `largest`: `[n_pieces]`
#[multiversion]
fn largest_of_each(samples: &[f32], length: usize, largest: &mut [f32]) {
    for (slot, piece) in largest.iter_mut().zip(samples.chunks_exact(length)) {
        let (chunks, rest) = piece.as_chunks::<LANES>();
        let mut lanes = [piece[0]; LANES];
        // Two at a time: shortens the chain of dependent comparisons.
        let (pairs, last) = chunks.as_chunks::<2>();
        for [a, b] in pairs {
            lanes
                .iter_mut()
                .zip(a.iter().zip(b))
                .for_each(|(lane, (&a, &b))| *lane = larger(*lane, larger(a, b)));
        }
        for chunk in last {
            lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane = larger(*lane, x));
        }
        *slot = rest.iter().copied().fold(join_lanes(lanes, larger), larger);
    }
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// [`amplitude_envelope`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct AmplitudeEnvelope(HopBuffers);

impl Feature for AmplitudeEnvelope {
    type Config = ();
    const NAME: &'static str = "amplitude_envelope";
    const TITLE: &'static str = "Amplitude envelope";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_: &Self::Config, _: &FrameParams) -> Self {
        Self(HopBuffers::default())
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let largest = |pieces: &[f32]| pieces.iter().copied().reduce(larger).unwrap_or(0.0);
        scalar_of_hops(input, &mut self.0, &mut rows, largest_of_each, largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::frame_level::extract_alone;
    use crate::transform::StftConfig;

    #[test]
    fn the_largest_sample_is_found_at_any_position() {
        for n in [1, 31, 32, 33, 64, 100, 150] {
            for position in 0..n {
                let mut frame = vec![-0.5; n];
                frame[position] = -0.25;
                assert_eq!(amplitude_envelope(&frame), -0.25, "{position} of {n}");
            }
        }
        assert_eq!(amplitude_envelope(&[]), 0.0);
    }

    #[test]
    fn frames_computed_from_hops_equal_the_maximum_of_each_frame() {
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
            let found = extract_alone::<AmplitudeEnvelope>(&(), &params, &samples);
            let silence = vec![0.0; if center { n_fft / 2 } else { 0 }];
            let padded = [&silence[..], &samples, &silence].concat();
            let largest = |frame: &[f32]| frame.iter().copied().fold(f32::MIN, f32::max);
            let expected: Vec<f32> = padded.windows(n_fft).step_by(hop_length).map(largest).collect();
            assert_eq!(found, expected, "{n_fft}, {hop_length}");
        }
    }
}
