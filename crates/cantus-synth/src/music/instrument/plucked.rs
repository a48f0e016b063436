//! Plucked strings: Karplus and Strong's delay line (1983) with Jaffe and Smith's extensions (1983).
//!
//! A noise burst circulates in a delay line of one period and is lowpassed in each cycle, so high harmonics decay first, as
//! on a string. An allpass filter provides the fractional delay for exact tuning.

use cantus_random::KeyedRng;

use super::{Instrument, Tone};
use crate::music::draw::Draw;
use crate::music::elementary::decay;
use crate::music::filter::OnePole;
use crate::music::oscillator::Noise;

/// Parameters of a string and its excitation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::music) struct Plucked {
    /// Cutoff of the excitation noise in multiples of the note's frequency: 3 for a thumb, 30 for a plectrum.
    pub brightness: f32,
    /// Lowpass coefficient per period, in [0, 0.5]: 0.05 for steel, 0.3 for nylon.
    pub damping: f32,
    /// Seconds for the fundamental to fall by 60 dB.
    pub t60_s: f32,
    /// Plucking position as a share of the string's length, in (0, 0.5]; harmonics with a node there are missing.
    pub position: f32,
}

/// Length of the fade after the note's end.
const RELEASE_S: f32 = 0.03;

impl Plucked {
    pub fn steel_string(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 14.0, 0.12, 3.5, 0.15)
    }

    pub fn nylon_string(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 6.0, 0.35, 2.2, 0.3)
    }

    pub fn electric(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 11.0, 0.2, 4.5, 0.22)
    }

    pub fn banjo(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 35.0, 0.1, 0.7, 0.08)
    }

    /// Palm-muted strings, as in metal and disco.
    pub fn muted(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 12.0, 0.3, 0.35, 0.12)
    }

    pub fn upright_bass(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 6.0, 0.4, 1.6, 0.35)
    }

    pub fn bass_guitar(rng: &mut KeyedRng) -> Instrument {
        Plucked::string(rng, 12.0, 0.25, 3.5, 0.2)
    }

    /// A string with random variation of these parameters.
    fn string(rng: &mut KeyedRng, brightness: f32, damping: f32, t60_s: f32, position: f32) -> Instrument {
        Instrument::Plucked(Plucked {
            brightness: rng.around(brightness, 0.5),
            damping: (damping * rng.uniform_in([0.7, 1.3])).min(0.5),
            t60_s: rng.around(t60_s, 0.3),
            position: position * rng.uniform_in([0.8, 1.2]),
        })
    }

    pub(super) fn play(&self, tone: &Tone, out: &mut [f32]) {
        let period = tone.sample_rate / tone.frequency;
        // At low frequencies the damping filter delays by `damping` samples; the allpass provides the fractional rest.
        let whole = (period - self.damping - 0.3).floor();
        let fraction = period - self.damping - whole;
        let allpass = (1.0 - fraction) / (1.0 + fraction);
        let mut line = self.pick(tone, whole.max(2.0) as usize);

        let loss = decay(self.t60_s * tone.frequency, 1.0); // per period
        let (straight, averaged) = (loss * (1.0 - self.damping), loss * self.damping);
        let n_held = (tone.duration_s * tone.sample_rate) as usize;
        let n_release = (RELEASE_S * tone.sample_rate).max(1.0);
        let n_total = (n_held + n_release as usize).min(out.len());
        let (mut at, mut before, mut in_before, mut out_before) = (0, 0.0, 0.0, 0.0);
        for (i, sample) in out[..n_total].iter_mut().enumerate() {
            let string = line[at];
            let filtered = straight * string + averaged * before;
            before = string;
            let tuned = allpass * (filtered - out_before) + in_before;
            (in_before, out_before) = (filtered, tuned);
            line[at] = tuned;
            at = if at + 1 == line.len() { 0 } else { at + 1 };
            let released = if i < n_held { 1.0 } else { 1.0 - (i - n_held) as f32 / n_release };
            *sample += string * released;
        }
    }

    /// One period of excitation: lowpassed noise without DC and without the harmonics that have a node at the plucking
    /// position; its RMS is proportional to the velocity.
    fn pick(&self, tone: &Tone, n: usize) -> Vec<f32> {
        let mut noise = Noise::new(tone.seed);
        let hardness = 0.4 + 0.6 * tone.velocity;
        let cutoff = (self.brightness * hardness * tone.frequency).min(0.45 * tone.sample_rate);
        let mut pick = [0, 1].map(|_| OnePole::lowpass(cutoff, tone.sample_rate));
        let mut soften = |x| pick.iter_mut().fold(x, |x, filter| filter.process(x));
        let burst: Vec<f32> = (0..n).map(|_| soften(noise.sample())).collect();
        let apart = ((self.position * n as f32) as usize).max(1);
        let mut shape: Vec<f32> = (0..n).map(|i| burst[i] - burst[(i + n - apart) % n]).collect();
        let power = shape.iter().map(|x| x * x).sum::<f32>() / n as f32;
        let gain = 0.35 * tone.velocity / power.sqrt().max(1e-6);
        shape.iter_mut().for_each(|x| *x = (*x * gain).clamp(-1.0, 1.0));
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frequency of the strongest line near `around`, by the naive Fourier integral with a Hann window.
    fn measured_frequency(samples: &[f32], around: f64, sample_rate: f64) -> f64 {
        let power = |frequency: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in samples.iter().enumerate() {
                let hann = (std::f64::consts::PI * i as f64 / samples.len() as f64).sin().powi(2);
                let angle = std::f64::consts::TAU * frequency * i as f64 / sample_rate;
                re += hann * f64::from(*x) * angle.cos();
                im += hann * f64::from(*x) * angle.sin();
            }
            re * re + im * im
        };
        let candidates = (-200..=200).map(|cent| around * (f64::from(cent) / 2400.0).exp2());
        candidates.max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap()
    }

    #[test]
    fn a_plucked_a4_is_440_hz() {
        let mut rng = KeyedRng::new([0, 0]);
        let kinds = [Plucked::steel_string, Plucked::nylon_string, Plucked::electric, Plucked::banjo];
        for (i, kind) in kinds.iter().enumerate() {
            let tone = Tone {
                frequency: 440.0,
                duration_s: 1.0,
                velocity: 0.8,
                bend: 0.0,
                seed: 77,
                sample_rate: 22_050.0,
            };
            let mut samples = vec![0.0; 11_025];
            kind(&mut rng).play(&tone, &mut samples);
            let found = measured_frequency(&samples, 440.0, 22_050.0);
            assert!((found / 440.0 - 1.0).abs() < 0.005, "kind {i}: {found} Hz");
        }
    }

    #[test]
    fn a_string_decays_in_its_t60() {
        let string = Plucked { brightness: 10.0, damping: 0.05, t60_s: 0.5, position: 0.2 };
        let tone = Tone {
            frequency: 110.0,
            duration_s: 2.0,
            velocity: 1.0,
            bend: 0.0,
            seed: 3,
            sample_rate: 22_050.0,
        };
        let mut samples = vec![0.0; 30_000];
        string.play(&tone, &mut samples);
        let energy = |from: usize| samples[from..from + 2000].iter().map(|x| x * x).sum::<f32>();
        let fall_db = 10.0 * (energy(0) / energy(11_025)).log10();
        assert!(fall_db > 55.0 && fall_db < 80.0, "{fall_db} dB");
    }
}
