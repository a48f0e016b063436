//! Conversion between power or amplitude and decibels.
//!
//! # Reference
//! `librosa.power_to_db`, `amplitude_to_db`, `db_to_power` and `db_to_amplitude` 0.11, with their names and defaults.

use cantus_simd::multiversion;

use super::logarithm::log10;

/// The reference level, 0 dB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// A fixed value: a power for powers, an amplitude for amplitudes.
    Value(f32),
    /// The largest of the values (librosa's `ref=np.max`).
    Max,
}

/// Parameters of the conversion to decibels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decibel {
    /// The reference level (librosa's `ref`).
    pub reference: Reference,
    /// Lower limit of the values before the logarithm.
    pub amin: f32,
    /// Range in dB below the largest level to which levels are clamped; `None` for no clamping.
    pub top_db: Option<f32>,
}

impl Decibel {
    /// librosa's defaults for powers: `ref=1.0, amin=1e-10, top_db=80`.
    pub const POWER: Self = Self { reference: Reference::Value(1.0), amin: 1e-10, top_db: Some(80.0) };
    /// librosa's defaults for amplitudes: `ref=1.0, amin=1e-5, top_db=80`.
    pub const AMPLITUDE: Self = Self { reference: Reference::Value(1.0), amin: 1e-5, top_db: Some(80.0) };
}

/// Converts powers to dB, in place: `10 · log10(max(amin, power) / reference)`.
///
/// NaN counts as `amin`; the output is finite.
///
/// # Reference
/// Equals `librosa.power_to_db` 0.11 within 2e-5 dB.
pub fn power_to_db(powers: &mut [f32], decibel: &Decibel) {
    let reference = match decibel.reference {
        Reference::Value(value) => value,
        Reference::Max => powers.iter().copied().fold(0.0, f32::max),
    };
    convert(powers, decibel.amin, reference, decibel.top_db);
}

/// Converts amplitudes to dB, in place: `20 · log10(max(amin, |amplitude|) / reference)`.
///
/// # Reference
/// Equals `librosa.amplitude_to_db` 0.11 within 4e-5 dB.
pub fn amplitude_to_db(amplitudes: &mut [f32], decibel: &Decibel) {
    amplitudes.iter_mut().for_each(|a| *a *= *a);
    let squared = Decibel {
        reference: match decibel.reference {
            Reference::Value(value) => Reference::Value(value * value),
            Reference::Max => Reference::Max,
        },
        amin: decibel.amin * decibel.amin,
        top_db: decibel.top_db,
    };
    power_to_db(amplitudes, &squared);
}

/// Converts dB to powers, in place: `reference · 10^(level / 10)`.
pub fn db_to_power(levels: &mut [f32], reference: f32) {
    levels.iter_mut().for_each(|level| *level = reference * 10f32.powf(*level * 0.1));
}

/// Converts dB to amplitudes, in place: `reference · 10^(level / 20)`.
pub fn db_to_amplitude(levels: &mut [f32], reference: f32) {
    levels.iter_mut().for_each(|level| *level = reference * 10f32.powf(*level * 0.05));
}

#[multiversion]
fn convert(powers: &mut [f32], amin: f32, reference: f32, top_db: Option<f32>) {
    // The fast logarithm is defined for normal numbers.
    let amin = amin.max(f32::MIN_POSITIVE);
    let reference_db = (10.0 * f64::from(reference.abs().max(amin)).log10()) as f32;
    for power in powers.iter_mut() {
        let clamped = if *power > amin { *power } else { amin }; // NaN is not above amin
        *power = 10.0 * log10(clamped) - reference_db;
    }
    if let Some(top_db) = top_db {
        clamp_below(powers, max_level(powers) - top_db);
    }
}

/// The largest level; in eight lanes, so that the loop vectorises.
#[inline(always)]
fn max_level(levels: &[f32]) -> f32 {
    let (chunks, rest) = levels.as_chunks::<8>();
    let mut lanes = [f32::NEG_INFINITY; 8];
    for chunk in chunks {
        for (lane, &level) in lanes.iter_mut().zip(chunk) {
            *lane = if level > *lane { level } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn clamp_below(levels: &mut [f32], floor: f32) {
    for level in levels {
        *level = if *level > floor { *level } else { floor };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn zero_negative_and_non_finite_powers_have_finite_levels() {
        let mut powers = [0.0, -1.0, f32::NAN, f32::NEG_INFINITY, 1e-45];
        power_to_db(&mut powers, &Decibel::POWER);
        assert_close(&powers, &[-100.0; 5], 1e-4);
        let mut loud = [f32::INFINITY, f32::MAX];
        power_to_db(&mut loud, &Decibel { amin: 0.0, ..Decibel::POWER });
        assert!(loud.iter().all(|level| level.is_finite()));
    }

    #[test]
    fn an_empty_slice_is_accepted() {
        power_to_db(&mut [], &Decibel { reference: Reference::Max, ..Decibel::POWER });
    }

    #[test]
    fn levels_convert_back_to_their_values() {
        let expected = [1e-4, 0.3, 1.0, 7.0, 1e5f32];
        let relative =
            |found: &[f32]| -> Vec<f32> { found.iter().zip(&expected).map(|(f, s)| f / s).collect() };
        let mut values = expected;
        power_to_db(&mut values, &Decibel { top_db: None, ..Decibel::POWER });
        db_to_power(&mut values, 1.0);
        assert_close(&relative(&values), &[1.0; 5], 2e-6);
        let mut values = expected;
        amplitude_to_db(&mut values, &Decibel { top_db: None, ..Decibel::AMPLITUDE });
        db_to_amplitude(&mut values, 1.0);
        assert_close(&relative(&values), &[1.0; 5], 2e-6);
    }

    #[test]
    fn top_db_clamps_for_any_number_of_values() {
        for n in 1..20 {
            let mut powers = vec![1e-9; n];
            powers[n - 1] = 100.0;
            power_to_db(&mut powers, &Decibel { top_db: Some(30.0), ..Decibel::POWER });
            let mut expected = vec![-10.0; n];
            expected[n - 1] = 20.0;
            assert_close(&powers, &expected, 1e-5);
        }
    }
}
