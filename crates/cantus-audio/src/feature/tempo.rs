//! Tempo: how many beats there are in a minute, of a whole recording.
//!
//! The tempogram, averaged over time, has a peak at the beat, and at its multiples and fractions too. Which of them
//! a listener would tap is a matter of habit: tempi near `start_bpm` are likelier, on a logarithmic scale.
//!
//! # Reference
//! Ellis, "Beat tracking by dynamic programming", 2007; `librosa.feature.tempo` 0.11 with its mean over time.

use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::onset::{self, Aggregate};
use super::tempogram::{Tempogram, TempogramConfig};
use super::whole::{Axis, Whole, WholeKind};
use crate::Error;

/// What is added to the logarithm so that it has one at 0, over the strongest lag: librosa's.
const DYNAMIC: f64 = 1e6;

/// How tempo is heard; librosa's names and defaults.
///
/// Within a feature specification, its sample rate and hop hold here too, and are not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempoConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// The likeliest tempo, in beats per minute.
    pub start_bpm: f64,
    /// How far others are likely, in octaves.
    pub std_bpm: f64,
    /// How long a rhythm is listened to at a time, in seconds.
    pub ac_size: f64,
    /// No tempo is faster than this, in beats per minute; 0 for no limit (librosa's `None`).
    pub max_tempo: f64,
}

impl Default for TempoConfig {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            hop_length: 512,
            start_bpm: 120.0,
            std_bpm: 1.0,
            ac_size: 8.0,
            max_tempo: 320.0,
        }
    }
}

impl TempoConfig {
    /// Checks that a tempo can be found.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let max_tempo = if self.max_tempo == 0.0 { 1.0 } else { self.max_tempo };
        let all = [
            ("sample_rate", f64::from(self.sample_rate)),
            ("hop_length", self.hop_length as f64),
            ("tempo.start_bpm", self.start_bpm),
            ("tempo.std_bpm", self.std_bpm),
            ("tempo.ac_size", self.ac_size),
            ("tempo.max_tempo", max_tempo),
        ];
        for (parameter, found) in all {
            if !found.is_finite() || found <= 0.0 {
                let (found, expected) = (found.to_string(), "a positive number".into());
                return Err(Error::InvalidSpec { parameter, found, expected });
            }
        }
        if self.win_length() < 2 {
            return Err(Error::InvalidSpec {
                parameter: "tempo.ac_size",
                found: self.ac_size.to_string(),
                expected: format!(
                    "at least two frames: {} s",
                    2.0 * self.hop_length as f64 / f64::from(self.sample_rate)
                ),
            });
        }
        Ok(())
    }

    /// Length of the tempogram's window, in frames.
    fn win_length(&self) -> usize {
        (self.ac_size * f64::from(self.sample_rate)) as usize / self.hop_length.max(1)
    }

    /// The tempo that a lag of so many frames is, in beats per minute.
    fn bpm(&self, lag: usize) -> f64 {
        60.0 * f64::from(self.sample_rate) / (self.hop_length * lag) as f64
    }
}

/// The tempo of onset curves, planned.
#[derive(Debug, Clone)]
pub struct Tempo {
    config: TempoConfig,
    tempogram: Tempogram,
    /// `[win_length]`
    mean: Vec<f32>,
    /// `[win_length]`, the logarithm of how likely each lag is.
    log_prior: Vec<f64>,
}

impl Tempo {
    /// Plans the estimate.
    ///
    /// # Errors
    /// Those of [`TempoConfig::validate`].
    pub fn new(config: TempoConfig) -> Result<Self, Error> {
        config.validate()?;
        let win_length = config.win_length();
        Ok(Self {
            tempogram: Tempogram::new(TempogramConfig { win_length, ..TempogramConfig::default() })?,
            mean: vec![0.0; win_length],
            log_prior: log_prior(&config, win_length),
            config,
        })
    }

    /// The tempo of an onset curve, in beats per minute. Of silence, the likeliest one beforehand; 0 of nothing.
    ///
    /// # Shapes
    /// - `strength`: `[n_frames]`
    ///
    /// # Reference
    /// Equals `librosa.feature.tempo(onset_envelope=strength)` 0.11, except where two lags are equally likely up to
    /// rounding.
    pub fn estimate(&mut self, strength: &[f32]) -> f64 {
        if strength.is_empty() {
            return 0.0;
        }
        self.tempogram.mean(strength, &mut self.mean);
        let score = |lag: usize| (DYNAMIC * f64::from(self.mean[lag])).ln_1p() + self.log_prior[lag];
        let mut best = (1, f64::NEG_INFINITY);
        for lag in 1..self.mean.len() {
            if score(lag) > best.1 {
                best = (lag, score(lag));
            }
        }
        self.config.bpm(best.0)
    }
}

/// The log-normal distribution of tempi, up to a constant; none is faster than `max_tempo`.
fn log_prior(config: &TempoConfig, win_length: usize) -> Vec<f64> {
    let bpms: Vec<f64> = (0..win_length).map(|lag| config.bpm(lag)).collect();
    let is_slow_enough = |bpm: &f64| config.max_tempo == 0.0 || *bpm < config.max_tempo;
    // If every lag is too fast, none is left out.
    let first = bpms.iter().position(is_slow_enough).unwrap_or(0);
    let octaves = |bpm: f64| (bpm.log2() - config.start_bpm.log2()) / config.std_bpm;
    let log_prior = |(lag, bpm): (usize, &f64)| {
        if lag < first { f64::NEG_INFINITY } else { -0.5 * octaves(*bpm).powi(2) }
    };
    bpms.iter().enumerate().map(log_prior).collect()
}

/// The tempo of a sound: one number, by the mean onset strength.
pub(super) const TEMPO: WholeKind = WholeKind {
    name: "tempo",
    title: "Tempo",
    unit: "bpm",
    axis: Axis::Count,
    compute: |samples, spec| {
        let mut tempo = Tempo::new(config_of(spec))?;
        let strength = onset::of_sound(samples, spec, Aggregate::Mean)?;
        Ok(Whole { values: vec![tempo.estimate(&strength) as f32], positions: Vec::new() })
    },
};

/// The tempo's part of a specification.
pub(super) fn config_of(spec: &FeatureSpec) -> TempoConfig {
    let (sample_rate, hop_length) = (spec.sample_rate, spec.hop_length);
    TempoConfig { sample_rate, hop_length, ..spec.tempo.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(period: usize) -> Vec<f32> {
        (0..1300).map(|t| if t % period == 3 { 5.0 } else { 0.1 }).collect()
    }

    #[test]
    fn a_metronome_has_its_tempo() {
        let mut plan = Tempo::new(TempoConfig::default()).unwrap();
        for period in [18, 22, 25, 30] {
            let expected = 60.0 * 22_050.0 / 512.0 / period as f64;
            assert_eq!(plan.estimate(&beats(period)), expected);
        }
    }

    #[test]
    fn what_is_likely_beforehand_decides_between_multiples() {
        let slow = TempoConfig { start_bpm: 60.0, std_bpm: 0.3, ..TempoConfig::default() };
        assert_eq!(Tempo::new(slow).unwrap().estimate(&beats(22)), 60.0 * 22_050.0 / 512.0 / 44.0);
        let capped = TempoConfig { max_tempo: 100.0, ..TempoConfig::default() };
        assert!(Tempo::new(capped).unwrap().estimate(&beats(22)) < 100.0);
    }

    #[test]
    fn silence_has_the_likeliest_tempo_and_nothing_has_none() {
        let mut plan = Tempo::new(TempoConfig::default()).unwrap();
        // print(librosa.feature.tempo(onset_envelope=np.zeros(500)))
        assert!((plan.estimate(&[0.0; 500]) - 117.453_835_227_272_73).abs() < 1e-9);
        assert_eq!(plan.estimate(&[]), 0.0);
    }

    #[test]
    fn impossible_tempi_are_refused_by_name() {
        let refused = |config: TempoConfig| match Tempo::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = TempoConfig::default;
        assert_eq!(refused(TempoConfig { start_bpm: 0.0, ..default() }), "tempo.start_bpm");
        assert_eq!(refused(TempoConfig { std_bpm: f64::NAN, ..default() }), "tempo.std_bpm");
        assert_eq!(refused(TempoConfig { ac_size: 0.001, ..default() }), "tempo.ac_size");
        assert_eq!(refused(TempoConfig { ac_size: 1e9, ..default() }), "tempogram.win_length");
        assert_eq!(refused(TempoConfig { max_tempo: -1.0, ..default() }), "tempo.max_tempo");
        assert_eq!(refused(TempoConfig { hop_length: 0, ..default() }), "hop_length");
    }
}
