//! Onset strength: how much louder it gets, all bands of the spectrum together.
//!
//! When a note begins, some bands rise by many dB within a frame. The rises are averaged, falls do not count
//! (*spectral flux*). The peaks of this curve are onsets; its period is the beat.
//!
//! # Conventions
//! - One value per frame. Centred (librosa's default): shifted by half a frame, so that a peak is where the onset is
//!   heard and not where the first frame touches it.
//! - `max_size` above 1 compares with the loudest of so many neighbouring bands, so that vibrato is no onset.
//!
//! # Reference
//! Böck & Widmer, "Maximum filter vibrato suppression for onset detection", 2013; `librosa.onset.onset_strength` 0.11.

use serde::{Deserialize, Serialize};

use super::kind::{Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::tuning::median;
use super::{FeatureKind, FeatureSpec};
use crate::Error;
use crate::transform::PadMode;

/// Where the filter that removes the constant part has its pole (librosa's).
const DETREND_POLE: f64 = 0.99;
/// The longest lag and the widest comparison that are accepted.
const MAX_LAG: usize = 1 << 16;

/// How the rises of all bands become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// Their mean.
    #[default]
    Mean,
    /// Their median: half of all bands have to rise. The beat tracker's choice.
    Median,
}

/// How onsets are heard; librosa's names and defaults.
///
/// Within a feature specification, its FFT, hop and centring hold here too, and are not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnsetConfig {
    /// Number of frames between those that are compared.
    pub lag: usize,
    /// Number of neighbouring bands whose loudest is compared with.
    pub max_size: usize,
    /// Whether the slow part of the curve is removed.
    pub detrend: bool,
    /// Whether the curve is shifted by half an FFT.
    #[serde(skip)]
    pub center: bool,
    /// Length of the FFT, in samples: half of it is the shift.
    #[serde(skip)]
    pub n_fft: usize,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// How bands are summed up.
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
            if !(1..=MAX_LAG).contains(&found) {
                let expected = format!("from 1 to {MAX_LAG}");
                return Err(Error::InvalidSpec { parameter, found: found.to_string(), expected });
            }
        }
        Ok(())
    }

    /// That of a specification, whose FFT, hop and centring it takes.
    pub fn of(spec: &FeatureSpec) -> Self {
        let FeatureSpec { n_fft, hop_length, center, .. } = *spec;
        Self { n_fft, hop_length, center, ..spec.onset.clone() }
    }

    /// Frames by which the curve is later than the comparison: the lag, and half an FFT.
    pub fn shift(&self) -> usize {
        self.lag + if self.center { self.n_fft / (2 * self.hop_length) } else { 0 }
    }
}

/// Onset strength of log-mel spectrograms, planned.
#[derive(Debug, Clone)]
pub struct OnsetStrength {
    config: OnsetConfig,
    /// `[n_mels]`, what a frame is compared with.
    before: Vec<f32>,
    /// `[n_mels]`, of the frame at hand.
    rises: Vec<f32>,
}

impl OnsetStrength {
    /// Plans onset strength.
    ///
    /// # Errors
    /// Those of [`OnsetConfig::validate`].
    pub fn new(config: OnsetConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self { config, before: Vec::new(), rises: Vec::new() })
    }

    /// Onset strength of a sound from its log-mel spectrogram.
    ///
    /// # Shapes
    /// - `log_mel`: `[n_frames, n_mels]`, dB
    /// - `strength`: `[n_frames]`, overwritten; zeros where there is nothing to compare with
    ///
    /// # Reference
    /// Equals `librosa.onset.onset_strength(S=log_mel.T, …)` 0.11 within 1e-5.
    pub fn apply(&mut self, log_mel: &[f32], n_mels: usize, strength: &mut [f32]) {
        strength.fill(0.0);
        let (lag, shift) = (self.config.lag, self.config.shift());
        let frames = log_mel.chunks_exact(n_mels.max(1));
        let pairs = frames.clone().zip(frames.skip(lag));
        for ((before, now), slot) in pairs.zip(strength.iter_mut().skip(shift)) {
            *slot = self.rise(before, now);
        }
        if self.config.detrend {
            detrend(strength);
        }
    }

    /// How much a frame has risen above an earlier one.
    fn rise(&mut self, before: &[f32], now: &[f32]) -> f32 {
        widen(before, self.config.max_size, &mut self.before);
        self.rises.clear();
        self.rises.extend(now.iter().zip(&self.before).map(|(now, before)| (now - before).max(0.0)));
        match self.config.aggregate {
            Aggregate::Mean => self.rises.iter().sum::<f32>() / self.rises.len() as f32,
            Aggregate::Median => median(&mut self.rises),
        }
    }
}

/// Replaces each band by the loudest of `size` bands around it; the ends are mirrored.
fn widen(bands: &[f32], size: usize, widened: &mut Vec<f32>) {
    widened.clear();
    if size == 1 {
        return widened.extend_from_slice(bands);
    }
    widened.extend((0..bands.len() as isize).map(|band| {
        let first = band - (size / 2) as isize;
        let around = (first..first + size as isize).filter_map(|i| PadMode::Symmetric.source(i, bands.len()));
        around.map(|i| bands[i]).fold(f32::NEG_INFINITY, f32::max)
    }));
}

/// `y[n] = x[n] - x[n - 1] + 0.99 · y[n - 1]`: what stays the same for seconds is removed.
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
pub(super) struct OnsetKind {
    plan: OnsetStrength,
    /// `[n_frames]`
    strength: Vec<f32>,
}

impl OnsetKind {
    /// Onset strength of a segment: `[n_frames]`. Needs [`Intermediate::LogMel`].
    pub(super) fn strength(&mut self, sound: &Sound<'_>) -> &[f32] {
        self.strength.resize(sound.n_frames, 0.0);
        self.plan.apply(&sound.shared.log_mel, sound.spec.n_mels, &mut self.strength);
        &self.strength
    }
}

impl Feature for OnsetKind {
    const NAME: &'static str = "onset_strength";
    const TITLE: &'static str = "Onset strength";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::LogMel];

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        OnsetConfig::of(spec).validate()
    }

    #[expect(clippy::expect_used, reason = "the specification has been validated")]
    fn plan(spec: &FeatureSpec) -> Self {
        let plan = OnsetStrength::new(OnsetConfig::of(spec)).expect("a valid configuration");
        Self { plan, strength: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        rows.copy_from(self.strength(sound));
    }
}

/// Onset strength of a whole sound, with bands summed up in this way.
pub(super) fn of_sound(samples: &[f32], spec: &FeatureSpec, aggregate: Aggregate) -> Result<Vec<f32>, Error> {
    let onset = OnsetConfig { aggregate, ..spec.onset.clone() };
    let spec = FeatureSpec { kinds: vec![FeatureKind::OnsetStrength], onset, ..spec.clone() };
    Ok(spec.extractor()?.extract(samples).values)
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
    fn only_what_rises_counts() {
        let log_mel = [0.0, 0.0, 10.0, -30.0, 0.0, -10.0, 0.0, -10.0];
        let config = OnsetConfig { center: false, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &log_mel, 2), [0.0, 5.0, 10.0, 0.0]);
        // Centred: half an FFT of 2048 is two hops of 512.
        let centred = OnsetConfig { center: true, ..config };
        assert_eq!(strength(centred, &log_mel, 2), [0.0, 0.0, 0.0, 5.0]);
    }

    #[test]
    fn vibrato_is_no_onset_to_a_wide_comparison() {
        let log_mel = [0.0, 40.0, 0.0, 0.0, 0.0, 0.0, 40.0, 0.0];
        let config = OnsetConfig { center: false, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &log_mel, 4), [0.0, 10.0]);
        assert_eq!(strength(OnsetConfig { max_size: 3, ..config }, &log_mel, 4), [0.0, 0.0]);
    }

    #[test]
    fn what_is_shorter_than_the_lag_has_no_onset() {
        let config = OnsetConfig { lag: 5, ..OnsetConfig::default() };
        assert_eq!(strength(config.clone(), &[1.0, 2.0, 3.0], 1), [0.0; 3]);
        assert_eq!(strength(config, &[], 1), [0.0; 0]);
    }

    #[test]
    fn a_lag_or_a_width_of_nothing_is_refused_by_name() {
        let refused = |config: OnsetConfig| match OnsetStrength::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(OnsetConfig { lag: 0, ..OnsetConfig::default() }), "lag");
        assert_eq!(refused(OnsetConfig { max_size: 0, ..OnsetConfig::default() }), "max_size");
    }
}
