//! Rounding to 16-bit floating point (IEEE 754 binary16), as models that were trained on such features expect.

/// Bits of the significand of f32 that binary16 does not have.
const DROPPED_BITS: u32 = 13;
/// Largest finite number of binary16.
const MAX: f32 = 65_504.0;
/// Smallest normal number of binary16: 2⁻¹⁴.
const MIN_NORMAL: f32 = 6.103_515_6e-5;
/// Distance of the subnormal numbers of binary16: 2⁻²⁴.
const SUBNORMAL_STEP: f32 = 5.960_464_5e-8;

/// The nearest number of binary16, the even one of two; numbers beyond its range become its largest.
pub(super) fn round_to_half(x: f32) -> f32 {
    if x.abs() < MIN_NORMAL {
        // Exact: a multiple of a power of two within the range of f32.
        return (x / SUBNORMAL_STEP).round_ties_even() * SUBNORMAL_STEP;
    }
    let bits = x.to_bits();
    let half_way = (1 << (DROPPED_BITS - 1)) - 1 + ((bits >> DROPPED_BITS) & 1);
    let rounded = f32::from_bits((bits + half_way) & !((1 << DROPPED_BITS) - 1));
    if x.is_nan() { x } else { rounded.clamp(-MAX, MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `np.float32(x).astype(np.float16).astype(np.float32)`
    #[test]
    fn numbers_are_rounded_as_numpy_rounds_them() {
        for (x, expected) in [
            (0.0, 0.0),
            (1.0, 1.0),
            (0.1, 0.099_975_586),
            (1.000_488_3, 1.0),
            (1.000_488_4, 1.000_976_6),
            (1.001_464_8, 1.001_953_1),
            (std::f32::consts::PI, 3.140_625),
            (6e-5, 6.002_187_7e-5),
            (1e-7, 1.192_092_9e-7),
            (2.9e-8, 0.0),
            (3e-8, 5.960_464_5e-8),
            (-0.3, -0.300_048_83),
            (65_500.0, 65_504.0),
        ] {
            assert_eq!(round_to_half(x), expected, "{x}");
        }
        assert_eq!(round_to_half(1e6), MAX);
        assert!(round_to_half(f32::NAN).is_nan());
    }
}
