//! Hash functions that give random bits for a key and an index: SplitMix64's mixing function, and a 32-bit one for long vectors.

/// 2⁶⁴ divided by the golden ratio, made odd: SplitMix64's step.
pub(crate) const GOLDEN_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's output function, `mix64variant13` (Steele, Lea & Flood 2014, with Stafford's constants); a bijection.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Combines a key with one more part. Different parts give different keys, since this is a bijection for each `key`.
///
/// ```
/// use cantus_random::{bits, key};
///
/// let (seed, epoch) = (7, 2);
/// let coin = bits(key(seed, epoch), 0) & 1;
/// assert!(coin < 2);
/// ```
#[inline]
#[must_use]
pub fn key(key: u64, part: u64) -> u64 {
    let z = key ^ part.wrapping_add(1).wrapping_mul(GOLDEN_STEP);
    mix(z.wrapping_add(GOLDEN_STEP))
}

/// The `index`-th random 32 bits of `key`: no branch and no 64-bit product, so that a loop over indices is vectorised.
///
/// The mixing is the finaliser of MurmurHash3 (Appleby 2011) with the upper half of the key inserted in between. Compute
/// `key` by [`key`](fn@key): the unhashed keys 0, 1, 2, … would give permutations of the same 32-bit inputs.
#[inline(always)]
#[must_use]
pub fn bits(key: u64, index: u32) -> u32 {
    let mut z = index.wrapping_mul(0x9E37_79B9) ^ key as u32;
    z = (z ^ (z >> 16)).wrapping_mul(0x85EB_CA6B);
    z = (z ^ (z >> 13)).wrapping_mul(0xC2B2_AE35).wrapping_add((key >> 32) as u32);
    z = (z ^ (z >> 16)).wrapping_mul(0x85EB_CA6B);
    z ^ (z >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of these numbers changes every dropout mask and every stream, and thus the results of every seed.
    #[test]
    fn keys_and_bits_are_pinned() {
        assert_eq!([key(0, 0), key(7, 2)], [0x6E78_9E6A_A1B9_65F4, 0x28CE_B6E1_EDDA_D0C2]);
        assert_eq!([0, 1, 1000].map(|i| bits(key(7, 2), i)), [0x83A2_88E8, 0x5A83_BA74, 0xEB23_0643]);
    }

    #[test]
    fn each_bit_is_set_with_probability_one_half_over_indices_and_over_keys() {
        let n = 20_000;
        // Six standard deviations of the binomial distribution.
        let tolerance = 6.0 * (f64::from(n) / 4.0).sqrt();
        for bit in 0..32 {
            let over_places = (0..n).filter(|&i| bits(9, i) >> bit & 1 == 1).count();
            let over_keys = (0..u64::from(n)).filter(|&k| bits(key(3, k), 5) >> bit & 1 == 1).count();
            assert!((over_places as f64 - 10_000.0).abs() < tolerance, "bit {bit}: {over_places}");
            assert!((over_keys as f64 - 10_000.0).abs() < tolerance, "bit {bit}: {over_keys}");
        }
    }

    /// Bits of neighbouring indices, and of neighbouring keys, differ in 16 of 32 on average.
    #[test]
    fn an_increment_of_index_or_key_changes_half_of_the_bits() {
        let n = 20_000;
        let mean = |differing: &dyn Fn(u32) -> u32| {
            (0..n).map(|i| f64::from(differing(i))).sum::<f64>() / f64::from(n)
        };
        // The mean of 20,000 sums of 32 fair bits has a standard deviation of 0.02.
        let places = mean(&|i| (bits(9, i) ^ bits(9, i + 1)).count_ones());
        assert!((places - 16.0).abs() < 0.12, "{places}");
        let keys = mean(&|i| {
            let i = u64::from(i);
            (bits(key(3, i), 5) ^ bits(key(3, i + 1), 5)).count_ones()
        });
        assert!((keys - 16.0).abs() < 0.12, "{keys}");
    }
}
