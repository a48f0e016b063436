//! Aliasing: what is heard of a tone that is too high for its sample rate.
//!
//! Two waves whose frequencies differ by the sample rate go through the same samples, and so do a wave and its mirror image at
//! half the sample rate (the Nyquist frequency). Whoever plays the samples back hears the lowest of all these. A converter
//! therefore has a filter in front of it that lets nothing above the Nyquist frequency in.
//!
//! # Reference
//! Shannon, "Communication in the Presence of Noise", 1949.

/// The frequency at which a tone is heard once it was sampled: itself up to half the sample rate, and folded back above.
///
/// ```
/// use cantus_synth::sound::aliasing::heard_frequency;
///
/// assert_eq!(heard_frequency(3_000.0, 8_000.0), 3_000.0);
/// assert_eq!(heard_frequency(5_000.0, 8_000.0), 3_000.0); // 1000 Hz above Nyquist is heard 1000 Hz below it
/// ```
pub fn heard_frequency(frequency: f64, sample_rate: f64) -> f64 {
    let within_a_rate = frequency.abs() % sample_rate;
    within_a_rate.min(sample_rate - within_a_rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Sine;
    use crate::sound::conversion::sample;
    use crate::sound::partials::take_apart;

    #[test]
    fn a_tone_is_heard_where_the_formula_says() {
        const SAMPLE_RATE: f64 = 8000.0;
        for frequency in [1.0, 440.0, 3999.0, 4001.0, 5000.0, 7560.0, 8440.0, 11_560.0, 20_001.0] {
            let tone = Sine::new(0.8, frequency);
            let samples = sample(|t| tone.at(t), SAMPLE_RATE, 8000);
            let found = take_apart(&samples, SAMPLE_RATE, 1)[0];
            assert_eq!(found.frequency, heard_frequency(frequency, SAMPLE_RATE), "{frequency} Hz");
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
