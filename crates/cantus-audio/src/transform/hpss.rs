//! Harmonic-percussive source separation (HPSS) by median filtering.
//!
//! In a spectrogram, sustained tones are lines along time and percussive sounds lines along frequency. A median over frames
//! keeps the former and removes the latter; a median over bins does the opposite. The masks compare the two.
//!
//! # Conventions
//! - Spectrograms are `[n_frames, n_bins]`, medians run over `kernel_size` frames and bins.
//! - The masks are soft: `harmonic^power / (harmonic^power + percussive^power)`, with the other component multiplied by the
//!   margin. With margins above 1, a residual belongs to neither component.
//!
//! # Reference
//! Fitzgerald, "Harmonic/percussive separation using median filtering", 2010; margins: Driedger, Müller & Disch,
//! "Extending harmonic-percussive separation of audio signals", 2014; `librosa.decompose.hpss` and
//! `librosa.effects.hpss` 0.11.

use serde::{Deserialize, Serialize};

use super::fourier::Complex32;
use super::median::{LANES, RunningMedian};
use super::stft::{self, Stft, StftConfig};
use crate::Error;

/// Limit on the length of a median filter, in frames or bins.
const MAX_KERNEL_SIZE: usize = 4096;

/// Parameters of the separation; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssConfig {
    /// Length of the harmonic median filter, in frames.
    pub kernel_frames: usize,
    /// Length of the percussive median filter, in bins.
    pub kernel_bins: usize,
    /// Exponent of the soft masks; infinity gives hard masks.
    pub power: f32,
    /// Factor of the percussive component in the harmonic mask; at least 1.
    pub margin_harmonic: f32,
    /// Factor of the harmonic component in the percussive mask; at least 1.
    pub margin_percussive: f32,
}

impl Default for HpssConfig {
    fn default() -> Self {
        Self { kernel_frames: 31, kernel_bins: 31, power: 2.0, margin_harmonic: 1.0, margin_percussive: 1.0 }
    }
}

impl HpssConfig {
    /// Checks that the separation can be computed.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |parameter, found: &dyn ToString, expected: &str| {
            Err(Error::InvalidSpec { parameter, found: found.to_string(), expected: expected.into() })
        };
        for size in [self.kernel_frames, self.kernel_bins] {
            if !(1..=MAX_KERNEL_SIZE).contains(&size) {
                return invalid("hpss.kernel_size", &size, &format!("from 1 to {MAX_KERNEL_SIZE}"));
            }
        }
        if self.power.is_nan() || self.power <= 0.0 {
            return invalid("hpss.power", &self.power, "a positive number");
        }
        for margin in [self.margin_harmonic, self.margin_percussive] {
            if !margin.is_finite() || margin < 1.0 {
                return invalid("hpss.margin", &margin, "1 or more; usually from 1 to 10");
            }
        }
        Ok(())
    }
}

/// A planned separation.
#[derive(Debug, Clone)]
pub struct Hpss {
    config: HpssConfig,
    over_frames: RunningMedian,
    over_bins: RunningMedian,
    /// `[n_frames, n_bins]`
    harmonic: Vec<f32>,
    /// `[n_frames, n_bins]`
    percussive: Vec<f32>,
    /// `[n_bins]`, of [`LANES`] frames; scratch.
    columns: Vec<[f32; LANES]>,
}

impl Hpss {
    /// Plans the separation.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if a filter length is 0 or over the limit, the power is not positive, or a margin is below 1.
    pub fn new(config: HpssConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self::planned(config))
    }

    /// Plans a validated configuration.
    pub(crate) fn planned(config: HpssConfig) -> Self {
        Self {
            over_frames: RunningMedian::new(config.kernel_frames),
            over_bins: RunningMedian::new(config.kernel_bins),
            harmonic: Vec::new(),
            percussive: Vec::new(),
            columns: Vec::new(),
            config,
        }
    }

    /// The harmonic and the percussive mask of a magnitude spectrogram, in [0, 1].
    ///
    /// # Shapes
    /// - `magnitude`: `[n_frames, n_bins]`; an incomplete last row is not read
    /// - returns: both `[n_frames, n_bins]`
    ///
    /// # Reference
    /// Equals `librosa.decompose.hpss(magnitude.T, mask=True)` 0.11 within 1e-6.
    pub fn masks(&mut self, magnitude: &[f32], n_bins: usize) -> (&[f32], &[f32]) {
        let n_frames = magnitude.len().checked_div(n_bins).unwrap_or(0);
        for medians in [&mut self.harmonic, &mut self.percussive] {
            medians.clear();
            medians.resize(n_frames * n_bins, 0.0);
        }
        self.medians_over_frames(magnitude, n_bins);
        self.medians_over_bins(magnitude, n_bins);
        self.medians_to_masks();
        (&self.harmonic, &self.percussive)
    }

    /// The harmonic and the percussive component of a signal.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`
    /// - returns: both `[n_samples]`; with margins of 1 they add up to the signal
    ///
    /// # Reference
    /// Equals `librosa.effects.hpss` 0.11 within 1e-5 of the largest sample.
    pub fn separate(&mut self, samples: &[f32], stft: &mut Stft) -> (Vec<f32>, Vec<f32>) {
        let spectrogram = stft.transform(samples);
        let mut magnitude = vec![0.0; spectrogram.len()];
        stft::magnitude(&spectrogram, &mut magnitude);
        let (harmonic, percussive) = self.masks(&magnitude, stft.n_bins());
        let mut apply_mask = |mask: &[f32]| {
            let masked: Vec<Complex32> =
                spectrogram.iter().zip(mask).map(|(bin, share)| bin * share).collect();
            stft.inverse(&masked, samples.len())
        };
        (apply_mask(harmonic), apply_mask(percussive))
    }

    /// The medians over frames; adjacent bins are in adjacent lanes.
    fn medians_over_frames(&mut self, magnitude: &[f32], n_bins: usize) {
        let n_frames = self.harmonic.len().checked_div(n_bins).unwrap_or(0);
        for first in (0..n_bins).step_by(LANES) {
            let width = LANES.min(n_bins - first);
            let value = |t: usize| {
                let row = &magnitude[t * n_bins + first..][..width];
                row.try_into().unwrap_or_else(|_| padded(row))
            };
            self.over_frames.filter(n_frames, value, |t, medians| {
                self.harmonic[t * n_bins + first..][..width].copy_from_slice(&medians[..width]);
            });
        }
    }

    /// The medians over bins; adjacent frames are transposed to adjacent lanes.
    fn medians_over_bins(&mut self, magnitude: &[f32], n_bins: usize) {
        self.columns.clear();
        self.columns.resize(n_bins, [0.0; LANES]);
        let rows = magnitude.chunks(n_bins.max(1) * LANES);
        for (rows, medians) in rows.zip(self.percussive.chunks_mut(n_bins.max(1) * LANES)) {
            for (lane, row) in rows.chunks_exact(n_bins).enumerate() {
                self.columns.iter_mut().zip(row).for_each(|(column, value)| column[lane] = *value);
            }
            let columns = &self.columns;
            self.over_bins.filter(
                n_bins,
                |k| columns[k],
                |k, found| {
                    for (row, median) in medians.chunks_exact_mut(n_bins).zip(found) {
                        row[k] = *median;
                    }
                },
            );
        }
    }

    /// Converts the two medians to the two masks, in place.
    fn medians_to_masks(&mut self) {
        let HpssConfig { power, margin_harmonic, margin_percussive, .. } = self.config;
        let undecided = if margin_harmonic == 1.0 && margin_percussive == 1.0 { 0.5 } else { 0.0 };
        for (harmonic, percussive) in self.harmonic.iter_mut().zip(&mut self.percussive) {
            let (h, p) = (*harmonic, *percussive);
            *harmonic = soft_mask(h, p * margin_harmonic, power, undecided);
            *percussive = soft_mask(p, h * margin_percussive, power, undecided);
        }
    }
}

/// Separates a signal, with librosa's defaults as `librosa.effects.hpss(samples)`.
///
/// # Shapes
/// - `samples`: `[n_samples]`
/// - returns: the harmonic and the percussive component, both `[n_samples]`
///
/// # Errors
/// Those of [`Hpss::new`] and [`Stft::new`].
pub fn hpss(samples: &[f32], config: &HpssConfig, stft: &StftConfig) -> Result<(Vec<f32>, Vec<f32>), Error> {
    Ok(Hpss::new(config.clone())?.separate(samples, &mut Stft::new(stft.clone())?))
}

fn padded(row: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes[..row.len()].copy_from_slice(row);
    lanes
}

/// `x^power / (x^power + other^power)`; `undecided` where both are zero.
fn soft_mask(x: f32, other: f32, power: f32, undecided: f32) -> f32 {
    let larger = if x > other { x } else { other };
    if power == f32::INFINITY {
        return if x > other { 1.0 } else { 0.0 };
    }
    if larger < f32::MIN_POSITIVE {
        return undecided;
    }
    // Divided by the larger one first, so that the powers do not overflow.
    let raised = |value: f32| if power == 2.0 { value * value } else { value.powf(power) };
    let (x_raised, other_raised) = (raised(x / larger), raised(other / larger));
    x_raised / (x_raised + other_raised)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// A sustained tone and periodic clicks.
    fn tone_and_clicks(n_samples: usize) -> (Vec<f32>, Vec<f32>) {
        let tone = (0..n_samples).map(|n| (n as f32 * 0.2).sin() * 0.5).collect();
        let clicks = (0..n_samples).map(|n| if n % 4000 == 2000 { 1.0 } else { 0.0 }).collect();
        (tone, clicks)
    }

    #[test]
    fn a_tone_and_clicks_are_separated_and_add_up() {
        let (tone, clicks) = tone_and_clicks(30_000);
        let signal: Vec<f32> = tone.iter().zip(&clicks).map(|(a, b)| a + b).collect();
        let (harmonic, percussive) = hpss(&signal, &HpssConfig::default(), &StftConfig::default()).unwrap();
        let sum: Vec<f32> = harmonic.iter().zip(&percussive).map(|(a, b)| a + b).collect();
        assert_close(&sum, &signal, 1e-5);
        let energy = |samples: &[f32]| samples[6000..24_000].iter().map(|x| x * x).sum::<f32>();
        assert!(energy(&percussive) < 0.05 * energy(&tone), "the tone is in the percussive part");
        assert!(
            percussive[10_000] > 0.8 && harmonic[10_000].abs() < 0.7,
            "the click is in the harmonic part"
        );
    }

    #[test]
    fn margins_leave_a_residual() {
        let (tone, clicks) = tone_and_clicks(20_000);
        let signal: Vec<f32> = tone.iter().zip(&clicks).map(|(a, b)| a + b).collect();
        let mut stft = Stft::new(StftConfig::default()).unwrap();
        let magnitude = stft.magnitude(&signal);
        let config = HpssConfig { margin_harmonic: 3.0, margin_percussive: 3.0, ..HpssConfig::default() };
        let mut plan = Hpss::new(config).unwrap();
        let (harmonic, percussive) = plan.masks(&magnitude, stft.n_bins());
        assert!(harmonic.iter().zip(percussive).any(|(h, p)| h + p < 0.5));
    }

    #[test]
    fn silent_and_empty_input_is_accepted() {
        let mut plan = Hpss::new(HpssConfig::default()).unwrap();
        assert_eq!(plan.masks(&[0.0; 6], 3), (&[0.5; 6][..], &[0.5; 6][..]));
        assert_eq!(plan.masks(&[], 3), (&[][..], &[][..]));
        assert_eq!(plan.masks(&[1.0], 0), (&[][..], &[][..]));
        let hard = HpssConfig { power: f32::INFINITY, ..HpssConfig::default() };
        let found = hpss(&[0.5; 100], &hard, &StftConfig::default()).unwrap();
        assert!(found.0.iter().chain(&found.1).all(|x| x.is_finite()));
    }

    #[test]
    fn invalid_parameters_are_rejected_by_name() {
        let rejected = |config: HpssConfig| match Hpss::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = HpssConfig::default;
        assert_eq!(rejected(HpssConfig { kernel_frames: 0, ..default() }), "hpss.kernel_size");
        assert_eq!(rejected(HpssConfig { kernel_bins: usize::MAX, ..default() }), "hpss.kernel_size");
        assert_eq!(rejected(HpssConfig { power: 0.0, ..default() }), "hpss.power");
        assert_eq!(rejected(HpssConfig { margin_harmonic: 0.5, ..default() }), "hpss.margin");
        assert_eq!(rejected(HpssConfig { margin_percussive: f32::NAN, ..default() }), "hpss.margin");
    }
}
