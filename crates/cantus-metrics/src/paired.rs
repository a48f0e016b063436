//! Paired comparison of two classifiers on the same tracks: a significance test and a bootstrap interval.
//!
//! McNemar's exact test uses the tracks that exactly one of the two classifies correctly; under the null hypothesis of equal
//! accuracy their numbers follow a binomial distribution with p = 0.5 (McNemar 1947; recommended by Dietterich 1998,
//! "Approximate statistical tests for comparing supervised classification learning algorithms"). It assumes independent
//! tracks, so it is replaced by a sign-flip permutation test over groups where a group has several tracks. The paired
//! bootstrap gives an interval of the difference in accuracy and resamples whole groups of tracks.
//!
//! # Reference
//! `scipy.stats.binomtest(b, b + c, 0.5)` of SciPy 1.17 within 1e-9; the bootstrap within 0.03 of NumPy's
//! (`tests/reference/classification.py`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Interval;
use crate::interval::resampled_mean;
use crate::sign_flip::{MIN_GROUPS, sign_flip};

/// Comparison of two classifiers on the same tracks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Number of tracks.
    pub n_tracks: usize,
    /// Number of their groups; `None` if no group has two tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_groups: Option<usize>,
    /// Accuracy of the first minus that of the second.
    pub difference: f64,
    /// 95 % interval of the difference, by bootstrap over groups (or ungrouped tracks); `None` for fewer than two.
    pub interval: Option<Interval>,
    /// Tracks that only the first classifies correctly.
    pub n_only_first: usize,
    /// Tracks that only the second classifies correctly.
    pub n_only_second: usize,
    /// Two-sided p-value: of McNemar's exact test or, with groups, of a sign-flip permutation test over groups; `None` for
    /// fewer than six groups, which cannot give a small one.
    pub p_value: Option<f64>,
}

/// Compares two classifiers; each track is its group, whether the first is correct, whether the second is correct.
#[must_use]
pub fn paired(tracks: &[(usize, bool, bool)], seed: u64) -> Paired {
    let count =
        |first: bool, second: bool| tracks.iter().filter(|(_, a, b)| (*a, *b) == (first, second)).count();
    let (n_only_first, n_only_second) = (count(true, false), count(false, true));
    let mut groups: BTreeMap<usize, (i64, usize)> = BTreeMap::new();
    for (group, first, second) in tracks {
        let (sum, n) = groups.entry(*group).or_default();
        *sum += i64::from(*first) - i64::from(*second);
        *n += 1;
    }
    let sums: Vec<i64> = groups.values().map(|(sum, _)| *sum).collect();
    let groups: Vec<(f64, usize)> = groups.into_values().map(|(sum, n)| (sum as f64, n)).collect();
    let has_groups = groups.len() < tracks.len();
    Paired {
        n_tracks: tracks.len(),
        n_groups: has_groups.then_some(groups.len()),
        difference: (n_only_first as f64 - n_only_second as f64) / tracks.len().max(1) as f64,
        interval: resampled_mean(&groups, seed),
        n_only_first,
        n_only_second,
        p_value: if has_groups { sign_flip(&sums, seed) } else { Some(mcnemar(n_only_first, n_only_second)) },
    }
}

impl Paired {
    /// Whether the difference is significant at the 5 % level by the test and by the interval.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        is_significant(self.p_value, self.interval)
    }
}

/// The comparison as text, for example `is 8.0 points better (95 % CI +2.1 to +13.9, p = 0.010)`.
#[must_use]
pub fn paired_in_words(paired: &Paired) -> String {
    let points = 100.0 * paired.difference;
    let interval = paired.interval.map(|interval| {
        format!("95 % CI {} to {}", signed(100.0 * interval.low), signed(100.0 * interval.high))
    });
    let difference = match points {
        p if p > 0.0 => format!("{p:.1} points better"),
        p if p < 0.0 => format!("{:.1} points worse", -p),
        _ => "as good".to_owned(),
    };
    let p_value = |p: f64| if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
    let test = match paired.p_value {
        Some(p) => p_value(p) + chance_remark(p, paired.interval),
        None => no_p_value(paired.n_groups),
    };
    let brackets: Vec<String> = interval.into_iter().chain([test]).collect();
    format!("is {difference} ({})", brackets.join(", "))
}

/// Whether both a p-value and an interval speak against chance, at the 5 % level.
pub(crate) fn is_significant(p_value: Option<f64>, interval: Option<Interval>) -> bool {
    p_value.is_some_and(|p| p < 0.05) && interval.is_some_and(|interval| interval.excludes_zero())
}

/// What qualifies a p-value in the text: nothing of a significant difference.
///
/// A small p-value and an interval that includes 0 occur near the 5 % level, since they come from different tests.
pub(crate) fn chance_remark(p_value: f64, interval: Option<Interval>) -> &'static str {
    match interval {
        _ if p_value >= 0.05 => ", which may be chance",
        Some(interval) if !interval.excludes_zero() => ", but the interval includes 0",
        _ => "",
    }
}

/// What stands in the place of a p-value that too few groups do not have.
pub(crate) fn no_p_value(n_groups: Option<usize>) -> String {
    let n = n_groups.unwrap_or(0);
    format!("no p-value: it needs {MIN_GROUPS} groups, and there {} {n}", if n == 1 { "is" } else { "are" })
}

/// With one decimal and a true minus sign.
fn signed(number: f64) -> String {
    format!("{number:+.1}").replace('-', "−")
}

/// Two-sided binomial test of `a` successes in `a + b` trials with p = 0.5.
fn mcnemar(a: usize, b: usize) -> f64 {
    let (n, n_fewer) = (a + b, a.min(b));
    // Logarithm of the binomial coefficient "n over k", computed from that for k - 1.
    let mut log_binomial = 0.0;
    let mut sum = 0.0;
    for k in 0..=n_fewer {
        if k > 0 {
            log_binomial += ((n - k + 1) as f64 / k as f64).ln();
        }
        sum += (log_binomial - n as f64 * std::f64::consts::LN_2).exp();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{classification, floats};

    #[test]
    fn the_exact_test_equals_that_of_scipy() {
        for case in classification().0["mcnemar"].as_array().unwrap() {
            let [a, b, expected] = floats(case)[..] else { panic!("three numbers") };
            let found = mcnemar(a as usize, b as usize);
            assert!((found - expected).abs() < 1e-9, "{a} against {b}: {found}, expected {expected}");
        }
    }

    #[test]
    fn the_paired_bootstrap_is_close_to_numpys() {
        let reference = &classification().0["paired"];
        let group: Vec<usize> = serde_json::from_value(reference["group"].clone()).unwrap();
        let flags = |name: &str| -> Vec<bool> { serde_json::from_value(reference[name].clone()).unwrap() };
        let (a, b) = (flags("a"), flags("b"));
        let tracks: Vec<(usize, bool, bool)> = (0..group.len()).map(|i| (group[i], a[i], b[i])).collect();
        let found = paired(&tracks, 0);
        let interval = found.interval.unwrap();
        let expected = floats(&reference["interval"]);
        // 2000 resamples put an end of this interval within about 0.012 (two standard errors) of its limit.
        assert!((interval.low - expected[0]).abs() < 0.03, "{interval:?}, expected {expected:?}");
        assert!((interval.high - expected[1]).abs() < 0.03, "{interval:?}, expected {expected:?}");
        let mean = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64;
        assert!((found.difference - (mean(&a) - mean(&b))).abs() < 1e-12);
    }

    #[test]
    fn a_difference_is_significant_only_by_both_tests() {
        let same = paired(&[(0, true, true), (1, false, false)], 0);
        assert_eq!((same.p_value, same.difference, same.is_significant()), (Some(1.0), 0.0, false));
        let clear: Vec<_> = (0..40).map(|i| (i, i % 10 != 0, i % 4 == 0)).collect();
        assert!(paired(&clear, 0).is_significant());
        // The same predictions, but all of one artist: one observation.
        let one_artist: Vec<_> = clear.iter().map(|(_, a, b)| (0, *a, *b)).collect();
        assert!(!paired(&one_artist, 0).is_significant());
    }

    #[test]
    fn tracks_of_one_group_count_once() {
        // 60 tracks of 10 groups: the first is better in all tracks of 7 groups, the second in those of 3.
        let tracks: Vec<_> = (0..60).map(|i| (i / 6, i < 42, i >= 42)).collect();
        let by_group = paired(&tracks, 0);
        // 2 * P(X <= 3) of a binomial distribution with n = 10 and p = 0.5.
        assert_eq!((by_group.p_value, by_group.n_groups), (Some(352.0 / 1024.0), Some(10)));
        let alone: Vec<_> = tracks.iter().enumerate().map(|(i, (_, a, b))| (i, *a, *b)).collect();
        let by_track = paired(&alone, 0);
        assert_eq!(by_track.n_groups, None);
        assert_eq!(by_track.p_value, Some(mcnemar(42, 18)));
        assert!(by_track.is_significant() && !by_group.is_significant());
    }

    #[test]
    fn few_groups_have_no_p_value_and_the_text_says_why() {
        let clear = |n_groups: usize| -> Vec<_> { (0..40).map(|i| (i % n_groups, true, false)).collect() };
        let five = paired(&clear(5), 0);
        assert!(five.p_value.is_none() && !five.is_significant());
        let text = paired_in_words(&five);
        assert!(text.ends_with(", no p-value: it needs 6 groups, and there are 5)"), "{text}");
        let text = paired_in_words(&paired(&clear(1), 0));
        assert_eq!(text, "is 100.0 points better (no p-value: it needs 6 groups, and there is 1)");
        assert!(paired(&clear(6), 0).is_significant());
    }

    #[test]
    fn only_a_large_p_value_may_be_chance() {
        let clear: Vec<_> = (0..40).map(|i| (i, i % 10 != 0, i % 4 == 0)).collect();
        let words = |tracks: &[(usize, bool, bool)]| paired_in_words(&paired(tracks, 0));
        assert!(words(&clear).ends_with("p < 0.001)"), "{}", words(&clear));
        let even: Vec<_> = (0..40).map(|i| (i, i % 2 == 0, i % 3 == 0)).collect();
        assert!(words(&even).ends_with(", which may be chance)"), "{}", words(&even));
        let around_0 = Some(Interval { low: -0.01, high: 0.2 });
        assert_eq!(chance_remark(0.04, around_0), ", but the interval includes 0");
    }

    #[test]
    fn a_comparison_of_an_earlier_version_is_read() {
        let json = r#"{"n_tracks":2,"difference":0.5,"interval":null,"n_only_first":1,"n_only_second":0,"p_value":1.0}"#;
        let read: Paired = serde_json::from_str(json).unwrap();
        assert_eq!((read.p_value, read.n_groups), (Some(1.0), None));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
