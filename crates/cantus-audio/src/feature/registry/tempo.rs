//! Tempo of a recording, in beats per minute.
//!
//! The tempogram, averaged over time, has peaks at the beat period, its multiples and fractions. A log-normal prior with
//! its maximum at `start_bpm` selects one of them.
//!
//! # Reference
//! Ellis, "Beat tracking by dynamic programming", 2007; `librosa.feature.tempo` 0.11 with its mean over time.

use serde::{Deserialize, Serialize};

use super::onset::{Aggregate, OnsetConfig, track_onset_strength};
use super::tempogram::{Tempogram, TempogramConfig};
use crate::Error;
use crate::feature::frame_params::FrameParams;
use crate::feature::range_check::{require, require_positive};
use crate::feature::track_level::{Axis, TrackFeature, TrackLevel};

/// Factor of the normalised lags in `ln(1 + FACTOR · lag)`; librosa's.
const LOG_FACTOR: f64 = 1e6;

/// Settings of the tempo; librosa's names and defaults.
///
/// In a feature specification, sample rate and hop are those of the specification, and are not serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempoConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// Maximum of the prior, in beats per minute.
    pub start_bpm: f64,
    /// Standard deviation of the prior, in octaves.
    pub std_bpm: f64,
    /// Length of the autocorrelation window, in seconds.
    pub ac_size: f64,
    /// Upper bound, in beats per minute; 0 for none (librosa's `None`).
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
    /// Checks that the tempo can be estimated.
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
        all.into_iter().try_for_each(|(parameter, found)| require_positive(parameter, found))?;
        require(self.win_length() >= 2, "tempo.ac_size", self.ac_size, || {
            let two_frames_s = 2.0 * self.hop_length as f64 / f64::from(self.sample_rate);
            format!("at least two frames: {two_frames_s} s")
        })
    }

    /// Length of the tempogram's window, in frames.
    fn win_length(&self) -> usize {
        (self.ac_size * f64::from(self.sample_rate)) as usize / self.hop_length.max(1)
    }

    /// The tempo of a lag in frames, in beats per minute.
    fn bpm(&self, lag: usize) -> f64 {
        60.0 * f64::from(self.sample_rate) / (self.hop_length * lag) as f64
    }
}

/// The tempo estimate, planned.
#[derive(Debug, Clone)]
pub struct Tempo {
    config: TempoConfig,
    tempogram: Tempogram,
    /// `[win_length]`
    mean: Vec<f32>,
    /// `[win_length]`, logarithm of the prior of each lag.
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

    /// The tempo of an onset curve, in beats per minute; the maximum of the prior for silence, 0 for no frames.
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
        let score = |lag: usize| (LOG_FACTOR * f64::from(self.mean[lag])).ln_1p() + self.log_prior[lag];
        let mut best = (1, f64::NEG_INFINITY);
        for lag in 1..self.mean.len() {
            if score(lag) > best.1 {
                best = (lag, score(lag));
            }
        }
        self.config.bpm(best.0)
    }
}

/// Logarithm of the log-normal prior, up to a constant; -∞ above `max_tempo`.
fn log_prior(config: &TempoConfig, win_length: usize) -> Vec<f64> {
    let bpms: Vec<f64> = (0..win_length).map(|lag| config.bpm(lag)).collect();
    let is_slow_enough = |bpm: &f64| config.max_tempo == 0.0 || *bpm < config.max_tempo;
    // If every lag is above the bound, the bound is ignored.
    let first = bpms.iter().position(is_slow_enough).unwrap_or(0);
    let octaves = |bpm: f64| (bpm.log2() - config.start_bpm.log2()) / config.std_bpm;
    let log_prior = |(lag, bpm): (usize, &f64)| {
        if lag < first { f64::NEG_INFINITY } else { -0.5 * octaves(*bpm).powi(2) }
    };
    bpms.iter().enumerate().map(log_prior).collect()
}

/// The tempo of a recording, from the mean onset strength: one number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackTempo;

impl TrackLevel for TrackTempo {
    type Config = (OnsetConfig, TempoConfig);
    const NAME: &'static str = "tempo";
    const TITLE: &'static str = "Tempo";
    const UNIT: &'static str = "bpm";
    const AXIS: Axis = Axis::Count;

    fn compute(
        samples: &[f32],
        (onset, config): &Self::Config,
        params: &FrameParams,
    ) -> Result<TrackFeature, Error> {
        let mut tempo = Tempo::new(config.clone())?;
        let onset = OnsetConfig { aggregate: Aggregate::Mean, ..onset.clone() };
        let strength = track_onset_strength(samples, onset, params)?;
        Ok(TrackFeature { values: vec![tempo.estimate(&strength) as f32], positions: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(period: usize) -> Vec<f32> {
        (0..1300).map(|t| if t % period == 3 { 5.0 } else { 0.1 }).collect()
    }

    #[test]
    fn a_periodic_curve_has_its_tempo() {
        let mut plan = Tempo::new(TempoConfig::default()).unwrap();
        for period in [18, 22, 25, 30] {
            let expected = 60.0 * 22_050.0 / 512.0 / period as f64;
            assert_eq!(plan.estimate(&beats(period)), expected);
        }
    }

    #[test]
    fn the_prior_selects_between_multiples() {
        let slow = TempoConfig { start_bpm: 60.0, std_bpm: 0.3, ..TempoConfig::default() };
        assert_eq!(Tempo::new(slow).unwrap().estimate(&beats(22)), 60.0 * 22_050.0 / 512.0 / 44.0);
        let capped = TempoConfig { max_tempo: 100.0, ..TempoConfig::default() };
        assert!(Tempo::new(capped).unwrap().estimate(&beats(22)) < 100.0);
    }

    #[test]
    fn silence_has_the_tempo_of_the_prior_and_no_frames_have_0() {
        let mut plan = Tempo::new(TempoConfig::default()).unwrap();
        // print(librosa.feature.tempo(onset_envelope=np.zeros(500)))
        assert!((plan.estimate(&[0.0; 500]) - 117.453_835_227_272_73).abs() < 1e-9);
        assert_eq!(plan.estimate(&[]), 0.0);
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
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
