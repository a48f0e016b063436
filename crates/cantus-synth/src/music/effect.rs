//! Effects: guitar amplifier, reverberation, surface noise.

use super::elementary::{decay, soft_clip};
use super::filter::{Biquad, OnePole};
use super::oscillator::Noise;

/// A guitar amplifier and its loudspeaker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amplifier {
    /// Gain before clipping: 1 is clean, 4 mildly distorted, 30 strongly distorted.
    pub drive: f32,
    /// Lowpass cutoff of the loudspeaker in Hz.
    pub cabinet_hz: f32,
}

impl Amplifier {
    /// Highpass, asymmetric soft clipping, lowpass of the loudspeaker.
    ///
    /// The highpass reduces intermodulation of low chords; asymmetric clipping adds even harmonics, as valves do.
    pub fn run(self, samples: &mut [f32], sample_rate: f32) {
        const BIAS: f32 = 0.2;
        let mut bass_cut = OnePole::lowpass(110.0, sample_rate);
        let mut antialias = OnePole::lowpass(0.3 * sample_rate, sample_rate);
        let mut dc_block = OnePole::lowpass(30.0, sample_rate);
        let mut cabinet = Biquad::lowpass(self.cabinet_hz, 0.8, sample_rate);
        let makeup = 1.0 / soft_clip(self.drive * 0.5).max(0.1);
        let rest = soft_clip(BIAS);
        for sample in samples {
            let driven = antialias.process(bass_cut.highpass(*sample)) * self.drive;
            let clipped = soft_clip(driven + BIAS) - rest;
            *sample = 0.5 * makeup * cabinet.process(dc_block.highpass(clipped));
        }
    }
}

/// Schroeder's reverberator (1962) with Moorer's damping: parallel comb filters, then allpass filters in series.
pub(super) struct Reverb {
    combs: [Comb; 4],
    allpasses: [Delay; 2],
}

/// Lengths of the combs and allpasses in seconds, mutually prime as samples at 44.1 kHz (Jezar's Freeverb).
const COMB_S: [f32; 4] = [0.025_306, 0.028_957, 0.030_748, 0.033_810];
const ALLPASS_S: [f32; 2] = [0.012_608, 0.007_732];

impl Reverb {
    /// A reverberator with this T60 in seconds, whose feedback is lowpassed at `damping_hz`.
    pub fn new(t60_s: f32, damping_hz: f32, sample_rate: f32) -> Reverb {
        let combs = COMB_S.map(|length_s| Comb {
            delay: Delay::new(length_s, sample_rate),
            feedback: decay(t60_s / length_s, 1.0), // per pass through the delay line
            damping: OnePole::lowpass(damping_hz, sample_rate),
        });
        Reverb { combs, allpasses: ALLPASS_S.map(|length_s| Delay::new(length_s, sample_rate)) }
    }

    /// The reverberation of a sample, without the sample itself.
    pub fn process(&mut self, x: f32) -> f32 {
        let mut y = 0.0;
        for comb in &mut self.combs {
            let delayed = comb.delay.read();
            comb.delay.write(x + comb.feedback * comb.damping.process(delayed));
            y += delayed;
        }
        for allpass in &mut self.allpasses {
            let delayed = allpass.read();
            allpass.write(y + 0.5 * delayed);
            y = delayed - 0.5 * y;
        }
        y / COMB_S.len() as f32
    }
}

struct Comb {
    delay: Delay,
    feedback: f32,
    damping: OnePole,
}

struct Delay {
    line: Vec<f32>,
    at: usize,
}

impl Delay {
    fn new(length_s: f32, sample_rate: f32) -> Delay {
        Delay { line: vec![0.0; ((length_s * sample_rate) as usize).max(1)], at: 0 }
    }

    fn read(&self) -> f32 {
        self.line[self.at]
    }

    fn write(&mut self, x: f32) {
        self.line[self.at] = x;
        self.at = if self.at + 1 == self.line.len() { 0 } else { self.at + 1 };
    }
}

/// Tape hiss and record crackle.
pub(super) struct SurfaceNoise {
    noise: Noise,
    hiss: f32,
    /// Probability that a sample has no click.
    clean: f32,
    click_filter: Biquad,
}

impl SurfaceNoise {
    /// White noise of amplitude `hiss`, and `crackles_per_s` clicks some 20 dB above it.
    pub fn new(hiss: f32, crackles_per_s: f32, sample_rate: f32, seed: u32) -> SurfaceNoise {
        let clean = 1.0 - crackles_per_s / sample_rate;
        SurfaceNoise {
            noise: Noise::new(seed),
            hiss,
            clean,
            click_filter: Biquad::bandpass(2500.0, 1.5, sample_rate),
        }
    }

    pub fn sample(&mut self) -> f32 {
        let hiss = self.noise.sample();
        if self.clean >= 1.0 {
            return self.hiss * hiss;
        }
        let click =
            if 0.5 + 0.5 * self.noise.sample() > self.clean { 20.0 * self.noise.sample() } else { 0.0 };
        self.hiss * (hiss + self.click_filter.process(click))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reverb_decays_by_60_db_in_its_t60() {
        let mut reverb = Reverb::new(1.0, 20_000.0, 22_050.0);
        let response: Vec<f32> =
            (0..33_075).map(|i| reverb.process(if i == 0 { 1.0 } else { 0.0 })).collect();
        let energy = |from: usize| response[from..from + 4410].iter().map(|x| x * x).sum::<f32>();
        let fall_db = 10.0 * (energy(2205) / energy(2205 + 22_050)).log10();
        assert!((fall_db - 60.0).abs() < 8.0, "{fall_db} dB in one second");
    }

    #[test]
    fn the_output_of_an_amplifier_is_bounded_and_has_no_dc() {
        let mut samples: Vec<f32> = (0..22_050).map(|i| ((i % 100) as f32 / 50.0 - 1.0) * 5.0).collect();
        Amplifier { drive: 30.0, cabinet_hz: 5000.0 }.run(&mut samples, 22_050.0);
        assert!(samples.iter().all(|x| x.abs() < 1.5));
        let mean = samples[5000..].iter().sum::<f32>() / 17_050.0;
        assert!(mean.abs() < 0.01, "{mean}");
    }
}
