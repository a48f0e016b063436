//! Chroma of the STFT: energy per pitch class, summed over all octaves.
//!
//! Each bin of the power spectrum is distributed over the pitch classes near its frequency with Gaussian weights; bins far
//! from the centre octave have lower weights.
//!
//! # Conventions
//! - `[n_frames, n_chroma]`; bin 0 is C (with `base_c`), or A.
//! - Unless it is given, the tuning is estimated from the power spectrogram, as in librosa.
//!
//! # Reference
//! Fujishima, "Realtime chord recognition of musical sound", 1999; Ellis, "Chroma feature analysis and synthesis",
//! 2007; `librosa.feature.chroma_stft` and `librosa.filters.chroma` 0.11.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::pitch_class::{pitch_classes, validate_n_chroma};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::feature::tuning::TuningEstimator;
use crate::transform::Norm;
use crate::transform::fourier;

/// Number of pitch classes that are summed in parallel.
const LANES: usize = 16;
/// The bin at 0 Hz has no pitch; as in librosa, it is placed this many octaves below the next bin.
const OCTAVES_BELOW_FIRST: f64 = 1.5;

/// Settings of STFT chroma; librosa's names and defaults.
///
/// In a feature specification, sample rate and FFT length are those of the specification, and are not serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Length of the FFT, in samples.
    #[serde(skip)]
    pub n_fft: usize,
    /// Number of pitch classes per octave.
    pub n_chroma: usize,
    /// Deviation from A4 = 440 Hz, in pitch classes; estimated if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<f64>,
    /// Octave of the maximum weight, in octaves above A0.
    pub ctroct: f64,
    /// Standard deviation of the weight over octaves; 0 for equal weights (librosa's `None`).
    pub octwidth: f64,
    /// Whether the first pitch class is C instead of A.
    pub base_c: bool,
    /// Normalisation of each frame.
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

/// STFT chroma, planned.
#[derive(Debug, Clone)]
pub struct ChromaStft {
    config: ChromaConfig,
    estimator: TuningEstimator,
    filters: ChromaFilterBank,
    /// The deviation of `filters`, in pitch classes.
    tuning: f64,
    /// `[n_fft / 2 + 1]`, working space.
    power: Vec<f32>,
}

impl ChromaStft {
    /// Plans chroma.
    pub fn new(config: ChromaConfig) -> Self {
        let tuning = config.tuning.unwrap_or(0.0);
        Self {
            estimator: TuningEstimator::new(config.sample_rate, config.n_fft, config.n_chroma),
            filters: ChromaFilterBank::new(&config, tuning),
            tuning,
            power: Vec::new(),
            config,
        }
    }

    /// Chroma of a power spectrogram.
    ///
    /// # Shapes
    /// - `power`: `[n_frames, n_fft / 2 + 1]`
    /// - `chroma`: `[n_frames, n_chroma]`, overwritten
    ///
    /// # Reference
    /// Equals `librosa.feature.chroma_stft` 0.11 within 1e-5.
    pub fn apply(&mut self, power: &[f32], chroma: &mut [f32]) {
        self.apply_to(power, |power, _| power, chroma);
    }

    /// [`apply`](Self::apply) to frames from which `power_of` computes the power, in working space if it needs any.
    fn apply_to(
        &mut self,
        frames: &[f32],
        power_of: impl for<'a> Fn(&'a [f32], &'a mut Vec<f32>) -> &'a [f32],
        chroma: &mut [f32],
    ) {
        let frames = frames.chunks_exact(fourier::n_bins(self.config.n_fft).max(1));
        let mut power = std::mem::take(&mut self.power);
        if self.config.tuning.is_none() {
            self.estimator.clear();
            frames.clone().for_each(|frame| self.estimator.add(power_of(frame, &mut power)));
            let tuning = self.estimator.tuning();
            self.tune(tuning);
        }
        for (frame, chroma) in frames.zip(chroma.chunks_exact_mut(self.config.n_chroma.max(1))) {
            self.filters.apply(power_of(frame, &mut power), chroma);
            self.config.norm.normalize(chroma);
        }
        self.power = power;
    }

    /// Recomputes the filters if the tuning has changed.
    fn tune(&mut self, tuning: f64) {
        if tuning != self.tuning {
            self.filters = ChromaFilterBank::new(&self.config, tuning);
            self.tuning = tuning;
        }
    }
}

/// A chroma filter bank: the weight of each FFT bin in each pitch class.
#[derive(Debug, Clone)]
pub struct ChromaFilterBank {
    n_bins: usize,
    n_chroma: usize,
    /// `[n_chroma / LANES, n_bins, LANES]`: per block of sixteen pitch classes, their weights bin by bin.
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
            for (chroma, weight) in gaussian_weights(config, pitches[bin], width).into_iter().enumerate() {
                let rolled =
                    if config.base_c { chroma + n_chroma - 3 * (n_chroma / 12) } else { chroma } % n_chroma;
                weights[rolled / LANES * n_bins + bin][rolled % LANES] = weight as f32;
            }
        }
        Self { n_bins, n_chroma, weights }
    }

    /// Weighted sums of a spectrum, one per pitch class.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`
    /// - `chroma`: `[n_chroma]`, overwritten
    pub fn apply(&self, spectrum: &[f32], chroma: &mut [f32]) {
        let blocks = self.weights.chunks_exact(self.n_bins.max(1));
        for (out, block) in chroma.chunks_mut(LANES).zip(blocks) {
            out.copy_from_slice(&weighted_sums(spectrum, block)[..out.len()]);
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

/// The sums of the values times the weights of each pitch class.
#[multiversion]
fn weighted_sums(spectrum: &[f32], weights: &[[f32; LANES]]) -> [f32; LANES] {
    let mut sums = [0.0f32; LANES];
    for (value, weights) in spectrum.iter().zip(weights) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += value * weight;
        }
    }
    sums
}

/// The pitches of the bins of the spectrum, and of one more, in pitch classes above A0.
fn pitches(config: &ChromaConfig, tuning: f64) -> Vec<f64> {
    let n_chroma = config.n_chroma as f64;
    let a0_hz = 440.0 / 16.0 * (tuning / n_chroma).exp2();
    let bin_hz = f64::from(config.sample_rate) / config.n_fft as f64;
    let pitch = |bin: usize| n_chroma * (bin as f64 * bin_hz / a0_hz).log2();
    let first = pitch(1) - OCTAVES_BELOW_FIRST * n_chroma;
    let end = (fourier::n_bins(config.n_fft) + 1).min(config.n_fft);
    std::iter::once(first).chain((1..end).map(pitch)).collect()
}

/// The weights of a bin in each pitch class, from A on: of unit L2 norm, times the octave weight.
fn gaussian_weights(config: &ChromaConfig, pitch: f64, width: f64) -> Vec<f64> {
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
    let octave_weight = if config.octwidth > 0.0 { (-0.5 * distance.powi(2)).exp() } else { 1.0 };
    let scale = octave_weight / if length >= f64::MIN_POSITIVE { length } else { 1.0 };
    weights.iter_mut().for_each(|w| *w *= scale);
    weights
}

/// STFT chroma: `[n_frames, n_chroma]`.
#[derive(Debug, Clone)]
pub(crate) struct ChromaStftFeature {
    plan: ChromaStft,
    /// `[n_frames, n_chroma]`
    chroma: Vec<f32>,
}

impl Feature for ChromaStftFeature {
    type Config = ChromaConfig;
    const NAME: &'static str = "chroma_stft";
    const TITLE: &'static str = "Chroma";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(config: &ChromaConfig, _: &FrameParams) -> usize {
        config.n_chroma
    }

    fn bins(config: &ChromaConfig, _: &FrameParams) -> Bins {
        pitch_classes(config.n_chroma, config.base_c)
    }

    fn validate(config: &ChromaConfig, _: &FrameParams) -> Result<(), Error> {
        let ChromaConfig { n_chroma, tuning, ctroct, octwidth, .. } = *config;
        validate_n_chroma("chroma_stft.n_chroma", n_chroma)?;
        let tuning = tuning.unwrap_or(0.0);
        require(tuning.abs() <= n_chroma as f64, "chroma_stft.tuning", tuning, || {
            "a number of pitch classes, at most an octave".into()
        })?;
        require(ctroct.is_finite(), "chroma_stft.ctroct", ctroct, || "a number of octaves".into())?;
        require(octwidth.is_finite() && octwidth >= 0.0, "chroma_stft.octwidth", octwidth, || {
            "a number of octaves, or 0 for no weighting".into()
        })
    }

    fn plan(config: &ChromaConfig, _: &FrameParams) -> Self {
        Self { plan: ChromaStft::new(config.clone()), chroma: Vec::new() }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.chroma.resize(input.n_frames * self.plan.config.n_chroma, 0.0);
        self.plan.apply_to(input.magnitude, squared, &mut self.chroma);
        rows.copy_from(&self.chroma);
    }
}

/// The power of a frame of magnitudes.
fn squared<'a>(magnitude: &[f32], power: &'a mut Vec<f32>) -> &'a [f32] {
    power.clear();
    power.extend(magnitude.iter().map(|x| x * x));
    power
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

    fn strongest(chroma: &[f32]) -> usize {
        (0..chroma.len()).max_by(|a, b| chroma[*a].total_cmp(&chroma[*b])).unwrap()
    }

    #[test]
    fn a_note_has_its_pitch_class_in_every_octave() {
        for (hz, pitch_class) in [(261.63, 0), (523.25, 0), (1046.5, 0), (440.0, 9), (880.0, 9), (369.99, 6)]
        {
            assert_eq!(strongest(&chroma_of(ChromaConfig::default(), hz)), pitch_class, "{hz} Hz");
        }
    }

    #[test]
    fn a_detuned_note_has_its_pitch_class() {
        let sharp = 440.0 * f64::exp2(0.4 / 12.0);
        let found = chroma_of(ChromaConfig::default(), sharp);
        let in_tune = chroma_of(ChromaConfig { tuning: Some(0.0), ..ChromaConfig::default() }, sharp);
        assert_eq!((strongest(&found), strongest(&in_tune)), (9, 9));
        assert!(
            found[10] < in_tune[10],
            "tuning reduces the adjacent pitch class: {} {}",
            found[10],
            in_tune[10]
        );
    }

    #[test]
    fn the_first_pitch_class_is_configurable() {
        let from_a = ChromaConfig { base_c: false, ..ChromaConfig::default() };
        assert_eq!(strongest(&chroma_of(from_a, 440.0)), 0);
        let quarter_tones = ChromaConfig { n_chroma: 24, ..ChromaConfig::default() };
        assert_eq!(strongest(&chroma_of(quarter_tones, 440.0)), 18);
    }

    #[test]
    fn the_chroma_of_silence_is_zero() {
        let mut chroma = [f32::NAN; 24];
        ChromaStft::new(ChromaConfig::default()).apply(&[0.0; 2050], &mut chroma);
        assert_eq!(chroma, [0.0; 24]);
    }
}
