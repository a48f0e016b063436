//! Chroma by the STFT: how strong each of the twelve pitch classes is, whatever the octave.
//!
//! Every bin of the spectrum gives its power to the pitch classes near its frequency, under a bell curve; bins far
//! from the middle of the range of music give less.
//!
//! # Conventions
//! - `[n_frames, n_chroma]`; bin 0 is C (with `base_c`), or A.
//! - Tuning, unless it is given, is estimated from the power spectrogram, as librosa does here.
//!
//! # Reference
//! Fujishima, "Realtime chord recognition of musical sound", 1999; Ellis, "Chroma feature analysis and synthesis",
//! 2007; `librosa.feature.chroma_stft` and `librosa.filters.chroma` 0.11.

use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::kind::{Bins, Feature, Rows};
use super::pitch_class::{pitch_classes, validate_n_chroma};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use super::tuning::TuningEstimator;
use crate::Error;
use crate::transform::Norm;
use crate::transform::fourier;

/// Number of pitch classes that are summed side by side.
const LANES: usize = 16;
/// The bin at 0 Hz has no pitch; it is taken to lie this many octaves below the next (librosa's choice).
const OCTAVES_BELOW_FIRST: f64 = 1.5;

/// What chroma is made of; librosa's names and defaults.
///
/// Within a feature specification, its sample rate and FFT hold here too, and are not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Length of the FFT whose bins are gathered.
    #[serde(skip)]
    pub n_fft: usize,
    /// Number of pitch classes in an octave.
    pub n_chroma: usize,
    /// By how much everything is out of tune, in pitch classes; estimated if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<f64>,
    /// Where bins count most, in octaves above A0.
    pub ctroct: f64,
    /// How fast they count less away from there, in octaves; 0 lets all count the same (librosa's `None`).
    pub octwidth: f64,
    /// Whether the first pitch class is C, and not A.
    pub base_c: bool,
    /// Scaling of each frame.
    pub norm: Norm,
}

impl Default for ChromaConfig {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            n_fft: 2048,
            n_chroma: 12,
            tuning: None,
            ctroct: 5.0,
            octwidth: 2.0,
            base_c: true,
            norm: Norm::Max,
        }
    }
}

impl ChromaConfig {
    /// That of a specification, whose sample rate and FFT it takes.
    pub fn of(spec: &FeatureSpec) -> Self {
        Self { sample_rate: spec.sample_rate, n_fft: spec.n_fft, ..spec.chroma_stft.clone() }
    }
}

/// Chroma of power spectrograms, planned.
#[derive(Debug, Clone)]
pub struct ChromaStft {
    config: ChromaConfig,
    estimator: TuningEstimator,
    filters: ChromaFilterBank,
    /// What the filters are tuned to.
    tuning: f64,
}

impl ChromaStft {
    /// Plans chroma.
    pub fn new(config: ChromaConfig) -> Self {
        let tuning = config.tuning.unwrap_or(0.0);
        Self {
            estimator: TuningEstimator::new(config.sample_rate, config.n_fft, config.n_chroma),
            filters: ChromaFilterBank::new(&config, tuning),
            tuning,
            config,
        }
    }

    /// Chroma of a sound from its power spectrogram.
    ///
    /// # Shapes
    /// - `power`: `[n_frames, n_fft / 2 + 1]`
    /// - `chroma`: `[n_frames, n_chroma]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.chroma_stft` 0.11 within 1e-5.
    pub fn apply(&mut self, power: &[f32], chroma: &mut [f32]) {
        let frames = power.chunks_exact(fourier::n_bins(self.config.n_fft).max(1));
        if self.config.tuning.is_none() {
            self.estimator.clear();
            frames.clone().for_each(|frame| self.estimator.add(frame));
            let tuning = self.estimator.tuning();
            self.tune(tuning);
        }
        for (frame, chroma) in frames.zip(chroma.chunks_exact_mut(self.config.n_chroma.max(1))) {
            self.filters.apply(frame, chroma);
            self.config.norm.normalize(chroma);
        }
    }

    /// Most recordings of a collection are in tune: the filters are computed anew only where one is not.
    fn tune(&mut self, tuning: f64) {
        if tuning != self.tuning {
            self.filters = ChromaFilterBank::new(&self.config, tuning);
            self.tuning = tuning;
        }
    }
}

/// How much each bin of a spectrum gives to each pitch class.
#[derive(Debug, Clone)]
pub struct ChromaFilterBank {
    n_bins: usize,
    n_chroma: usize,
    /// `[n_chroma / LANES, n_bins, LANES]`: of each bin in turn, its weights in sixteen pitch classes side by side.
    weights: Vec<[f32; LANES]>,
}

impl ChromaFilterBank {
    /// Computes the filters for one tuning.
    ///
    /// # Reference
    /// Equals `librosa.filters.chroma` 0.11 up to the rounding of f32.
    pub fn new(config: &ChromaConfig, tuning: f64) -> Self {
        let (n_bins, n_chroma) = (fourier::n_bins(config.n_fft), config.n_chroma);
        let pitches = pitches(config, tuning);
        let n_blocks = n_chroma.div_ceil(LANES);
        let mut weights = vec![[0.0; LANES]; n_blocks * n_bins];
        for bin in 0..n_bins {
            let width = pitches.get(bin + 1).map_or(1.0, |next| (next - pitches[bin]).max(1.0));
            for (chroma, weight) in bell_curves(config, pitches[bin], width).into_iter().enumerate() {
                let rolled =
                    if config.base_c { chroma + n_chroma - 3 * (n_chroma / 12) } else { chroma } % n_chroma;
                weights[rolled / LANES * n_bins + bin][rolled % LANES] = weight as f32;
            }
        }
        Self { n_bins, n_chroma, weights }
    }

    /// Gathers a spectrum into pitch classes.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`
    /// - `chroma`: `[n_chroma]`, overwritten
    pub fn apply(&self, spectrum: &[f32], chroma: &mut [f32]) {
        let blocks = self.weights.chunks_exact(self.n_bins.max(1));
        for (out, block) in chroma.chunks_mut(LANES).zip(blocks) {
            let mut sums = [0.0f32; LANES];
            for (value, weights) in spectrum.iter().zip(block) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += value * weight;
                }
            }
            out.copy_from_slice(&sums[..out.len()]);
        }
    }

    /// The weights as a matrix.
    ///
    /// # Shapes
    /// - returns: `[n_fft / 2 + 1, n_chroma]`
    pub fn to_dense(&self) -> Vec<f32> {
        let row = |bin: usize| {
            (0..self.n_chroma).map(move |c| self.weights[c / LANES * self.n_bins + bin][c % LANES])
        };
        (0..self.n_bins).flat_map(row).collect()
    }
}

/// The bins of the spectrum, and one more, in pitch classes above A0.
fn pitches(config: &ChromaConfig, tuning: f64) -> Vec<f64> {
    let n_chroma = config.n_chroma as f64;
    let a0_hz = 440.0 / 16.0 * (tuning / n_chroma).exp2();
    let bin_hz = f64::from(config.sample_rate) / config.n_fft as f64;
    let pitch = |bin: usize| n_chroma * (bin as f64 * bin_hz / a0_hz).log2();
    let first = pitch(1) - OCTAVES_BELOW_FIRST * n_chroma;
    let end = (fourier::n_bins(config.n_fft) + 1).min(config.n_fft);
    std::iter::once(first).chain((1..end).map(pitch)).collect()
}

/// What a bin gives to each pitch class, from A on: their squares add up to 1, unless the bin is far from the middle.
fn bell_curves(config: &ChromaConfig, pitch: f64, width: f64) -> Vec<f64> {
    let n_chroma = config.n_chroma as f64;
    let half = (n_chroma / 2.0).round_ties_even();
    let mut weights: Vec<f64> = (0..config.n_chroma)
        .map(|chroma| {
            let distance = (pitch - chroma as f64 + half).rem_euclid(n_chroma) - half;
            (-0.5 * (2.0 * distance / width).powi(2)).exp()
        })
        .collect();
    let length = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
    let distance = (pitch / n_chroma - config.ctroct) / config.octwidth;
    let share = if config.octwidth > 0.0 { (-0.5 * distance.powi(2)).exp() } else { 1.0 };
    let scale = share / if length >= f64::MIN_POSITIVE { length } else { 1.0 };
    weights.iter_mut().for_each(|w| *w *= scale);
    weights
}

/// Chroma by the STFT: `[n_frames, n_chroma]`.
#[derive(Debug, Clone)]
pub(super) struct ChromaStftKind {
    plan: ChromaStft,
    /// `[n_frames, n_fft / 2 + 1]`
    power: Vec<f32>,
    /// `[n_frames, n_chroma]`
    chroma: Vec<f32>,
}

impl Feature for ChromaStftKind {
    const NAME: &'static str = "chroma_stft";
    const TITLE: &'static str = "Chroma";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.chroma_stft.n_chroma
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        pitch_classes(spec.chroma_stft.n_chroma, spec.chroma_stft.base_c)
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        let ChromaConfig { n_chroma, tuning, ctroct, octwidth, .. } = spec.chroma_stft;
        validate_n_chroma("chroma_stft.n_chroma", n_chroma)?;
        let tuning = tuning.unwrap_or(0.0);
        require(tuning.abs() <= n_chroma as f64, "chroma_stft.tuning", tuning, || {
            "a part of a pitch class, at most an octave".into()
        })?;
        require(ctroct.is_finite(), "chroma_stft.ctroct", ctroct, || "a number of octaves".into())?;
        require(octwidth.is_finite() && octwidth >= 0.0, "chroma_stft.octwidth", octwidth, || {
            "a number of octaves, or 0 for no weighting".into()
        })
    }

    fn plan(spec: &FeatureSpec) -> Self {
        Self { plan: ChromaStft::new(ChromaConfig::of(spec)), power: Vec::new(), chroma: Vec::new() }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        self.power.clear();
        self.power.extend(sound.shared.magnitude.iter().map(|x| x * x));
        self.chroma.resize(sound.n_frames * sound.spec.chroma_stft.n_chroma, 0.0);
        self.plan.apply(&self.power, &mut self.chroma);
        rows.copy_from(&self.chroma);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Stft, StftConfig};

    fn chroma_of(config: ChromaConfig, frequency: f64) -> Vec<f32> {
        let turns = std::f64::consts::TAU * frequency / 22_050.0;
        let tone: Vec<f32> = (0..20_000).map(|n| (turns * f64::from(n)).sin() as f32).collect();
        let power = Stft::new(StftConfig::default()).unwrap().power(&tone);
        let n_chroma = config.n_chroma;
        let mut chroma = vec![0.0; power.len() / 1025 * n_chroma];
        ChromaStft::new(config).apply(&power, &mut chroma);
        chroma[20 * n_chroma..21 * n_chroma].to_vec()
    }

    fn loudest(chroma: &[f32]) -> usize {
        (0..chroma.len()).max_by(|a, b| chroma[*a].total_cmp(&chroma[*b])).unwrap()
    }

    #[test]
    fn a_note_is_its_pitch_class_in_every_octave() {
        for (hz, pitch_class) in [(261.63, 0), (523.25, 0), (1046.5, 0), (440.0, 9), (880.0, 9), (369.99, 6)]
        {
            assert_eq!(loudest(&chroma_of(ChromaConfig::default(), hz)), pitch_class, "{hz} Hz");
        }
    }

    #[test]
    fn a_note_out_of_tune_is_still_the_note() {
        let sharp = 440.0 * f64::exp2(0.4 / 12.0);
        let found = chroma_of(ChromaConfig::default(), sharp);
        let in_tune = chroma_of(ChromaConfig { tuning: Some(0.0), ..ChromaConfig::default() }, sharp);
        assert_eq!((loudest(&found), loudest(&in_tune)), (9, 9));
        assert!(found[10] < in_tune[10], "tuning makes the neighbour weaker: {} {}", found[10], in_tune[10]);
    }

    #[test]
    fn pitch_classes_begin_where_they_are_asked_to() {
        let from_a = ChromaConfig { base_c: false, ..ChromaConfig::default() };
        assert_eq!(loudest(&chroma_of(from_a, 440.0)), 0);
        let quarter_tones = ChromaConfig { n_chroma: 24, ..ChromaConfig::default() };
        assert_eq!(loudest(&chroma_of(quarter_tones, 440.0)), 18);
    }

    #[test]
    fn silence_has_no_pitch_class() {
        let mut chroma = [f32::NAN; 24];
        ChromaStft::new(ChromaConfig::default()).apply(&[0.0; 2050], &mut chroma);
        assert_eq!(chroma, [0.0; 24]);
    }
}
