//! The list of tracks of a demonstration corpus. The caller synthesises and writes them.

use cantus_random::{KeyedRng, text_key};

use super::Genre;

/// Part of the key of the random numbers that seed tracks.
const CORPUS: u64 = text_key("corpus");

/// One track to compose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackSpec {
    /// The label.
    pub genre: Genre,
    /// Number within the genre, from 0.
    pub index: usize,
    /// Seed for [`compose`](super::compose).
    pub seed: u64,
    /// Path relative to the corpus, named as in GTZAN: `blues/blues.00000.wav`.
    pub file_name: String,
}

/// The tracks of a corpus, genre by genre in alphabetical order.
///
/// A track's seed follows from the corpus's seed, its genre and its index alone: the first ten tracks are the same
/// whether ten are made or a hundred.
#[derive(Debug, Clone)]
pub struct Corpus {
    tracks_per_genre: usize,
    seed: u64,
    next: usize,
}

impl Corpus {
    /// Lists `tracks_per_genre` tracks of each genre.
    #[must_use]
    pub fn new(tracks_per_genre: usize, seed: u64) -> Corpus {
        Corpus { tracks_per_genre, seed, next: 0 }
    }

    fn track(&self, genre: Genre, index: usize) -> TrackSpec {
        let seed = KeyedRng::new([self.seed, genre.purpose(index as u64), CORPUS]).next_u64();
        TrackSpec { genre, index, seed, file_name: format!("{genre}/{genre}.{index:05}.wav") }
    }
}

impl Iterator for Corpus {
    type Item = TrackSpec;

    fn next(&mut self) -> Option<TrackSpec> {
        let index = self.next.checked_rem(self.tracks_per_genre)?;
        let genre = *Genre::ALL.get(self.next / self.tracks_per_genre)?;
        self.next += 1;
        Some(self.track(genre, index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (Genre::ALL.len() * self.tracks_per_genre).saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Corpus {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_track_does_not_depend_on_how_many_are_made() {
        let small: Vec<TrackSpec> = Corpus::new(2, 5).collect();
        let large: Vec<TrackSpec> = Corpus::new(30, 5).collect();
        assert_eq!(small.len(), 20);
        assert!(small.iter().all(|track| large.contains(track)));
        assert_eq!(small[0].file_name, "blues/blues.00000.wav");
        assert_eq!(small[19].file_name, "rock/rock.00001.wav");
    }

    #[test]
    fn no_two_tracks_share_a_seed() {
        let seeds: BTreeSet<u64> = Corpus::new(200, 0).map(|track| track.seed).collect();
        assert_eq!(seeds.len(), 2000);
        assert_eq!(Corpus::new(0, 0).count(), 0);
        assert_eq!(Corpus::new(3, 0).len(), 30);
    }
}
