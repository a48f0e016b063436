//! Beat tracking by dynamic programming.
//!
//! Beats should fall on onsets and be one period apart. Each frame gets the score of the best sequence of beats that ends
//! in it: its onset strength, plus the score of the best predecessor less a penalty for the deviation from the period. The
//! beats are found by backtracking from the best last beat; no other sequence has a higher score.
//!
//! # Conventions
//! Beats are frames of the onset curve; a frame is `hop_length / sample_rate` seconds.
//!
//! # Reference
//! Ellis, "Beat tracking by dynamic programming", 2007; `librosa.beat.beat_track` 0.11.

use serde::{Deserialize, Serialize};

use super::onset::{Aggregate, OnsetConfig, track_onset_strength};
use super::tempo::{Tempo, TempoConfig};
use crate::Error;
use crate::feature::frame_params::FrameParams;
use crate::feature::range_check::require_positive;
use crate::feature::track_level::{Axis, TrackFeature, TrackLevel};

/// Minimum score of the first beat, relative to the maximum; librosa's.
const FIRST_BEAT_THRESHOLD: f64 = 0.01;

/// Settings of the beat tracker; librosa's names and defaults. The onset curve should be one of [`Aggregate::Median`].
///
/// In a feature specification, `tempo` is that of the specification, and is not serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeatConfig {
    /// Settings of the tempo, with sample rate and hop.
    #[serde(skip)]
    pub tempo: TempoConfig,
    /// The tempo, in beats per minute; estimated if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpm: Option<f64>,
    /// Weight of the penalty for deviations from the tempo.
    pub tightness: f64,
    /// Whether weak beats at the beginning and the end are removed.
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
    /// The tempo, in beats per minute; 0 for silence.
    pub bpm: f64,
    /// The frames of the beats, ascending.
    pub frames: Vec<usize>,
}

/// A beat tracker, planned.
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
            require_positive(parameter, found)?;
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
        // At least one frame; librosa fails for shorter periods.
        let period =
            (frame_rate * 60.0 / bpm).round_ties_even().clamp(1.0, strength.len().max(1) as f64 * 4.0);
        let score = local_score(&normalized(strength), period as usize);
        let best = best_sequences(&score, period as usize, self.config.tightness);
        let beats = backtrack(&best.predecessors, last_beat(&best.scores));
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

/// The onset curve, smoothed by a Gaussian of a fraction of the period: tolerates beats beside the onset.
fn local_score(curve: &[f64], period: usize) -> Vec<f64> {
    let weight = |offset: usize| (-0.5 * (offset as f64 * 32.0 / period as f64).powi(2)).exp();
    let weights: Vec<f64> = (0..=period).map(weight).collect();
    (0..curve.len())
        .map(|t| {
            // Frame 0 is left out, as in librosa.
            let around = t.saturating_sub(period).max(1)..(t + period + 1).min(curve.len());
            around.map(|i| curve[i] * weights[i.abs_diff(t)]).sum()
        })
        .collect()
}

/// Of each frame: the score of the best sequence of beats that ends in it, and the beat before.
struct BestSequences {
    scores: Vec<f64>,
    predecessors: Vec<Option<usize>>,
}

fn best_sequences(local_score: &[f64], period: usize, tightness: f64) -> BestSequences {
    let threshold = FIRST_BEAT_THRESHOLD * local_score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let nearest = (period as f64 / 2.0).round_ties_even() as usize;
    let penalty = |distance: usize| tightness * ((distance as f64).ln() - (period as f64).ln()).powi(2);
    let penalties: Vec<f64> = (0..=2 * period).map(penalty).collect();
    let mut best = BestSequences { scores: Vec::new(), predecessors: Vec::new() };
    let mut is_before_first = true;
    for (t, score) in local_score.iter().enumerate() {
        let (mut best_score, mut predecessor) = (f64::NEG_INFINITY, None);
        let candidates = penalties.iter().enumerate().take(t + 1);
        for (distance, penalty) in candidates.skip(nearest.max(1)) {
            let candidate = best.scores[t - distance] - penalty;
            if candidate > best_score {
                (best_score, predecessor) = (candidate, Some(t - distance));
            }
        }
        best.scores.push(if predecessor.is_some() { score + best_score } else { *score });
        // No sequence begins before the first frame above the threshold.
        is_before_first &= *score < threshold;
        best.predecessors.push(predecessor.filter(|_| !is_before_first));
    }
    best
}

/// The last local maximum of the scores that is at least half of their median.
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

/// The sequence of beats that ends in `last`, ascending.
fn backtrack(predecessors: &[Option<usize>], last: usize) -> Vec<usize> {
    let mut beats: Vec<usize> = std::iter::successors(Some(last), |t| predecessors[*t]).collect();
    beats.reverse();
    beats
}

/// Removes beats before the first and after the last frame with a score above half of [`smoothed_rms`].
fn trimmed(local_score: &[f64], beats: Vec<usize>, trim: bool) -> Vec<usize> {
    let threshold = if trim { 0.5 * smoothed_rms(local_score, &beats) } else { 0.0 };
    let first = local_score.iter().position(|score| *score > threshold);
    let last = local_score.iter().rposition(|score| *score > threshold);
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    beats.into_iter().filter(|t| (first..=last).contains(t)).collect()
}

/// Root mean square of the scores of the beats, smoothed over adjacent beats.
fn smoothed_rms(local_score: &[f64], beats: &[usize]) -> f64 {
    // `numpy.hanning(5)`; the convolution is two longer than the beats, as in librosa.
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

/// The times of the beats of a recording, in seconds, from the median onset strength.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackBeats;

impl TrackLevel for TrackBeats {
    type Config = (OnsetConfig, BeatConfig);
    const NAME: &'static str = "beats";
    const TITLE: &'static str = "Beats";
    const UNIT: &'static str = "s";
    const AXIS: Axis = Axis::Count;

    fn compute(
        samples: &[f32],
        (onset, config): &Self::Config,
        params: &FrameParams,
    ) -> Result<TrackFeature, Error> {
        let mut tracker = BeatTracker::new(config.clone())?;
        let onset = OnsetConfig { aggregate: Aggregate::Median, ..onset.clone() };
        let beats = tracker.track(&track_onset_strength(samples, onset, params)?);
        let values = beats.frames.iter().map(|frame| tracker.time_s(*frame) as f32).collect();
        Ok(TrackFeature { values, positions: Vec::new() })
    }
}

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
    fn beats_of_a_periodic_curve_are_its_peaks() {
        let found = tracked(BeatConfig::default(), &beats(1000, 22));
        let expected: Vec<usize> = (0..1000).filter(|t| t % 22 == 3).collect();
        assert_eq!(found.frames[1..found.frames.len() - 1], expected[1..expected.len() - 1]);
        assert!((found.bpm - 117.453_835).abs() < 1e-3);
    }

    #[test]
    fn a_missing_onset_still_has_a_beat() {
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
    fn degenerate_curves_have_valid_beats() {
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
    fn an_error_names_the_invalid_parameter() {
        let refused = |config: BeatConfig| match BeatTracker::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(BeatConfig { bpm: Some(0.0), ..BeatConfig::default() }), "beat.bpm");
        assert_eq!(refused(BeatConfig { tightness: f64::NAN, ..BeatConfig::default() }), "beat.tightness");
    }
}
