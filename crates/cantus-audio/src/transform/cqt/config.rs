//! Parameters of the constant-Q transform and their validation.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::transform::stft::MAX_N_FFT;
use crate::transform::{Norm, PadMode, Window};

/// C1, the lowest C of a piano, in Hz: librosa's lowest bin.
pub const C1_HZ: f64 = 32.703_195_662_574_83;
/// Limit on the number of bins.
const MAX_N_BINS: usize = 4096;
/// Limit on downsampling before the first octave, which bounds the length of its filter.
const MAX_EARLY_HALVINGS: i64 = 12;

/// Parameters of the CQT; librosa's names and defaults.
///
/// In a feature specification, the parameters shared by all kinds (sample rate, hop, window, padding) are taken from it and
/// not serialised here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CqtConfig {
    /// Sample rate, in Hz.
    #[serde(skip)]
    pub sample_rate: u32,
    /// Samples from one frame to the next.
    #[serde(skip)]
    pub hop_length: usize,
    /// Frequency of the lowest bin, in Hz.
    pub f_min: f64,
    /// Number of bins.
    pub n_bins: usize,
    /// Number of bins per octave.
    pub bins_per_octave: usize,
    /// Tuning offset, in bins.
    pub tuning: f64,
    /// Factor of the wavelet lengths; below 1, time resolution is finer and frequency resolution coarser.
    pub filter_scale: f64,
    /// Norm of the wavelets.
    pub norm: Norm,
    /// Share of each wavelet's spectral magnitude that is set to 0, in [0, 1).
    pub sparsity: f32,
    /// Window of the wavelets.
    #[serde(skip)]
    pub window: Window,
    /// Whether bins are divided by the square root of their wavelet's length.
    pub scale: bool,
    /// How the signal is padded.
    #[serde(skip)]
    pub pad_mode: PadMode,
}

impl Default for CqtConfig {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            hop_length: 512,
            f_min: C1_HZ,
            n_bins: 84,
            bins_per_octave: 12,
            tuning: 0.0,
            filter_scale: 1.0,
            norm: Norm::L1,
            sparsity: 0.01,
            window: Window::Hann,
            scale: true,
            pad_mode: PadMode::Constant,
        }
    }
}

impl CqtConfig {
    /// Frequencies of the bins, in Hz.
    ///
    /// # Reference
    /// Equals `librosa.cqt_frequencies`.
    #[must_use]
    pub fn frequencies(&self) -> Vec<f64> {
        let octaves = |bins: f64| (bins / self.bins_per_octave as f64).exp2();
        (0..self.n_bins).map(|bin| self.f_min * octaves(self.tuning) * octaves(bin as f64)).collect()
    }

    /// Length of a wavelet in samples, not rounded: Q periods.
    ///
    /// # Reference
    /// Equals `librosa.filters.wavelet_lengths`.
    #[must_use]
    pub fn wavelet_length(&self, frequency: f64, sample_rate: f64) -> f64 {
        self.quality() * sample_rate / frequency
    }

    /// Checks that the transform can be computed.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        within("n_bins", self.n_bins, MAX_N_BINS)?;
        within("bins_per_octave", self.bins_per_octave, MAX_N_BINS)?;
        within("hop_length", self.hop_length, MAX_N_FFT)?;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        require(positive(self.f_min), "f_min", self.f_min, || "a positive number of Hz".into())?;
        require(positive(self.filter_scale), "filter_scale", self.filter_scale, || {
            "a positive number".into()
        })?;
        require((0.0..1.0).contains(&self.sparsity), "sparsity", self.sparsity, || {
            "from 0 to below 1".into()
        })?;
        require(self.tuning.abs() <= self.bins_per_octave as f64, "tuning", self.tuning, || {
            "a part of a bin, at most an octave".into()
        })?;
        self.validate_reach()
    }

    /// The highest wavelet has to stay below half the sample rate, and the lowest to fit into an FFT.
    fn validate_reach(&self) -> Result<(), Error> {
        let nyquist = f64::from(self.sample_rate) / 2.0;
        let highest = self.highest_frequency();
        require(highest <= nyquist, "n_bins", self.n_bins, || {
            format!(
                "few enough bins to stay below half the sample rate, {nyquist} Hz; the highest reaches to {highest:.0} Hz"
            )
        })?;
        let longest = self.wavelet_length(self.f_min / 2.0, f64::from(self.sample_rate));
        require(longest <= MAX_N_FFT as f64, "f_min", self.f_min, || {
            format!(
                "so high that wavelets have at most {} samples; here the lowest has {longest:.0}",
                MAX_N_FFT / 2
            )
        })
    }

    /// Number of times that the rate is halved before the first octave: as often as the highest bin and the hop allow.
    ///
    /// # Reference
    /// `librosa.cqt` 0.11; an octave is reserved for the filter's transition band.
    pub(super) fn n_early_halvings(&self) -> u32 {
        let nyquist = f64::from(self.sample_rate) / 2.0;
        let by_frequency = (nyquist / self.highest_frequency()).log2().ceil() as i64 - 2;
        let n_octaves = self.n_bins.div_ceil(self.bins_per_octave) as i64;
        let by_hop = i64::from(self.hop_length.trailing_zeros()) - n_octaves + 1;
        by_frequency.min(by_hop).clamp(0, MAX_EARLY_HALVINGS) as u32
    }

    /// Upper limit of the highest wavelet's band, in Hz: its frequency plus half of its bandwidth.
    fn highest_frequency(&self) -> f64 {
        let highest = self.frequencies().last().copied().unwrap_or(self.f_min);
        highest * (1.0 + 0.5 * equivalent_bandwidth(self.window) / self.quality())
    }

    /// The quality factor Q: frequency over bandwidth, equal for all bins.
    fn quality(&self) -> f64 {
        let ratio = (2.0 / self.bins_per_octave as f64).exp2(); // from a bin to the one after the next
        self.filter_scale * (ratio + 1.0) / (ratio - 1.0)
    }
}

/// Equivalent noise bandwidth of a window, in bins of its own length.
///
/// # Reference
/// Harris 1978; within 0.1 % of `librosa.filters.window_bandwidth`, which is sufficient for a limit.
fn equivalent_bandwidth(window: Window) -> f64 {
    let weights = window.weights(1000);
    let (sum, power) = weights.iter().fold((0.0, 0.0), |(sum, power), w| (sum + w, power + w * w));
    1000.0 * power / (sum * sum)
}

fn within(parameter: &'static str, found: usize, limit: usize) -> Result<(), Error> {
    require((1..=limit).contains(&found), parameter, found, || format!("from 1 to {limit}"))
}

fn require(
    holds: bool,
    parameter: &'static str,
    found: impl ToString,
    expected: impl FnOnce() -> String,
) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(Error::InvalidSpec { parameter, found: found.to_string(), expected: expected() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(config: CqtConfig) -> &'static str {
        match config.validate() {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{config:?}: {other:?}"),
        }
    }

    #[test]
    fn the_default_is_seven_octaves_from_c1() {
        let config = CqtConfig::default();
        config.validate().unwrap();
        let frequencies = config.frequencies();
        assert!((frequencies[45] - 440.0).abs() < 1e-9, "A4 is at {} Hz", frequencies[45]);
    }

    #[test]
    fn invalid_parameters_are_rejected_by_name() {
        let default = CqtConfig::default;
        assert_eq!(rejected(CqtConfig { n_bins: 0, ..default() }), "n_bins");
        assert_eq!(rejected(CqtConfig { n_bins: 120, ..default() }), "n_bins");
        assert_eq!(rejected(CqtConfig { n_bins: usize::MAX, ..default() }), "n_bins");
        assert_eq!(rejected(CqtConfig { bins_per_octave: 0, ..default() }), "bins_per_octave");
        assert_eq!(rejected(CqtConfig { hop_length: 0, ..default() }), "hop_length");
        assert_eq!(rejected(CqtConfig { f_min: 0.0, ..default() }), "f_min");
        assert_eq!(rejected(CqtConfig { f_min: 0.001, ..default() }), "f_min");
        assert_eq!(rejected(CqtConfig { f_min: f64::NAN, ..default() }), "f_min");
        assert_eq!(rejected(CqtConfig { filter_scale: 0.0, ..default() }), "filter_scale");
        assert_eq!(rejected(CqtConfig { sparsity: 1.0, ..default() }), "sparsity");
        assert_eq!(rejected(CqtConfig { tuning: f64::INFINITY, ..default() }), "tuning");
    }
}
