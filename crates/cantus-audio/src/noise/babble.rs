//! Babble: several synthesised voices at once, without words.
//!
//! ```text
//! glottal pulses + breath ─▶ formants, moving from vowel to vowel ─▶ syllables of 3–6 Hz ─▶ sum of 3–6 voices
//! ```
//!
//! A voice is a formant synthesiser in cascade. Its pitch falls over a phrase of several syllables, after which it pauses.
//!
//! # References
//! - Klatt 1980, "Software for a cascade/parallel formant synthesizer": resonators, and the pulse of the glottis as an impulse
//!   train through a resonator at 0 Hz.
//! - Peterson & Barney 1952, "Control methods used in a study of the vowels": formants of vowels, men's averages.

use std::f64::consts::{PI, TAU};

use cantus_random::KeyedRng;

/// F1, F2 and F3 of ten vowels in Hz (Peterson & Barney 1952, table II).
const VOWELS: [[f64; 3]; 10] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
    [490.0, 1350.0, 1690.0],
];
/// Bandwidths of the formants in Hz: typical values of Klatt 1980.
const BANDWIDTHS_HZ: [f64; 3] = [60.0, 90.0, 150.0];
/// Bandwidth of the resonator at 0 Hz that makes glottal pulses of impulses (Klatt's BGP).
const GLOTTAL_BANDWIDTH_HZ: f64 = 100.0;
/// Largest value of the breath noise at the glottis; that of a pulse is 1.
const BREATH: f64 = 0.002;
/// Updates of the formants per second.
const UPDATE_HZ: u32 = 200;

/// The sum of three to six voices, not normalised.
pub(crate) fn babble(n: usize, sample_rate: u32, rng: &mut KeyedRng) -> Vec<f32> {
    let n_voices = 3 + rng.below(4);
    let mut sum = vec![0.0; n];
    for _ in 0..n_voices {
        let gain = 0.4 + 0.6 * rng.uniform();
        let voice = Voice::draw(sample_rate, rng).speak(n, rng);
        sum.iter_mut().zip(voice).for_each(|(sum, sample)| *sum += (gain * sample) as f32);
    }
    sum
}

/// A speaker.
struct Voice {
    sample_rate: f64,
    /// Mean pitch in Hz.
    pitch_hz: f64,
    /// Formants relative to a man's: a shorter vocal tract has higher ones.
    formant_scale: f64,
    /// Mean number of syllables per second.
    syllable_hz: f64,
}

/// One syllable, or a pause between phrases.
struct Syllable {
    n_samples: usize,
    /// Largest amplitude; 0 for a pause.
    loudness: f64,
    /// The formants at its end.
    formants: [f64; 3],
    /// Pitch in Hz.
    pitch_hz: f64,
}

impl Voice {
    /// Half of the voices have the pitch of men, half that of women.
    fn draw(sample_rate: u32, rng: &mut KeyedRng) -> Self {
        let is_high = rng.bernoulli(0.5);
        let (low_hz, scale) = if is_high { (165.0, 1.17) } else { (90.0, 1.0) };
        Self {
            sample_rate: f64::from(sample_rate.max(UPDATE_HZ)),
            pitch_hz: low_hz * (1.0 + 0.5 * rng.uniform()),
            formant_scale: scale * (0.95 + 0.1 * rng.uniform()),
            syllable_hz: 3.5 + 2.0 * rng.uniform(),
        }
    }

    /// `n` samples of this voice.
    fn speak(&self, n: usize, rng: &mut KeyedRng) -> Vec<f64> {
        let mut glottis = Resonator::new(0.0, GLOTTAL_BANDWIDTH_HZ, self.sample_rate);
        // The largest value of a pulse is 1: e times the time constant of the resonator.
        let impulse = std::f64::consts::E * self.sample_rate / (PI * GLOTTAL_BANDWIDTH_HZ);
        let mut tract = [Resonator::default(); 3];
        let (mut formants, mut phase, mut before) = (self.vowel(rng), rng.uniform(), 0.0);
        let mut samples = Vec::with_capacity(n);
        let mut place = rng.below(8);
        let block = (self.sample_rate / f64::from(UPDATE_HZ)).max(1.0) as usize;
        while samples.len() < n {
            let syllable = self.syllable(place, rng);
            place += 1;
            let start = formants;
            for i in 0..syllable.n_samples {
                let progress = i as f64 / syllable.n_samples as f64;
                if i % block == 0 {
                    for (k, resonator) in tract.iter_mut().enumerate() {
                        formants[k] = start[k] + (syllable.formants[k] - start[k]) * progress;
                        resonator.tune(formants[k], BANDWIDTHS_HZ[k], self.sample_rate);
                    }
                }
                phase += syllable.pitch_hz * (1.0 - 0.1 * progress) / self.sample_rate;
                let pulse = if phase >= 1.0 { impulse } else { 0.0 };
                phase -= phase.floor();
                let source = glottis.filter(pulse) + BREATH * (2.0 * rng.uniform() - 1.0);
                // The lips radiate the derivative.
                let radiated = source - before;
                before = source;
                let envelope = syllable.loudness * (0.5 - 0.5 * (TAU * progress).cos());
                samples.push(envelope * tract.iter_mut().fold(radiated, |x, formant| formant.filter(x)));
            }
        }
        samples.truncate(n);
        samples
    }

    /// The formants of a random vowel, in Hz.
    fn vowel(&self, rng: &mut KeyedRng) -> [f64; 3] {
        let vowel = rng.choose(&VOWELS).copied().unwrap_or(VOWELS[0]);
        vowel.map(|hz| self.formant_scale * hz)
    }

    /// The syllable at a place in the sequence; the last place of a phrase of eight is a pause.
    fn syllable(&self, place: usize, rng: &mut KeyedRng) -> Syllable {
        let place = place % 8;
        // 0.85 to 1.15 of the mean, so that all rates are between 3 and 6.5 Hz.
        let rate_hz = self.syllable_hz * (0.85 + 0.3 * rng.uniform());
        Syllable {
            n_samples: (self.sample_rate / rate_hz).max(1.0) as usize,
            loudness: if place == 7 { 0.0 } else { 0.5 + 0.5 * rng.uniform() },
            formants: self.vowel(rng),
            // Declination: the pitch falls by about a third over a phrase.
            pitch_hz: self.pitch_hz * (1.15 - 0.04 * place as f64) * (0.95 + 0.1 * rng.uniform()),
        }
    }
}

/// A two-pole resonator of gain 1 at 0 Hz (Klatt 1980, equation 2).
#[derive(Debug, Clone, Copy, Default)]
struct Resonator {
    a: f64,
    b: f64,
    c: f64,
    state: [f64; 2],
}

impl Resonator {
    fn new(frequency_hz: f64, bandwidth_hz: f64, sample_rate: f64) -> Self {
        let mut resonator = Self::default();
        resonator.tune(frequency_hz, bandwidth_hz, sample_rate);
        resonator
    }

    /// Changes the frequency, not the state. Above 0.45 of the sample rate it lets everything pass.
    fn tune(&mut self, frequency_hz: f64, bandwidth_hz: f64, sample_rate: f64) {
        if frequency_hz > 0.45 * sample_rate {
            (self.a, self.b, self.c) = (1.0, 0.0, 0.0);
            return;
        }
        let radius = (-PI * bandwidth_hz / sample_rate).exp();
        self.c = -radius * radius;
        self.b = 2.0 * radius * (TAU * frequency_hz / sample_rate).cos();
        self.a = 1.0 - self.b - self.c;
    }

    fn filter(&mut self, x: f64) -> f64 {
        let y = self.a * x + self.b * self.state[0] + self.c * self.state[1];
        self.state = [y, self.state[0]];
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strongest frequency of a voice's loudness (mean square in windows of 20 ms) between 1 and 12 Hz.
    fn rhythm_hz(samples: &[f64]) -> f64 {
        let loudness: Vec<f64> = samples
            .chunks_exact(320)
            .map(|window| window.iter().map(|x| x * x).sum::<f64>().sqrt())
            .collect();
        let mean = loudness.iter().sum::<f64>() / loudness.len() as f64;
        let power = |hz: f64| {
            let angle = |i: usize| TAU * hz * i as f64 / 50.0;
            let part = |wave: fn(f64) -> f64| -> f64 {
                loudness.iter().enumerate().map(|(i, x)| (x - mean) * wave(angle(i))).sum()
            };
            part(f64::cos).powi(2) + part(f64::sin).powi(2)
        };
        (20..240).map(|i| f64::from(i) / 20.0).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap()
    }

    #[test]
    fn a_voice_has_the_rhythm_of_syllables() {
        for number in 0..8 {
            let mut rng = KeyedRng::new([number]);
            let voice = Voice::draw(16_000, &mut rng);
            let found = rhythm_hz(&voice.speak(16_000 * 20, &mut rng));
            assert!((3.0..6.5).contains(&found), "voice {number}: {found} Hz");
        }
    }

    #[test]
    fn a_resonator_has_gain_1_at_0_hz_and_its_peak_at_its_frequency() {
        let gain = |hz: f64| {
            let mut resonator = Resonator::new(700.0, 60.0, 16_000.0);
            let out: Vec<f64> =
                (0..8000).map(|i| resonator.filter((TAU * hz * f64::from(i) / 16_000.0).cos())).collect();
            out[4000..].iter().fold(0.0, |max: f64, x| max.max(x.abs()))
        };
        assert!((gain(0.0) - 1.0).abs() < 1e-6);
        assert!(gain(700.0) > 10.0 && gain(700.0) > gain(640.0) && gain(700.0) > gain(760.0));
        assert!(gain(4000.0) < 0.1);
    }
}
