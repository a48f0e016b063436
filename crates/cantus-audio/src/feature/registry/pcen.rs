//! Per-channel energy normalisation (PCEN): automatic gain control of mel bands, instead of decibels.
//!
//! Each band is divided by a running average of itself, which removes stationary noise and loudness and keeps onsets; a
//! root then compresses the range:
//! `(S / (eps + M)^gain + bias)^power - bias^power` with `M[t] = (1 - b) · M[t-1] + b · S[t]`.
//!
//! `S` is the mel spectrogram of the specification. The paper uses magnitudes (`power = 1` beside `n_mels`) of samples
//! up to 2^31; `pcen.scale` multiplies the mel bands accordingly.
//!
//! # Reference
//! Wang et al., "Trainable frontend for robust and far-field keyword spotting", 2017; Lostanlen et al., "Per-channel
//! energy normalization: why and how", 2019; `librosa.pcen` 0.11.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::exponential::exp10;
use crate::transform::logarithm::log10;

/// Settings of PCEN; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcenConfig {
    /// Exponent of the average in the division: 0 for no gain control, 1 for full.
    pub gain: f64,
    /// Added before the root.
    pub bias: f64,
    /// Exponent of the root; 0 for a logarithm.
    pub power: f64,
    /// Time constant of the average, in seconds.
    pub time_constant: f64,
    /// Added to the average.
    pub eps: f64,
    /// Weight of the current frame in the average; from `time_constant` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
    /// Width of the maximum filter over bands before the average, in bands; 1 for none.
    pub max_size: usize,
    /// Factor of the mel bands before all else.
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
    /// Smoothing coefficient `b`, for a hop of `frame_s` seconds.
    fn smoothing(&self, frame_s: f64) -> f64 {
        let n_frames = self.time_constant / frame_s;
        let square = n_frames * n_frames;
        self.b.unwrap_or_else(|| ((1.0 + 4.0 * square).sqrt() - 1.0) / (2.0 * square))
    }

    /// Compresses a band after gain control.
    fn compress(&self, controlled: f64) -> f64 {
        let Self { bias, power, .. } = *self;
        if power == 0.0 { controlled.ln_1p() } else { (controlled + bias).powf(power) - bias.powf(power) }
    }
}

/// Gain control of each band: `mel · scale · (eps + average)^-gain`.
#[multiversion]
fn control_gain(config: &PcenConfig, mel: &[f32], averages: &[f64], out: &mut [f64]) {
    let (gain, scale) = (config.gain as f32, config.scale);
    for ((out, &value), average) in out.iter_mut().zip(mel).zip(averages) {
        let divisor = exp10(-gain * log10((config.eps + average) as f32));
        *out = f64::from(value) * scale * f64::from(divisor);
    }
}

/// [`PcenConfig::compress`] for a power of 0.5, the default; vectorised.
#[multiversion]
fn compress_by_root(bias: f64, controlled: &[f64], out: &mut [f32]) {
    let offset = bias.sqrt();
    for (out, x) in out.iter_mut().zip(controlled) {
        *out = ((x + bias).sqrt() - offset) as f32;
    }
}

/// PCEN of mel bands: `[n_frames, n_mels]`; equals librosa's within 2e-5 of the maximum of each frame.
#[derive(Debug, Clone)]
pub(crate) struct Pcen {
    config: PcenConfig,
    /// Smoothing coefficient `b`.
    smoothing: f64,
    /// `[n_mels]`
    average: Vec<f64>,
    /// `[n_mels]`, of the current frame.
    controlled: Vec<f64>,
}

impl Feature for Pcen {
    type Config = PcenConfig;
    const NAME: &'static str = "pcen";
    const TITLE: &'static str = "Per-channel energy normalisation";
    const UNIT: &'static str = "";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Mel];

    fn n_bins(_: &PcenConfig, params: &FrameParams) -> usize {
        params.mel.n_mels
    }

    fn bins(_: &PcenConfig, params: &FrameParams) -> Bins {
        Bins::Hertz(params.mel_hz())
    }

    fn validate(config: &PcenConfig, params: &FrameParams) -> Result<(), Error> {
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
        let n_mels = params.mel.n_mels;
        require((1..=n_mels).contains(&config.max_size), "pcen.max_size", config.max_size, || {
            format!("from 1 to n_mels = {n_mels}")
        })
    }

    fn plan(config: &PcenConfig, params: &FrameParams) -> Self {
        let frame_s = params.stft.hop_length as f64 / f64::from(params.sample_rate);
        let bands = vec![0.0; params.mel.n_mels];
        let smoothing = config.smoothing(frame_s);
        Self { config: *config, smoothing, average: bands.clone(), controlled: bands }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        let config = &self.config;
        // scipy's `lfilter_zi`: the steady state for an input of ones, whatever the segment begins with.
        self.average.fill(1.0);
        for (row, mel) in rows.iter_mut().zip(input.mel.chunks_exact(input.params.mel.n_mels)) {
            for (band, average) in self.average.iter_mut().enumerate() {
                let reference = f64::from(max_around(mel, band, config.max_size)) * config.scale;
                *average += self.smoothing * (reference - *average);
            }
            control_gain(config, mel, &self.average, &mut self.controlled);
            if config.power == 0.5 {
                compress_by_root(config.bias, &self.controlled, row);
            } else {
                let compressed = self.controlled.iter().map(|&x| config.compress(x) as f32);
                row.iter_mut().zip(compressed).for_each(|(slot, x)| *slot = x);
            }
        }
    }
}

/// Maximum of the `n` bands around `band`; for even `n`, `band` is the one above the middle.
///
/// # Reference
/// `scipy.ndimage.maximum_filter1d`; its mirrored ends add no bands.
fn max_around(mel: &[f32], band: usize, n: usize) -> f32 {
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
    fn a_band_at_its_average_is_compressed_as_defined() {
        let config = PcenConfig { gain: 1.0, ..PcenConfig::default() };
        let (mut controlled, mut compressed) = ([0.0; 2], [0.0; 2]);
        control_gain(&config, &[1e6, 10.0], &[1e6, 10.0], &mut controlled);
        compress_by_root(config.bias, &controlled, &mut compressed);
        assert_close(&compressed, &[(1.0 + 2.0f64).sqrt() - 2.0f64.sqrt(); 2], 1e-6);
        assert_close(&[config.compress(1.0)], &[(1.0 + 2.0f64).sqrt() - 2.0f64.sqrt()], 1e-12);
        let logarithm = PcenConfig { power: 0.0, ..config };
        assert_close(&[logarithm.compress(3.0)], &[4f64.ln()], 1e-12);
    }

    #[test]
    fn the_maximum_filter_equals_scipys() {
        let mel = [1.0, 5.0, 2.0, 3.0, 4.0];
        // scipy.ndimage.maximum_filter1d([1, 5, 2, 3, 4], 2), and 3
        let filtered = |n| (0..5).map(|band| max_around(&mel, band, n)).collect::<Vec<_>>();
        assert_eq!(filtered(2), [1.0, 5.0, 5.0, 3.0, 4.0]);
        assert_eq!(filtered(3), [5.0, 5.0, 5.0, 4.0, 4.0]);
    }
}
