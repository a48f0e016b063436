//! Chance, with bits that stay: ChaCha8 and a mapping to numbers that no library update can change.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::elementary::exp2;

/// The source of everything that a composition leaves open.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of one purpose: each (`seed`, `purpose`) rolls independently of every other.
    pub fn new(seed: u64, purpose: u64) -> Dice {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&purpose.to_le_bytes());
        Dice(ChaCha8Rng::from_seed(key))
    }

    /// 64 even bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Even in [`low`, `high`).
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        let fraction = (self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32;
        low + (high - low) * fraction
    }

    /// `centre` times or divided by up to 2^`octaves`, evenly as ears hear frequencies and times.
    pub fn around(&mut self, centre: f32, octaves: f32) -> f32 {
        centre * exp2(self.uniform(-octaves, octaves))
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.uniform(0.0, 1.0) < p
    }

    /// Even in 0..`n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// Even in `low..=high`.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).max(0) as usize) as i32
    }

    /// One of the choices.
    pub fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        const { assert!(N > 0, "nothing to choose from") };
        choices[self.below(N)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_fills_its_range_evenly() {
        let mut dice = Dice::new(1, 2);
        let rolls: Vec<f32> = (0..10_000).map(|_| dice.uniform(2.0, 4.0)).collect();
        let mean = rolls.iter().sum::<f32>() / 10_000.0;
        assert!(rolls.iter().all(|roll| (2.0..4.0).contains(roll)));
        assert!((mean - 3.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn purposes_do_not_share_their_rolls() {
        assert_ne!(Dice::new(1, 2).bits(), Dice::new(1, 3).bits());
        assert_ne!(Dice::new(1, 2).bits(), Dice::new(2, 2).bits());
    }
}
