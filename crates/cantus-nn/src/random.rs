//! Random numbers that depend on where they are used, and on nothing else.
//!
//! There is no generator whose state must be saved: every number is a hash of the seed and of its place
//! (epoch, step, layer, example). So a dropout mask is the same on one thread and on eight, and a fit that
//! was interrupted goes on as if it had not been.
//!
//! The mixing functions are SplitMix64 (Steele, Lea & Flood 2014) and its 32-bit sibling for long vectors
//! (the finaliser of MurmurHash3, Appleby 2011).

/// A key made of a key and one more part of a place.
pub(crate) fn key(key: u64, part: u64) -> u64 {
    let mut z = key ^ part.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The `index`-th random 32 bits of `key`; cheap, and free of branches.
#[inline(always)]
pub(crate) fn bits(key: u64, index: u32) -> u32 {
    let mut z = index.wrapping_mul(0x9E37_79B9) ^ key as u32;
    z = (z ^ (z >> 16)).wrapping_mul(0x85EB_CA6B);
    z = (z ^ (z >> 13)).wrapping_mul(0xC2B2_AE35).wrapping_add((key >> 32) as u32);
    z = (z ^ (z >> 16)).wrapping_mul(0x85EB_CA6B);
    z ^ (z >> 15)
}

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence that belongs to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        key(self.0, 0)
    }

    /// Uniform in [0, 1), in steps of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal with mean 0 and deviation 1 (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Puts `items` into random order (Fisher & Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.unit() * (i + 1) as f64) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_even_over_places_and_over_keys() {
        let n = 20_000;
        for set in 0..32 {
            let over_places = (0..n).filter(|&i| bits(9, i) >> set & 1 == 1).count();
            let over_keys = (0..u64::from(n)).filter(|&k| bits(key(3, k), 5) >> set & 1 == 1).count();
            // Six standard deviations of a fair coin.
            let tolerance = 6.0 * (f64::from(n) / 4.0).sqrt();
            assert!((over_places as f64 - 10_000.0).abs() < tolerance, "bit {set}: {over_places}");
            assert!((over_keys as f64 - 10_000.0).abs() < tolerance, "bit {set}: {over_keys}");
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut random = Random::new(1);
        let numbers: Vec<f64> = (0..50_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 5e4;
        let variance = numbers.iter().map(|x| x * x).sum::<f64>() / 5e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_differs_by_seed() {
        let shuffled = |seed| {
            let mut items: Vec<usize> = (0..100).collect();
            Random::new(key(seed, 0)).shuffle(&mut items);
            items
        };
        let mut sorted = shuffled(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_ne!(shuffled(1), shuffled(2));
        assert_eq!(shuffled(1), shuffled(1));
    }
}
