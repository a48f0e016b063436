//! The amplitude envelope: the largest sample of each frame, the outline of the waveform.
//!
//! # Reference
//! librosa has none. It is `np.max` of each of librosa's frames,
//! `librosa.util.frame(np.pad(samples, n_fft // 2), frame_length=n_fft, hop_length=hop_length).max(axis=0)`, exactly.
//! Textbooks do not centre their frames: `max(samples[t * hop : t * hop + n_fft])` is frame `t` with `center = false`.

use multiversion::multiversion;

use super::FeatureSpec;
use super::frames::{frame_at, number_of_each_frame};
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
    // Four at a time, since each comparison with a lane waits for the one before.
    let (fours, rest) = chunks.as_chunks::<4>();
    for [a, b, c, d] in fours {
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = larger(*lane, larger(larger(a[i], b[i]), larger(c[i], d[i])));
        }
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
    /// The largest sample of each whole hop of the sound.
    hops: Vec<f32>,
}

impl Feature for AmplitudeEnvelope {
    const NAME: &'static str = "amplitude_envelope";
    const TITLE: &'static str = "Amplitude envelope";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn plan(_spec: &FeatureSpec) -> Self {
        Self { frame: Vec::new(), hops: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let (n_fft, hop_length) = (sound.spec.n_fft, sound.spec.hop_length);
        let padding = sound.spec.stft_config().padding();
        if !n_fft.is_multiple_of(hop_length) || !padding.is_multiple_of(hop_length) {
            return number_of_each_frame(sound, &mut self.frame, &mut rows, amplitude_envelope);
        }
        // Frames overlap, and share whole hops: each sample is looked at once.
        self.hops.clear();
        self.hops.extend(sound.samples.chunks_exact(hop_length).map(amplitude_envelope));
        for (t, row) in rows.iter_mut().enumerate() {
            let first = t.checked_sub(padding / hop_length);
            row[0] = match first.and_then(|first| self.hops.get(first..first + n_fft / hop_length)) {
                Some(hops) => amplitude_envelope(hops),
                None => amplitude_envelope(frame_at(sound, t, &mut self.frame)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::FeatureKind;

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

    #[test]
    fn frames_that_share_hops_have_the_largest_of_all_their_samples() {
        let samples: Vec<f32> = (0..2000).map(|n| (n as f32 * n as f32 * 0.37).sin() - 0.5).collect();
        for (n_fft, hop_length, center) in [
            (256, 64, true),
            (256, 64, false),
            (256, 256, true),
            (256, 100, true),
            (96, 32, true),
            (64, 64, false),
        ] {
            let kinds = vec![FeatureKind::AmplitudeEnvelope];
            let spec = FeatureSpec { kinds, n_fft, hop_length, center, ..FeatureSpec::default() };
            let found = spec.extractor().unwrap().extract(&samples);
            let silence = vec![0.0; if center { n_fft / 2 } else { 0 }];
            let padded = [&silence[..], &samples, &silence].concat();
            let largest = |frame: &[f32]| frame.iter().copied().fold(f32::MIN, f32::max);
            let expected: Vec<f32> = padded.windows(n_fft).step_by(hop_length).map(largest).collect();
            assert_eq!(found.values, expected, "{n_fft}, {hop_length}");
        }
    }
}
