//! Stratified assignment of clusters to parts, for tracks with exactly one label each (classes).
//!
//! A greedy rule: clusters in descending order of size (ties in random order) each go to the part with the largest deficit
//! of the labels that the cluster contains. The deficit of a label in a part is `(share * n_label - n_assigned) / n_label`,
//! weighted by the cluster's tracks of that label; the part's total is treated as one more label, so that rounding errors
//! do not accumulate in one part. When as few clusters with a label remain as there are parts without it, they go to those
//! parts: with one label per cluster, every label is in every part if it has as many clusters as there are parts.
//!
//! # Reference
//! The rule of scikit-learn's `StratifiedGroupKFold`, with shares of any size.

use cantus_random::KeyedRng;

use super::cluster::TrackCluster;

/// The part of each cluster, an index into `shares`; parts with share 0 get none.
pub(super) fn stratify_classes(
    clusters: &[TrackCluster],
    n_labels: usize,
    shares: &[f64],
    rng: &mut KeyedRng,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    rng.shuffle(&mut order);
    order.sort_by_key(|index| std::cmp::Reverse(clusters[*index].members.len()));
    let mut counts = AssignmentCounts::new(clusters, n_labels, shares);
    let mut assignment = vec![0; clusters.len()];
    for index in order {
        assignment[index] = counts.assign(&clusters[index]);
    }
    assignment
}

/// Tracks of each label in each part; the last row is the total over labels.
struct AssignmentCounts<'a> {
    shares: &'a [f64],
    /// `[n_labels + 1]`: tracks.
    n_tracks: Vec<f64>,
    /// `[n_labels + 1][n_parts]`: tracks assigned.
    assigned: Vec<Vec<f64>>,
    /// `[n_labels]`: clusters not assigned yet.
    n_remaining: Vec<usize>,
}

impl<'a> AssignmentCounts<'a> {
    fn new(clusters: &[TrackCluster], n_labels: usize, shares: &'a [f64]) -> Self {
        let mut n_tracks = vec![0.0; n_labels + 1];
        let mut n_remaining = vec![0; n_labels];
        for (label, n) in clusters.iter().flat_map(|cluster| &cluster.label_counts) {
            n_tracks[*label] += *n as f64;
            n_tracks[n_labels] += *n as f64;
            n_remaining[*label] += 1;
        }
        Self { shares, n_tracks, assigned: vec![vec![0.0; shares.len()]; n_labels + 1], n_remaining }
    }

    fn assign(&mut self, cluster: &TrackCluster) -> usize {
        let n_last_chances: Vec<usize> =
            (0..self.shares.len()).map(|part| self.n_last_chances(cluster, part)).collect();
        let most = self.parts().map(|part| n_last_chances[part]).max().unwrap_or(0);
        let candidates = self.parts().filter(|part| n_last_chances[*part] == most);
        let part = candidates
            .map(|part| (part, self.deficit(cluster, part)))
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .map_or(0, |(part, _)| part);
        let total = self.n_remaining.len();
        for (label, n) in &cluster.label_counts {
            self.assigned[*label][part] += *n as f64;
            self.assigned[total][part] += *n as f64;
            self.n_remaining[*label] -= 1;
        }
        part
    }

    fn parts(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0)
    }

    /// Number of the cluster's labels that `part` lacks and of which as few clusters remain as there are parts without it.
    fn n_last_chances(&self, cluster: &TrackCluster, part: usize) -> usize {
        let without = |label: usize, part: usize| self.assigned[label][part] == 0.0;
        let is_last_chance =
            |label: usize| self.n_remaining[label] <= self.parts().filter(|p| without(label, *p)).count();
        cluster
            .label_counts
            .iter()
            .filter(|(label, _)| without(*label, part) && is_last_chance(*label))
            .count()
    }

    /// Deficit of `part` in the labels of the cluster, weighted by its tracks.
    fn deficit(&self, cluster: &TrackCluster, part: usize) -> f64 {
        let deficit = |row: usize| self.shares[part] - self.assigned[row][part] / self.n_tracks[row];
        let total = self.n_remaining.len();
        cluster.label_counts.iter().map(|(label, n)| *n as f64 * (deficit(*label) + deficit(total))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [[usize; 1]; 10] = [[0], [1], [2], [3], [4], [5], [6], [7], [8], [9]];

    fn sizes(clusters: &[TrackCluster], shares: &[f64], assignment: &[usize]) -> Vec<usize> {
        let size = |part| {
            clusters.iter().zip(assignment).filter(|(_, p)| **p == part).map(|(b, _)| b.members.len()).sum()
        };
        (0..shares.len()).map(size).collect()
    }

    #[test]
    fn rounding_errors_do_not_accumulate_in_one_part() {
        let clusters: Vec<TrackCluster> =
            (0..100).map(|i| TrackCluster::new(vec![i], |i| &LABELS[i / 10])).collect();
        let shares = [0.6, 0.15, 0.25];
        let assignment = stratify_classes(&clusters, 10, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&clusters, &shares, &assignment), [60, 15, 25]);
    }

    #[test]
    fn three_tracks_are_in_three_parts_and_a_part_with_share_0_is_empty() {
        let clusters: Vec<TrackCluster> =
            (0..6).map(|i| TrackCluster::new(vec![i], |i| &LABELS[i / 3])).collect();
        let shares = [0.97, 0.01, 0.02];
        let assignment = stratify_classes(&clusters, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&clusters, &shares, &assignment), [2, 2, 2]);
        let shares = [0.5, 0.0, 0.5];
        let assignment = stratify_classes(&clusters, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&clusters, &shares, &assignment), [3, 0, 3]);
    }

    #[test]
    fn clusters_of_several_labels_are_balanced() {
        let groups: [&[usize]; 4] = [&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9], &[10, 11]];
        let label_of = |track: usize| -> &[usize] { &LABELS[track % 2] };
        let clusters: Vec<TrackCluster> =
            groups.iter().map(|group| TrackCluster::new(group.to_vec(), label_of)).collect();
        let shares = [0.5, 0.5];
        let assignment = stratify_classes(&clusters, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&clusters, &shares, &assignment), [6, 6]);
    }
}
