//! The amplitude envelope: the largest sample of each frame, the outline of the waveform.
//!
//! # Reference
//! librosa has none. It is `np.max` of each of librosa's frames,
//! `librosa.util.frame(np.pad(samples, n_fft // 2), frame_length=n_fft, hop_length=hop_length).max(axis=0)`, exactly.
//! Textbooks do not centre their frames: `max(samples[t * hop : t * hop + n_fft])` is frame `t` with `center = false`.

use multiversion::multiversion;

use super::FeatureSpec;
use super::frames::number_of_each_frame;
use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::sum::{LANES, join_lanes};

/// The largest sample of a frame: the signed one, so that a wave that only falls below zero has no envelope above it.
///
/// # Shapes
/// - `frame`: `[n_fft]`; of an empty one the envelope is 0
pub fn amplitude_envelope(frame: &[f32]) -> f32 {
    let Some(&first) = frame.first() else { return 0.0 };
    let (chunks, rest) = frame.as_chunks::<LANES>();
    rest.iter().copied().fold(join_lanes(largest(chunks, first), larger), larger)
}

/// The largest value in each lane, and at least `least`.
#[multiversion(targets = "simd")]
fn largest(chunks: &[[f32; LANES]], least: f32) -> [f32; LANES] {
    let mut lanes = [least; LANES];
    // Two at a time, since each comparison with a lane waits for the one before.
    let (pairs, rest) = chunks.as_chunks::<2>();
    for [a, b] in pairs {
        lanes
            .iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(lane, (&a, &b))| *lane = larger(*lane, larger(a, b)));
    }
    for chunk in rest {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane = larger(*lane, x));
    }
    lanes
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// [`amplitude_envelope`] of each frame: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(super) struct AmplitudeEnvelope {
    frame: Vec<f32>,
}

impl Feature for AmplitudeEnvelope {
    const NAME: &'static str = "amplitude_envelope";
    const TITLE: &'static str = "Amplitude envelope";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_spec: &FeatureSpec) -> Self {
        Self { frame: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        number_of_each_frame(sound, &mut self.frame, &mut rows, amplitude_envelope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sample_is_found_wherever_it_is() {
        for n in [1, 31, 32, 33, 64, 100, 150] {
            for place in 0..n {
                let mut frame = vec![-0.5; n];
                frame[place] = -0.25;
                assert_eq!(amplitude_envelope(&frame), -0.25, "{place} of {n}");
            }
        }
        assert_eq!(amplitude_envelope(&[]), 0.0);
    }
}
