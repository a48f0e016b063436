//! Chroma by the constant-Q transform: its bins are notes already, so those of all octaves are added up.
//!
//! An octave has three times as many bins as pitch classes by default, and each pitch class takes its own bin and the
//! two beside it: a note a little out of tune is still the note.
//!
//! # Conventions
//! - `[n_frames, n_chroma]`; bin 0 is C.
//! - Tuning, unless it is given, is estimated from the magnitudes of an STFT with librosa's defaults.
//!
//! # Reference
//! Bello & Pickens, "A robust mid-level representation for harmonic content in music signals", 2005;
//! `librosa.feature.chroma_cqt` and `librosa.filters.cq_to_chroma` 0.11.

use super::tuning::TuningEstimator;
use crate::Error;
use crate::signal::{Cqt, CqtConfig, Norm, Stft, StftConfig};

/// Beyond this no estimate of tuning goes, in bins.
const MAX_TUNING: f64 = 0.5;

/// What chroma by the CQT is made of; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ChromaCqtConfig {
    /// The transform; its tuning is overwritten by the one below, and its number of bins by `n_octaves`.
    pub cqt: CqtConfig,
    /// Number of pitch classes in an octave; has to divide the transform's bins per octave.
    pub n_chroma: usize,
    /// Number of octaves.
    pub n_octaves: usize,
    /// By how much everything is out of tune, in bins of the transform; estimated if absent.
    pub tuning: Option<f64>,
    /// Values below count as 0.
    pub threshold: f32,
    /// Scaling of each frame.
    pub norm: Norm,
}

impl Default for ChromaCqtConfig {
    fn default() -> Self {
        Self {
            cqt: CqtConfig { bins_per_octave: 36, ..CqtConfig::default() },
            n_chroma: 12,
            n_octaves: 7,
            tuning: None,
            threshold: 0.0,
            norm: Norm::Max,
        }
    }
}

impl ChromaCqtConfig {
    /// Checks that chroma can be computed, however the recording is tuned.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let bins_per_octave = self.cqt.bins_per_octave;
        if self.n_chroma == 0 || !bins_per_octave.is_multiple_of(self.n_chroma) {
            let expected = format!("a number that divides bins_per_octave = {bins_per_octave}");
            let found = self.n_chroma.to_string();
            return Err(Error::InvalidSpec { parameter: "n_chroma", found, expected });
        }
        if self.threshold.is_nan() {
            let expected = "a number".into();
            return Err(Error::InvalidSpec { parameter: "threshold", found: "NaN".into(), expected });
        }
        self.tuned(self.tuning.unwrap_or(MAX_TUNING)).validate()
    }

    /// The transform for a recording of this tuning.
    fn tuned(&self, tuning: f64) -> CqtConfig {
        let n_bins = self.n_octaves.saturating_mul(self.cqt.bins_per_octave);
        CqtConfig { tuning, n_bins, ..self.cqt.clone() }
    }

    /// The pitch class to which each bin of the transform belongs.
    fn pitch_classes(&self) -> Vec<usize> {
        let (bins_per_octave, n_chroma) = (self.cqt.bins_per_octave, self.n_chroma);
        let n_merge = bins_per_octave / n_chroma;
        let midi = 12.0 * (self.cqt.f_min / 440.0).log2() + 69.0;
        let roll = (midi.rem_euclid(12.0) * n_chroma as f64 / 12.0).round_ties_even() as usize;
        (0..self.n_octaves * bins_per_octave)
            .map(|bin| ((bin % bins_per_octave + n_merge / 2) % bins_per_octave / n_merge + roll) % n_chroma)
            .collect()
    }
}

/// Chroma of sounds, planned.
#[derive(Debug, Clone)]
pub struct ChromaCqt {
    config: ChromaCqtConfig,
    cqt: Cqt,
    /// The pitch class of each bin.
    pitch_classes: Vec<usize>,
    /// Listens to the tuning.
    stft: Stft,
    estimator: TuningEstimator,
    /// `[n_fft / 2 + 1]`, of the frame at hand.
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
        let bins_per_octave = config.cqt.bins_per_octave;
        Ok(Self {
            cqt: Cqt::planned(config.tuned(config.tuning.unwrap_or(0.0))),
            pitch_classes: config.pitch_classes(),
            estimator: TuningEstimator::new(config.cqt.sample_rate, stft.n_fft, bins_per_octave),
            spectrum: vec![0.0; stft.n_fft / 2 + 1],
            stft: Stft::new(stft)?,
            magnitude: Vec::new(),
            config,
        })
    }

    /// Number of frames of a sound of `n_samples`; none of an empty one.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.cqt.n_frames(n_samples)
    }

    /// Chroma of a sound.
    ///
    /// # Shapes
    /// - `chroma`: `[n_frames, n_chroma]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.chroma_cqt` 0.11 within 1e-4.
    pub fn apply(&mut self, samples: &[f32], chroma: &mut [f32]) {
        if self.config.tuning.is_none() {
            let tuning = self.estimate(samples);
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

    fn estimate(&mut self, samples: &[f32]) -> f64 {
        let Self { stft, estimator, spectrum, .. } = self;
        estimator.clear();
        stft.for_each_frame(samples, |_, bins| {
            crate::signal::stft::magnitude(bins, spectrum);
            estimator.add(spectrum);
        });
        estimator.tuning()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_belong_to_the_pitch_classes_that_librosa_gives_them() {
        // m = librosa.filters.cq_to_chroma(n, bins_per_octave=b, n_chroma=c, fmin=f); print(m.argmax(axis=0))
        let classes = |bins_per_octave, n_chroma, n_octaves, f_min| {
            let cqt = CqtConfig { bins_per_octave, f_min, ..CqtConfig::default() };
            ChromaCqtConfig { cqt, n_chroma, n_octaves, ..ChromaCqtConfig::default() }.pitch_classes()
        };
        let c1 = CqtConfig::default().f_min;
        assert_eq!(classes(12, 12, 1, c1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(classes(36, 12, 2, c1)[30..40], [10, 10, 11, 11, 11, 0, 0, 0, 1, 1]);
        assert_eq!(classes(24, 12, 1, 55.0)[..6], [9, 10, 10, 11, 11, 0]);
    }

    #[test]
    fn a_note_is_its_pitch_class_even_if_it_is_out_of_tune() {
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
    fn impossible_chroma_is_refused_by_name() {
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
