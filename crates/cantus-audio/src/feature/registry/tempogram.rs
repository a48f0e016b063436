//! Tempogram: local autocorrelation of the onset strength.
//!
//! Around every frame a window of onset strength is autocorrelated; a rhythm with a period of `lag` frames gives a high
//! value in bin `lag`.
//!
//! # Conventions
//! - `[n_frames, win_length]`; bin `lag` is a tempo of `60 · sample_rate / (hop_length · lag)` beats per minute, bin 0
//!   is the energy of the window.
//! - Centred (librosa's default): the onset curve is extended by linear ramps to zero over half a window at both ends, so
//!   that there is a row per frame. Otherwise there is a row per whole window.
//!
//! # Reference
//! Grosche, Müller & Kurth, "Cyclic tempogram: a mid-level tempo representation for music signals", 2010;
//! `librosa.feature.tempogram` 0.11.

use serde::{Deserialize, Serialize};

use super::onset::{OnsetConfig, OnsetFeature};
use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::autocorrelation::Autocorrelation;
use crate::transform::{Norm, Window};

/// Maximum length of the window, in frames.
const MAX_WIN_LENGTH: usize = 1 << 16;

/// Settings of the tempogram; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempogramConfig {
    /// Length of the window, in frames; the number of lags.
    pub win_length: usize,
    /// Shape of the window.
    pub window: Window,
    /// Whether row `t` is centred on frame `t`; always true in a feature specification.
    #[serde(skip)]
    pub center: bool,
    /// Normalisation of each row.
    pub norm: Norm,
}

impl Default for TempogramConfig {
    fn default() -> Self {
        Self { win_length: 384, window: Window::Hann, center: true, norm: Norm::Max }
    }
}

impl TempogramConfig {
    fn validate(&self) -> Result<(), Error> {
        require(
            (1..=MAX_WIN_LENGTH).contains(&self.win_length),
            "tempogram.win_length",
            self.win_length,
            || format!("a number of frames from 1 to {MAX_WIN_LENGTH}"),
        )
    }
}

/// A tempogram, planned.
#[derive(Debug, Clone)]
pub struct Tempogram {
    config: TempogramConfig,
    /// `[win_length]`
    window: Vec<f32>,
    autocorrelation: Autocorrelation,
    /// The onset curve with its ramps.
    curve: Vec<f32>,
}

impl Tempogram {
    /// Plans a tempogram.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if the window is empty or too long.
    pub fn new(config: TempogramConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            window: config.window.weights(config.win_length).iter().map(|w| *w as f32).collect(),
            autocorrelation: Autocorrelation::new(config.win_length),
            curve: Vec::new(),
            config,
        })
    }

    /// The settings.
    pub fn config(&self) -> &TempogramConfig {
        &self.config
    }

    /// Number of rows of the tempogram of `n_frames` frames.
    pub fn n_rows(&self, n_frames: usize) -> usize {
        if self.config.center { n_frames } else { (n_frames + 1).saturating_sub(self.config.win_length) }
    }

    /// The tempogram of an onset curve.
    ///
    /// # Shapes
    /// - `strength`: `[n_frames]`
    /// - `tempogram`: `[n_rows, win_length]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.tempogram(onset_envelope=strength).T` 0.11 within 1e-5.
    pub fn apply(&mut self, strength: &[f32], tempogram: &mut [f32]) {
        self.pad(strength);
        let rows = tempogram.chunks_exact_mut(self.config.win_length);
        for (t, row) in rows.take(self.n_rows(strength.len())).enumerate() {
            let windowed = self.curve[t..].iter().zip(&self.window).map(|(x, w)| x * w);
            self.autocorrelation.apply(windowed, row);
            self.config.norm.normalize(row);
        }
    }

    /// The mean over time of a tempogram normalised by [`Norm::Max`].
    ///
    /// Computed without the tempogram: from the power spectra on all steps are linear, so the spectra are averaged and one
    /// inverse transform is enough.
    ///
    /// # Shapes
    /// - `mean`: `[win_length]`, overwritten
    pub fn mean(&mut self, strength: &[f32], mean: &mut [f32]) {
        self.pad(strength);
        let n_rows = self.n_rows(strength.len());
        let mut sum = vec![0.0f64; self.autocorrelation.n_bins()];
        for t in 0..n_rows {
            let windowed = self.curve[t..].iter().zip(&self.window).map(|(x, w)| x * w);
            let energy: f64 = windowed.clone().map(|x| f64::from(x).powi(2)).sum(); // lag 0 is the maximum
            let scale = if energy >= f64::from(f32::MIN_POSITIVE) { 1.0 / energy } else { 1.0 };
            self.autocorrelation.power(windowed, |bin, power| sum[bin] += f64::from(power) * scale);
        }
        let power: Vec<f32> = sum.iter().map(|x| (x / n_rows.max(1) as f64) as f32).collect();
        self.autocorrelation.of_power(&power, mean);
    }

    /// Copies the onset curve; adds the ramps if centred.
    fn pad(&mut self, strength: &[f32]) {
        self.curve.clear();
        let (Some(first), Some(last)) = (strength.first(), strength.last()) else { return };
        let n = if self.config.center { self.config.win_length / 2 } else { 0 };
        let ramp = |edge: f32, i: usize| (f64::from(edge) * i as f64 / n as f64) as f32;
        self.curve.extend((0..n).map(|i| ramp(*first, i)));
        self.curve.extend_from_slice(strength);
        self.curve.extend((0..n).rev().map(|i| ramp(*last, i)));
    }
}

/// The tempogram of the onset strength: `[n_frames, tempogram.win_length]`.
#[derive(Debug, Clone)]
pub(crate) struct TempogramFeature {
    onset: OnsetFeature,
    plan: Tempogram,
    /// `[n_frames, win_length]`
    rows: Vec<f32>,
}

impl Feature for TempogramFeature {
    type Config = (OnsetConfig, TempogramConfig);
    const NAME: &'static str = "tempogram";
    const TITLE: &'static str = "Tempogram";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = OnsetFeature::NEEDS;

    fn n_bins((_, config): &Self::Config, _: &FrameParams) -> usize {
        config.win_length
    }

    fn bins(_: &Self::Config, _: &FrameParams) -> Bins {
        Bins::Numbered("Lag (frames)")
    }

    fn validate((onset, config): &Self::Config, params: &FrameParams) -> Result<(), Error> {
        OnsetFeature::validate(onset, params)?;
        config.validate()
    }

    #[expect(clippy::expect_used, reason = "the settings have been validated")]
    fn plan((onset, config): &Self::Config, params: &FrameParams) -> Self {
        let config = TempogramConfig { center: true, ..config.clone() };
        let plan = Tempogram::new(config).expect("valid settings");
        Self { onset: OnsetFeature::plan(onset, params), plan, rows: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.rows.resize(input.n_frames * self.plan.config.win_length, 0.0);
        self.plan.apply(self.onset.strength(input), &mut self.rows);
        rows.copy_from(&self.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    fn beats(n_frames: usize, period: usize) -> Vec<f32> {
        (0..n_frames).map(|t| if t % period == 3 { 1.0 + (t % 7) as f32 } else { 0.1 }).collect()
    }

    #[test]
    fn the_period_of_a_rhythm_has_the_highest_lag() {
        let mut plan = Tempogram::new(TempogramConfig::default()).unwrap();
        let mut tempogram = vec![f32::NAN; 1000 * 384];
        plan.apply(&beats(1000, 20), &mut tempogram);
        let middle = &tempogram[500 * 384..501 * 384];
        assert_close(&middle[..1], &[1.0], 1e-6);
        let strongest = (5..35).max_by(|a, b| middle[*a].total_cmp(&middle[*b]));
        assert_eq!(strongest, Some(20));
    }

    #[test]
    fn the_mean_equals_the_mean_of_the_rows() {
        for center in [true, false] {
            let config = TempogramConfig { win_length: 101, center, ..TempogramConfig::default() };
            let mut plan = Tempogram::new(config).unwrap();
            let curve = beats(300, 17);
            let n_rows = plan.n_rows(300);
            let mut tempogram = vec![f32::NAN; n_rows * 101];
            plan.apply(&curve, &mut tempogram);
            let column = |lag: usize| tempogram.iter().skip(lag).step_by(101).sum::<f32>() / n_rows as f32;
            let expected: Vec<f32> = (0..101).map(column).collect();
            let mut found = vec![f32::NAN; 101];
            plan.mean(&curve, &mut found);
            assert_close(&found, &expected, 1e-5);
        }
    }

    #[test]
    fn silence_and_short_input_give_zeros() {
        let mut plan = Tempogram::new(TempogramConfig::default()).unwrap();
        for n_frames in [0, 1, 2, 50] {
            let mut tempogram = vec![f32::NAN; n_frames * 384];
            plan.apply(&vec![0.0; n_frames], &mut tempogram);
            assert!(tempogram.iter().all(|x| *x == 0.0));
        }
        let refused = Tempogram::new(TempogramConfig { win_length: 0, ..TempogramConfig::default() });
        assert!(refused.unwrap_err().to_string().contains("win_length = 0"));
    }
}
