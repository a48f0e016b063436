//! Per-channel energy normalisation: mel bands with an automatic gain control each, instead of decibels.
//!
//! Each band is divided by a slow average of itself, so that steady noise and loudness fall away and onsets stay; a root
//! then presses the range together:
//! `(S / (eps + M)^gain + bias)^power - bias^power` with `M[t] = (1 - b) · M[t-1] + b · S[t]`.
//!
//! `S` is the mel spectrogram as the specification describes it. The paper wants magnitudes (`power = 1` beside
//! `n_mels`) of samples as large as 2^31; `pcen.scale` raises the mel bands to that.
//!
//! # Reference
//! Wang et al., "Trainable frontend for robust and far-field keyword spotting", 2017; Lostanlen et al., "Per-channel
//! energy normalization: why and how", 2019; `librosa.pcen` 0.11.

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::kind::{Bins, Feature, Rows};
use super::mel_spectrogram::mel_bins;
use super::shared::{Intermediate, Sound};
use super::spec::require;
use crate::Error;
use crate::transform::exponential::exp10;
use crate::transform::logarithm::log10;

/// The gain control; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcenConfig {
    /// How much of its average a band is divided by: 0 for not at all, 1 for all of it.
    pub gain: f64,
    /// Added before the root.
    pub bias: f64,
    /// Exponent of the root; 0 for a logarithm.
    pub power: f64,
    /// How slow the average is, in seconds.
    pub time_constant: f64,
    /// Added to the average.
    pub eps: f64,
    /// Weight of the newest frame in the average; made of `time_constant` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
    /// Number of neighbouring bands of which the loudest counts for the average.
    pub max_size: usize,
    /// The mel bands are multiplied by this first.
    pub scale: f64,
}

impl Default for PcenConfig {
    fn default() -> Self {
        Self {
            gain: 0.98,
            bias: 2.0,
            power: 0.5,
            time_constant: 0.4,
            eps: 1e-6,
            b: None,
            max_size: 1,
            scale: 1.0,
        }
    }
}

impl PcenConfig {
    /// Weight of the newest frame, with `frame_s` seconds from one frame to the next.
    fn newest(&self, frame_s: f64) -> f64 {
        let n_frames = self.time_constant / frame_s;
        let square = n_frames * n_frames;
        self.b.unwrap_or_else(|| ((1.0 + 4.0 * square).sqrt() - 1.0) / (2.0 * square))
    }

    /// A band after gain control, pressed together.
    fn press(&self, controlled: f64) -> f64 {
        let Self { bias, power, .. } = *self;
        if power == 0.0 { controlled.ln_1p() } else { (controlled + bias).powf(power) - bias.powf(power) }
    }
}

/// Divides each band by its average: `strength · scale · (eps + average)^-gain`.
#[multiversion(targets = "simd")]
fn control(config: &PcenConfig, strengths: &[f32], averages: &[f64], out: &mut [f64]) {
    let (gain, scale) = (config.gain as f32, config.scale);
    for ((out, &strength), average) in out.iter_mut().zip(strengths).zip(averages) {
        let divisor = exp10(-gain * log10((config.eps + average) as f32));
        *out = f64::from(strength) * scale * f64::from(divisor);
    }
}

/// [`PcenConfig::press`] for a power of one half, the default: square roots, many at once.
#[multiversion(targets = "simd")]
fn press_by_root(bias: f64, controlled: &[f64], out: &mut [f32]) {
    let floor = bias.sqrt();
    for (out, x) in out.iter_mut().zip(controlled) {
        *out = ((x + bias).sqrt() - floor) as f32;
    }
}

/// Normalised mel bands: `[n_frames, n_mels]`; equal librosa's within 2e-5 of the largest of their frame.
#[derive(Debug, Clone)]
pub(super) struct Pcen {
    newest: f64,
    /// `[n_mels]`
    average: Vec<f64>,
    /// `[n_mels]`, of the frame at hand.
    controlled: Vec<f64>,
}

impl Feature for Pcen {
    const NAME: &'static str = "pcen";
    const TITLE: &'static str = "Per-channel energy normalisation";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mel];

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.n_mels
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        mel_bins(spec)
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        let config = &spec.pcen;
        let within = |name, x: f64, least: f64, most: f64| {
            require(x >= least && x <= most, name, x, || format!("from {least:e} to {most:e}"))
        };
        within("pcen.gain", config.gain, 0.0, 10.0)?;
        within("pcen.bias", config.bias, 0.0, 1e6)?;
        within("pcen.power", config.power, 0.0, 10.0)?;
        within("pcen.time_constant", config.time_constant, 1e-6, 1e6)?;
        within("pcen.eps", config.eps, 1e-30, 1e30)?;
        within("pcen.b", config.b.unwrap_or(1.0), 0.0, 1.0)?;
        within("pcen.scale", config.scale, 1e-30, 1e30)?;
        require((1..=spec.n_mels).contains(&config.max_size), "pcen.max_size", config.max_size, || {
            format!("from 1 to n_mels = {}", spec.n_mels)
        })
    }

    fn plan(spec: &FeatureSpec) -> Self {
        let frame_s = spec.hop_length as f64 / f64::from(spec.sample_rate);
        let bands = vec![0.0; spec.n_mels];
        Self { newest: spec.pcen.newest(frame_s), average: bands.clone(), controlled: bands }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        let config = &sound.spec.pcen;
        // scipy's `lfilter_zi`: the state after an endless past of ones, whatever the sound begins with.
        self.average.fill(1.0);
        for (row, mel) in rows.iter_mut().zip(sound.shared.mel.chunks_exact(sound.spec.n_mels)) {
            for (band, average) in self.average.iter_mut().enumerate() {
                let loudest = f64::from(loudest_about(mel, band, config.max_size)) * config.scale;
                *average += self.newest * (loudest - *average);
            }
            control(config, mel, &self.average, &mut self.controlled);
            if config.power == 0.5 {
                press_by_root(config.bias, &self.controlled, row);
            } else {
                let pressed = self.controlled.iter().map(|&x| config.press(x) as f32);
                row.iter_mut().zip(pressed).for_each(|(slot, pressed)| *slot = pressed);
            }
        }
    }
}

/// The loudest of `n` bands of which `band` is the middle; of an even number, the one above the middle.
///
/// # Reference
/// `scipy.ndimage.maximum_filter1d`; its mirrored ends bring no band that is not there already.
fn loudest_about(mel: &[f32], band: usize, n: usize) -> f32 {
    if n == 1 {
        return mel[band];
    }
    let first = band.saturating_sub(n / 2);
    let end = (band + n.div_ceil(2)).min(mel.len());
    mel[first..end].iter().copied().fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn a_band_is_pressed_together_about_its_average() {
        let config = PcenConfig { gain: 1.0, ..PcenConfig::default() };
        let (mut controlled, mut pressed) = ([0.0; 2], [0.0; 2]);
        control(&config, &[1e6, 10.0], &[1e6, 10.0], &mut controlled);
        press_by_root(config.bias, &controlled, &mut pressed);
        assert_close(&pressed, &[(1.0 + 2.0f64).sqrt() - 2.0f64.sqrt(); 2], 1e-6);
        assert_close(&[config.press(1.0)], &[(1.0 + 2.0f64).sqrt() - 2.0f64.sqrt()], 1e-12);
        let logarithm = PcenConfig { power: 0.0, ..config };
        assert_close(&[logarithm.press(3.0)], &[4f64.ln()], 1e-12);
    }

    #[test]
    fn neighbours_are_counted_as_scipy_counts_them() {
        let mel = [1.0, 5.0, 2.0, 3.0, 4.0];
        // scipy.ndimage.maximum_filter1d([1, 5, 2, 3, 4], 2), and 3
        let filtered = |n| (0..5).map(|band| loudest_about(&mel, band, n)).collect::<Vec<_>>();
        assert_eq!(filtered(2), [1.0, 5.0, 5.0, 3.0, 4.0]);
        assert_eq!(filtered(3), [5.0, 5.0, 5.0, 4.0, 4.0]);
    }
}
