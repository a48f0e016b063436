//! Rule-based composition and synthesis of music in ten genres.
//!
//! ```text
//! (genre, seed) ─▶ genre: Score (notes in beats) ─▶ arrangement ─▶ instruments, drums ─▶ mix ─▶ Audio
//! ```
//!
//! Each genre has rules for tempo, swing, chord progressions, drum patterns and parts, from which a score is composed. Parts
//! are muted in random sections, synthesised, and mixed with random recording parameters. The genres differ in their music;
//! key, tempo, instruments, reverberation, equalisation, noise and level vary within each genre.
//!
//! Everything is determined by the seed.

mod arrangement;
mod chart;
mod corpus;
mod draw;
mod drums;
mod effect;
mod elementary;
mod envelope;
mod filter;
mod genre;
mod harmony;
mod instrument;
mod melody;
mod mix;
mod oscillator;
mod pattern;
mod production;
mod score;

use cantus_random::KeyedRng;

pub use corpus::{Corpus, TrackSpec};
pub use genre::{Genre, UnknownGenre};

use cantus_audio::Audio;
use score::Score;

/// Parts of the keys of random generators, which make their streams independent.
mod purpose {
    pub(super) const SCORE: u64 = 1;
    pub(super) const ARRANGEMENT: u64 = 2;
    pub(super) const PERFORMANCE: u64 = 3;
}

/// Composes and synthesises a track.
///
/// Pure: the same arguments give the same bits. Takes about 50 ms for 30 s at 22 050 Hz.
///
/// # Shapes
/// - returns: `duration_s · sample_rate` samples, rounded; peak between 0.25 and 0.93
///
/// A negative or NaN duration and a sample rate of 0 give no samples. Durations are limited to an hour.
///
/// # Example
/// ```
/// use cantus_synth::{Genre, compose};
///
/// let blues = compose(Genre::Blues, 7, 2.0, 22_050);
/// assert_eq!(blues.samples.len(), 44_100);
/// ```
#[must_use]
pub fn compose(genre: Genre, seed: u64, duration_s: f64, sample_rate: u32) -> Audio {
    const MAX_DURATION_S: f64 = 3600.0;
    let duration_s = if duration_s > MAX_DURATION_S { MAX_DURATION_S } else { duration_s }; // not `min`, which ignores NaN
    let n_samples = (duration_s * f64::from(sample_rate)).round() as usize;
    if n_samples == 0 {
        return Audio { samples: Vec::new(), sample_rate };
    }
    let score = arranged_score(genre, seed, duration_s);
    let mut performance = KeyedRng::new([seed, genre.purpose(purpose::PERFORMANCE)]);
    Audio { samples: mix::render(&score, &mut performance, n_samples, sample_rate), sample_rate }
}

fn arranged_score(genre: Genre, seed: u64, duration_s: f64) -> Score {
    let mut score = genre.score(&mut KeyedRng::new([seed, genre.purpose(purpose::SCORE)]), duration_s);
    arrangement::arrange(&mut score, &mut KeyedRng::new([seed, genre.purpose(purpose::ARRANGEMENT)]));
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bits() {
        for genre in Genre::ALL {
            assert_eq!(compose(genre, 7, 2.0, 22_050), compose(genre, 7, 2.0, 22_050), "{genre}");
        }
    }

    /// The score, and not the samples, whose last bits may depend on the instruction set. A change of these numbers changes
    /// every user's compositions.
    #[test]
    fn the_first_bar_of_a_blues_is_pinned() {
        let score = arranged_score(Genre::Blues, 0, 8.0);
        assert_eq!((score.chart.tempo_bpm, score.chart.tonic), (95.048_26, 2));
        let first_bar = |part: &score::Part| -> Vec<(f64, i32)> {
            let notes = part.notes.iter().filter(|note| note.start < 4.0);
            notes.map(|note| (note.start, note.pitch)).collect()
        };
        let parts: Vec<_> = score.parts.iter().map(first_bar).collect();
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[0], [(0.0, 38), (1.0, 42), (2.0, 45), (3.0, 47)], "the bass");
        assert_eq!(parts[3], [(0.0, 66), (1.0, 66), (1.5, 65), (2.0, 62)], "the solo");
        let is_not_cymbal = |hit: &&score::DrumHit| hit.start < 4.0 && hit.drum != drums::Drum::Ride;
        let drum_hits = score.drum_hits.iter().filter(is_not_cymbal);
        let drum_hits: Vec<_> = drum_hits.map(|hit| (hit.start, hit.drum)).collect();
        let (kick, snare) = (drums::Drum::Kick, drums::Drum::Snare);
        assert_eq!(drum_hits, [(0.0, kick), (1.5, kick), (2.0, kick), (1.0, snare), (3.0, snare)]);
    }

    /// A change of these numbers changes every user's corpora.
    #[test]
    fn the_seeds_of_the_first_tracks_of_a_corpus_are_pinned() {
        let seeds: Vec<u64> = Corpus::new(1, 0).map(|track| track.seed).take(2).collect();
        assert_eq!(seeds, [17_408_180_934_405_989_772, 11_133_680_669_819_579_505]);
    }

    #[test]
    fn different_seeds_and_genres_give_different_samples() {
        for genre in Genre::ALL {
            assert_ne!(compose(genre, 7, 1.0, 8000), compose(genre, 8, 1.0, 8000), "{genre}");
        }
        assert_ne!(compose(Genre::Rock, 7, 1.0, 8000), compose(Genre::Metal, 7, 1.0, 8000));
    }

    #[test]
    fn samples_are_finite_without_dc_and_peaks_are_within_limits() {
        for genre in Genre::ALL {
            for seed in 0..3 {
                let audio = compose(genre, seed, 8.0, 22_050);
                assert_eq!(audio.samples.len(), 176_400);
                assert!(audio.samples.iter().all(|x| x.is_finite()), "{genre} {seed}");
                let peak = audio.samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
                assert!((0.2..0.95).contains(&peak), "{genre} {seed}: peak {peak}");
                let mean = audio.samples.iter().sum::<f32>() / audio.samples.len() as f32;
                assert!(mean.abs() < 1e-3, "{genre} {seed}: DC {mean}");
            }
        }
    }

    #[test]
    fn no_track_is_silent_for_half_a_second() {
        for genre in Genre::ALL {
            for seed in 0..6 {
                let audio = compose(genre, seed, 20.0, 8000);
                let quiet = |second: &[f32]| second.iter().all(|x| x.abs() < 0.003);
                assert!(!audio.samples.chunks_exact(4000).any(quiet), "{genre} {seed}");
            }
        }
    }

    #[test]
    fn every_sample_rate_and_duration_is_accepted() {
        for sample_rate in [1, 50, 1000, 8000, 96_000] {
            let audio = compose(Genre::Jazz, 0, 0.5, sample_rate);
            assert!(audio.samples.iter().all(|x| x.is_finite()), "{sample_rate} Hz");
        }
        for duration_s in [0.0, -1.0, f64::NAN] {
            assert!(compose(Genre::Pop, 0, duration_s, 22_050).samples.is_empty());
        }
        assert!(compose(Genre::Pop, 0, 1.0, 0).samples.is_empty());
    }
}
