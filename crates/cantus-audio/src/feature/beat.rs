//! Beats: the moments at which a listener would tap.
//!
//! A beat should fall on an onset, and a beat's time after the one before. Every frame gets the score of the best
//! sequence of beats that ends in it: its own onset strength, and the best predecessor's score less a penalty for
//! being early or late. The best last beat, followed back from predecessor to predecessor, is the answer (dynamic
//! programming: no other sequence has a higher score).
//!
//! # Conventions
//! Beats are frames of the onset curve; a frame is `hop_length / sample_rate` seconds.
//!
//! # Reference
//! Ellis, "Beat tracking by dynamic programming", 2007; `librosa.beat.beat_track` 0.11.

use serde::{Deserialize, Serialize};

use super::onset::{self, Aggregate};
use super::tempo::{self, Tempo, TempoConfig};
use super::whole::{Axis, Whole, WholeKind};
use crate::Error;

/// The first beat is at least this part of the strongest frame (librosa's).
const FIRST_BEAT: f64 = 0.01;

/// How beats are found; librosa's names and defaults. The onset curve should be one of
/// [`Aggregate::Median`].
///
/// Within a feature specification, its tempo holds here too, and is not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeatConfig {
    /// How the tempo is found, and in it the sample rate and the hop.
    #[serde(skip)]
    pub tempo: TempoConfig,
    /// The tempo, in beats per minute; found if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpm: Option<f64>,
    /// How tightly beats keep to the tempo.
    pub tightness: f64,
    /// Whether weak beats at the beginning and the end are left out.
    pub trim: bool,
}

impl Default for BeatConfig {
    fn default() -> Self {
        Self { tempo: TempoConfig::default(), bpm: None, tightness: 100.0, trim: true }
    }
}

/// The beats of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Beats {
    /// The tempo, in beats per minute; 0 of silence.
    pub bpm: f64,
    /// The frames on which beats fall, rising.
    pub frames: Vec<usize>,
}

/// A planned beat tracker.
#[derive(Debug, Clone)]
pub struct BeatTracker {
    config: BeatConfig,
    tempo: Tempo,
}

impl BeatTracker {
    /// Plans the tracker.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if the tempo or the tightness is not positive, or those of [`Tempo::new`].
    pub fn new(config: BeatConfig) -> Result<Self, Error> {
        for (parameter, found) in
            [("beat.bpm", config.bpm.unwrap_or(1.0)), ("beat.tightness", config.tightness)]
        {
            if !found.is_finite() || found <= 0.0 {
                let (found, expected) = (found.to_string(), "a positive number".into());
                return Err(Error::InvalidSpec { parameter, found, expected });
            }
        }
        Ok(Self { tempo: Tempo::new(config.tempo.clone())?, config })
    }

    /// The beats of an onset curve.
    ///
    /// # Shapes
    /// - `strength`: `[n_frames]`
    ///
    /// # Reference
    /// Equals `librosa.beat.beat_track(onset_envelope=strength)` 0.11: the same frames.
    pub fn track(&mut self, strength: &[f32]) -> Beats {
        if strength.iter().all(|x| *x == 0.0) {
            return Beats { bpm: 0.0, frames: Vec::new() };
        }
        let bpm = self.config.bpm.unwrap_or_else(|| self.tempo.estimate(strength));
        let TempoConfig { sample_rate, hop_length, .. } = self.config.tempo;
        let frame_rate = f64::from(sample_rate) / hop_length as f64;
        // A beat of less than a frame is one of a frame; librosa fails there.
        let period =
            (frame_rate * 60.0 / bpm).round_ties_even().clamp(1.0, strength.len().max(1) as f64 * 4.0);
        let score = local_score(&normalized(strength), period as usize);
        let best = best_sequences(&score, period as usize, self.config.tightness);
        let beats = follow_back(&best.predecessors, last_beat(&best.scores));
        Beats { bpm, frames: trimmed(&score, beats, self.config.trim) }
    }

    /// The time of a frame, in seconds.
    pub fn time_s(&self, frame: usize) -> f64 {
        (frame * self.config.tempo.hop_length) as f64 / f64::from(self.config.tempo.sample_rate)
    }
}

/// The onset curve, divided by its standard deviation.
fn normalized(strength: &[f32]) -> Vec<f64> {
    let n = strength.len() as f64;
    let mean = strength.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    let variance = strength.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let scale = variance.sqrt() as f32 + f32::MIN_POSITIVE;
    strength.iter().map(|x| f64::from(x / scale)).collect()
}

/// The onset curve, smoothed over a few frames: a beat a little beside the onset counts too.
fn local_score(curve: &[f64], period: usize) -> Vec<f64> {
    let weight = |offset: usize| (-0.5 * (offset as f64 * 32.0 / period as f64).powi(2)).exp();
    let weights: Vec<f64> = (0..=period).map(weight).collect();
    (0..curve.len())
        .map(|t| {
            // The first frame of the curve counts for nothing, as in librosa.
            let around = t.saturating_sub(period).max(1)..(t + period + 1).min(curve.len());
            around.map(|i| curve[i] * weights[i.abs_diff(t)]).sum()
        })
        .collect()
}

/// For every frame the score of the best sequence of beats that ends in it, and its last beat but one.
struct Best {
    scores: Vec<f64>,
    predecessors: Vec<Option<usize>>,
}

fn best_sequences(local_score: &[f64], period: usize, tightness: f64) -> Best {
    let threshold = FIRST_BEAT * local_score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let nearest = (period as f64 / 2.0).round_ties_even() as usize;
    let penalty = |distance: usize| tightness * ((distance as f64).ln() - (period as f64).ln()).powi(2);
    let penalties: Vec<f64> = (0..=2 * period).map(penalty).collect();
    let mut best = Best { scores: Vec::new(), predecessors: Vec::new() };
    let mut is_before_first = true;
    for (t, score) in local_score.iter().enumerate() {
        let (mut best_score, mut predecessor) = (f64::NEG_INFINITY, None);
        let within_reach = penalties.iter().enumerate().take(t + 1);
        for (distance, penalty) in within_reach.skip(nearest.max(1)) {
            let candidate = best.scores[t - distance] - penalty;
            if candidate > best_score {
                (best_score, predecessor) = (candidate, Some(t - distance));
            }
        }
        best.scores.push(if predecessor.is_some() { score + best_score } else { *score });
        // A sequence does not begin before the first frame in which anything happens.
        is_before_first &= *score < threshold;
        best.predecessors.push(predecessor.filter(|_| !is_before_first));
    }
    best
}

/// The last frame that is a peak of the scores and reaches half of the median peak.
fn last_beat(scores: &[f64]) -> usize {
    let last = scores.len() - 1;
    let is_peak = |t: usize| t > 0 && scores[t] > scores[t - 1] && (t == last || scores[t] >= scores[t + 1]);
    let peaks: Vec<usize> = (0..scores.len()).filter(|t| is_peak(*t)).collect();
    let mut heights: Vec<f64> = peaks.iter().map(|t| scores[*t]).collect();
    heights.sort_by(f64::total_cmp);
    let middle = heights.get(heights.len() / 2).copied().unwrap_or(0.0);
    let lower = heights.get(heights.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let threshold = 0.5 * (lower + middle) / 2.0;
    peaks.into_iter().rev().find(|t| scores[*t] >= threshold).unwrap_or(last)
}

/// The beats up to `last`, rising.
fn follow_back(predecessors: &[Option<usize>], last: usize) -> Vec<usize> {
    let mut beats: Vec<usize> = std::iter::successors(Some(last), |t| predecessors[*t]).collect();
    beats.reverse();
    beats
}

/// Leaves out the beats before the first frame and behind the last one whose score is above half of the beats' own.
fn trimmed(local_score: &[f64], beats: Vec<usize>, trim: bool) -> Vec<usize> {
    let threshold = if trim { 0.5 * smoothed_rms(local_score, &beats) } else { 0.0 };
    let first = local_score.iter().position(|score| *score > threshold);
    let last = local_score.iter().rposition(|score| *score > threshold);
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    beats.into_iter().filter(|t| (first..=last).contains(t)).collect()
}

/// The root mean square of the beats' scores, smoothed by their neighbours.
fn smoothed_rms(local_score: &[f64], beats: &[usize]) -> f64 {
    // scipy's hanning(5); the convolution is two longer than the beats, as in librosa.
    let weights: Vec<f64> =
        (0..5).map(|i| 0.5 - 0.5 * (std::f64::consts::PI * f64::from(i) / 2.0).cos()).collect();
    let n = (beats.len() + 2).min(local_score.len());
    let smoothed = |i: usize| {
        let score =
            |j: usize| (i + 2).checked_sub(j).and_then(|k| beats.get(k)).map_or(0.0, |t| local_score[*t]);
        weights.iter().enumerate().map(|(j, w)| w * score(j)).sum::<f64>()
    };
    ((0..n).map(|i| smoothed(i).powi(2)).sum::<f64>() / n as f64).sqrt()
}

/// The times of a sound's beats, in seconds, by the median onset strength.
pub(super) const BEATS: WholeKind = WholeKind {
    name: "beats",
    title: "Beats",
    unit: "s",
    axis: Axis::Count,
    compute: |samples, spec| {
        let config = BeatConfig { tempo: tempo::config_of(spec), ..spec.beat.clone() };
        let mut tracker = BeatTracker::new(config)?;
        let beats = tracker.track(&onset::of_sound(samples, spec, Aggregate::Median)?);
        let values = beats.frames.iter().map(|frame| tracker.time_s(*frame) as f32).collect();
        Ok(Whole { values, positions: Vec::new() })
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(n_frames: usize, period: usize) -> Vec<f32> {
        (0..n_frames).map(|t| if t % period == 3 { 5.0 } else { 0.1 }).collect()
    }

    fn tracked(config: BeatConfig, strength: &[f32]) -> Beats {
        BeatTracker::new(config).unwrap().track(strength)
    }

    #[test]
    fn a_metronome_is_followed_tick_by_tick() {
        let found = tracked(BeatConfig::default(), &beats(1000, 22));
        let expected: Vec<usize> = (0..1000).filter(|t| t % 22 == 3).collect();
        assert_eq!(found.frames[1..found.frames.len() - 1], expected[1..expected.len() - 1]);
        assert!((found.bpm - 117.453_835).abs() < 1e-3);
    }

    #[test]
    fn a_beat_that_is_missing_is_heard_nevertheless() {
        let mut strength = beats(1000, 22);
        strength[3 + 20 * 22] = 0.1;
        let found = tracked(BeatConfig::default(), &strength);
        assert!(found.frames.iter().any(|t| t.abs_diff(3 + 20 * 22) < 3), "{:?}", found.frames);
    }

    #[test]
    fn the_best_sequence_has_the_highest_score_of_all() {
        let score: Vec<f64> = (0..18).map(|t| f64::from((t * 7 + 3) % 5)).collect();
        let (period, tightness) = (4, 3.0);
        let best = best_sequences(&score, period, tightness);
        // Every sequence of beats that ends in the last frame, by brute force.
        fn highest(score: &[f64], t: usize, period: usize, tightness: f64) -> f64 {
            let penalty = |d: usize| tightness * ((d as f64).ln() - (period as f64).ln()).powi(2);
            let distances = period / 2..=(2 * period).min(t);
            let before = distances.map(|d| highest(score, t - d, period, tightness) - penalty(d));
            let best = before.fold(f64::NEG_INFINITY, f64::max);
            score[t] + if best.is_finite() { best } else { 0.0 }
        }
        for t in 0..score.len() {
            assert!((best.scores[t] - highest(&score, t, period, tightness)).abs() < 1e-12);
        }
    }

    #[test]
    fn no_curve_is_too_short_too_even_or_too_strange() {
        for curve in [vec![], vec![0.0; 50], vec![1.0], vec![1.0, 0.0], vec![3.0; 200], vec![f32::NAN; 30]] {
            for trim in [true, false] {
                let found = tracked(BeatConfig { trim, ..BeatConfig::default() }, &curve);
                assert!(found.frames.iter().all(|t| *t < curve.len()));
            }
        }
        for bpm in [1e-9, 1e9] {
            tracked(BeatConfig { bpm: Some(bpm), ..BeatConfig::default() }, &beats(500, 22));
        }
    }

    #[test]
    fn impossible_beats_are_refused_by_name() {
        let refused = |config: BeatConfig| match BeatTracker::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(BeatConfig { bpm: Some(0.0), ..BeatConfig::default() }), "beat.bpm");
        assert_eq!(refused(BeatConfig { tightness: f64::NAN, ..BeatConfig::default() }), "beat.tightness");
    }
}
