//! Sine, power of two and soft clipping in basic arithmetic, with the same bits on every platform.
//!
//! `sin` and `exp` of the standard library call the platform's functions, which differ in the last bit. Addition,
//! multiplication and division are correctly rounded by IEEE 754, so functions of these only have the same bits everywhere.

/// sin(2π · `phase`), with `phase` in cycles and not negative; error below 5e-6.
///
/// Taylor polynomial of degree 9, after reduction to the first quarter of the cycle.
pub(super) fn sine(phase: f32) -> f32 {
    let x = phase - (phase as i32) as f32 - 0.5; // [-0.5, 0.5), shifted by half a cycle, hence the minus below
    let quarter = (0.25 - (x.abs() - 0.25).abs()).copysign(x);
    let square = quarter * quarter;
    -quarter
        * (6.283_185_5
            + square * (-41.341_7 + square * (81.605_25 + square * (-76.705_86 + square * 42.058_693))))
}

/// 2^`x`, relative error below 2e-6; clamped to exponents that a normal f32 can hold.
pub(super) fn exp2(x: f32) -> f32 {
    let x = x.clamp(-126.0, 127.0);
    let whole = x.floor();
    let r = (x - whole) * std::f32::consts::LN_2;
    let fraction = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r / 5040.0))))));
    fraction * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

/// Factor per sample for a decay of 60 dB in `t60_s` seconds.
pub(super) fn decay(t60_s: f32, sample_rate: f32) -> f32 {
    const LOG2_OF_1000: f32 = 9.965_784;
    exp2(-LOG2_OF_1000 / (t60_s * sample_rate).max(1.0))
}

/// Amplitude factor of a level in dB.
pub(super) fn amplitude(db: f32) -> f32 {
    const LOG2_OF_10: f32 = std::f32::consts::LOG2_10;
    exp2(db * LOG2_OF_10 / 20.0)
}

/// Frequency in Hz of a MIDI pitch: 69 is A4, 440 Hz, in equal temperament.
pub(super) fn frequency(pitch: f32) -> f32 {
    440.0 * exp2((pitch - 69.0) / 12.0)
}

/// Padé approximant of tanh; ±1 from ±3 on.
pub(super) fn soft_clip(x: f32) -> f32 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_is_the_sine() {
        for i in 0..1000 {
            let phase = i as f32 / 250.0;
            let expected = (f64::from(phase) * std::f64::consts::TAU).sin();
            assert!((f64::from(sine(phase)) - expected).abs() < 5e-6, "at {phase}");
        }
    }

    #[test]
    fn exp2_is_the_power_of_two() {
        for i in -400..400 {
            let x = i as f32 / 13.0;
            let expected = f64::from(x).exp2();
            assert!((f64::from(exp2(x)) / expected - 1.0).abs() < 2e-6, "at {x}");
        }
    }

    #[test]
    fn sixty_decibels_are_a_thousandth() {
        let fallen = (0..8000).fold(1.0_f32, |level, _| level * decay(1.0, 8000.0));
        assert!((fallen - 1e-3).abs() < 2e-5, "{fallen}");
        assert!((amplitude(-60.0) - 1e-3).abs() < 1e-7);
    }
}
