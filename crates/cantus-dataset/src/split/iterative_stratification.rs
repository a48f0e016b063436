//! Iterative stratification: assignment of clusters to parts, for tracks with any number of labels (tags).
//!
//! Repeatedly takes the label with the fewest unassigned tracks. Its clusters (those with most of its tracks first, ties in
//! random order) each go to the part that desires most tracks of the label; ties go to the part that desires most tracks in
//! total. The desired number is the part's share of the label's tracks minus those assigned to it. Clusters without labels
//! are assigned last.
//!
//! As in `stratification`, when as few clusters with a label remain as there are parts without it, they go to those parts.
//! A label is therefore in every part if it has enough clusters, unless rarer labels have determined where they go;
//! `Split::missing` reports the labels that a part lacks. Large clusters, such as prolific artists, make shares less exact.
//!
//! # Reference
//! Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of multi-label data", algorithm 1, with clusters in place of
//! examples.

use cantus_random::KeyedRng;

use super::cluster::TrackCluster;

/// The part of each cluster, an index into `shares`; parts with share 0 get none.
pub(super) fn stratify_tags(
    clusters: &[TrackCluster],
    n_labels: usize,
    shares: &[f64],
    rng: &mut KeyedRng,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    rng.shuffle(&mut order);
    let mut counts = DesiredCounts::new(clusters, n_labels, shares);
    let mut assignment: Vec<Option<usize>> = vec![None; clusters.len()];
    while let Some(rarest) = counts.rarest() {
        let mut with_label: Vec<usize> = order.clone();
        with_label.retain(|&index| assignment[index].is_none() && clusters[index].n_with(rarest) > 0);
        with_label.sort_by_key(|&index| std::cmp::Reverse(clusters[index].n_with(rarest)));
        for index in with_label {
            assignment[index] = Some(counts.assign(&clusters[index], Some(rarest)));
        }
    }
    order.sort_by_key(|&index| std::cmp::Reverse(clusters[index].members.len()));
    for index in order {
        assignment[index].get_or_insert_with(|| counts.assign(&clusters[index], None));
    }
    assignment.into_iter().map(Option::unwrap_or_default).collect()
}

/// Tracks that each part desires.
struct DesiredCounts<'a> {
    shares: &'a [f64],
    /// `[n_labels][n_parts]`: tracks of a label.
    desired: Vec<Vec<f64>>,
    /// `[n_parts]`: tracks.
    desired_total: Vec<f64>,
    /// `[n_labels][n_parts]`: clusters with a label, assigned.
    n_assigned: Vec<Vec<usize>>,
    /// `[n_labels]`: tracks with a label and clusters with it, not assigned yet.
    n_remaining: Vec<(usize, usize)>,
}

impl<'a> DesiredCounts<'a> {
    fn new(clusters: &[TrackCluster], n_labels: usize, shares: &'a [f64]) -> Self {
        let mut n_remaining = vec![(0, 0); n_labels];
        for (label, n) in clusters.iter().flat_map(|cluster| &cluster.label_counts) {
            n_remaining[*label].0 += n;
            n_remaining[*label].1 += 1;
        }
        let n_tracks: usize = clusters.iter().map(|cluster| cluster.members.len()).sum();
        let of = |n: usize| -> Vec<f64> { shares.iter().map(|share| share * n as f64).collect() };
        Self {
            shares,
            desired: n_remaining.iter().map(|(n, _)| of(*n)).collect(),
            desired_total: of(n_tracks),
            n_assigned: vec![vec![0; shares.len()]; n_labels],
            n_remaining,
        }
    }

    /// The label with the fewest unassigned tracks; `None` if all are assigned.
    fn rarest(&self) -> Option<usize> {
        let remaining = self.n_remaining.iter().enumerate().filter(|(_, (n_tracks, _))| *n_tracks > 0);
        remaining.min_by_key(|(_, n_remaining)| **n_remaining).map(|(label, _)| label)
    }

    /// Assigns a cluster to the part that desires most tracks of `label`.
    fn assign(&mut self, cluster: &TrackCluster, label: Option<usize>) -> usize {
        let n_last_chances = |part: usize| {
            cluster.label_counts.iter().filter(|(own, _)| self.is_last_chance(*own, part)).count()
        };
        let priority = |part: usize| {
            (
                n_last_chances(part),
                label.map_or(0.0, |label| self.desired[label][part]),
                self.desired_total[part],
            )
        };
        let usable = (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0);
        let ranked = usable.map(|part| (part, priority(part)));
        let part = ranked.reduce(|best, other| if other.1 > best.1 { other } else { best });
        let part = part.map_or(0, |(part, _)| part);
        for (own, n) in &cluster.label_counts {
            self.desired[*own][part] -= *n as f64;
            self.n_assigned[*own][part] += 1;
            self.n_remaining[*own].0 -= n;
            self.n_remaining[*own].1 -= 1;
        }
        self.desired_total[part] -= cluster.members.len() as f64;
        part
    }

    /// Whether a part lacks a label, and as few clusters with it remain as there are parts without it.
    fn is_last_chance(&self, label: usize, part: usize) -> bool {
        let lacks = |part: &usize| self.shares[*part] > 0.0 && self.n_assigned[label][*part] == 0;
        lacks(&part) && self.n_remaining[label].1 <= (0..self.shares.len()).filter(lacks).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: [f64; 3] = [0.6, 0.15, 0.25];

    /// Tracks of up to 12 labels, some frequent and some rare; about one track in ten has none.
    fn random_labels(seed: u64) -> (Vec<Vec<usize>>, usize) {
        let mut rng = KeyedRng::new([seed]);
        let n_labels = 3 + rng.below(10);
        let frequent: Vec<f64> = (0..n_labels).map(|_| 0.05 + 0.45 * rng.uniform()).collect();
        let n_tracks = 80 + rng.below(221);
        let tracks = (0..n_tracks).map(|_| {
            let is_unlabelled = rng.bernoulli(0.1);
            (0..n_labels).filter(|&label| !is_unlabelled && rng.bernoulli(frequent[label])).collect()
        });
        (tracks.collect(), n_labels)
    }

    fn of_tracks(labels: &[Vec<usize>]) -> Vec<TrackCluster> {
        (0..labels.len()).map(|track| TrackCluster::new(vec![track], |track| &labels[track])).collect()
    }

    #[test]
    fn every_label_and_the_unlabelled_tracks_are_stratified() {
        for seed in 0..100 {
            let (labels, n_labels) = random_labels(seed);
            let clusters = of_tracks(&labels);
            let assignment = stratify_tags(&clusters, n_labels, &SHARES, &mut KeyedRng::new([seed]));
            let count = |part: usize, has: &dyn Fn(&[usize]) -> bool| {
                assignment.iter().zip(&labels).filter(|(p, labels)| **p == part && has(labels)).count() as f64
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
    fn a_rare_label_is_in_as_many_parts_as_it_has_tracks() {
        for seed in 0..50 {
            let (mut labels, n_labels) = random_labels(seed);
            labels.iter_mut().step_by(40).take(3).for_each(|labels| labels.push(n_labels));
            labels.iter_mut().skip(1).step_by(40).take(2).for_each(|labels| labels.push(n_labels + 1));
            let clusters = of_tracks(&labels);
            let mut rng = KeyedRng::new([seed]);
            let assignment = stratify_tags(&clusters, n_labels + 2, &SHARES, &mut rng);
            let parts_of = |label: usize| -> std::collections::BTreeSet<usize> {
                assignment
                    .iter()
                    .zip(&labels)
                    .filter(|(_, l)| l.contains(&label))
                    .map(|(part, _)| *part)
                    .collect()
            };
            assert_eq!(parts_of(n_labels).len(), 3, "seed {seed}");
            let two = parts_of(n_labels + 1);
            assert!(
                two.len() == 2 && two.contains(&0),
                "seed {seed}: {two:?}: the label must be in the training part"
            );
        }
    }

    #[test]
    fn a_part_with_share_0_is_empty() {
        let (labels, n_labels) = random_labels(1);
        let assignment =
            stratify_tags(&of_tracks(&labels), n_labels, &[0.5, 0.0, 0.5], &mut KeyedRng::new([0]));
        assert!(!assignment.contains(&1) && assignment.contains(&0) && assignment.contains(&2));
    }
}
