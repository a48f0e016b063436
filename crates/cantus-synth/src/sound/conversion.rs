//! Analogue-to-digital conversion: sampling, quantisation, signal-to-noise ratio.
//!
//! The signal is sampled `sample_rate` times a second ([`sample`]); each value is rounded to the nearest of 2ⁿ levels
//! ([`quantize`]), where n is the bit depth. Sampling is lossless for frequencies below half the sample rate (above that, see
//! [`aliasing`](super::aliasing)); quantisation is not. Its error is at most half a step Δ = 2 / 2ⁿ. If uniformly distributed,
//! it has the power Δ²/12, whereas a full-scale sine has ½:
//!
//! signal / noise = ½ / (Δ²/12) = 1.5 · 2²ⁿ, in dB 6.02 n + 1.76.
//!
//! # Conventions
//! Full scale is [-1, 1]. The levels lie in the middle of 2ⁿ equal steps (mid-rise), so that the formula holds for the whole
//! scale; the levels of a WAV file lie on the borders of the steps (mid-tread): 0 is one of them, +1 is not.
//!
//! # Reference
//! Bennett, "Spectra of Quantized Signals", 1948.

/// Values of the signal at the times 0, 1, 2, … divided by `sample_rate`.
///
/// # Shapes
/// - returns: `[n_samples]`
pub fn sample(wave: impl Fn(f64) -> f64, sample_rate: f64, n_samples: usize) -> Vec<f64> {
    (0..n_samples).map(|n| wave(n as f64 / sample_rate)).collect()
}

/// Rounds every sample to the nearest of `2^bit_depth` levels; samples beyond [-1, 1] are clipped.
///
/// # Panics
/// If `bit_depth` is 0 or above 32.
pub fn quantize(samples: &[f64], bit_depth: u32) -> Vec<f64> {
    assert!((1..=32).contains(&bit_depth), "a bit depth of {bit_depth} is not within 1 to 32");
    let n_half = f64::from(1u32 << (bit_depth - 1));
    let level = |x: &f64| ((x * n_half).floor().clamp(-n_half, n_half - 1.0) + 0.5) / n_half;
    samples.iter().map(level).collect()
}

/// Quantisation error of each sample.
pub fn quantization_error(samples: &[f64], quantized: &[f64]) -> Vec<f64> {
    samples.iter().zip(quantized).map(|(x, q)| q - x).collect()
}

/// Measured signal-to-noise ratio: power of the signal over that of the quantisation error, in dB.
pub fn signal_to_noise_db(samples: &[f64], quantized: &[f64]) -> f64 {
    let power = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
    10.0 * (power(samples) / power(&quantization_error(samples, quantized))).log10()
}

/// Theoretical signal-to-noise ratio of a full-scale sine: 6.02 n + 1.76 dB.
pub fn expected_signal_to_noise_db(bit_depth: u32) -> f64 {
    10.0 * 1.5f64.log10() + 20.0 * 2f64.log10() * f64::from(bit_depth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Sine;

    /// A second of a full-scale sine whose period is not a whole number of samples.
    fn full_scale() -> Vec<f64> {
        let tone = Sine::new(1.0, 997.0);
        sample(|t| tone.at(t), 48_000.0, 48_000)
    }

    #[test]
    fn samples_lie_one_over_the_rate_apart() {
        assert_eq!(sample(|t| t, 4.0, 5), [0.0, 0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn two_bits_are_four_levels() {
        let quantized = quantize(&[-2.0, -1.0, -0.6, -0.4, -0.1, 0.0, 0.3, 0.6, 1.0, 7.0], 2);
        assert_eq!(quantized, [-0.75, -0.75, -0.75, -0.25, -0.25, 0.25, 0.25, 0.75, 0.75, 0.75]);
    }

    #[test]
    fn no_sample_within_full_scale_moves_by_more_than_half_a_step() {
        for bit_depth in 1..=24 {
            let half_step = 1.0 / f64::from(1u32 << bit_depth);
            let samples = full_scale();
            let error = quantization_error(&samples, &quantize(&samples, bit_depth));
            assert!(error.iter().all(|e| e.abs() <= half_step * (1.0 + 1e-9)), "{bit_depth} bits");
        }
    }

    /// With few bits the error is not uniformly distributed; from 8 bits on it nearly is.
    #[test]
    fn the_measured_noise_is_the_formulas() {
        for (bit_depth, tolerance_db) in [(4, 0.6), (8, 0.15), (12, 0.1), (16, 0.1), (20, 0.1)] {
            let samples = full_scale();
            let measured = signal_to_noise_db(&samples, &quantize(&samples, bit_depth));
            let expected = expected_signal_to_noise_db(bit_depth);
            let n = f64::from(bit_depth);
            assert!((expected - (6.02 * n + 1.76)).abs() < 0.02, "{bit_depth} bits: {expected}");
            assert!((measured - expected).abs() < tolerance_db, "{bit_depth} bits: {measured}, {expected}");
        }
    }
}
