//! Downmix to mono.

use multiversion::multiversion;

/// Averages the channels of interleaved frames, as `librosa.to_mono` does, into `mono`.
///
/// Non-finite mono samples become 0. Returns their number.
///
/// # Shapes
/// - `interleaved`: `[n_frames, n_channels]`
/// - `mono`: `[n_frames]`, overwritten
pub(super) fn to_mono(interleaved: &[f32], n_channels: usize, mono: &mut Vec<f32>) -> u64 {
    mono.clear();
    match n_channels {
        1 => mono.extend_from_slice(interleaved),
        2 => {
            mono.resize(interleaved.len() / 2, 0.0);
            average_pairs(interleaved.as_chunks::<2>().0, mono);
        }
        _ => {
            let n = n_channels as f32;
            mono.extend(interleaved.chunks_exact(n_channels).map(|frame| frame.iter().sum::<f32>() / n));
        }
    }
    if are_finite(mono) { 0 } else { zero_non_finite(mono) }
}

#[multiversion(targets = "simd")]
fn average_pairs(pairs: &[[f32; 2]], mono: &mut [f32]) {
    mono.iter_mut().zip(pairs).for_each(|(mono, [left, right])| *mono = (left + right) * 0.5);
}

/// Without early exit, so that the loop vectorises.
#[multiversion(targets = "simd")]
fn are_finite(samples: &[f32]) -> bool {
    samples.iter().fold(true, |all, sample| all & sample.is_finite())
}

fn zero_non_finite(samples: &mut [f32]) -> u64 {
    let mut n_zeroed = 0;
    for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
        n_zeroed += 1;
    }
    n_zeroed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_averaged() {
        let mut mono = vec![9.0];
        assert_eq!(to_mono(&[0.5, -0.25], 1, &mut mono), 0);
        assert_eq!(mono, [0.5, -0.25]);
        assert_eq!(to_mono(&[0.5, 0.25, -1.0, 0.0], 2, &mut mono), 0);
        assert_eq!(mono, [0.375, -0.5]);
        assert_eq!(to_mono(&[1.0, 2.0, 6.0, -3.0, 0.0, 0.0], 3, &mut mono), 0);
        assert_eq!(mono, [3.0, -1.0]);
    }

    #[test]
    fn non_finite_samples_become_zero_and_are_counted() {
        let mut mono = Vec::new();
        assert_eq!(to_mono(&[f32::NAN, 0.0, 0.5, 0.5, f32::INFINITY, f32::NEG_INFINITY], 2, &mut mono), 2);
        assert_eq!(mono, [0.0, 0.5, 0.0]);
    }
}
