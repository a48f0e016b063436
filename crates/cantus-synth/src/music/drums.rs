//! Drum synthesis: each drum is synthesised once per track and then repeated like a sample.
//!
//! As in analogue drum machines: membranes are sines with falling pitch, snares sines and noise, cymbals inharmonic square
//! waves and noise.

use cantus_random::KeyedRng;

use super::elementary::{decay, sine, soft_clip};
use super::filter::{Biquad, OnePole};
use super::oscillator::{Noise, Phasor, pulse};
use crate::music::draw::Draw;

/// A drum, cymbal or percussion instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drum {
    Kick,
    Snare,
    SideStick,
    Clap,
    Tom,
    ClosedHat,
    OpenHat,
    Ride,
    Crash,
    Shaker,
    /// Wire brushes swept over the snare.
    Brush,
}

impl Drum {
    pub const ALL: [Drum; 11] = [
        Drum::Kick,
        Drum::Snare,
        Drum::SideStick,
        Drum::Clap,
        Drum::Tom,
        Drum::ClosedHat,
        Drum::OpenHat,
        Drum::Ride,
        Drum::Crash,
        Drum::Shaker,
        Drum::Brush,
    ];
}

/// Synthesis parameters of a drum kit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kit {
    /// Final pitch of the kick in Hz: 45 for a TR-808, 80 for a jazz kit.
    pub kick_hz: f32,
    /// T60 of the kick in seconds.
    pub kick_t60_s: f32,
    /// Amplitude of the noise of the beater's impact.
    pub click: f32,
    /// Pitch of the snare's head in Hz.
    pub snare_hz: f32,
    /// T60 of the snare wires in seconds.
    pub snare_t60_s: f32,
    /// Highpass cutoff of the cymbals in Hz.
    pub cymbal_hz: f32,
    /// Factor on the decay times.
    pub ring: f32,
}

impl Default for Kit {
    fn default() -> Kit {
        Kit {
            kick_hz: 55.0,
            kick_t60_s: 0.35,
            click: 0.4,
            snare_hz: 190.0,
            snare_t60_s: 0.25,
            cymbal_hz: 6000.0,
            ring: 1.0,
        }
    }
}

impl Kit {
    /// This kit with random variation of its parameters.
    pub fn tuned(self, rng: &mut KeyedRng) -> Kit {
        Kit {
            kick_hz: rng.around(self.kick_hz, 0.25),
            kick_t60_s: rng.around(self.kick_t60_s, 0.4),
            click: self.click * rng.uniform_in([0.5, 1.5]),
            snare_hz: rng.around(self.snare_hz, 0.3),
            snare_t60_s: rng.around(self.snare_t60_s, 0.4),
            cymbal_hz: rng.around(self.cymbal_hz, 0.35),
            ring: rng.around(self.ring, 0.4),
        }
    }

    /// Samples of one hit at full velocity; peak about 1.
    pub fn hit(&self, drum: Drum, sample_rate: f32, seed: u32) -> Vec<f32> {
        let noise = Noise::new(seed);
        match drum {
            Drum::Kick => {
                membrane(self.kick_hz, 4.0, self.kick_t60_s * self.ring, self.click, noise, sample_rate)
            }
            Drum::Tom => membrane(1.9 * self.kick_hz, 1.5, 0.45 * self.ring, 0.15, noise, sample_rate),
            Drum::Snare => self.snare(noise, sample_rate),
            Drum::SideStick => membrane(1700.0, 1.1, 0.06, 0.5, noise, sample_rate),
            Drum::Clap => clap(noise, sample_rate),
            Drum::ClosedHat => self.cymbal(0.09, 0.5, 0.95, noise, sample_rate),
            Drum::OpenHat => self.cymbal(0.55, 0.5, 0.85, noise, sample_rate),
            Drum::Ride => self.cymbal(1.1, 0.8, 0.7, noise, sample_rate),
            Drum::Crash => self.cymbal(2.2, 0.35, 1.0, noise, sample_rate),
            Drum::Shaker => noise_burst(0.03, 0.12, self.cymbal_hz, 0.4, noise, sample_rate),
            Drum::Brush => noise_burst(0.05, 0.4, 2200.0, 0.4, noise, sample_rate),
        }
    }

    /// Two modes of the membrane, and noise for the snare wires.
    fn snare(&self, mut noise: Noise, sample_rate: f32) -> Vec<f32> {
        let mut wires = Biquad::highpass(1200.0, 0.7, sample_rate);
        let (mut low, mut high) = (Phasor::new(0.0), Phasor::new(0.0));
        let mut rattle = Decay::new(self.snare_t60_s * self.ring, sample_rate);
        let mut body = Decay::new(0.14, sample_rate);
        let n = samples(self.snare_t60_s.max(0.14) * self.ring, sample_rate);
        let mut hit = |_| {
            let membrane = sine(low.advance(self.snare_hz / sample_rate))
                + 0.5 * sine(high.advance(1.78 * self.snare_hz / sample_rate));
            0.55 * body.next() * membrane + 0.6 * rattle.next() * wires.process(noise.sample())
        };
        faded((0..n).map(&mut hit).collect())
    }

    /// Six inharmonic square waves and noise, highpassed at `cymbal_hz`.
    fn cymbal(&self, t60_s: f32, metal: f32, level: f32, mut noise: Noise, sample_rate: f32) -> Vec<f32> {
        const PARTIALS_HZ: [f32; 6] = [205.3, 304.4, 369.6, 522.7, 540.0, 800.0]; // the TR-808's
        let mut phasors = PARTIALS_HZ.map(|_| Phasor::new(0.5 + 0.5 * noise.sample()));
        let mut filters = [0, 1].map(|_| Biquad::highpass(self.cymbal_hz, 0.7, sample_rate));
        let mut loudness = Decay::new(t60_s * self.ring, sample_rate);
        let mut hit = |_| {
            let step = |hz: f32| 4.3 * hz / sample_rate;
            let squares = PARTIALS_HZ.iter().zip(&mut phasors);
            let metallic: f32 =
                squares.map(|(hz, phasor)| pulse(phasor.advance(step(*hz)), step(*hz).min(0.5), 0.5)).sum();
            let x = metal * 0.5 * metallic + (1.0 - metal) * noise.sample();
            let [first, second] = &mut filters;
            level * loudness.next() * second.process(first.process(x))
        };
        faded((0..samples(t60_s * self.ring, sample_rate)).map(&mut hit).collect())
    }
}

/// A struck membrane: a sine whose frequency falls exponentially (T60 120 ms) from `fall · hz` to `hz`, and a click.
fn membrane(hz: f32, fall: f32, t60_s: f32, click: f32, mut noise: Noise, sample_rate: f32) -> Vec<f32> {
    let mut phasor = Phasor::new(0.0);
    let mut pitch_decay = Decay::new(0.12, sample_rate);
    let mut loudness = Decay::new(t60_s, sample_rate);
    let mut beater = Decay::new(0.012, sample_rate);
    let mut click_filter = OnePole::lowpass(3500.0, sample_rate);
    let mut hit = |_| {
        let step = hz * (1.0 + (fall - 1.0) * pitch_decay.next()) / sample_rate;
        let tone = soft_clip(1.4 * loudness.next() * sine(phasor.advance(step)));
        tone + click * beater.next() * click_filter.process(noise.sample())
    };
    faded((0..samples(t60_s, sample_rate)).map(&mut hit).collect())
}

/// Four noise bursts about 10 ms apart, the last with a longer decay.
fn clap(mut noise: Noise, sample_rate: f32) -> Vec<f32> {
    const BURSTS_S: [f32; 4] = [0.0, 0.011, 0.021, 0.03];
    let mut bandpass = Biquad::bandpass(1250.0, 1.1, sample_rate);
    let n = samples(0.28, sample_rate);
    let mut loudness = 0.0;
    let (near, far) = (decay(0.035, sample_rate), decay(0.28, sample_rate));
    let starts = BURSTS_S.map(|s| (s * sample_rate) as usize);
    let mut hit = |i: usize| {
        if starts.contains(&i) {
            loudness = 1.0;
        }
        loudness *= if i > starts[3] { far } else { near };
        1.6 * loudness * bandpass.process(noise.sample())
    };
    faded((0..n).map(&mut hit).collect())
}

/// Highpassed noise with linear attack and exponential decay, for shaker and brushes.
fn noise_burst(
    rise_s: f32,
    fall_s: f32,
    above_hz: f32,
    level: f32,
    mut noise: Noise,
    sample_rate: f32,
) -> Vec<f32> {
    let mut filter = Biquad::highpass(above_hz, 0.7, sample_rate);
    let mut loudness = Decay::new(fall_s, sample_rate);
    let n_rise = (rise_s * sample_rate).max(1.0);
    let mut hit = |i: usize| {
        let swell = if (i as f32) < n_rise { i as f32 / n_rise } else { loudness.next() };
        level * swell * filter.process(noise.sample())
    };
    faded((0..samples(rise_s + fall_s, sample_rate)).map(&mut hit).collect())
}

/// Exponential decay from 1.
struct Decay {
    level: f32,
    factor: f32,
}

impl Decay {
    fn new(t60_s: f32, sample_rate: f32) -> Decay {
        Decay { level: 1.0, factor: decay(t60_s, sample_rate) }
    }

    fn next(&mut self) -> f32 {
        let level = self.level;
        self.level *= self.factor;
        level
    }
}

fn samples(duration_s: f32, sample_rate: f32) -> usize {
    (duration_s * sample_rate) as usize
}

/// Fades out the last fifth of a hit, so that it does not end with a click.
fn faded(mut hit: Vec<f32>) -> Vec<f32> {
    let n_fade = hit.len() / 5 + 1;
    for (i, sample) in hit.iter_mut().rev().take(n_fade).enumerate() {
        *sample *= i as f32 / n_fade as f32;
    }
    hit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half the rate of zero crossings, in Hz: low for membranes, high for cymbals.
    fn crossings_hz(hit: &[f32]) -> f32 {
        let n = hit.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
        n as f32 / 2.0 / hit.len() as f32 * 22_050.0
    }

    #[test]
    fn strokes_are_bounded_and_begin_and_end_without_a_click() {
        for drum in Drum::ALL {
            for seed in 0..5 {
                let kit = Kit::default().tuned(&mut KeyedRng::new([seed, 0]));
                let hit = kit.hit(drum, 22_050.0, 5);
                let peak = hit.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
                assert!((0.1..3.0).contains(&peak), "{drum:?}: {peak}");
                assert!(hit[hit.len() - 1].abs() < 1e-3, "{drum:?}");
            }
        }
    }

    #[test]
    fn the_kick_is_low_and_the_hat_is_high() {
        let kit = Kit::default();
        let kick = crossings_hz(&kit.hit(Drum::Kick, 22_050.0, 1));
        let hat = crossings_hz(&kit.hit(Drum::ClosedHat, 22_050.0, 1));
        assert!(kick < 200.0, "{kick}");
        assert!(hat > 4000.0, "{hat}");
    }
}
