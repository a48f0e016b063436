//! Bootstrap of average precision: confidence intervals, and a paired test of two taggers.
//!
//! Groups (or ungrouped tracks) are resampled with replacement. A rare tag that no resampled track has enters the mean with
//! its average precision on all tracks; otherwise the mean would increase whenever a difficult tag is not drawn. Two models
//! are compared on the same resamples. The p-value is twice the proportion of resamples in which the difference does not have
//! the sign of the observed one (Efron & Tibshirani 1993, "An introduction to the bootstrap", chapter 15), and never 0. It
//! resamples whole groups, so it respects them; for fewer than six groups there is none.
//!
//! # Reference
//! The intervals of NumPy's draws and scikit-learn's `average_precision_score` within 0.02 (`tests/reference/tagging.py`).

use std::collections::BTreeMap;

use cantus_random::KeyedRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::interval::{BOOTSTRAP, N_RESAMPLES, percentiles};
use crate::paired::{chance_remark, is_significant, no_p_value};
use crate::scores::n_groups;
use crate::sign_flip::MIN_GROUPS;
use crate::{Interval, TrackDecision};

/// Tracks sorted by the probability of each tag.
pub struct TagRanking {
    n_groups: usize,
    /// For each tag, tracks by falling probability: group, whether the track has the tag, whether the next track has a lower
    /// probability.
    tags: Vec<Vec<(u32, bool, bool)>>,
    /// Average precision of each tag on all tracks.
    on_all_tracks: Vec<Option<f64>>,
}

impl TagRanking {
    /// Sorts tracks by the probability of each of `n_labels` tags.
    #[must_use]
    pub fn new(tracks: &[TrackDecision], n_labels: usize) -> Self {
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        let groups: Vec<u32> = tracks
            .iter()
            .map(|track| {
                let next = numbers.len() as u32;
                *numbers.entry(track.group).or_insert(next)
            })
            .collect();
        let tag = |label: usize| {
            let p = |track: usize| tracks[track].probabilities[label];
            let mut order: Vec<usize> = (0..tracks.len()).collect();
            order.sort_by(|&a, &b| p(b).total_cmp(&p(a)));
            let is_last = |place: usize| order.get(place + 1).is_none_or(|&next| p(next) < p(order[place]));
            let row = |(place, &track): (usize, &usize)| {
                (groups[track], tracks[track].labels.contains(&label), is_last(place))
            };
            order.iter().enumerate().map(row).collect()
        };
        let tags = (0..n_labels).map(tag).collect();
        let mut ranking = Self { n_groups: numbers.len(), tags, on_all_tracks: Vec::new() };
        let once = vec![1; ranking.n_groups];
        ranking.on_all_tracks = (0..n_labels).map(|label| ranking.average_precision(label, &once)).collect();
        ranking
    }

    /// Mean over the tags that have an average precision; with the values of a resample, if given.
    fn mean(&self, draw: Option<&[Option<f64>]>) -> Option<f64> {
        let drawn = |label: usize| draw.and_then(|draw| draw[label]);
        let tags = self.on_all_tracks.iter().enumerate();
        let known: Vec<f64> =
            tags.filter_map(|(label, all)| all.map(|all| drawn(label).unwrap_or(all))).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// Average precision of a tag with a weight for each group; `None` without both positives and negatives.
    fn average_precision(&self, label: usize, counts: &[u32]) -> Option<f64> {
        let (mut n_found, mut n_wrong, mut n_before) = (0_u64, 0_u64, 0_u64);
        let mut sum = 0.0;
        for &(group, has_tag, is_last) in &self.tags[label] {
            let n = u64::from(counts[group as usize]);
            if has_tag {
                n_found += n
            } else {
                n_wrong += n
            }
            if is_last && n_found > n_before {
                sum += (n_found - n_before) as f64 * n_found as f64 / (n_found + n_wrong) as f64;
                n_before = n_found;
            }
        }
        (n_found > 0 && n_wrong > 0).then(|| sum / n_found as f64)
    }

    /// Average precision of each tag in each resample; `None` for fewer than two groups.
    fn resampled(&self, seed: u64) -> Option<Vec<Vec<Option<f64>>>> {
        let draw = |number: usize| {
            // One random stream per resample, so that the result does not depend on the threads.
            let mut rng = KeyedRng::new([seed, BOOTSTRAP, number as u64]);
            let mut counts = vec![0; self.n_groups];
            (0..self.n_groups).for_each(|_| counts[rng.below(self.n_groups)] += 1);
            (0..self.tags.len()).map(|label| self.average_precision(label, &counts)).collect()
        };
        (self.n_groups > 1).then(|| (0..N_RESAMPLES).into_par_iter().map(draw).collect())
    }

    /// 95 % intervals of the mean over all tags and of each tag; `None` if undefined.
    #[must_use]
    pub fn intervals(&self, seed: u64) -> (Option<Interval>, Vec<Option<Interval>>) {
        let Some(draws) = self.resampled(seed) else { return (None, vec![None; self.tags.len()]) };
        let of = |values: Vec<f64>| (!values.is_empty()).then(|| percentiles(values));
        let of_tag = |label: usize| of(draws.iter().filter_map(|draw| draw[label]).collect());
        (
            of(draws.iter().filter_map(|draw| self.mean(Some(draw))).collect()),
            (0..self.tags.len()).map(of_tag).collect(),
        )
    }
}

/// Comparison of two taggers on the same tracks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TagPaired {
    /// Number of tracks.
    pub n_tracks: usize,
    /// Number of their groups; `None` if no group has two tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_groups: Option<usize>,
    /// Macro average precision of the first minus that of the second.
    pub difference: f64,
    /// 95 % interval of the difference, by bootstrap over groups (or ungrouped tracks); `None` for fewer than two.
    pub interval: Option<Interval>,
    /// Two-sided p-value from the same bootstrap, 1 without an interval; `None` for fewer than six groups.
    pub p_value: Option<f64>,
}

/// Compares two taggers on the same tracks.
#[must_use]
pub fn paired(first: &[TrackDecision], second: &[TrackDecision], n_labels: usize, seed: u64) -> TagPaired {
    let [first_ranked, second_ranked] = [first, second].map(|tracks| TagRanking::new(tracks, n_labels));
    let whole = |ranked: &TagRanking| ranked.mean(None).unwrap_or(0.0);
    let draws = first_ranked.resampled(seed).zip(second_ranked.resampled(seed));
    let differences: Option<Vec<f64>> = draws.map(|(first, second)| {
        let pairs = first.iter().zip(&second);
        pairs.filter_map(|(a, b)| Some(first_ranked.mean(Some(a))? - second_ranked.mean(Some(b))?)).collect()
    });
    let differences = differences.unwrap_or_default();
    let not_above = differences.iter().filter(|difference| **difference <= 0.0).count();
    let not_below = differences.iter().filter(|difference| **difference >= 0.0).count();
    let rarer = 1 + not_above.min(not_below);
    let p_value = (2.0 * rarer as f64 / (differences.len() + 1) as f64).min(1.0);
    let n_groups = n_groups(first);
    TagPaired {
        n_tracks: first.len(),
        n_groups,
        difference: whole(&first_ranked) - whole(&second_ranked),
        p_value: n_groups.is_none_or(|n| n >= MIN_GROUPS).then_some(p_value),
        interval: (!differences.is_empty()).then(|| percentiles(differences)),
    }
}

impl TagPaired {
    /// Whether the difference is significant at the 5 % level.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        is_significant(self.p_value, self.interval)
    }
}

/// The comparison as text, for example `is 0.080 better (95 % CI +0.021 to +0.139, p = 0.010)`.
#[must_use]
pub fn paired_in_words(paired: &TagPaired) -> String {
    let signed = |number: f64| format!("{number:+.3}").replace('-', "−");
    let interval = paired
        .interval
        .map(|interval| format!("95 % CI {} to {}", signed(interval.low), signed(interval.high)));
    let difference = match paired.difference {
        d if d > 0.0 => format!("{d:.3} better"),
        d if d < 0.0 => format!("{:.3} worse", -d),
        _ => "as good".to_owned(),
    };
    let test = match paired.p_value {
        Some(p) => format!("p = {p:.3}{}", chance_remark(p, paired.interval)),
        None => no_p_value(paired.n_groups),
    };
    let brackets: Vec<String> = interval.into_iter().chain([test]).collect();
    format!("is {difference} ({})", brackets.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{floats, tagging, tagging_tracks};

    #[test]
    fn intervals_are_close_to_those_of_numpy_and_scikit_learn() {
        let (reference, ..) = tagging();
        let (tracks, _) = tagging_tracks();
        let (all, _) = TagRanking::new(&tracks, 4).intervals(0);
        let all = all.unwrap();
        let expected = floats(&reference["macro_interval"]);
        // 2000 draws put an end of this interval within about 0.01 (two standard errors) of its limit.
        assert!((all.low - expected[0]).abs() < 0.02, "{all:?}, expected {expected:?}");
        assert!((all.high - expected[1]).abs() < 0.02, "{all:?}, expected {expected:?}");
    }

    #[test]
    fn a_difficult_rare_tag_does_not_raise_the_interval_when_it_is_not_drawn() {
        // Of forty tracks ten have the first tag, which is easy, and one has the second, which stands last.
        let track = |track: usize| TrackDecision {
            track,
            group: track,
            labels: [(0, track < 10), (1, track == 20)]
                .iter()
                .filter(|(_, has)| *has)
                .map(|(l, _)| *l)
                .collect(),
            predicted: 0,
            probabilities: vec![f64::from(u8::from(track < 10)), f64::from(u8::from(track != 20))],
        };
        let tracks: Vec<TrackDecision> = (0..40).map(track).collect();
        let (all, _) = TagRanking::new(&tracks, 2).intervals(0);
        let all = all.unwrap();
        assert!(all.low > 0.5 && all.high < 0.6, "{all:?}, around 0.5125");
    }

    #[test]
    fn equal_taggers_do_not_differ_significantly_and_noise_does() {
        let (tracks, noise) = tagging_tracks();
        let same = paired(&tracks, &tracks, 4, 0);
        assert_eq!((same.difference, same.p_value, same.is_significant()), (0.0, Some(1.0), false));
        let (better, worse) = (paired(&tracks, &noise, 4, 0), paired(&noise, &tracks, 4, 0));
        assert!(better.difference > 0.1 && better.is_significant(), "{better:?}");
        assert!(worse.difference == -better.difference && worse.is_significant(), "{worse:?}");
        let one_artist = |tracks: &[TrackDecision]| -> Vec<TrackDecision> {
            tracks.iter().map(|track| TrackDecision { group: 7, ..track.clone() }).collect()
        };
        let one = paired(&one_artist(&tracks), &one_artist(&noise), 4, 0);
        assert!(one.interval.is_none() && one.p_value.is_none() && !one.is_significant(), "{one:?}");
        assert!(paired_in_words(&one).ends_with("(no p-value: it needs 6 groups, and there is 1)"));
    }
}
