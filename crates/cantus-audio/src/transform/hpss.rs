//! Harmonic-percussive separation: what lasts, and what strikes.
//!
//! In a spectrogram a held note is a line along time and a drum is a line along frequency. The median over some frames
//! keeps the first and loses the second; the median over some bins does the opposite. Comparing the two says of every
//! point to which it belongs more.
//!
//! # Conventions
//! - Spectrograms are `[n_frames, n_bins]`, medians run over `kernel_size` frames and bins.
//! - The masks are soft: `harmonic^power / (harmonic^power + percussive^power)`. A margin above 1 asks for more than a
//!   majority: the other side is multiplied by it first, and what neither side wins belongs to none.
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

/// The widest median that is accepted, in frames or bins.
const MAX_KERNEL_SIZE: usize = 4096;

/// How harmonic and percussive are told apart; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssConfig {
    /// Frames over which a harmonic sound lasts.
    pub kernel_frames: usize,
    /// Bins over which a percussive sound spreads.
    pub kernel_bins: usize,
    /// Exponent of the soft masks; the higher, the harder. Infinity gives hard masks.
    pub power: f32,
    /// How many times the percussive side counts against the harmonic one; at least 1.
    pub margin_harmonic: f32,
    /// How many times the harmonic side counts against the percussive one; at least 1.
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
        let refused = |parameter, found: &dyn ToString, expected: &str| {
            Err(Error::InvalidSpec { parameter, found: found.to_string(), expected: expected.into() })
        };
        for size in [self.kernel_frames, self.kernel_bins] {
            if !(1..=MAX_KERNEL_SIZE).contains(&size) {
                return refused("hpss.kernel_size", &size, &format!("from 1 to {MAX_KERNEL_SIZE}"));
            }
        }
        if self.power.is_nan() || self.power <= 0.0 {
            return refused("hpss.power", &self.power, "a positive number");
        }
        for margin in [self.margin_harmonic, self.margin_percussive] {
            if !margin.is_finite() || margin < 1.0 {
                return refused("hpss.margin", &margin, "1 or more; usually from 1 to 10");
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
    /// `[n_bins]`, of the [`LANES`] frames at hand.
    columns: Vec<[f32; LANES]>,
}

impl Hpss {
    /// Plans the separation.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if a median is over nothing, the power is not positive, or a margin is below 1.
    pub fn new(config: HpssConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self::planned(config))
    }

    /// Plans what has been validated.
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

    /// The masks of a magnitude spectrogram: how much of each value is harmonic, and how much percussive, from 0 to 1.
    ///
    /// # Shapes
    /// - `magnitude`: `[n_frames, n_bins]`; an incomplete last row is not read
    /// - returns: twice `[n_frames, n_bins]`, kept until the next call
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
        self.compare();
        (&self.harmonic, &self.percussive)
    }

    /// The harmonic and the percussive part of a sound.
    ///
    /// # Shapes
    /// - `samples`: `[n_samples]`
    /// - returns: twice `[n_samples]`; with margins of 1 they add up to the sound
    ///
    /// # Reference
    /// Equals `librosa.effects.hpss` 0.11 within 1e-5 of the loudest sample.
    pub fn separate(&mut self, samples: &[f32], stft: &mut Stft) -> (Vec<f32>, Vec<f32>) {
        let spectrogram = stft.transform(samples);
        let mut magnitude = vec![0.0; spectrogram.len()];
        stft::magnitude(&spectrogram, &mut magnitude);
        let (harmonic, percussive) = self.masks(&magnitude, stft.n_bins());
        let mut sound_of = |mask: &[f32]| {
            let masked: Vec<Complex32> = spectrogram.iter().zip(mask).map(|(bin, part)| bin * part).collect();
            stft.inverse(&masked, samples.len())
        };
        (sound_of(harmonic), sound_of(percussive))
    }

    /// Each bin's median over the frames around: neighbouring bins side by side.
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

    /// Each frame's median over the bins around: neighbouring frames side by side, turned so that they are.
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

    /// Turns the two medians into the two masks, in place.
    fn compare(&mut self) {
        let HpssConfig { power, margin_harmonic, margin_percussive, .. } = self.config;
        let neither = if margin_harmonic == 1.0 && margin_percussive == 1.0 { 0.5 } else { 0.0 };
        for (harmonic, percussive) in self.harmonic.iter_mut().zip(&mut self.percussive) {
            let (h, p) = (*harmonic, *percussive);
            *harmonic = soft_mask(h, p * margin_harmonic, power, neither);
            *percussive = soft_mask(p, h * margin_percussive, power, neither);
        }
    }
}

/// Separates a sound with librosa's defaults: `librosa.effects.hpss(samples)`.
///
/// # Shapes
/// - `samples`: `[n_samples]`
/// - returns: the harmonic and the percussive part, both `[n_samples]`
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

/// How much of a point is `x`, where `other` claims it too; `neither` where both are nothing.
fn soft_mask(x: f32, other: f32, power: f32, neither: f32) -> f32 {
    let larger = if x > other { x } else { other };
    if power == f32::INFINITY {
        return if x > other { 1.0 } else { 0.0 };
    }
    if larger < f32::MIN_POSITIVE {
        return neither;
    }
    // Divided by the larger one first, so that no power of it overflows.
    let raised = |value: f32| if power == 2.0 { value * value } else { value.powf(power) };
    let (mine, theirs) = (raised(x / larger), raised(other / larger));
    mine / (mine + theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// A tone that lasts, and a click every so often.
    fn tone_and_clicks(n_samples: usize) -> (Vec<f32>, Vec<f32>) {
        let tone = (0..n_samples).map(|n| (n as f32 * 0.2).sin() * 0.5).collect();
        let clicks = (0..n_samples).map(|n| if n % 4000 == 2000 { 1.0 } else { 0.0 }).collect();
        (tone, clicks)
    }

    #[test]
    fn what_lasts_and_what_strikes_are_told_apart_and_add_up() {
        let (tone, clicks) = tone_and_clicks(30_000);
        let sound: Vec<f32> = tone.iter().zip(&clicks).map(|(a, b)| a + b).collect();
        let (harmonic, percussive) = hpss(&sound, &HpssConfig::default(), &StftConfig::default()).unwrap();
        let sum: Vec<f32> = harmonic.iter().zip(&percussive).map(|(a, b)| a + b).collect();
        assert_close(&sum, &sound, 1e-5);
        let energy = |samples: &[f32]| samples[6000..24_000].iter().map(|x| x * x).sum::<f32>();
        assert!(energy(&percussive) < 0.05 * energy(&tone), "the tone is in the percussive part");
        assert!(
            percussive[10_000] > 0.8 && harmonic[10_000].abs() < 0.7,
            "the click is in the harmonic part"
        );
    }

    #[test]
    fn with_margins_something_is_left_over() {
        let (tone, clicks) = tone_and_clicks(20_000);
        let sound: Vec<f32> = tone.iter().zip(&clicks).map(|(a, b)| a + b).collect();
        let mut stft = Stft::new(StftConfig::default()).unwrap();
        let magnitude = stft.magnitude(&sound);
        let config = HpssConfig { margin_harmonic: 3.0, margin_percussive: 3.0, ..HpssConfig::default() };
        let mut plan = Hpss::new(config).unwrap();
        let (harmonic, percussive) = plan.masks(&magnitude, stft.n_bins());
        assert!(harmonic.iter().zip(percussive).any(|(h, p)| h + p < 0.5));
    }

    #[test]
    fn silence_is_shared_out_evenly_and_nothing_is_no_trouble() {
        let mut plan = Hpss::new(HpssConfig::default()).unwrap();
        assert_eq!(plan.masks(&[0.0; 6], 3), (&[0.5; 6][..], &[0.5; 6][..]));
        assert_eq!(plan.masks(&[], 3), (&[][..], &[][..]));
        assert_eq!(plan.masks(&[1.0], 0), (&[][..], &[][..]));
        let hard = HpssConfig { power: f32::INFINITY, ..HpssConfig::default() };
        let found = hpss(&[0.5; 100], &hard, &StftConfig::default()).unwrap();
        assert!(found.0.iter().chain(&found.1).all(|x| x.is_finite()));
    }

    #[test]
    fn impossible_separations_are_refused_by_name() {
        let refused = |config: HpssConfig| match Hpss::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = HpssConfig::default;
        assert_eq!(refused(HpssConfig { kernel_frames: 0, ..default() }), "hpss.kernel_size");
        assert_eq!(refused(HpssConfig { kernel_bins: usize::MAX, ..default() }), "hpss.kernel_size");
        assert_eq!(refused(HpssConfig { power: 0.0, ..default() }), "hpss.power");
        assert_eq!(refused(HpssConfig { margin_harmonic: 0.5, ..default() }), "hpss.margin");
        assert_eq!(refused(HpssConfig { margin_percussive: f32::NAN, ..default() }), "hpss.margin");
    }
}
