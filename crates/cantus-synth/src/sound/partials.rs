//! Decomposition of a signal into sines by a Fourier transform.
//!
//! Any sampled signal is a sum `s = A₁ sin(2π f₁ t + φ₁) + A₂ sin(2π f₂ t + φ₂) + …`. The bins of the transform are the
//! frequencies that have a whole number of periods within the N samples. A sine of such a frequency is in one bin, with
//! magnitude A N / 2 and phase φ - π/2; a sine between two bins is spread over several (spectral leakage), which a
//! [window](cantus_audio::transform::window) reduces.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::Sine;
use cantus_audio::transform::fourier::{Complex32, RealFft};

/// The amplitude of the sine in each bin of the transform, in the unit of the samples.
///
/// # Shapes
/// - `samples`: `[n]`
/// - returns: `[n / 2 + 1]`, at the frequencies of [`fft_frequencies`](cantus_audio::transform::fourier::fft_frequencies); empty for
///   no samples
pub fn amplitudes(samples: &[f64]) -> Vec<f64> {
    let n = samples.len();
    spectrum(samples).iter().enumerate().map(|(k, bin)| amplitude(bin, k, n)).collect()
}

/// The strongest sines of the signal, by falling amplitude.
///
/// Each local maximum of the spectrum is taken as a sine. Exact for sines with a whole number of periods within the
/// samples.
pub fn decompose(samples: &[f64], sample_rate: f64, n_partials: usize) -> Vec<Sine> {
    let n = samples.len();
    let spectrum = spectrum(samples);
    let amplitudes = amplitudes(samples);
    let at = |k: usize| amplitudes.get(k).copied().unwrap_or(0.0);
    let is_peak = |&k: &usize| at(k) > at(k + 1) && (k == 0 || at(k) >= at(k - 1));
    let mut peaks: Vec<usize> = (0..amplitudes.len()).filter(is_peak).collect();
    peaks.sort_by(|&a, &b| at(b).total_cmp(&at(a)));
    let sine = |k: usize| Sine {
        amplitude: at(k),
        frequency: k as f64 * sample_rate / n as f64,
        phase: phase(&spectrum[k]),
    };
    peaks.into_iter().take(n_partials).map(sine).collect()
}

fn spectrum(samples: &[f64]) -> Vec<Complex32> {
    if samples.is_empty() {
        return Vec::new();
    }
    let mut fft = RealFft::new(samples.len());
    let mut frame: Vec<f32> = samples.iter().map(|&x| x as f32).collect();
    let mut spectrum = vec![Complex32::default(); fft.n_bins()];
    fft.forward(&mut frame, &mut spectrum);
    spectrum
}

/// Half of a sine's amplitude is in the bin and half in that of the negative frequency; 0 Hz and the Nyquist frequency have
/// one bin only.
fn amplitude(bin: &Complex32, k: usize, n: usize) -> f64 {
    let n_bins = if k == 0 || 2 * k == n { 1.0 } else { 2.0 };
    n_bins * f64::from(bin.norm()) / n as f64
}

/// The phase of the sine in a bin, in (-π, π].
fn phase(bin: &Complex32) -> f64 {
    let phase = f64::from(bin.arg()) + FRAC_PI_2;
    if phase > PI { phase - TAU } else { phase }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::conversion::sample;
    use cantus_audio::transform::fourier::dft;

    const WAVES: [Sine; 3] = [
        Sine { amplitude: 0.6, frequency: 220.0, phase: 0.3 },
        Sine { amplitude: 0.3, frequency: 550.0, phase: -2.0 },
        Sine { amplitude: 0.1, frequency: 1210.0, phase: 3.0 },
    ];

    fn mixed() -> Vec<f64> {
        sample(|t| Sine::sum_at(&WAVES, t), 8000.0, 800)
    }

    #[test]
    fn a_sum_of_sines_is_decomposed_into_the_same_sines() {
        let found = decompose(&mixed(), 8000.0, 3);
        for (found, wave) in found.iter().zip(WAVES) {
            assert_eq!(found.frequency, wave.frequency);
            assert!((found.amplitude - wave.amplitude).abs() < 1e-6, "{found:?} {wave:?}");
            assert!((found.phase - wave.phase).abs() < 1e-5, "{found:?} {wave:?}");
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn amplitudes_are_those_of_the_definition() {
        let samples = mixed();
        let frame: Vec<f32> = samples.iter().map(|&x| x as f32).collect();
        for (k, (found, bin)) in amplitudes(&samples).iter().zip(dft(&frame)).enumerate() {
            let expected = amplitude(&bin, k, samples.len());
            assert!((found - expected).abs() < 1e-6, "bin {k}: {found}, by the definition {expected}");
        }
    }

    #[test]
    fn a_constant_has_its_value_at_0_hz_and_nothing_elsewhere() {
        let found = amplitudes(&[0.25; 64]);
        assert!((found[0] - 0.25).abs() < 1e-7 && found[1..].iter().all(|a| *a < 1e-7));
        assert!(amplitudes(&[]).is_empty() && decompose(&[], 8000.0, 3).is_empty());
    }
}
