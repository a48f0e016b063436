//! The ten genres, with one file of composition rules for each.

mod blues;
mod classical;
mod country;
mod disco;
mod hiphop;
mod jazz;
mod metal;
mod pop;
mod reggae;
mod rock;

use cantus_random::KeyedRng;

use crate::music::draw::Draw;
use std::fmt;
use std::str::FromStr;

use super::chart::Chart;
use super::drums::Drum;
use super::score::{DrumHit, Score};

/// A musical genre of the demonstration corpus: GTZAN's ten, in alphabetical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Genre {
    /// Twelve-bar form, dominant sevenths, shuffle.
    Blues,
    /// Quartet, piano or guitar; no drums.
    Classical,
    /// Alternating bass and strums, steel strings.
    Country,
    /// Kick on every beat, octave bass.
    Disco,
    /// Boom-bap: two-bar loop, sub-bass, loud drums.
    Hiphop,
    /// ii–V–I, walking bass, swing.
    Jazz,
    /// Muted power chords and double kick.
    Metal,
    /// Four chords, synthesizers, claps.
    Pop,
    /// One-drop drums, chords on the offbeat.
    Reggae,
    /// Distorted guitars, backbeat.
    Rock,
}

impl Genre {
    /// Every genre, in alphabetical order.
    pub const ALL: [Genre; 10] = [
        Genre::Blues,
        Genre::Classical,
        Genre::Country,
        Genre::Disco,
        Genre::Hiphop,
        Genre::Jazz,
        Genre::Metal,
        Genre::Pop,
        Genre::Reggae,
        Genre::Rock,
    ];

    /// The name in lower case: the label, and the folder of its tracks.
    pub fn name(self) -> &'static str {
        match self {
            Genre::Blues => "blues",
            Genre::Classical => "classical",
            Genre::Country => "country",
            Genre::Disco => "disco",
            Genre::Hiphop => "hiphop",
            Genre::Jazz => "jazz",
            Genre::Metal => "metal",
            Genre::Pop => "pop",
            Genre::Reggae => "reggae",
            Genre::Rock => "rock",
        }
    }

    /// Composes for at least `duration_s`.
    pub(super) fn score(self, rng: &mut KeyedRng, duration_s: f64) -> Score {
        match self {
            Genre::Blues => blues::compose(rng, duration_s),
            Genre::Classical => classical::compose(rng, duration_s),
            Genre::Country => country::compose(rng, duration_s),
            Genre::Disco => disco::compose(rng, duration_s),
            Genre::Hiphop => hiphop::compose(rng, duration_s),
            Genre::Jazz => jazz::compose(rng, duration_s),
            Genre::Metal => metal::compose(rng, duration_s),
            Genre::Pop => pop::compose(rng, duration_s),
            Genre::Reggae => reggae::compose(rng, duration_s),
            Genre::Rock => rock::compose(rng, duration_s),
        }
    }

    /// Part of a random generator's key, unique for the genre and the purpose.
    pub(super) fn purpose(self, purpose: u64) -> u64 {
        purpose << 8 | self as u64
    }
}

impl fmt::Display for Genre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is not one of the ten genres.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no genre is called {name:?}; there are blues, classical, country, disco, hiphop, jazz, metal, pop, reggae and rock"
)]
pub struct UnknownGenre {
    /// The unknown name.
    pub name: String,
}

impl FromStr for Genre {
    type Err = UnknownGenre;

    fn from_str(name: &str) -> Result<Genre, UnknownGenre> {
        let found = Genre::ALL.into_iter().find(|genre| genre.name() == name);
        found.ok_or_else(|| UnknownGenre { name: name.to_owned() })
    }
}

/// Puts a fill into the last bar of every `n_bars`, and a crash on the downbeat after it.
fn add_fills(rng: &mut KeyedRng, chart: &Chart, n_bars: usize, drum_hits: &mut Vec<DrumHit>) {
    for bar in (n_bars - 1..chart.n_bars).step_by(n_bars) {
        let end = chart.bar_start(bar + 1);
        let start = end - rng.pick([1.0, 1.0, 2.0]);
        drum_hits.retain(|hit| hit.start < start || hit.start >= end || hit.drum == Drum::Kick);
        let n = ((end - start) * 4.0) as usize;
        for i in (0..n).filter(|_| rng.bernoulli(0.85)) {
            let drum = if i < n / 2 { Drum::Snare } else { Drum::Tom };
            let velocity = 0.55 + 0.4 * i as f32 / n as f32;
            drum_hits.push(DrumHit { start: start + 0.25 * i as f64, drum, velocity });
        }
        drum_hits.push(DrumHit { start: end, drum: Drum::Crash, velocity: 0.7 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_read_back() {
        let names = Genre::ALL.map(Genre::name);
        assert!(names.is_sorted());
        for genre in Genre::ALL {
            assert_eq!(genre.to_string().parse(), Ok(genre));
        }
        let error = "polka".parse::<Genre>().unwrap_err();
        assert!(error.to_string().contains("polka") && error.to_string().contains("reggae"));
    }

    #[test]
    fn every_genre_keeps_its_tempo() {
        let ranges = [
            (Genre::Blues, 60.0..140.0),
            (Genre::Classical, 50.0..130.0),
            (Genre::Country, 90.0..150.0),
            (Genre::Disco, 108.0..132.0),
            (Genre::Hiphop, 78.0..102.0),
            (Genre::Jazz, 90.0..230.0),
            (Genre::Metal, 120.0..220.0),
            (Genre::Pop, 88.0..132.0),
            (Genre::Reggae, 62.0..92.0),
            (Genre::Rock, 98.0..165.0),
        ];
        for (genre, range) in ranges {
            for seed in 0..20 {
                let tempo = genre.score(&mut KeyedRng::new([seed, 0]), 10.0).chart.tempo_bpm;
                assert!(range.contains(&tempo), "{genre}: {tempo}");
            }
        }
    }
}
