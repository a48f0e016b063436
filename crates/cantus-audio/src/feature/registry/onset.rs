//! Onset strength: the increase in level from frame to frame, averaged over mel bands (spectral flux in dB).
//!
//! Only increases count. Peaks of the curve are onsets; its period is the beat.
//!
//! # Conventions
//! - One value per frame. Centred (librosa's default): delayed by half an FFT, so that a peak has the time of the onset
//!   and not that of the first frame that contains it.
//! - With `max_size` above 1, a band is compared with the maximum of adjacent bands, which suppresses vibrato.
//!
//! # Reference
//! Böck & Widmer, "Maximum filter vibrato suppression for onset detection", 2013; `librosa.onset.onset_strength` 0.11.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::Feature;
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, FrontEnd, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::feature::tuning::median;
use crate::transform::PadMode;

/// Pole of the high-pass filter of [`detrend`]; librosa's.
const DETREND_POLE: f64 = 0.99;
/// Maximum of `lag`, `max_size` and `hop_length`.
const MAX_LAG: usize = 1 << 16;

/// How the increases of all bands are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// Mean.
    #[default]
    Mean,
    /// Median, as for beat tracking.
    Median,
}

/// Settings of onset strength; librosa's names and defaults.
///
/// In a feature specification, FFT length, hop and centring are those of the specification, and are not serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnsetConfig {
    /// Distance of the compared frames, in frames.
    pub lag: usize,
    /// Width of the maximum filter over bands, in bands; 1 for none.
    pub max_size: usize,
    /// Whether the curve is high-pass filtered.
    pub detrend: bool,
    /// Whether the curve is delayed by half an FFT.
    #[serde(skip)]
    pub center: bool,
    /// Length of the FFT, in samples.
    #[serde(skip)]
    pub n_fft: usize,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// How the bands are combined.
    pub aggregate: Aggregate,
}

impl Default for OnsetConfig {
    fn default() -> Self {
        Self {
            lag: 1,
            max_size: 1,
            detrend: false,
            center: true,
            n_fft: 2048,
            hop_length: 512,
            aggregate: Aggregate::Mean,
        }
    }
}

impl OnsetConfig {
    /// Checks that onset strength can be computed.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        for (parameter, found) in
            [("lag", self.lag), ("max_size", self.max_size), ("hop_length", self.hop_length)]
        {
            require((1..=MAX_LAG).contains(&found), parameter, found, || format!("from 1 to {MAX_LAG}"))?;
        }
        Ok(())
    }

    /// Delay of the curve, in frames: the lag, and half an FFT if centred.
    pub fn shift(&self) -> usize {
        self.lag + if self.center { self.n_fft / (2 * self.hop_length) } else { 0 }
    }
}

/// Onset strength, planned.
#[derive(Debug, Clone)]
pub struct OnsetStrength {
    config: OnsetConfig,
    /// `[n_mels]`, the maximum-filtered earlier frame.
    reference: Vec<f32>,
    /// `[n_mels]`, of the current frame.
    increases: Vec<f32>,
}

impl OnsetStrength {
    /// Plans onset strength.
    ///
    /// # Errors
    /// Those of [`OnsetConfig::validate`].
    pub fn new(config: OnsetConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self { config, reference: Vec::new(), increases: Vec::new() })
    }

    /// Onset strength of a log-mel spectrogram.
    ///
    /// # Shapes
    /// - `log_mel`: `[n_frames, n_mels]`, dB
    /// - `strength`: `[n_frames]`, overwritten; 0 in the first frames, which have no frame to compare with
    ///
    /// # Reference
    /// Equals `librosa.onset.onset_strength(S=log_mel.T, …)` 0.11 within 1e-5.
    pub fn apply(&mut self, log_mel: &[f32], n_mels: usize, strength: &mut [f32]) {
        strength.fill(0.0);
        let (lag, shift) = (self.config.lag, self.config.shift());
        let frames = log_mel.chunks_exact(n_mels.max(1));
        let pairs = frames.clone().zip(frames.skip(lag));
        for ((earlier, current), slot) in pairs.zip(strength.iter_mut().skip(shift)) {
            *slot = self.increase(earlier, current);
        }
        if self.config.detrend {
            detrend(strength);
        }
    }

    /// The increase from one frame to another.
    fn increase(&mut self, earlier: &[f32], current: &[f32]) -> f32 {
        max_filter(earlier, self.config.max_size, &mut self.reference);
        self.increases.clear();
        self.increases
            .extend(current.iter().zip(&self.reference).map(|(x, reference)| (x - reference).max(0.0)));
        match self.config.aggregate {
            Aggregate::Mean => self.increases.iter().sum::<f32>() / self.increases.len() as f32,
            Aggregate::Median => median(&mut self.increases),
        }
    }
}

/// Maximum filter of `size` bands, with symmetric padding.
fn max_filter(bands: &[f32], size: usize, filtered: &mut Vec<f32>) {
    filtered.clear();
    if size == 1 {
        return filtered.extend_from_slice(bands);
    }
    filtered.extend((0..bands.len() as isize).map(|band| {
        let first = band - (size / 2) as isize;
        let around = (first..first + size as isize).filter_map(|i| PadMode::Symmetric.source(i, bands.len()));
        around.map(|i| bands[i]).fold(f32::NEG_INFINITY, f32::max)
    }));
}

/// High-pass filter `y[n] = x[n] - x[n - 1] + 0.99 · y[n - 1]`, in place.
pub fn detrend(curve: &mut [f32]) {
    let (mut last_in, mut last_out) = (0.0, 0.0);
    for x in curve {
        last_out = f64::from(*x) - last_in + DETREND_POLE * last_out;
        last_in = f64::from(*x);
        *x = last_out as f32;
    }
}

/// Onset strength: `[n_frames, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct OnsetFeature {
    plan: OnsetStrength,
    /// `[n_frames]`
    strength: Vec<f32>,
}

impl OnsetFeature {
    /// Onset strength of a segment: `[n_frames]`. Needs [`Intermediate::LogMel`].
    pub(super) fn strength(&mut self, input: &FrameInput<'_>) -> &[f32] {
        self.strength.resize(input.n_frames, 0.0);
        self.plan.apply(input.log_mel, input.params.mel.n_mels, &mut self.strength);
        &self.strength
    }
}

impl Feature for OnsetFeature {
    type Config = OnsetConfig;
    const NAME: &'static str = "onset_strength";
    const TITLE: &'static str = "Onset strength";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::LogMel];

    fn validate(config: &OnsetConfig, _: &FrameParams) -> Result<(), Error> {
        config.validate()
    }

    #[expect(clippy::expect_used, reason = "the settings have been validated")]
    fn plan(config: &OnsetConfig, _: &FrameParams) -> Self {
        Self { plan: OnsetStrength::new(config.clone()).expect("valid settings"), strength: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(self.strength(input));
    }
}

/// Onset strength of a whole recording: `[n_frames]`.
///
/// # Errors
/// Those of [`OnsetConfig::validate`], of [`FrameParams::validate_size`] for the log-mel spectrogram, and of
/// [`FrameParams::validate_length`].
pub(super) fn track_onset_strength(
    samples: &[f32],
    config: OnsetConfig,
    params: &FrameParams,
) -> Result<Vec<f32>, Error> {
    let n_mels = params.mel.n_mels;
    let mut plan = OnsetStrength::new(config)?;
    params.validate_size(n_mels)?;
    params.validate_length(samples.len())?;
    let mut front_end = FrontEnd::new(OnsetFeature::NEEDS, params.clone())?;
    front_end.compute(samples);
    let input = front_end.input(samples);
    let mut strength = vec![0.0; input.n_frames];
    plan.apply(input.log_mel, n_mels, &mut strength);
    Ok(strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(config: OnsetConfig, log_mel: &[f32], n_mels: usize) -> Vec<f32> {
        let mut strength = vec![f32::NAN; log_mel.len() / n_mels];
        OnsetStrength::new(config).unwrap().apply(log_mel, n_mels, &mut strength);
        strength
    }

    #[test]
    fn only_increases_count() {
        let log_mel = [0.0, 0.0, 10.0, -30.0, 0.0, -10.0, 0.0, -10.0];
        let config = OnsetConfig { center: false, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &log_mel, 2), [0.0, 5.0, 10.0, 0.0]);
        // Centred: half an FFT of 2048 is two hops of 512.
        let centred = OnsetConfig { center: true, ..config };
        assert_eq!(strength(centred, &log_mel, 2), [0.0, 0.0, 0.0, 5.0]);
    }

    #[test]
    fn the_maximum_filter_suppresses_vibrato() {
        let log_mel = [0.0, 40.0, 0.0, 0.0, 0.0, 0.0, 40.0, 0.0];
        let config = OnsetConfig { center: false, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &log_mel, 4), [0.0, 10.0]);
        assert_eq!(strength(OnsetConfig { max_size: 3, ..config }, &log_mel, 4), [0.0, 0.0]);
    }

    #[test]
    fn input_shorter_than_the_lag_has_strength_0() {
        let config = OnsetConfig { lag: 5, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &[1.0, 2.0, 3.0], 1), [0.0; 3]);
        assert_eq!(strength(config, &[], 1), [0.0; 0]);
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
        let refused = |config: OnsetConfig| match OnsetStrength::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(OnsetConfig { lag: 0, ..OnsetConfig::default() }), "lag");
        assert_eq!(refused(OnsetConfig { max_size: 0, ..OnsetConfig::default() }), "max_size");
    }
}
