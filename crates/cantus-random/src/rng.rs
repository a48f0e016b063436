//! Random number generator: SplitMix64 with a start and a step that are hashed from a key.
//!
//! A stream is the sequence mix(s + g), mix(s + 2g), … (mod 2⁶⁴), with a bijection `mix`, a start s and an odd step g. Every
//! stream has its own g, as the streams of Java's `SplittableRandom` have: two streams whose steps differ never have two
//! successive numbers in common, wherever they start. With one step for all (as in Vigna's `splitmix64.c`) the streams of
//! all seeds would be parts of one sequence. Start and step together are 127 bits that are hashed from the key; even among
//! 2³² streams, the probability that two are equal is 2⁻⁶⁴.
//!
//! # References
//! - Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators": the generator, and steps by `mixGamma`.
//! - Lemire 2019, "Fast random integer generation in an interval": whole numbers below n by multiply and shift.
//! - Box & Muller 1958, "A note on the generation of random normal deviates".
//! - Durstenfeld 1964, "Algorithm 235: random permutation": Fisher and Yates's shuffle in place.

use std::f64::consts::TAU;

use crate::hash::{key, mix};

/// The stream of random numbers of a key.
///
/// ```
/// use cantus_random::KeyedRng;
///
/// const DICE: u64 = 7;
/// let seed = 0;
/// let mut rng = KeyedRng::new([seed, DICE]);
/// let throw = 1 + rng.below(6);
/// assert!((1..=6).contains(&throw));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRng {
    state: u64,
    /// Odd.
    step: u64,
}

impl KeyedRng {
    /// The stream of a key. Every part matters, and so does their order.
    ///
    /// Streams of different keys are independent; give each use of a seed its own part of the key, so that no two uses draw the
    /// same numbers.
    #[must_use]
    pub fn new<const N: usize>(key_parts: [u64; N]) -> Self {
        // Two hashes with different initial values: parts that collide in one do not collide in the other.
        let hash = |begin| key_parts.into_iter().fold(begin, key);
        Self { state: hash(0), step: mix_step(hash(1)) }
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(self.step);
        mix(self.state)
    }

    /// Uniform in [0, 1), in steps of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [`low`, `high`]; `high` is possible because of rounding.
    #[inline]
    pub fn uniform_in(&mut self, [low, high]: [f32; 2]) -> f32 {
        (f64::from(low) + f64::from(high - low) * self.uniform()) as f32
    }

    /// Between `low` and `high`, both above 0, with a uniform logarithm: all octaves of the range are equally probable.
    #[inline]
    pub fn log_uniform(&mut self, [low, high]: [f32; 2]) -> f32 {
        let (log_low, log_high) = (f64::from(low).ln(), f64::from(high).ln());
        let drawn = (log_low + (log_high - log_low) * self.uniform()).exp() as f32;
        // Rounding may exceed the range slightly. `clamp` panics if the range is empty.
        if low <= high { drawn.clamp(low, high) } else { drawn }
    }

    /// Uniform in `0..n`; 0 if `n` is 0.
    ///
    /// By multiply and shift (Lemire 2019), without his rejection: a number's probability deviates by at most 2⁻⁶⁴, which is
    /// not measurable, and every call draws exactly once.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with this probability: never for 0, always for 1.
    #[inline]
    pub fn bernoulli(&mut self, probability: impl Into<f64>) -> bool {
        self.uniform() < probability.into()
    }

    /// Normal with mean 0 and standard deviation 1 (Box & Muller 1958). Draws two numbers, and keeps none for the next call.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        // 1 - u is in (0, 1], whose logarithm is finite.
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }

    /// One of the items, with equal probabilities; `None` if there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Shuffles items, with equal probabilities of all orders: Fisher and Yates's algorithm, from the last position.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// An odd step in which enough neighbouring bits differ: `mixGamma` of Steele, Lea & Flood 2014, as in OpenJDK. Steps with
/// few bit transitions, such as 1, give streams of low quality.
fn mix_step(mut z: u64) -> u64 {
    z = (z ^ (z >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    z = (z ^ (z >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    z = (z ^ (z >> 33)) | 1;
    if (z ^ (z >> 1)).count_ones() < 24 { z ^ 0xAAAA_AAAA_AAAA_AAAA } else { z }
}

#[cfg(test)]
mod tests;
