//! Vectorised elementwise loops, and exp, sigmoid and tanh for them.
//!
//! A build for all x86-64 processors may only use vectors that all of them have. Throughout this crate, functions that loop
//! over many numbers are marked `#[multiversion]`: they are compiled for several instruction sets, and the
//! best one is selected at run time. What they call is inlined, so that it is compiled with them.
//!
//! `exp`, `tanh` and `sigmoid` are polynomials without branches, so that a loop computes 8 or 16 of them at once; those of
//! the standard library compute one.
//!
//! All are built from `mul_add`, additions, multiplications and divisions, whose rounding IEEE 754 defines: the same input
//! gives the same bits at every vector width.

use cantus_simd::multiversion;

/// `sums += values`
#[multiversion]
pub(crate) fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// `sums += factor · values`
#[multiversion]
pub(crate) fn add_scaled(sums: &mut [f32], values: &[f32], factor: f32) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

/// Adds every row of `sums.len()` numbers to `sums`; four at a time, since each addition to a sum waits for the
/// one before.
#[multiversion]
pub(crate) fn add_rows(sums: &mut [f32], rows: &[f32]) {
    let width = sums.len();
    let fours = rows.chunks_exact(4 * width);
    let rest = fours.remainder();
    for rows in fours {
        let (upper, lower) = rows.split_at(2 * width);
        let ((first, second), (third, fourth)) = (upper.split_at(width), lower.split_at(width));
        let rows = first.iter().zip(second).zip(third.iter().zip(fourth));
        sums.iter_mut().zip(rows).for_each(|(sum, ((a, b), (c, d)))| *sum += (a + b) + (c + d));
    }
    for row in rest.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}

/// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer, and leaves that integer in the lowest
/// bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has few bits, so that `n · LN_2_HIGH` is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ within 2e-7 relative error; inputs are clamped to ±87.
///
/// eˣ = 2ⁿ · eʳ with n = round(x / ln 2) and |r| ≤ ln 2 / 2, where a polynomial of degree 6 (Taylor's, with the
/// last coefficients adjusted for the smallest maximum error) gives eʳ.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let mut series = 1.987_569_1e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        series = series.mul_add(r, coefficient);
    }
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (series.mul_add(r * r, r) + 1.0) * two_to_n
}

/// 1 / (1 + e⁻ˣ)
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh x = 1 - 2 / (1 + e²ˣ), within 2e-7.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 1/512 from -20 to 20.
    fn grid() -> Vec<f32> {
        (-10_240..=10_240).map(|i| i as f32 / 512.0).collect()
    }

    fn largest_error(ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        grid().into_iter().map(|x| (f64::from(ours(x)) - exact(f64::from(x))).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn exp_equals_the_standard_library_relatively() {
        for x in grid() {
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp({x}) = {}, not {exact}", exp(x));
        }
    }

    #[test]
    fn sigmoid_and_tanh_equal_the_standard_library() {
        assert!(largest_error(sigmoid, |x| 1.0 / (1.0 + (-x).exp())) < 2e-7);
        assert!(largest_error(tanh, f64::tanh) < 2e-7);
    }

    #[test]
    fn extreme_inputs_stay_finite_and_nan_stays_nan() {
        for x in [f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30] {
            assert!(exp(x).is_finite());
            assert!((0.0..=1.0).contains(&sigmoid(x)));
            assert!((-1.0..=1.0).contains(&tanh(x)));
        }
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }

    #[test]
    fn a_vectorised_loop_has_the_bits_of_a_plain_one() {
        let plain: Vec<u32> = grid().into_iter().map(|x| tanh(x).to_bits()).collect();
        #[multiversion]
        fn loop_over(values: &mut [f32]) {
            values.iter_mut().for_each(|x| *x = tanh(*x));
        }
        let mut wide = grid();
        loop_over(&mut wide);
        assert_eq!(plain, wide.into_iter().map(f32::to_bits).collect::<Vec<_>>());
    }
}
