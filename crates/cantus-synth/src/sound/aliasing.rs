//! Aliasing: the frequency of a sampled tone above the Nyquist frequency.
//!
//! Two sines whose frequencies differ by the sample rate have the same samples, and so do a sine and its mirror image at
//! half the sample rate (the Nyquist frequency). Reconstruction gives the lowest of these frequencies. Converters therefore
//! have an anti-aliasing lowpass filter.
//!
//! # Reference
//! Shannon, "Communication in the Presence of Noise", 1949.

/// Frequency of a sampled tone after reconstruction, in Hz: unchanged up to half the sample rate, folded back above.
///
/// ```
/// use cantus_synth::sound::aliasing::alias_frequency;
///
/// assert_eq!(alias_frequency(3_000.0, 8_000.0), 3_000.0);
/// assert_eq!(alias_frequency(5_000.0, 8_000.0), 3_000.0); // 1000 Hz above Nyquist becomes 1000 Hz below it
/// ```
#[must_use]
pub fn alias_frequency(frequency: f64, sample_rate: f64) -> f64 {
    let remainder = frequency.abs() % sample_rate;
    remainder.min(sample_rate - remainder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Sine;
    use crate::sound::conversion::sample;
    use crate::sound::partials::decompose;

    #[test]
    fn the_spectrum_has_its_peak_at_the_alias_frequency() {
        const SAMPLE_RATE: f64 = 8000.0;
        for frequency in [1.0, 440.0, 3999.0, 4001.0, 5000.0, 7560.0, 8440.0, 11_560.0, 20_001.0] {
            let tone = Sine::new(0.8, frequency);
            let samples = sample(|t| tone.at(t), SAMPLE_RATE, 8000);
            let found = decompose(&samples, SAMPLE_RATE, 1)[0];
            assert_eq!(found.frequency, alias_frequency(frequency, SAMPLE_RATE), "{frequency} Hz");
            assert!((found.amplitude - 0.8).abs() < 1e-4, "{frequency} Hz: {found:?}");
        }
    }

    #[test]
    fn samples_of_a_tone_and_of_its_alias_are_the_same() {
        let (high, low) = (Sine::new(1.0, 7000.0).with_phase(0.3), Sine::new(-1.0, 1000.0).with_phase(-0.3));
        let [high, low] = [high, low].map(|tone| sample(|t| tone.at(t), 8000.0, 100));
        assert!(high.iter().zip(low).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
