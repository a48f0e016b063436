//! Chance, with bits that stay: numbers that depend on a key alone, so that what is drawn for one recording, copy or
//! example does not depend on what was drawn for others.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The sequence of a key; other keys have sequences that are independent of it.
    pub fn new(key: [u64; 4]) -> Self {
        let mut seed = [0; 32];
        for (bytes, part) in seed.as_chunks_mut::<8>().0.iter_mut().zip(key) {
            *bytes = part.to_le_bytes();
        }
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Even in [0, 1), in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Even between the two ends of a range.
    pub fn within(&mut self, [low, high]: [f32; 2]) -> f32 {
        (f64::from(low) + f64::from(high - low) * self.unit()) as f32
    }

    /// Between the two ends of a range of positive numbers, as even as ears hear frequencies and tempi: by ratio.
    pub fn within_octaves(&mut self, [low, high]: [f32; 2]) -> f32 {
        (low.ln() + (high.ln() - low.ln()) * self.unit() as f32).exp().clamp(low, high)
    }

    /// Even in `0..n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f32) -> bool {
        self.unit() < f64::from(probability)
    }

    /// Normal with mean 0 and deviation 1 (Box & Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }
}

/// A number for a text, the same everywhere: FNV-1a (Fowler, Noll & Vo).
pub(super) fn number_of(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_sequence_and_every_part_of_it_matters() {
        let first = |key| Chance::new(key).unit();
        assert_eq!(first([1, 2, 3, 4]), first([1, 2, 3, 4]));
        for other in [[0, 2, 3, 4], [1, 0, 3, 4], [1, 2, 0, 4], [1, 2, 3, 0], [2, 1, 3, 4]] {
            assert_ne!(first([1, 2, 3, 4]), first(other), "{other:?}");
        }
    }

    #[test]
    fn numbers_are_spread_as_they_say() {
        let mut chance = Chance::new([1, 0, 0, 0]);
        let n = 10_000;
        let mean = |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || f64::from(chance.within([-2.0, 6.0]))) - 2.0).abs() < 0.1);
        assert!((mean(&mut || chance.below(5) as f64) - 2.0).abs() < 0.06);
        assert!((mean(&mut || f64::from(u8::from(chance.happens(0.3)))) - 0.3).abs() < 0.02);
        assert!((mean(&mut || f64::from(chance.within_octaves([100.0, 1600.0]).log2())) - 8.64).abs() < 0.06);
        assert!((mean(&mut || chance.normal().powi(2)) - 1.0).abs() < 0.06);
        assert_eq!((chance.below(0), chance.below(1)), (0, 0));
    }

    /// The test vector of the Internet-Draft on FNV (Fowler et al.) for "foobar".
    #[test]
    fn texts_have_the_numbers_of_fnv() {
        assert_eq!(number_of("foobar"), 0x8594_4171_F739_67E8);
    }
}
