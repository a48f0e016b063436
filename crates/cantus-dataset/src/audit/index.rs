//! Which fingerprints may be of one recording: an inverted index from the numbers of all fingerprints to the places
//! where they stand, and votes for the offsets at which two fingerprints have the same numbers.
//!
//! Two copies of a recording share whole numbers in many places, all at one offset; two recordings share few, at all
//! sorts of offsets. So the search takes time in proportion to the numbers, and not to the pairs of recordings.
//!
//! # Reference
//! The index and the verification of its candidates: J. Haitsma, T. Kalker, ISMIR 2002. Votes by offset: A. Wang, "An
//! Industrial-Strength Audio Search Algorithm", ISMIR 2003.

use rayon::prelude::*;

/// Places of one number that are looked at. Numbers of silence and of sustained notes stand in thousands of places; the
/// first of them still lead from each copy of a recording to the first ones.
const MAX_PLACES: usize = 256;
/// Votes of an offset and its neighbours that make a candidate.
const MIN_VOTES: u32 = 2;
/// Offsets of one pair that are verified: music that repeats itself has several good ones.
const MAX_OFFSETS: usize = 4;

/// A number, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    number: u32,
    fingerprint: u32,
    at: u32,
}

/// An index of fingerprints.
pub(super) struct Index<'a> {
    fingerprints: &'a [&'a [u32]],
    /// Sorted.
    places: Vec<Place>,
}

/// Two fingerprints that may be of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) first: usize,
    pub(super) second: usize,
    /// Places in the second that the first one's beginning may fall on, the best first.
    pub(super) offsets: Vec<i64>,
}

impl<'a> Index<'a> {
    pub(super) fn new(fingerprints: &'a [&'a [u32]]) -> Self {
        let mut places: Vec<Place> = fingerprints
            .iter()
            .enumerate()
            .flat_map(|(fingerprint, numbers)| {
                changes(numbers).map(move |(at, number)| Place {
                    number,
                    fingerprint: fingerprint as u32,
                    at,
                })
            })
            .collect();
        places.par_sort_unstable();
        Self { fingerprints, places }
    }

    /// All pairs that enough numbers vote for, each once, in order.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        (0..self.fingerprints.len())
            .into_par_iter()
            .flat_map_iter(|second| self.candidates_of(second))
            .collect()
    }

    /// The earlier fingerprints that `second` has numbers in common with.
    fn candidates_of(&self, second: usize) -> Vec<Candidate> {
        let mut votes: Vec<(u32, i64)> = Vec::new();
        for (at, number) in changes(self.fingerprints[second]) {
            let start = self.places.partition_point(|place| place.number < number);
            let same = self.places[start..].iter().take_while(|place| place.number == number);
            let earlier = same.take(MAX_PLACES).take_while(|place| (place.fingerprint as usize) < second);
            votes.extend(earlier.map(|place| (place.fingerprint, i64::from(at) - i64::from(place.at))));
        }
        votes.sort_unstable();
        votes
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|of_one| {
                let offsets = best_offsets(of_one.iter().map(|(_, offset)| *offset));
                let first = of_one[0].0 as usize;
                (!offsets.is_empty()).then_some(Candidate { first, second, offsets })
            })
            .collect()
    }
}

/// The numbers that differ from the one before, with their places.
fn changes(numbers: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let is_new = |at: usize| at == 0 || numbers[at] != numbers[at - 1];
    (0..numbers.len()).filter(move |at| is_new(*at)).map(|at| (at as u32, numbers[at]))
}

/// Of sorted votes, the offsets that have most together with their neighbours.
fn best_offsets(votes: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut counts: Vec<(i64, u32)> = Vec::new();
    for offset in votes {
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

    fn numbers(seed: u32, n: u32) -> Vec<u32> {
        (0..n).map(|i| (i + 1000 * seed).wrapping_mul(2_654_435_761)).collect()
    }

    #[test]
    fn a_shifted_copy_is_found_at_its_offset_and_a_stranger_is_not() {
        let (a, b) = (numbers(1, 200), numbers(2, 200));
        let mut copy = a[50..150].to_vec();
        copy.iter_mut().step_by(3).for_each(|number| *number ^= 5);
        let fingerprints: [&[u32]; 3] = [&a, &b, &copy];
        let found = Index::new(&fingerprints).candidates();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].first, found[0].second, found[0].offsets[0]), (0, 2, -50));
    }

    #[test]
    fn a_thousand_copies_are_led_to_the_first_ones() {
        let a = numbers(3, 20);
        let fingerprints = vec![&a[..]; 1000];
        let found = Index::new(&fingerprints).candidates();
        assert!(found.len() < 1000 * MAX_PLACES);
        assert!((1..1000).all(|copy| found.iter().any(|pair| pair.second == copy && pair.first == 0)));
    }

    #[test]
    fn neighbouring_offsets_vote_together() {
        assert_eq!(best_offsets([3, 4, 9].into_iter())[0], 3);
        assert!(best_offsets([1, 5, 9].into_iter()).is_empty());
        assert_eq!(best_offsets([1, 2, 2, 2, 9, 9].into_iter())[..2], [2, 1]);
    }
}
