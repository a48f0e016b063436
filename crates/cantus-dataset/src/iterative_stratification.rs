//! Dividing bundles of tracks that have none or several labels, so that every label has its share in every part.
//!
//! The rarest label goes first, since there is least choice for it: of the labels that bundles are left for, the one with
//! the fewest tracks is taken, and its bundles (those with most of it first, those of one size in an order drawn from the
//! seed) go one by one to the part that wants most of it; of equals to the part that wants most tracks. What a part wants
//! is its share of a label's tracks less those that it has. Bundles without any label come last and fill up.
//!
//! As in `stratify`, a label with as few bundles left as there are parts without it goes to those parts. So a label is
//! found in every part that it has bundles enough for, unless its bundles are all bespoken by rarer labels; what a part is
//! left without is told (`Split::missing`). Large bundles, such as artists with many tracks, make shares rougher.
//!
//! # Reference
//! Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of multi-label data": algorithm 1, over bundles in place of
//! examples.

use cantus_random::KeyedRng;

use crate::stratify::Bundle;

/// The part of each bundle, an index into `shares`; parts whose share is 0 get none.
pub(crate) fn stratify_tags(
    bundles: &[Bundle],
    n_labels: usize,
    shares: &[f64],
    rng: &mut KeyedRng,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    rng.shuffle(&mut order);
    let mut parts = Parts::new(bundles, n_labels, shares);
    let mut choice: Vec<Option<usize>> = vec![None; bundles.len()];
    while let Some(rarest) = parts.rarest() {
        let mut with_it: Vec<usize> = order.clone();
        with_it.retain(|&place| choice[place].is_none() && bundles[place].n_of(rarest) > 0);
        with_it.sort_by_key(|&place| std::cmp::Reverse(bundles[place].n_of(rarest)));
        for place in with_it {
            choice[place] = Some(parts.assign(&bundles[place], Some(rarest)));
        }
    }
    order.sort_by_key(|&place| std::cmp::Reverse(bundles[place].members.len()));
    for place in order {
        choice[place].get_or_insert_with(|| parts.assign(&bundles[place], None));
    }
    choice.into_iter().map(Option::unwrap_or_default).collect()
}

/// What each part still wants.
struct Parts<'a> {
    shares: &'a [f64],
    /// `[n_labels][n_parts]`: tracks of a label.
    wanted: Vec<Vec<f64>>,
    /// `[n_parts]`: tracks.
    wanted_in_all: Vec<f64>,
    /// `[n_labels][n_parts]`: bundles of a label that a part has.
    n_assigned: Vec<Vec<usize>>,
    /// `[n_labels]`: tracks of a label that are not assigned yet, and bundles that hold them.
    n_left: Vec<(usize, usize)>,
}

impl<'a> Parts<'a> {
    fn new(bundles: &[Bundle], n_labels: usize, shares: &'a [f64]) -> Self {
        let mut n_left = vec![(0, 0); n_labels];
        for (label, n) in bundles.iter().flat_map(|bundle| &bundle.counts) {
            n_left[*label].0 += n;
            n_left[*label].1 += 1;
        }
        let n_tracks: usize = bundles.iter().map(|bundle| bundle.members.len()).sum();
        let of = |n: usize| -> Vec<f64> { shares.iter().map(|share| share * n as f64).collect() };
        Self {
            shares,
            wanted: n_left.iter().map(|(n, _)| of(*n)).collect(),
            wanted_in_all: of(n_tracks),
            n_assigned: vec![vec![0; shares.len()]; n_labels],
            n_left,
        }
    }

    /// The label with the fewest tracks of those that have any left.
    fn rarest(&self) -> Option<usize> {
        let left = self.n_left.iter().enumerate().filter(|(_, (n_tracks, _))| *n_tracks > 0);
        left.min_by_key(|(_, n_left)| **n_left).map(|(label, _)| label)
    }

    /// Gives a bundle to the part that wants most of `label`.
    fn assign(&mut self, bundle: &Bundle, label: Option<usize>) -> usize {
        let urgency =
            |part: usize| bundle.counts.iter().filter(|(own, _)| self.is_urgent(*own, part)).count();
        let wants = |part: usize| {
            (urgency(part), label.map_or(0.0, |label| self.wanted[label][part]), self.wanted_in_all[part])
        };
        let usable = (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0);
        let ranked = usable.map(|part| (part, wants(part)));
        let part = ranked.reduce(|best, other| if other.1 > best.1 { other } else { best });
        let part = part.map_or(0, |(part, _)| part);
        for (own, n) in &bundle.counts {
            self.wanted[*own][part] -= *n as f64;
            self.n_assigned[*own][part] += 1;
            self.n_left[*own].0 -= n;
            self.n_left[*own].1 -= 1;
        }
        self.wanted_in_all[part] -= bundle.members.len() as f64;
        part
    }

    /// Whether a part is without a label and can hardly get it from another bundle.
    fn is_urgent(&self, label: usize, part: usize) -> bool {
        let is_without = |part: &usize| self.shares[*part] > 0.0 && self.n_assigned[label][*part] == 0;
        is_without(&part) && self.n_left[label].1 <= (0..self.shares.len()).filter(is_without).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: [f64; 3] = [0.6, 0.15, 0.25];

    /// Tracks of up to 12 labels, some frequent and some rare; about one in ten has none.
    fn random_labels(seed: u64) -> (Vec<Vec<usize>>, usize) {
        let mut rng = KeyedRng::new([seed]);
        let n_labels = 3 + rng.below(10);
        let frequent: Vec<f64> = (0..n_labels).map(|_| 0.05 + 0.45 * rng.uniform()).collect();
        let n_tracks = 80 + rng.below(221);
        let tracks = (0..n_tracks).map(|_| {
            let is_silent = rng.bernoulli(0.1);
            (0..n_labels).filter(|&label| !is_silent && rng.bernoulli(frequent[label])).collect()
        });
        (tracks.collect(), n_labels)
    }

    fn of_tracks(labels: &[Vec<usize>]) -> Vec<Bundle> {
        (0..labels.len()).map(|track| Bundle::new(vec![track], |track| &labels[track])).collect()
    }

    #[test]
    fn every_label_has_its_share_of_every_part_and_so_have_tracks_without_labels() {
        for seed in 0..100 {
            let (labels, n_labels) = random_labels(seed);
            let bundles = of_tracks(&labels);
            let choice = stratify_tags(&bundles, n_labels, &SHARES, &mut KeyedRng::new([seed]));
            let count = |part: usize, has: &dyn Fn(&[usize]) -> bool| {
                choice.iter().zip(&labels).filter(|(p, labels)| **p == part && has(labels)).count() as f64
            };
            for (part, share) in SHARES.into_iter().enumerate() {
                let off = (count(part, &|_| true) - share * labels.len() as f64).abs();
                assert!(
                    off <= 0.02 * labels.len() as f64 + 1.5,
                    "seed {seed}: {off} tracks off in part {part}"
                );
                for label in 0..n_labels {
                    let n = labels.iter().filter(|labels| labels.contains(&label)).count();
                    let found = count(part, &|labels| labels.contains(&label));
                    assert!(
                        found > 0.0 || n < SHARES.len(),
                        "seed {seed}: no {label} in part {part}, of {n}"
                    );
                    let off = (found - share * n as f64).abs();
                    assert!(off <= 0.1 * n as f64 + 2.0, "seed {seed}: {found} of {n} in part {part}");
                }
            }
        }
    }

    #[test]
    fn a_rare_label_reaches_as_many_parts_as_it_has_tracks() {
        for seed in 0..50 {
            let (mut labels, n_labels) = random_labels(seed);
            labels.iter_mut().step_by(40).take(3).for_each(|labels| labels.push(n_labels));
            labels.iter_mut().skip(1).step_by(40).take(2).for_each(|labels| labels.push(n_labels + 1));
            let bundles = of_tracks(&labels);
            let mut rng = KeyedRng::new([seed]);
            let choice = stratify_tags(&bundles, n_labels + 2, &SHARES, &mut rng);
            let parts_of = |label: usize| -> std::collections::BTreeSet<usize> {
                choice
                    .iter()
                    .zip(&labels)
                    .filter(|(_, l)| l.contains(&label))
                    .map(|(part, _)| *part)
                    .collect()
            };
            assert_eq!(parts_of(n_labels).len(), 3, "seed {seed}");
            let two = parts_of(n_labels + 1);
            assert!(two.len() == 2 && two.contains(&0), "seed {seed}: {two:?}: something must be learnt");
        }
    }

    #[test]
    fn a_part_without_a_share_gets_nothing() {
        let (labels, n_labels) = random_labels(1);
        let choice = stratify_tags(&of_tracks(&labels), n_labels, &[0.5, 0.0, 0.5], &mut KeyedRng::new([0]));
        assert!(!choice.contains(&1) && choice.contains(&0) && choice.contains(&2));
    }
}
