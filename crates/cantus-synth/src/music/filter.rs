//! One-pole filter, and biquad filters of Bristow-Johnson's "Audio EQ Cookbook".

use super::elementary::{amplitude, exp2, sine};

/// Added to the input of every filter: in silence, the state would otherwise decay to denormal numbers, which are slow.
const TINY: f32 = 1e-18;

/// A first-order lowpass, 6 dB per octave.
pub(super) struct OnePole {
    coefficient: f32,
    state: f32,
}

impl OnePole {
    pub fn lowpass(cutoff_hz: f32, sample_rate: f32) -> OnePole {
        OnePole { coefficient: OnePole::coefficient(cutoff_hz, sample_rate), state: 0.0 }
    }

    pub fn set_cutoff(&mut self, cutoff_hz: f32, sample_rate: f32) {
        self.coefficient = OnePole::coefficient(cutoff_hz, sample_rate);
    }

    /// 1 - e^(-2π f / sr).
    fn coefficient(cutoff_hz: f32, sample_rate: f32) -> f32 {
        const TAU_IN_OCTAVES: f32 = std::f32::consts::TAU * std::f32::consts::LOG2_E;
        1.0 - exp2(-TAU_IN_OCTAVES * cutoff_hz / sample_rate)
    }

    pub fn process(&mut self, x: f32) -> f32 {
        // In this form, only one product and one sum depend on the preceding sample.
        self.state = (1.0 - self.coefficient) * self.state + (self.coefficient * x + TINY);
        self.state
    }

    /// Input minus lowpass.
    pub fn highpass(&mut self, x: f32) -> f32 {
        x - self.process(x)
    }
}

/// A second-order filter, transposed direct form II.
#[derive(Clone)]
pub(super) struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    state: [f32; 2],
}

impl Biquad {
    pub fn lowpass(cutoff_hz: f32, q: f32, sample_rate: f32) -> Biquad {
        let (sin, cos) = angle(cutoff_hz, sample_rate);
        let alpha = sin / (2.0 * q);
        let b = [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0];
        Biquad::normalised(b, [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    pub fn highpass(cutoff_hz: f32, q: f32, sample_rate: f32) -> Biquad {
        let (sin, cos) = angle(cutoff_hz, sample_rate);
        let alpha = sin / (2.0 * q);
        let b = [(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0];
        Biquad::normalised(b, [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Peak gain 1 at the centre.
    pub fn bandpass(centre_hz: f32, q: f32, sample_rate: f32) -> Biquad {
        let (sin, cos) = angle(centre_hz, sample_rate);
        let alpha = sin / (2.0 * q);
        Biquad::normalised([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// `gain_db` at the centre, 0 dB far from it.
    pub fn peaking(centre_hz: f32, q: f32, gain_db: f32, sample_rate: f32) -> Biquad {
        let (sin, cos) = angle(centre_hz, sample_rate);
        let alpha = sin / (2.0 * q);
        let a = amplitude(gain_db / 2.0);
        let b = [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a];
        Biquad::normalised(b, [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a])
    }

    /// `gain_db` well above `corner_hz`, 0 dB well below.
    pub fn high_shelf(corner_hz: f32, gain_db: f32, sample_rate: f32) -> Biquad {
        let (sin, cos) = angle(corner_hz, sample_rate);
        let a = amplitude(gain_db / 2.0);
        let slope = sin * (2.0 * a).sqrt();
        let (up, down) = (a + 1.0, a - 1.0);
        let b = [a * (up + down * cos + slope), -2.0 * a * (down + up * cos), a * (up + down * cos - slope)];
        Biquad::normalised(b, [up - down * cos + slope, 2.0 * (down - up * cos), up - down * cos - slope])
    }

    fn normalised(b: [f32; 3], a: [f32; 3]) -> Biquad {
        Biquad { b: b.map(|b| b / a[0]), a: [a[1] / a[0], a[2] / a[0]], state: [0.0; 2] }
    }

    pub fn process(&mut self, x: f32) -> f32 {
        let x = x + TINY;
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// Sine and cosine of the cutoff's angular frequency; the frequency is clamped to 0.0001 to 0.45 of the sample rate.
fn angle(frequency_hz: f32, sample_rate: f32) -> (f32, f32) {
    let cycles = (frequency_hz / sample_rate).clamp(1e-4, 0.45);
    (sine(cycles), sine(cycles + 0.25))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_1_SQRT_2;

    use super::*;

    /// Gain at one frequency, from the power of a sine after the filter has settled.
    fn gain_db(filter: &Biquad, frequency_hz: f32) -> f32 {
        let mut filter = filter.clone();
        let sound = (0..20_000).map(|i| sine(frequency_hz * i as f32 / 20_000.0));
        let filtered: Vec<f32> = sound.map(|x| filter.process(x)).collect();
        10.0 * (filtered[10_000..].iter().map(|x| x * x).sum::<f32>() / 5000.0).log10()
    }

    #[test]
    fn filters_have_the_specified_gains() {
        let cases = [
            (Biquad::lowpass(1000.0, FRAC_1_SQRT_2, 20_000.0), 100.0, 0.0),
            (Biquad::lowpass(1000.0, FRAC_1_SQRT_2, 20_000.0), 1000.0, -3.0),
            (Biquad::highpass(1000.0, FRAC_1_SQRT_2, 20_000.0), 1000.0, -3.0),
            (Biquad::highpass(1000.0, FRAC_1_SQRT_2, 20_000.0), 8000.0, 0.0),
            (Biquad::bandpass(1000.0, 2.0, 20_000.0), 1000.0, 0.0),
            (Biquad::peaking(1000.0, 1.0, -6.0, 20_000.0), 1000.0, -6.0),
            (Biquad::high_shelf(1000.0, 6.0, 20_000.0), 8000.0, 6.0),
            (Biquad::high_shelf(1000.0, 6.0, 20_000.0), 1000.0, 3.0),
            (Biquad::high_shelf(1000.0, 6.0, 20_000.0), 50.0, 0.0),
        ];
        for (i, (filter, frequency_hz, expected)) in cases.iter().enumerate() {
            let found = gain_db(filter, *frequency_hz);
            assert!((found - expected).abs() < 0.3, "case {i}: {found} dB, expected {expected}");
        }
    }
}
