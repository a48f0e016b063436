//! Chroma of the constant-Q transform: the bins of each pitch class, summed over all octaves.
//!
//! By default an octave has three bins per pitch class: a pitch class is the sum of its own bin and the two adjacent ones,
//! which tolerates small deviations from the tuning.
//!
//! # Conventions
//! - `[n_frames, n_chroma]`; bin 0 is C.
//! - Unless it is given, the tuning is estimated from the magnitudes of an STFT with librosa's defaults.
//!
//! # Reference
//! Bello & Pickens, "A robust mid-level representation for harmonic content in music signals", 2005;
//! `librosa.feature.chroma_cqt` and `librosa.filters.cq_to_chroma` 0.11.

use serde::{Deserialize, Serialize};

use super::cqt::{skip_to_first_frame, validate_cqt_size};
use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::pitch_class::pitch_classes;
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::feature::tuning::TuningEstimator;
use crate::transform::cqt::C1_HZ;
use crate::transform::{Cqt, CqtConfig, Norm, Stft, StftConfig};

/// Upper bound of the estimated tuning, in bins.
const MAX_TUNING: f64 = 0.5;

/// Settings of CQT chroma; librosa's names and defaults.
///
/// In a feature specification, sample rate and hop are those of the specification, and are not serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaCqtConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// Frequency of the lowest bin of the transform, in Hz.
    pub f_min: f64,
    /// Number of octaves.
    pub n_octaves: usize,
    /// Bins of the transform per octave.
    pub bins_per_octave: usize,
    /// Number of pitch classes per octave; a divisor of `bins_per_octave`.
    pub n_chroma: usize,
    /// Deviation from A4 = 440 Hz, in bins of the transform; estimated if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<f64>,
    /// Smaller values are set to 0, before the scaling.
    pub threshold: f32,
    /// Normalisation of each frame.
    pub norm: Norm,
}

impl Default for ChromaCqtConfig {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            hop_length: 512,
            f_min: C1_HZ,
            n_octaves: 7,
            bins_per_octave: 36,
            n_chroma: 12,
            tuning: None,
            threshold: 0.0,
            norm: Norm::Max,
        }
    }
}

impl ChromaCqtConfig {
    /// Checks that chroma can be computed for every tuning.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let bins_per_octave = self.bins_per_octave;
        let is_divisor = self.n_chroma > 0 && bins_per_octave.is_multiple_of(self.n_chroma);
        require(is_divisor, "n_chroma", self.n_chroma, || {
            format!("a number that divides bins_per_octave = {bins_per_octave}")
        })?;
        require(!self.threshold.is_nan(), "threshold", self.threshold, || "a number".into())?;
        self.tuned(self.tuning.unwrap_or(MAX_TUNING)).validate()
    }

    /// The transform tuned to this deviation, in bins.
    fn tuned(&self, tuning: f64) -> CqtConfig {
        CqtConfig {
            sample_rate: self.sample_rate,
            hop_length: self.hop_length,
            f_min: self.f_min,
            n_bins: self.n_octaves.saturating_mul(self.bins_per_octave),
            bins_per_octave: self.bins_per_octave,
            tuning,
            ..CqtConfig::default()
        }
    }

    /// The pitch class of each bin of the transform: `[n_octaves * bins_per_octave]`.
    fn pitch_classes(&self) -> Vec<usize> {
        let (bins_per_octave, n_chroma) = (self.bins_per_octave, self.n_chroma);
        let n_merge = bins_per_octave / n_chroma;
        let midi = 12.0 * (self.f_min / 440.0).log2() + 69.0;
        let roll = (midi.rem_euclid(12.0) * n_chroma as f64 / 12.0).round_ties_even() as usize;
        (0..self.n_octaves * bins_per_octave)
            .map(|bin| ((bin % bins_per_octave + n_merge / 2) % bins_per_octave / n_merge + roll) % n_chroma)
            .collect()
    }
}

/// CQT chroma, planned.
#[derive(Debug, Clone)]
pub struct ChromaCqt {
    config: ChromaCqtConfig,
    cqt: Cqt,
    /// The pitch class of each bin.
    pitch_classes: Vec<usize>,
    /// For the estimate of the tuning.
    stft: Stft,
    estimator: TuningEstimator,
    /// `[n_fft / 2 + 1]`, of the current frame.
    spectrum: Vec<f32>,
    /// `[n_frames, n_bins]`
    magnitude: Vec<f32>,
}

impl ChromaCqt {
    /// Plans chroma.
    ///
    /// # Errors
    /// Those of [`ChromaCqtConfig::validate`].
    pub fn new(config: ChromaCqtConfig) -> Result<Self, Error> {
        config.validate()?;
        let stft = StftConfig::default();
        let bins_per_octave = config.bins_per_octave;
        Ok(Self {
            cqt: Cqt::planned(config.tuned(config.tuning.unwrap_or(0.0))),
            pitch_classes: config.pitch_classes(),
            estimator: TuningEstimator::new(config.sample_rate, stft.n_fft, bins_per_octave),
            spectrum: vec![0.0; stft.n_fft / 2 + 1],
            stft: Stft::new(stft)?,
            magnitude: Vec::new(),
            config,
        })
    }

    /// Number of frames of `n_samples` samples; 0 for none.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.cqt.n_frames(n_samples)
    }

    /// Chroma of a signal.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`
    /// - `chroma`: `[n_frames, n_chroma]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.chroma_cqt` 0.11 within 1e-4.
    pub fn apply(&mut self, samples: &[f32], chroma: &mut [f32]) {
        if self.config.tuning.is_none() {
            let tuning = self.estimate_tuning(samples);
            if tuning != self.cqt.config().tuning {
                self.cqt = Cqt::planned(self.config.tuned(tuning));
            }
        }
        self.cqt.magnitude_into(samples, &mut self.magnitude);
        let frames = self.magnitude.chunks_exact(self.pitch_classes.len().max(1));
        for (frame, chroma) in frames.zip(chroma.chunks_exact_mut(self.config.n_chroma)) {
            chroma.fill(0.0);
            frame.iter().zip(&self.pitch_classes).for_each(|(value, class)| chroma[*class] += value);
            let threshold = self.config.threshold;
            chroma.iter_mut().filter(|value| **value < threshold).for_each(|value| *value = 0.0);
            self.config.norm.normalize(chroma);
        }
    }

    fn estimate_tuning(&mut self, samples: &[f32]) -> f64 {
        let Self { stft, estimator, spectrum, .. } = self;
        estimator.clear();
        stft.for_each_frame(samples, |_, bins| {
            crate::transform::stft::magnitude(bins, spectrum);
            estimator.add(spectrum);
        });
        estimator.tuning()
    }
}

/// CQT chroma: `[n_frames, n_chroma]`.
#[derive(Debug, Clone)]
pub(crate) struct ChromaCqtFeature {
    plan: ChromaCqt,
    /// `[n_frames, n_chroma]`, centred.
    chroma: Vec<f32>,
}

impl ChromaCqtFeature {
    /// Chroma of a segment, with the frames of the specification: `[n_frames, n_chroma]`.
    pub(super) fn chroma(&mut self, input: &FrameInput<'_>) -> &[f32] {
        let n_chroma = self.plan.config.n_chroma;
        self.chroma.resize(self.plan.n_frames(input.samples.len()) * n_chroma, 0.0);
        self.plan.apply(input.samples, &mut self.chroma);
        skip_to_first_frame(input.params, &self.chroma, n_chroma)
    }
}

impl Feature for ChromaCqtFeature {
    type Config = ChromaCqtConfig;
    const NAME: &'static str = "chroma_cqt";
    const TITLE: &'static str = "Chroma (constant Q)";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[];

    fn n_bins(config: &ChromaCqtConfig, _: &FrameParams) -> usize {
        config.n_chroma
    }

    fn bins(config: &ChromaCqtConfig, _: &FrameParams) -> Bins {
        pitch_classes(config.n_chroma, true)
    }

    fn validate(config: &ChromaCqtConfig, params: &FrameParams) -> Result<(), Error> {
        config.validate()?;
        validate_cqt_size(params, config.n_octaves * config.bins_per_octave)
    }

    #[expect(clippy::expect_used, reason = "the settings have been validated")]
    fn plan(config: &ChromaCqtConfig, _: &FrameParams) -> Self {
        Self { plan: ChromaCqt::new(config.clone()).expect("valid settings"), chroma: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        rows.copy_from(self.chroma(input));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pitch_classes_of_bins_equal_librosas() {
        // m = librosa.filters.cq_to_chroma(n, bins_per_octave=b, n_chroma=c, fmin=f); print(m.argmax(axis=0))
        let classes = |bins_per_octave, n_chroma, n_octaves, f_min| {
            let config = ChromaCqtConfig::default();
            ChromaCqtConfig { bins_per_octave, f_min, n_chroma, n_octaves, ..config }.pitch_classes()
        };
        assert_eq!(classes(12, 12, 1, C1_HZ), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(classes(36, 12, 2, C1_HZ)[30..40], [10, 10, 11, 11, 11, 0, 0, 0, 1, 1]);
        assert_eq!(classes(24, 12, 1, 55.0)[..6], [9, 10, 10, 11, 11, 0]);
    }

    #[test]
    fn a_detuned_note_has_its_pitch_class() {
        let sharp = 440.0 * f64::exp2(0.3 / 12.0);
        let turns = std::f64::consts::TAU * sharp / 22_050.0;
        let tone: Vec<f32> = (0..30_000).map(|n| (turns * f64::from(n)).sin() as f32).collect();
        let mut plan = ChromaCqt::new(ChromaCqtConfig::default()).unwrap();
        let mut chroma = vec![0.0; plan.n_frames(tone.len()) * 12];
        plan.apply(&tone, &mut chroma);
        let middle = &chroma[30 * 12..31 * 12];
        assert_eq!(middle[9], 1.0, "{middle:?}");
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
        let refused = |config: ChromaCqtConfig| match ChromaCqt::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = ChromaCqtConfig::default;
        assert_eq!(refused(ChromaCqtConfig { n_chroma: 0, ..default() }), "n_chroma");
        assert_eq!(refused(ChromaCqtConfig { n_chroma: 13, ..default() }), "n_chroma");
        assert_eq!(refused(ChromaCqtConfig { n_octaves: 0, ..default() }), "n_bins");
        assert_eq!(refused(ChromaCqtConfig { n_octaves: usize::MAX, ..default() }), "n_bins");
        assert_eq!(refused(ChromaCqtConfig { threshold: f32::NAN, ..default() }), "threshold");
    }
}
