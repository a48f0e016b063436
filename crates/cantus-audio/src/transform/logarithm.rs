//! A vectorisable decimal logarithm.
//!
//! It has no branches or tables, so that the compiler vectorises loops over it, unlike calls of libm.
//!
//! A positive float is `m · 2^e`. The bits give `e`; with `m` in [√½, √2), the logarithm of `m` is a polynomial in `m - 1`.
//!
//! # Reference
//! Polynomial: `logf` of the Cephes library, Moshier, 1992. Error, by the test below over one in a
//! thousand of all normal floats: under 1.3e-7, relative where the result is over 1 and absolute elsewhere.

use std::f32::consts::LOG10_E;

/// Bits of √½, the lower limit of the polynomial's range.
const SQRT_HALF: u32 = 0x3f35_04f3;
/// log10(2) as a sum whose first term has few enough bits that its product with any exponent is exact.
const LOG10_2_HIGH: f32 = 0.300_781_25;
const LOG10_2_LOW: f32 = 0.000_248_745_66;

/// The decimal logarithm of a normal positive number; infinity counts as 2^128.
///
/// The result for any other input is unspecified, without a panic.
#[inline(always)]
#[must_use]
pub fn log10(x: f32) -> f32 {
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = (bits.cast_signed() >> 23) as f32;
    let r = f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF) - 1.0;
    let mut p = 7.037_683_6e-2_f32;
    p = p * r - 1.151_461e-1;
    p = p * r + 1.167_699_9e-1;
    p = p * r - 1.242_014_1e-1;
    p = p * r + 1.424_932_3e-1;
    p = p * r - 1.666_805_8e-1;
    p = p * r + 2.000_071_5e-1;
    p = p * r - 2.499_999_4e-1;
    p = p * r + 3.333_333e-1;
    let curve = r * r * (p * r - 0.5);
    let ln = r + curve;
    exponent * LOG10_2_LOW + ln * LOG10_E + exponent * LOG10_2_HIGH
}

/// Number of parallel sums of a [`LogSum`].
const LANES: usize = 32;

/// The sum of decimal logarithms of many numbers, by the logarithms of products of their mantissas and the sum of their
/// exponents: one logarithm for up to [`Self::MAX_FACTORS`] numbers.
pub struct LogSum {
    products: [f32; LANES],
    exponents: [i32; LANES],
    logs: [f32; LANES],
}

impl LogSum {
    /// Numbers of a lane after which [`Self::end_product`] must be called; their mantissas, under 2, have a product that is
    /// under 2^64.
    pub const MAX_FACTORS: usize = 64;

    /// The sum of none.
    #[inline(always)]
    #[must_use]
    pub fn new() -> Self {
        Self { products: [1.0; LANES], exponents: [0; LANES], logs: [0.0; LANES] }
    }

    /// Adds the logarithms of normal positive numbers, one for each lane.
    #[inline(always)]
    pub fn multiply(&mut self, numbers: &[f32; LANES]) {
        let lanes = self.products.iter_mut().zip(&mut self.exponents);
        for ((product, exponent), x) in lanes.zip(numbers) {
            let bits = x.to_bits().cast_signed();
            *exponent += (bits >> 23) - 127;
            *product *= f32::from_bits((bits & 0x007f_ffff | 0x3f80_0000).cast_unsigned());
        }
    }

    /// Takes the logarithms of the products, which start again at 1.
    #[inline(always)]
    pub fn end_product(&mut self) {
        for (log, product) in self.logs.iter_mut().zip(&mut self.products) {
            *log += log10(*product);
            *product = 1.0;
        }
    }

    /// The sum, after [`Self::end_product`].
    #[inline(always)]
    #[must_use]
    pub fn total(&self) -> f64 {
        let exponents: i64 = self.exponents.iter().map(|&exponent| i64::from(exponent)).sum();
        let logs: f64 = self.logs.iter().map(|&log| f64::from(log)).sum();
        exponents as f64 * std::f64::consts::LOG10_2 + logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_logarithms_equals_that_of_the_exact_ones() {
        let numbers = |i: u32| -> [f32; LANES] {
            std::array::from_fn(|lane| 10f32.powf(((i * 37 + lane as u32 * 11) % 760) as f32 / 10.0 - 37.9))
        };
        for n in [0, 1, 63, 64, 65, 1000, 16_385] {
            let (mut found, mut expected) = (LogSum::new(), 0.0);
            for i in 0..n {
                expected += numbers(i).iter().map(|&x| f64::from(x).log10()).sum::<f64>();
                found.multiply(&numbers(i));
                if i as usize % LogSum::MAX_FACTORS == LogSum::MAX_FACTORS - 1 {
                    found.end_product();
                }
            }
            found.end_product();
            let per_number = (found.total() - expected).abs() / f64::from(n.max(1)) / LANES as f64;
            assert!(per_number < 1e-7, "{n}: {per_number:e}");
        }
    }

    #[test]
    fn the_error_is_that_of_rounding() {
        let sample = (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(1009);
        let mut worst = (0.0, 0.0);
        for x in sample.map(f32::from_bits) {
            let exact = f64::from(x).log10();
            let error = (f64::from(log10(x)) - exact).abs() / exact.abs().max(1.0);
            if error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(worst.0 < 1.3e-7, "{worst:?}");
    }

    #[test]
    fn it_is_continuous_at_one() {
        assert_eq!(log10(1.0), 0.0);
        assert!(log10(0.999_999_94) < 0.0 && log10(1.000_000_1) > 0.0);
    }
}
