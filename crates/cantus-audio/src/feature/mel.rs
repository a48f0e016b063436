//! Mel scale and mel filter bank.
//!
//! The mel scale is perceptually uniform in pitch. A mel band is the weighted sum of the bins of a spectrum under a triangle
//! whose corners are equally spaced in mels.
//!
//! # Conventions
//! - Slaney's scale (librosa's default): linear below 1 kHz, logarithmic above. HTK's: `2595 · log10(1 + f / 700)`.
//! - A filter bank is a sparse matrix `[n_mels, n_fft / 2 + 1]`, about 98 % zeros: only the bins under each triangle are
//!   stored.
//!
//! # Reference
//! Slaney, "Auditory Toolbox", 1998; Young et al., "The HTK Book"; `librosa.filters.mel` 0.11.

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::transform::fourier::fft_frequencies;

/// Transition of Slaney's scale from linear to logarithmic, in Hz.
const SLANEY_KNEE_HZ: f64 = 1000.0;
/// Hz per mel below the knee.
const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
/// Mels for each factor of 6.4 in frequency above the knee.
const SLANEY_MELS_PER_6_4: f64 = 27.0;

/// Number of bins that are multiplied in parallel, and of partial sums of a filter.
const LANES: usize = 8;

/// Normalisation of the mel filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelNorm {
    /// Each filter has unit area over frequency (librosa's default).
    Slaney,
    /// Each filter has unit height.
    None,
    /// The weights of each filter sum to 1.
    #[serde(alias = "1")]
    L1,
    /// The squared weights of each filter sum to 1.
    #[serde(alias = "2")]
    L2,
    /// The largest weight of each filter is 1; the apex of the triangle may lie between bins.
    Inf,
}

impl MelNorm {
    /// Factor of a filter of width `width_hz` whose `weights` are those of unit height.
    fn scale(self, width_hz: f64, weights: impl Iterator<Item = f64>) -> f64 {
        let norm = match self {
            Self::Slaney => width_hz / 2.0,
            Self::None => 1.0,
            Self::L1 => weights.sum(),
            Self::L2 => weights.map(|w| w * w).sum::<f64>().sqrt(),
            Self::Inf => weights.fold(0.0, f64::max),
        };
        if norm > 0.0 { 1.0 / norm } else { 1.0 } // an empty filter is not scaled
    }
}

/// Hertz to mels.
///
/// # Reference
/// Equals `librosa.hz_to_mel`.
pub fn hz_to_mel(hz: f64, htk: bool) -> f64 {
    if htk {
        2595.0 * (1.0 + hz / 700.0).log10()
    } else if hz < SLANEY_KNEE_HZ {
        hz / SLANEY_HZ_PER_MEL
    } else {
        let mels_per_log = SLANEY_MELS_PER_6_4 / 6.4f64.ln();
        SLANEY_KNEE_HZ / SLANEY_HZ_PER_MEL + (hz / SLANEY_KNEE_HZ).ln() * mels_per_log
    }
}

/// Mels to hertz: the inverse of [`hz_to_mel`].
///
/// # Reference
/// Equals `librosa.mel_to_hz`.
pub fn mel_to_hz(mel: f64, htk: bool) -> f64 {
    let knee_mel = SLANEY_KNEE_HZ / SLANEY_HZ_PER_MEL;
    if htk {
        700.0 * (10f64.powf(mel / 2595.0) - 1.0)
    } else if mel < knee_mel {
        mel * SLANEY_HZ_PER_MEL
    } else {
        SLANEY_KNEE_HZ * ((mel - knee_mel) * 6.4f64.ln() / SLANEY_MELS_PER_6_4).exp()
    }
}

/// `n_mels` frequencies in Hz, equally spaced in mels from `f_min` to `f_max`.
///
/// # Reference
/// Equals `librosa.mel_frequencies`.
pub fn mel_frequencies(n_mels: usize, f_min: f64, f_max: f64, htk: bool) -> Vec<f64> {
    let (low, high) = (hz_to_mel(f_min, htk), hz_to_mel(f_max, htk));
    let step = (high - low) / n_mels.saturating_sub(1).max(1) as f64;
    (0..n_mels).map(|m| mel_to_hz(low + step * m as f64, htk)).collect()
}

/// Parameters of a mel filter bank; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct MelConfig {
    /// Sample rate, in Hz.
    pub sample_rate: u32,
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Number of bands.
    pub n_mels: usize,
    /// Lower edge of the lowest band, in Hz.
    pub f_min: f32,
    /// Upper edge of the highest band, in Hz; half the sample rate if absent.
    pub f_max: Option<f32>,
    /// Whether the scale is HTK's instead of Slaney's.
    pub htk: bool,
    /// Normalisation of the filters.
    pub norm: MelNorm,
}

impl Default for MelConfig {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            n_fft: 2048,
            n_mels: 128,
            f_min: 0.0,
            f_max: None,
            htk: false,
            norm: MelNorm::Slaney,
        }
    }
}

/// A mel filter bank.
#[derive(Debug, Clone)]
pub struct MelFilterBank {
    n_bins: usize,
    /// Whether the lowest band begins at 0 Hz.
    starts_at_0: bool,
    bands: Vec<Band>,
    /// The weights of all bands, concatenated.
    weights: Vec<f32>,
}

/// The non-zero part of a filter, padded with zeros to a multiple of [`LANES`].
#[derive(Debug, Clone, Copy)]
struct Band {
    /// The first bin.
    bin: usize,
    /// Number of bins.
    n_bins: usize,
    /// Offset of its weights.
    offset: usize,
}

impl MelFilterBank {
    /// Computes the filters.
    ///
    /// A band too narrow to contain a bin is always 0, as in librosa.
    ///
    /// # Reference
    /// Equals `librosa.filters.mel` 0.11 up to the rounding of f32.
    pub fn new(config: &MelConfig) -> Self {
        let bins_hz = fft_frequencies(config.sample_rate, config.n_fft);
        let f_max = config.f_max.map_or(f64::from(config.sample_rate) / 2.0, f64::from);
        let corners = mel_frequencies(config.n_mels + 2, f64::from(config.f_min), f_max, config.htk);
        let mut bank = Self {
            n_bins: bins_hz.len(),
            starts_at_0: config.f_min == 0.0,
            bands: Vec::new(),
            weights: Vec::new(),
        };
        for corner in corners.windows(3) {
            bank.push(&bins_hz, [corner[0], corner[1], corner[2]], config.norm);
        }
        bank
    }

    /// Number of bands.
    pub fn n_mels(&self) -> usize {
        self.bands.len()
    }

    /// Number of bands without a bin, which are always 0. The first band is not counted if it begins at 0 Hz (librosa's rule).
    pub fn n_empty(&self) -> usize {
        let is_empty = |band: &Band| self.weights[band.offset..][..band.n_bins].iter().all(|&w| w == 0.0);
        self.bands[usize::from(self.starts_at_0)..].iter().filter(|band| is_empty(band)).count()
    }

    /// Number of bins of the input spectra.
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// Weighted sums of a spectrum, one per mel band.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`, magnitude or power
    /// - `mel`: `[n_mels]`, overwritten
    ///
    /// # Panics
    /// If `spectrum` is shorter than that.
    pub fn apply(&self, spectrum: &[f32], mel: &mut [f32]) {
        weighted_sums(&self.bands, &self.weights, spectrum, mel);
    }

    /// The filters as a full matrix.
    ///
    /// # Shapes
    /// - returns: `[n_mels, n_fft / 2 + 1]`
    pub fn to_dense(&self) -> Vec<f32> {
        let mut dense = vec![0.0; self.n_mels() * self.n_bins];
        for (row, band) in dense.chunks_exact_mut(self.n_bins.max(1)).zip(&self.bands) {
            row[band.bin..band.bin + band.n_bins]
                .copy_from_slice(&self.weights[band.offset..band.offset + band.n_bins]);
        }
        dense
    }

    /// Appends the triangle with the three `corners`, in Hz.
    fn push(&mut self, bins_hz: &[f64], corners: [f64; 3], norm: MelNorm) {
        let [low, centre, high] = corners;
        let weight = |hz: f64| ((hz - low) / (centre - low)).min((high - hz) / (high - centre));
        let bin = bins_hz.partition_point(|&hz| hz <= low);
        let end = bins_hz.partition_point(|&hz| hz < high).max(bin);
        let scale = norm.scale(high - low, bins_hz[bin..end].iter().map(|&hz| weight(hz)));
        // Zero weights pad the band to whole lanes, if there are enough bins.
        let n_bins = (end - bin).next_multiple_of(LANES).min(bins_hz.len());
        let first = bin.min(bins_hz.len() - n_bins);
        let offset = self.weights.len();
        let inside = |k: usize| (bin..end).contains(&k);
        let weight = |k: usize| if inside(k) { (weight(bins_hz[k]) * scale) as f32 } else { 0.0 };
        self.weights.extend((first..first + n_bins).map(weight));
        self.bands.push(Band { bin: first, n_bins, offset });
    }
}

/// The weighted sum of each band.
#[multiversion]
fn weighted_sums(bands: &[Band], weights: &[f32], spectrum: &[f32], mel: &mut [f32]) {
    for (slot, band) in mel.iter_mut().zip(bands) {
        let weights = &weights[band.offset..band.offset + band.n_bins];
        *slot = dot(weights, &spectrum[band.bin..band.bin + band.n_bins]);
    }
}

/// `Σ a · b`, in a fixed order of additions that vectorises.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
            *lane += x * y;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn mel_to_hz_inverts_hz_to_mel() {
        for htk in [false, true] {
            for hz in [0.0, 1.0, 60.0, 999.9, 1000.0, 1000.1, 4000.0, 22_050.0] {
                assert_close(&[mel_to_hz(hz_to_mel(hz, htk), htk)], &[hz], 1e-9);
            }
        }
    }

    #[test]
    fn mels_equal_librosa() {
        // librosa.hz_to_mel([60, 110, 440, 5000]); librosa.hz_to_mel(440, htk=True)
        let mels = [60.0, 110.0, 440.0, 5000.0].map(|hz| hz_to_mel(hz, false));
        assert_close(&mels, &[0.9, 1.65, 6.6, 38.409_400_786_541_61], 1e-9);
        assert_close(&[hz_to_mel(440.0, true)], &[549.638_675_381_149_9], 1e-9);
    }

    #[test]
    fn the_sparse_bank_equals_its_full_matrix() {
        let bank = MelFilterBank::new(&MelConfig { n_mels: 40, ..MelConfig::default() });
        let spectrum: Vec<f32> = (0..bank.n_bins()).map(|k| (k as f32 * 0.37).sin() + 1.5).collect();
        let naive: Vec<f32> = bank
            .to_dense()
            .chunks_exact(bank.n_bins())
            .map(|row| row.iter().zip(&spectrum).map(|(w, x)| w * x).sum())
            .collect();
        let mut found = vec![f32::NAN; 40];
        bank.apply(&spectrum, &mut found);
        assert_close(&found, &naive, 1e-6);
    }

    #[test]
    fn bands_narrower_than_a_bin_are_zero() {
        let bank = MelFilterBank::new(&MelConfig { n_fft: 64, ..MelConfig::default() });
        let mut mel = vec![f32::NAN; 128];
        bank.apply(&[1.0; 33], &mut mel);
        assert!(mel.contains(&0.0) && mel.iter().all(|x| x.is_finite()));
    }
}
