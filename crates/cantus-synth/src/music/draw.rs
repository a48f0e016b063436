//! Random draws for composition, as an extension of the workspace's generator. They use no platform functions, so a
//! composition has the same bits on every machine.

use cantus_random::KeyedRng;

use super::elementary::exp2;

/// Extension methods of [`KeyedRng`].
pub(super) trait Draw {
    /// `centre` times 2^x, with x uniform between -`octaves` and `octaves`.
    fn around(&mut self, centre: f32, octaves: f32) -> f32;

    /// Uniform in `low..=high`.
    fn between(&mut self, low: i32, high: i32) -> i32;

    /// One of the choices, uniformly; a choice that is listed twice is twice as probable.
    fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T;
}

impl Draw for KeyedRng {
    fn around(&mut self, centre: f32, octaves: f32) -> f32 {
        centre * exp2(self.uniform_in([-octaves, octaves]))
    }

    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).max(0) as usize) as i32
    }

    fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        const { assert!(N > 0, "nothing to choose from") };
        choices[self.below(N)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_is_as_often_above_its_centre_as_below_and_stays_within_the_octaves() {
        let mut rng = KeyedRng::new([1]);
        let drawn: Vec<f32> = (0..10_000).map(|_| rng.around(100.0, 2.0)).collect();
        assert!(drawn.iter().all(|x| (24.99..400.1).contains(x)));
        let n_above = drawn.iter().filter(|x| **x > 100.0).count();
        // Five standard deviations of the binomial distribution.
        assert!(n_above.abs_diff(5000) < 250, "{n_above}");
    }

    #[test]
    fn between_has_both_ends_and_pick_has_every_choice() {
        let mut rng = KeyedRng::new([2]);
        let numbers: std::collections::BTreeSet<i32> = (0..200).map(|_| rng.between(-2, 2)).collect();
        assert_eq!(numbers, (-2..=2).collect());
        assert_eq!(rng.between(3, 3), 3);
        let picked: std::collections::BTreeSet<&str> = (0..200).map(|_| rng.pick(["a", "b", "c"])).collect();
        assert_eq!(picked.len(), 3);
    }
}
