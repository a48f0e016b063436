//! Downmix to mono.

use std::ops::Range;

use cantus_simd::multiversion;

/// Averages the channels of interleaved frames, as `librosa.to_mono` does, into `mono`.
///
/// # Shapes
/// - `interleaved`: `[n_frames, n_channels]`
/// - `mono`: `[n_frames]`, overwritten
pub(super) fn to_mono(interleaved: &[f32], n_channels: usize, mono: &mut Vec<f32>) {
    mono.clear();
    match n_channels {
        1 => mono.extend_from_slice(interleaved),
        // Without a first pass that writes zeros; vectorised also for the baseline of the processor.
        2 => mono.extend(interleaved.as_chunks::<2>().0.iter().map(|[left, right]| (left + right) * 0.5)),
        _ => {
            let n = n_channels as f32;
            mono.extend(interleaved.chunks_exact(n_channels).map(|frame| frame.iter().sum::<f32>() / n));
        }
    }
}

/// Replaces NaN and infinity by 0; returns the ranges where they were.
pub(super) fn zero_non_finite(samples: &mut [f32]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    if are_finite(samples) {
        return ranges;
    }
    for (i, sample) in samples.iter_mut().enumerate().filter(|(_, sample)| !sample.is_finite()) {
        *sample = 0.0;
        match ranges.last_mut() {
            Some(last) if last.end == i => last.end += 1,
            _ => ranges.push(i..i + 1),
        }
    }
    ranges
}

/// Interleaves two channels, as Symphonia does sample by sample.
pub(super) fn interleave(left: &[f32], right: &[f32], interleaved: &mut Vec<f32>) {
    interleaved.resize(2 * left.len().min(right.len()), 0.0);
    write_pairs(left, right, interleaved.as_chunks_mut::<2>().0);
}

#[multiversion]
fn write_pairs(left: &[f32], right: &[f32], pairs: &mut [[f32; 2]]) {
    let n = pairs.len();
    let (left, right) = (&left[..n], &right[..n]);
    for i in 0..n {
        pairs[i] = [left[i], right[i]];
    }
}

/// Without early exit, so that the loop vectorises.
#[multiversion]
fn are_finite(samples: &[f32]) -> bool {
    samples.iter().fold(true, |all, sample| all & sample.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(interleaved: &[f32], n_channels: usize) -> Vec<f32> {
        let mut mono = vec![9.0];
        to_mono(interleaved, n_channels, &mut mono);
        mono
    }

    #[test]
    fn channels_are_averaged() {
        assert_eq!(mixed(&[0.5, -0.25], 1), [0.5, -0.25]);
        assert_eq!(mixed(&[0.5, 0.25, -1.0, 0.0], 2), [0.375, -0.5]);
        assert_eq!(mixed(&[1.0, 2.0, 6.0, -3.0, 0.0, 0.0], 3), [3.0, -1.0]);
    }

    #[test]
    fn long_blocks_are_interleaved_and_averaged_like_short_ones() {
        for n in [0, 1, 7, 8, 15, 16, 33, 1152] {
            let left: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let right: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let mut interleaved = vec![9.0; 5];
            interleave(&left, &right, &mut interleaved);
            let pairs = left.iter().zip(&right);
            let expected: Vec<f32> = pairs.clone().flat_map(|(left, right)| [*left, *right]).collect();
            assert_eq!(interleaved, expected, "{n}");
            let expected: Vec<f32> = pairs.map(|(left, right)| (left + right) * 0.5).collect();
            assert_eq!(mixed(&interleaved, 2), expected, "{n}");
        }
    }

    #[test]
    fn non_finite_samples_become_zero_and_are_located() {
        let mut samples = [0.5, f32::NAN, f32::INFINITY, 0.25, f32::NEG_INFINITY];
        assert_eq!(zero_non_finite(&mut samples), [1..3, 4..5]);
        assert_eq!(samples, [0.5, 0.0, 0.0, 0.25, 0.0]);
        assert_eq!(zero_non_finite(&mut samples), []);
    }
}
