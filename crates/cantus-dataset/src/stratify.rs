//! Dividing bundles of tracks with one label each so that every label has its share in every part.
//!
//! A greedy rule: bundles go from the largest to the smallest (those of one size in an order drawn from the seed), and
//! each goes to the part that lacks most of what it holds. What a part lacks of a label is
//! `(share * n_label - assigned) / n_label`, weighted by the bundle's tracks of that label; the part's total counts as
//! one more label, so that rounding does not add up in the same part for every label. When as few bundles with a label
//! are left as there are parts without it, they go to those parts: with bundles of one label each, every label is
//! found in every part as soon as it has as many bundles as there are parts.
//!
//! The rule is that of scikit-learn's `StratifiedGroupKFold`, with shares of any size.

use cantus_random::KeyedRng;

/// Tracks that must stay together.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// Places of its tracks.
    pub(crate) members: Vec<usize>,
    /// (label, number of its tracks with that label), sorted by label.
    pub(crate) counts: Vec<(usize, usize)>,
}

impl Bundle {
    pub(crate) fn new<'a>(members: Vec<usize>, labels_of: impl Fn(usize) -> &'a [usize]) -> Self {
        let mut labels: Vec<usize> = members.iter().flat_map(|member| labels_of(*member)).copied().collect();
        labels.sort_unstable();
        let counts = labels.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
        Self { members, counts }
    }

    /// Number of its tracks with a label.
    pub(crate) fn n_of(&self, label: usize) -> usize {
        self.counts.binary_search_by_key(&label, |(own, _)| *own).map_or(0, |place| self.counts[place].1)
    }
}

/// Number of bundles that hold a label.
pub(crate) fn bundles_with(bundles: &[Bundle], label: usize) -> usize {
    bundles.iter().filter(|bundle| bundle.n_of(label) > 0).count()
}

/// The part of each bundle, an index into `shares`; parts whose share is 0 get none.
pub(crate) fn stratify(
    bundles: &[Bundle],
    n_labels: usize,
    shares: &[f64],
    rng: &mut KeyedRng,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    rng.shuffle(&mut order);
    order.sort_by_key(|place| std::cmp::Reverse(bundles[*place].members.len()));
    let mut tally = Tally::new(bundles, n_labels, shares);
    let mut choice = vec![0; bundles.len()];
    for place in order {
        choice[place] = tally.assign(&bundles[place]);
    }
    choice
}

/// How much of each label is assigned where; the last row is that of all labels together.
struct Tally<'a> {
    shares: &'a [f64],
    /// `[n_labels + 1]`: tracks in all.
    n_tracks: Vec<f64>,
    /// `[n_labels + 1][n_parts]`: tracks assigned.
    assigned: Vec<Vec<f64>>,
    /// `[n_labels]`: bundles that are not assigned yet.
    n_left: Vec<usize>,
}

impl<'a> Tally<'a> {
    fn new(bundles: &[Bundle], n_labels: usize, shares: &'a [f64]) -> Self {
        let mut n_tracks = vec![0.0; n_labels + 1];
        let mut n_left = vec![0; n_labels];
        for (label, n) in bundles.iter().flat_map(|bundle| &bundle.counts) {
            n_tracks[*label] += *n as f64;
            n_tracks[n_labels] += *n as f64;
            n_left[*label] += 1;
        }
        Self { shares, n_tracks, assigned: vec![vec![0.0; shares.len()]; n_labels + 1], n_left }
    }

    fn assign(&mut self, bundle: &Bundle) -> usize {
        let urgent: Vec<usize> = (0..self.shares.len()).map(|part| self.urgency(bundle, part)).collect();
        let most_urgent = self.parts().map(|part| urgent[part]).max().unwrap_or(0);
        let candidates = self.parts().filter(|part| urgent[*part] == most_urgent);
        let part = candidates
            .map(|part| (part, self.lack(bundle, part)))
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .map_or(0, |(part, _)| part);
        let total = self.n_left.len();
        for (label, n) in &bundle.counts {
            self.assigned[*label][part] += *n as f64;
            self.assigned[total][part] += *n as f64;
            self.n_left[*label] -= 1;
        }
        part
    }

    fn parts(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.shares.len()).filter(|part| self.shares[*part] > 0.0)
    }

    /// Number of the bundle's labels that `part` is without and can hardly get from another bundle.
    fn urgency(&self, bundle: &Bundle, part: usize) -> usize {
        let without = |label: usize, part: usize| self.assigned[label][part] == 0.0;
        let last_chance =
            |label: usize| self.n_left[label] <= self.parts().filter(|p| without(label, *p)).count();
        bundle.counts.iter().filter(|(label, _)| without(*label, part) && last_chance(*label)).count()
    }

    /// What `part` lacks of what the bundle holds.
    fn lack(&self, bundle: &Bundle, part: usize) -> f64 {
        let lack = |row: usize| self.shares[part] - self.assigned[row][part] / self.n_tracks[row];
        let total = self.n_left.len();
        bundle.counts.iter().map(|(label, n)| *n as f64 * (lack(*label) + lack(total))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [[usize; 1]; 10] = [[0], [1], [2], [3], [4], [5], [6], [7], [8], [9]];

    fn sizes(bundles: &[Bundle], shares: &[f64], choice: &[usize]) -> Vec<usize> {
        let size = |part| {
            bundles.iter().zip(choice).filter(|(_, p)| **p == part).map(|(b, _)| b.members.len()).sum()
        };
        (0..shares.len()).map(size).collect()
    }

    #[test]
    fn rounding_does_not_add_up_in_one_part() {
        let bundles: Vec<Bundle> = (0..100).map(|i| Bundle::new(vec![i], |i| &LABELS[i / 10])).collect();
        let shares = [0.6, 0.15, 0.25];
        let choice = stratify(&bundles, 10, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&bundles, &shares, &choice), [60, 15, 25]);
    }

    #[test]
    fn three_tracks_reach_three_parts_and_no_share_gets_nothing() {
        let bundles: Vec<Bundle> = (0..6).map(|i| Bundle::new(vec![i], |i| &LABELS[i / 3])).collect();
        let shares = [0.97, 0.01, 0.02];
        let choice = stratify(&bundles, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&bundles, &shares, &choice), [2, 2, 2]);
        let shares = [0.5, 0.0, 0.5];
        let choice = stratify(&bundles, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&bundles, &shares, &choice), [3, 0, 3]);
    }

    #[test]
    fn a_bundle_of_several_labels_goes_where_they_are_lacking() {
        let groups: [&[usize]; 4] = [&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9], &[10, 11]];
        let label_of = |track: usize| -> &[usize] { &LABELS[track % 2] };
        let bundles: Vec<Bundle> = groups.iter().map(|group| Bundle::new(group.to_vec(), label_of)).collect();
        let shares = [0.5, 0.5];
        let choice = stratify(&bundles, 2, &shares, &mut KeyedRng::new([0]));
        assert_eq!(sizes(&bundles, &shares, &choice), [6, 6]);
    }
}
