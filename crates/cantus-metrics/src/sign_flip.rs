//! Sign-flip permutation test: whether the summed differences of independent groups of tracks are symmetric about 0.
//!
//! Under the null hypothesis of two equal classifiers, exchanging them for all tracks of a group does not change the
//! distribution, so the sum over groups is compared with its value under all (or random) exchanges. Unlike McNemar's test it
//! does not assume that the tracks of a group are independent.
//!
//! # Reference
//! R. A. Fisher, "The Design of Experiments", 1935, chapter 3; equals `scipy.stats.permutation_test` with
//! `permutation_type="samples"` of SciPy 1.17 (`tests/reference/classification.py`): exactly up to 12 groups that differ,
//! within 0.015 for more.

use cantus_random::{KeyedRng, text_key};

/// With fewer groups no p-value is below 0.05, whatever the differences are: 2 of 2⁵ sign patterns are 0.0625.
pub(crate) const MIN_GROUPS: usize = 6;
/// Up to as many groups with a difference, all sign patterns are tried.
const MAX_EXACT: usize = 12;
/// Number of random sign patterns for more groups.
const N_FLIPS: usize = 10_000;

/// Two-sided p-value of the groups' summed differences; `None` for fewer than six groups.
pub(crate) fn sign_flip(differences: &[i64], seed: u64) -> Option<f64> {
    if differences.len() < MIN_GROUPS {
        return None;
    }
    // A difference of 0 is the same with either sign.
    let differences: Vec<i64> = differences.iter().copied().filter(|difference| *difference != 0).collect();
    let observed = differences.iter().sum::<i64>().abs();
    let is_as_extreme = |sum: i64| sum.abs() >= observed;
    if differences.len() <= MAX_EXACT {
        let n_patterns = 1_u64 << differences.len();
        let n_extreme = (0..n_patterns).filter(|&signs| is_as_extreme(flipped(&differences, signs))).count();
        return Some(n_extreme as f64 / n_patterns as f64);
    }
    let mut rng = KeyedRng::new([seed, text_key("sign flips")]);
    let mut drawn = || differences.chunks(64).map(|groups| flipped(groups, rng.next_u64())).sum();
    let n_extreme = (0..N_FLIPS).filter(|_| is_as_extreme(drawn())).count();
    Some((1 + n_extreme) as f64 / (1 + N_FLIPS) as f64)
}

/// The sum of at most 64 differences, each negated if its bit is set.
fn flipped(differences: &[i64], signs: u64) -> i64 {
    let signed =
        |(bit, difference): (usize, &i64)| if signs >> bit & 1 == 1 { -difference } else { *difference };
    differences.iter().enumerate().map(signed).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::classification;

    #[test]
    fn p_values_equal_those_of_scipy() {
        for case in classification().0["sign_flip"].as_array().unwrap() {
            let sums: Vec<i64> = serde_json::from_value(case["sums"].clone()).unwrap();
            let expected = case["p"].as_f64().unwrap();
            let n_different = sums.iter().filter(|sum| **sum != 0).count();
            // The standard error of 10,000 random patterns is at most 0.005.
            let tolerance = if n_different <= MAX_EXACT { 1e-12 } else { 0.015 };
            let found = sign_flip(&sums, 0).unwrap();
            assert!((found - expected).abs() < tolerance, "{sums:?}: {found}, expected {expected}");
        }
    }

    #[test]
    fn five_groups_have_no_p_value() {
        assert_eq!(sign_flip(&[9; 5], 0), None);
        assert_eq!(sign_flip(&[9; 6], 0), Some(2.0 / 64.0));
        assert_eq!(sign_flip(&[], 0), None);
    }

    #[test]
    fn random_patterns_depend_on_the_seed_only_and_never_give_0() {
        let all: Vec<i64> = vec![1; 100];
        assert_eq!(sign_flip(&all, 0), Some(1.0 / 10_001.0));
        let mixed: Vec<i64> = (0..100).map(|i| if i % 5 < 3 { 1 } else { -1 }).collect();
        assert_eq!(sign_flip(&mixed, 3), sign_flip(&mixed, 3));
        assert_ne!(sign_flip(&mixed, 3), sign_flip(&mixed, 4));
    }
}
