//! The spectral contrast: in each octave, how far the peaks stand above the valleys; high for clear tones, low for noise.
//!
//! The bands are `[0, f_min]` and one octave after the other from there. Peak and valley of a band are the means of its
//! largest and smallest bins, a share of `quantile` of them and at least one.
//!
//! # Reference
//! Jiang et al., "Music type classification by spectral contrast feature", 2002;
//! `librosa.feature.spectral_contrast` 0.11, whose ways are kept: a band's first bin is the one below its lower edge,
//! its last but one the last up to its upper edge, and `top_db` of 80 holds for peaks and for valleys over the segment.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::FeatureSpec;
use super::kind::{Bins, Feature, Rows};
use super::shared::{Intermediate, Sound};
use super::spec::require;
use crate::Error;
use crate::signal::decibel::{Decibel, power_to_db};
use crate::signal::fourier::{self, fft_frequencies};

/// What the contrast is made of; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastConfig {
    /// Upper edge of the lowest band, in Hz.
    pub f_min: f32,
    /// Number of octaves above it.
    pub n_bands: usize,
    /// Share of a band's bins that are its peak, and its valley. In f64, since librosa rounds its product with the
    /// number of bins, and 0.02 · 75 is just one and a half.
    pub quantile: f64,
    /// The difference of strengths instead of levels in dB.
    pub linear: bool,
}

impl Default for ContrastConfig {
    fn default() -> Self {
        Self { f_min: 200.0, n_bands: 6, quantile: 0.02, linear: false }
    }
}

/// One band: its bins, and how many of them are its peak.
#[derive(Debug, Clone, PartialEq)]
struct Band {
    bins: Range<usize>,
    n_extremes: usize,
}

/// Contrast of each band: `[n_frames, n_bands + 1]`; in dB, unless linear.
#[derive(Debug, Clone)]
pub(super) struct SpectralContrast {
    bands: Vec<Band>,
    /// The bins of the band at hand: working space.
    sorted: Vec<f32>,
    /// `[n_frames, n_bands + 1]`
    peaks: Vec<f32>,
    valleys: Vec<f32>,
}

impl Feature for SpectralContrast {
    const NAME: &'static str = "spectral_contrast";
    const TITLE: &'static str = "Spectral contrast";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::Magnitude];

    fn n_bins(spec: &FeatureSpec) -> usize {
        spec.contrast.n_bands.saturating_add(1)
    }

    fn bins(spec: &FeatureSpec) -> Bins {
        // The names are the lower edges: the upper one of a band is the lower one of the next.
        let edges = edges(&spec.contrast).into_iter().take(Self::n_bins(spec));
        Bins::Named("Octave from (Hz)", edges.map(|hertz| format!("{hertz:.0}")).collect())
    }

    fn validate(spec: &FeatureSpec) -> Result<(), Error> {
        let ContrastConfig { f_min, n_bands, quantile, .. } = spec.contrast;
        let nyquist = f64::from(spec.sample_rate) / 2.0;
        require(f_min > 0.0, "contrast.f_min", f_min, || "a positive frequency in Hz".into())?;
        require((1..=32).contains(&n_bands), "contrast.n_bands", n_bands, || "from 1 to 32 octaves".into())?;
        require(quantile > 0.0 && quantile < 1.0, "contrast.quantile", quantile, || {
            "between 0 and 1".into()
        })?;
        let highest = edges(&spec.contrast)[n_bands];
        require(highest < nyquist, "contrast.n_bands", n_bands, || {
            format!("bands below half the sample rate; the highest begins at {highest} Hz of {nyquist} Hz")
        })?;
        let hertz = fft_frequencies(spec.sample_rate, spec.n_fft);
        let is_empty = |edge: &[f64]| !hertz.iter().any(|&f| f >= edge[0] && f <= edge[1]);
        let n_empty = edges(&spec.contrast).windows(2).filter(|edge| is_empty(edge)).count();
        require(n_empty == 0, "contrast.f_min", f_min, || {
            format!("bands wide enough for a bin of n_fft = {}; {n_empty} have none", spec.n_fft)
        })
    }

    fn plan(spec: &FeatureSpec) -> Self {
        let hertz = fft_frequencies(spec.sample_rate, spec.n_fft);
        Self {
            bands: bands(&spec.contrast, &hertz),
            sorted: Vec::with_capacity(hertz.len()),
            peaks: Vec::new(),
            valleys: Vec::new(),
        }
    }

    fn compute(&mut self, sound: &Sound<'_>, mut rows: Rows<'_>) {
        self.find_extremes(&sound.shared.magnitude, fourier::n_bins(sound.spec.n_fft));
        if !sound.spec.contrast.linear {
            power_to_db(&mut self.peaks, &Decibel::POWER);
            power_to_db(&mut self.valleys, &Decibel::POWER);
        }
        let n_bands = self.bands.len();
        let extremes = self.peaks.chunks_exact(n_bands).zip(self.valleys.chunks_exact(n_bands));
        for (row, (peaks, valleys)) in rows.iter_mut().zip(extremes) {
            for ((slot, peak), valley) in row.iter_mut().zip(peaks).zip(valleys) {
                *slot = peak - valley;
            }
        }
    }
}

impl SpectralContrast {
    fn find_extremes(&mut self, magnitude: &[f32], n_bins: usize) {
        let Self { bands, sorted, peaks, valleys } = self;
        peaks.clear();
        valleys.clear();
        for frame in magnitude.chunks_exact(n_bins) {
            for Band { bins, n_extremes } in bands.iter() {
                sorted.clear();
                sorted.extend_from_slice(&frame[bins.clone()]);
                let (valley, peak) = extremes(sorted, *n_extremes);
                peaks.push(peak);
                valleys.push(valley);
            }
        }
    }
}

/// Means of the `n` smallest and of the `n` largest values, in whose order nothing is left afterwards.
fn extremes(values: &mut [f32], n: usize) -> (f32, f32) {
    let n = n.min(values.len());
    if n == 0 {
        return (0.0, 0.0);
    }
    let mean = |values: &[f32]| (values.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64) as f32;
    values.select_nth_unstable_by(n - 1, f32::total_cmp);
    let valley = mean(&values[..n]);
    let first = values.len() - n;
    values.select_nth_unstable_by(first, f32::total_cmp);
    (valley, mean(&values[first..]))
}

/// 0 Hz, `f_min`, and the octaves above it: `[n_bands + 2]`.
fn edges(config: &ContrastConfig) -> Vec<f64> {
    let octaves = (0..=config.n_bands.min(64)).map(|k| f64::from(config.f_min) * 2f64.powi(k as i32));
    std::iter::once(0.0).chain(octaves).collect()
}

/// The bins of each band, by librosa's rules.
fn bands(config: &ContrastConfig, hertz: &[f64]) -> Vec<Band> {
    let edges = edges(config);
    let edges = edges.windows(2).enumerate();
    edges
        .map(|(k, edge)| {
            let first = hertz.partition_point(|&f| f < edge[0]);
            let end = hertz.partition_point(|&f| f <= edge[1]);
            let is_last = k == config.n_bands;
            let bins = first.saturating_sub(usize::from(k > 0))..if is_last { hertz.len() } else { end };
            // The quantile counts the band with its last bin, which is then left to the next band.
            let n_extremes = (config.quantile * bins.len() as f64).round_ties_even().max(1.0);
            let end = bins.end - usize::from(!is_last);
            Band { bins: bins.start.min(end)..end, n_extremes: n_extremes as usize }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn extremes_are_the_ends_of_the_sorted_values() {
        let values: Vec<f32> = (0..50).map(|i| ((i * 37) % 50) as f32).collect();
        for n in [1, 3, 25, 50] {
            let (valley, peak) = extremes(&mut values.clone(), n);
            let half = (n - 1) as f32 / 2.0;
            assert_close(&[valley, peak], &[half, 49.0 - half], 1e-5);
        }
        assert_eq!(extremes(&mut [], 1), (0.0, 0.0));
    }

    #[test]
    fn bands_are_octaves() {
        let hertz: Vec<f64> = (0..=100).map(|k| f64::from(k) * 10.0).collect();
        let config = ContrastConfig { f_min: 100.0, n_bands: 3, quantile: 0.1, linear: false };
        let bins: Vec<_> = bands(&config, &hertz).into_iter().map(|band| band.bins).collect();
        assert_eq!(bins, [0..10, 9..20, 19..40, 39..101]);
    }

    #[test]
    fn bands_that_cannot_be_are_refused() {
        let refused = |contrast| {
            let spec = FeatureSpec { contrast, ..FeatureSpec::default() };
            SpectralContrast::validate(&spec).unwrap_err().to_string()
        };
        let default = ContrastConfig::default;
        assert!(refused(ContrastConfig { n_bands: 7, ..default() }).contains("half the sample rate"));
        assert!(refused(ContrastConfig { f_min: 0.0, ..default() }).contains("f_min"));
        assert!(refused(ContrastConfig { f_min: 1e-3, ..default() }).contains("have none"));
        assert!(refused(ContrastConfig { quantile: 1.0, ..default() }).contains("quantile"));
    }
}
