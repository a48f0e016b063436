//! Search for candidate duplicates: an inverted index of sub-fingerprints, and matches for offsets.
//!
//! Duplicates share many sub-fingerprints at one offset; different recordings share few, at scattered offsets. The time is
//! therefore proportional to the number of sub-fingerprints and not to the number of pairs of recordings.
//!
//! # Reference
//! Index and verification of candidates: J. Haitsma, T. Kalker, ISMIR 2002. Counts by offset: A. Wang, "An
//! Industrial-Strength Audio Search Algorithm", ISMIR 2003.

use rayon::prelude::*;

/// Maximum number of postings used per sub-fingerprint. Those of silence and of sustained notes have thousands; the first
/// ones suffice to connect each duplicate with the first files of its recording.
const MAX_POSTINGS: usize = 256;
/// Minimum number of matches for an offset and its two neighbours.
const MIN_VOTES: u32 = 2;
/// Maximum number of offsets of a pair that are verified: repetitive music has several good ones.
const MAX_OFFSETS: usize = 4;

/// An occurrence of a sub-fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Posting {
    value: u32,
    fingerprint: u32,
    at: u32,
}

/// An inverted index of fingerprints.
pub(super) struct Index<'a> {
    fingerprints: &'a [&'a [u32]],
    /// Sorted.
    postings: Vec<Posting>,
}

/// Two fingerprints that may be of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) first: usize,
    pub(super) second: usize,
    /// Candidate indices in the second of the first one's start, the best first.
    pub(super) offsets: Vec<i64>,
}

impl<'a> Index<'a> {
    pub(super) fn new(fingerprints: &'a [&'a [u32]]) -> Self {
        let mut postings: Vec<Posting> = fingerprints
            .iter()
            .enumerate()
            .flat_map(|(fingerprint, values)| {
                changes(values).map(move |(at, value)| Posting { value, fingerprint: fingerprint as u32, at })
            })
            .collect();
        postings.par_sort_unstable();
        Self { fingerprints, postings }
    }

    /// All pairs with enough matches, each once, sorted by second and first.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        (0..self.fingerprints.len())
            .into_par_iter()
            .flat_map_iter(|second| self.candidates_of(second))
            .collect()
    }

    /// The fingerprints before `second` that share enough sub-fingerprints with it.
    fn candidates_of(&self, second: usize) -> Vec<Candidate> {
        let mut matches: Vec<(u32, i64)> = Vec::new();
        for (at, value) in changes(self.fingerprints[second]) {
            let start = self.postings.partition_point(|posting| posting.value < value);
            let same = self.postings[start..].iter().take_while(|posting| posting.value == value);
            let earlier =
                same.take(MAX_POSTINGS).take_while(|posting| (posting.fingerprint as usize) < second);
            matches
                .extend(earlier.map(|posting| (posting.fingerprint, i64::from(at) - i64::from(posting.at))));
        }
        matches.sort_unstable();
        matches
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|of_one| {
                let offsets = best_offsets(of_one.iter().map(|(_, offset)| *offset));
                let first = of_one[0].0 as usize;
                (!offsets.is_empty()).then_some(Candidate { first, second, offsets })
            })
            .collect()
    }
}

/// (index, value) of the sub-fingerprints that differ from the one before.
fn changes(values: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let is_new = |at: usize| at == 0 || values[at] != values[at - 1];
    (0..values.len()).filter(move |at| is_new(*at)).map(|at| (at as u32, values[at]))
}

/// The offsets with most matches, counted with their neighbours; `matches` are sorted.
fn best_offsets(matches: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut counts: Vec<(i64, u32)> = Vec::new();
    for offset in matches {
        match counts.last_mut() {
            Some((last, count)) if *last == offset => *count += 1,
            _ => counts.push((offset, 1)),
        }
    }
    let mut ranked: Vec<(u32, u32, i64)> = (0..counts.len())
        .map(|i| {
            let (offset, own) = counts[i];
            let near = &counts[i.saturating_sub(1)..(i + 2).min(counts.len())];
            let sum = near.iter().filter(|(other, _)| (other - offset).abs() <= 1).map(|(_, n)| n).sum();
            (sum, own, offset)
        })
        .filter(|(sum, _, _)| *sum >= MIN_VOTES)
        .collect();
    ranked.sort_by_key(|(sum, own, offset)| (std::cmp::Reverse((*sum, *own)), *offset));
    ranked.into_iter().take(MAX_OFFSETS).map(|(_, _, offset)| offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(seed: u32, n: u32) -> Vec<u32> {
        (0..n).map(|i| (i + 1000 * seed).wrapping_mul(2_654_435_761)).collect()
    }

    #[test]
    fn a_shifted_duplicate_is_found_at_its_offset_and_another_recording_is_not() {
        let (a, b) = (fingerprint(1, 200), fingerprint(2, 200));
        let mut copy = a[50..150].to_vec();
        copy.iter_mut().step_by(3).for_each(|value| *value ^= 5);
        let fingerprints: [&[u32]; 3] = [&a, &b, &copy];
        let found = Index::new(&fingerprints).candidates();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].first, found[0].second, found[0].offsets[0]), (0, 2, -50));
    }

    #[test]
    fn a_thousand_duplicates_are_connected_with_the_first() {
        let a = fingerprint(3, 20);
        let fingerprints = vec![&a[..]; 1000];
        let found = Index::new(&fingerprints).candidates();
        assert!(found.len() < 1000 * MAX_POSTINGS);
        assert!((1..1000).all(|copy| found.iter().any(|pair| pair.second == copy && pair.first == 0)));
    }

    #[test]
    fn votes_of_neighbouring_offsets_are_added() {
        assert_eq!(best_offsets([3, 4, 9].into_iter())[0], 3);
        assert!(best_offsets([1, 5, 9].into_iter()).is_empty());
        assert_eq!(best_offsets([1, 2, 2, 2, 9, 9].into_iter())[..2], [2, 1]);
    }
}
