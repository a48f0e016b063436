//! Spectral contrast: level difference of peaks and valleys per octave band; high for tones, low for noise.
//!
//! The bands are `[0, f_min]` and successive octaves above. Peak and valley of a band are the means of its largest and
//! smallest bins, a share of `quantile` of them and at least one.
//!
//! # Reference
//! Jiang et al., "Music type classification by spectral contrast feature", 2002;
//! `librosa.feature.spectral_contrast` 0.11, and as there: a band's first bin is the one below its lower edge, its last
//! but one the last up to its upper edge, and a `top_db` of 80 applies to peaks and to valleys over the segment.
//! Equal within 1e-3 dB, also of tones and band-limited sound, whose valleys are nearly empty: see [`crate::feature`].

use std::array;
use std::ops::Range;

use cantus_simd::multiversion;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::feature::frame_level::{Bins, Feature};
use crate::feature::frame_params::FrameParams;
use crate::feature::front_end::{FrameInput, Intermediate};
use crate::feature::range_check::require;
use crate::feature::rows::Rows;
use crate::transform::decibel::{Decibel, power_to_db};
use crate::transform::fourier::fft_frequencies;

/// Number of frames that are processed in parallel.
const LANES: usize = 8;

/// Number of bins that are compared at once with those found so far.
const GROUP: usize = 4;

/// One number per frame.
type Lanes = [f32; LANES];

/// Settings of the contrast; librosa's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastConfig {
    /// Upper edge of the lowest band, in Hz.
    pub f_min: f32,
    /// Number of octaves above `f_min`.
    pub n_bands: usize,
    /// Share of a band's bins that form its peak, and its valley. In f64, because librosa rounds its product with the
    /// number of bins, and 0.02 · 75 is exactly 1.5.
    pub quantile: f64,
    /// Difference of magnitudes instead of levels in dB.
    pub linear: bool,
}

impl Default for ContrastConfig {
    fn default() -> Self {
        Self { f_min: 200.0, n_bands: 6, quantile: 0.02, linear: false }
    }
}

/// A band of the spectral contrast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContrastBand {
    /// Its bins of the spectrum.
    pub bins: Range<usize>,
    /// Number of bins of its peak, and of its valley, if it has as many.
    pub n_extremes: usize,
}

impl ContrastConfig {
    /// The bands for a spectrum of `n_fft` samples, lowest first.
    ///
    /// # Reference
    /// Those of `librosa.feature.spectral_contrast` 0.11.
    #[must_use]
    pub fn bands(&self, sample_rate: u32, n_fft: usize) -> Vec<ContrastBand> {
        bands(self, &fft_frequencies(sample_rate, n_fft))
    }
}

/// Contrast per band: `[n_frames, n_bands + 1]`; in dB unless `linear`.
#[derive(Debug, Clone)]
pub(crate) struct SpectralContrast {
    bands: Vec<ContrastBand>,
    linear: bool,
    /// `[n_bins, LANES]`, the bins of a block of frames: working space.
    block: Vec<Lanes>,
    /// Extremes of the block: working space.
    kept: Vec<Lanes>,
    /// `[n_frames, n_bands + 1]`
    peaks: Vec<f32>,
    valleys: Vec<f32>,
}

impl Feature for SpectralContrast {
    type Config = ContrastConfig;
    const NAME: &'static str = "spectral_contrast";
    const TITLE: &'static str = "Spectral contrast";
    const UNIT: &'static str = "dB";
    const NEEDS: &'static [Intermediate] = &[Intermediate::PreciseMagnitude];

    fn n_bins(config: &ContrastConfig, _: &FrameParams) -> usize {
        config.n_bands.saturating_add(1)
    }

    fn bins(config: &ContrastConfig, params: &FrameParams) -> Bins {
        // A band is named after its lower edge.
        let edges = edges(config).into_iter().take(Self::n_bins(config, params));
        Bins::Named("Octave from (Hz)", edges.map(|hertz| format!("{hertz:.0}")).collect())
    }

    fn validate(config: &ContrastConfig, params: &FrameParams) -> Result<(), Error> {
        let ContrastConfig { f_min, n_bands, quantile, .. } = *config;
        let nyquist = f64::from(params.sample_rate) / 2.0;
        require(f_min > 0.0, "contrast.f_min", f_min, || "a positive frequency in Hz".into())?;
        require((1..=32).contains(&n_bands), "contrast.n_bands", n_bands, || "from 1 to 32 octaves".into())?;
        require(quantile > 0.0 && quantile < 1.0, "contrast.quantile", quantile, || {
            "between 0 and 1".into()
        })?;
        let highest = edges(config)[n_bands];
        require(highest < nyquist, "contrast.n_bands", n_bands, || {
            format!("bands below half the sample rate; the highest begins at {highest} Hz of {nyquist} Hz")
        })?;
        let hertz = params.fft_hz();
        let is_empty = |edge: &[f64]| !hertz.iter().any(|&f| f >= edge[0] && f <= edge[1]);
        let n_empty = edges(config).windows(2).filter(|edge| is_empty(edge)).count();
        require(n_empty == 0, "contrast.f_min", f_min, || {
            format!("bands wide enough for a bin of n_fft = {}; {n_empty} have none", params.stft.n_fft)
        })
    }

    fn plan(config: &ContrastConfig, params: &FrameParams) -> Self {
        Self {
            bands: bands(config, &params.fft_hz()),
            linear: config.linear,
            block: Vec::new(),
            kept: Vec::new(),
            peaks: Vec::new(),
            valleys: Vec::new(),
        }
    }

    fn compute(&mut self, input: &FrameInput<'_>, mut rows: Rows<'_>) {
        self.find_extremes(input.precise_magnitude, input.params.n_fft_bins());
        if !self.linear {
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
        let Self { bands, block, kept, peaks, valleys, .. } = self;
        let (n_bands, n_frames) = (bands.len(), magnitude.len() / n_bins);
        peaks.resize(n_frames * n_bands, 0.0);
        valleys.resize(n_frames * n_bands, 0.0);
        block.resize(n_bins, [0.0; LANES]);
        for (number, frames) in magnitude.chunks(n_bins * LANES).enumerate() {
            let first = number * LANES * n_bands;
            // Of fewer frames than lanes, the last is repeated.
            let last = frames.len() / n_bins - 1;
            let rows: [&[f32]; LANES] = array::from_fn(|lane| &frames[lane.min(last) * n_bins..][..n_bins]);
            transpose(rows, block);
            for (k, band) in bands.iter().enumerate() {
                let (valley, peak) = extremes(&block[band.bins.clone()], band.n_extremes, kept);
                for lane in 0..=last {
                    let index = first + lane * n_bands + k;
                    (valleys[index], peaks[index]) = (valley[lane], peak[lane]);
                }
            }
        }
    }
}

/// Writes the frames `rows` to the lanes of `block`; a plain loop, which vectorises.
///
/// # Shapes
/// - `rows`: `[LANES, n_bins]`
/// - `block`: `[n_bins, LANES]`
#[multiversion]
fn transpose(rows: [&[f32]; LANES], block: &mut [Lanes]) {
    let n = block.len();
    let [a, b, c, d, e, f, g, h] = rows;
    let (a, b, c, d) = (&a[..n], &b[..n], &c[..n], &d[..n]);
    let (e, f, g, h) = (&e[..n], &f[..n], &g[..n], &h[..n]);
    for i in 0..n {
        block[i] = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]];
    }
}

/// Means of the `n` smallest values in each lane, and of the `n` largest; 0 where there are none.
///
/// `kept` is working space.
///
/// # Shapes
/// - `values`: `[n_bins, LANES]`
#[multiversion]
fn extremes(values: &[Lanes], n: usize, kept: &mut Vec<Lanes>) -> (Lanes, Lanes) {
    match n.min(values.len()) {
        0 => ([0.0; LANES], [0.0; LANES]),
        1 => few_extremes::<1>(values),
        2 => few_extremes::<2>(values),
        3 => few_extremes::<3>(values),
        n => many_extremes(values, n, kept),
    }
}

/// The means of `N` values, which are kept in registers.
#[inline(always)]
fn few_extremes<const N: usize>(values: &[Lanes]) -> (Lanes, Lanes) {
    let mut smallest = [[f32::INFINITY; LANES]; N];
    let mut largest = smallest;
    for value in values {
        insert(&mut smallest, *value, 1.0);
        insert(&mut largest, *value, -1.0);
    }
    (mean(&smallest, 1.0), mean(&largest, -1.0))
}

/// The means of `n` values. Spectra fall towards high frequencies: searched from there, few values are among the smallest,
/// and few among the largest in the other direction.
#[inline(always)]
fn many_extremes(values: &[Lanes], n: usize, kept: &mut Vec<Lanes>) -> (Lanes, Lanes) {
    kept.clear();
    kept.resize(n, [f32::INFINITY; LANES]);
    let (first, groups) = values.as_rchunks::<GROUP>();
    for group in groups.iter().rev() {
        insert_group(kept, group, 1.0);
    }
    insert_group(kept, first, 1.0);
    let smallest = mean(kept, 1.0);
    kept.fill([f32::INFINITY; LANES]);
    let (groups, last) = values.as_chunks::<GROUP>();
    for group in groups {
        insert_group(kept, group, -1.0);
    }
    insert_group(kept, last, -1.0);
    (smallest, mean(kept, -1.0))
}

/// Inserts a group of values, most of which are rejected by one comparison with the largest value kept.
#[inline(always)]
fn insert_group(kept: &mut [Lanes], group: &[Lanes], sign: f32) {
    let largest_kept = kept[kept.len() - 1];
    let mut any = false;
    for value in group {
        any |= is_smaller(value, sign, &largest_kept);
    }
    if any {
        for value in group {
            insert(kept, *value, sign);
        }
    }
}

/// Whether `sign · value` is under the limit in any lane.
#[inline(always)]
fn is_smaller(value: &Lanes, sign: f32, limit: &Lanes) -> bool {
    let mut any = false;
    for (x, limit) in value.iter().zip(limit) {
        any |= sign * x < *limit;
    }
    any
}

/// Inserts `sign · value` in each lane without branches: it is swapped with every kept value that is larger.
#[inline(always)]
fn insert(kept: &mut [Lanes], mut value: Lanes, sign: f32) {
    value.iter_mut().for_each(|x| *x *= sign);
    for kept in kept {
        for (kept, value) in kept.iter_mut().zip(&mut value) {
            let (a, b) = (*kept, *value);
            (*kept, *value) = if b < a { (b, a) } else { (a, b) };
        }
    }
}

/// `sign` times the mean in each lane.
#[inline(always)]
fn mean(kept: &[Lanes], sign: f32) -> Lanes {
    let mut sums = [0.0f64; LANES];
    for kept in kept {
        sums.iter_mut().zip(kept).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let mut means = [0.0; LANES];
    for (mean, sum) in means.iter_mut().zip(sums) {
        *mean = sign * (sum / kept.len() as f64) as f32;
    }
    means
}

/// 0 Hz, `f_min`, and the octaves above it: `[n_bands + 2]`.
fn edges(config: &ContrastConfig) -> Vec<f64> {
    let octaves = (0..=config.n_bands.min(64)).map(|k| f64::from(config.f_min) * 2f64.powi(k as i32));
    std::iter::once(0.0).chain(octaves).collect()
}

/// The bins of each band, by librosa's rules.
fn bands(config: &ContrastConfig, hertz: &[f64]) -> Vec<ContrastBand> {
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
            ContrastBand { bins: bins.start.min(end)..end, n_extremes: n_extremes as usize }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    #[test]
    fn extremes_are_means_of_the_ends_of_the_sorted_values() {
        let values: Vec<f32> = (0..50).map(|i| ((i * 37) % 50) as f32).collect();
        let block: Vec<Lanes> = values.iter().map(|&x| array::from_fn(|lane| x + lane as f32)).collect();
        for n in [1, 2, 3, 4, 5, 25, 50] {
            let (valley, peak) = extremes(&block, n, &mut Vec::new());
            let half = (n - 1) as f32 / 2.0;
            for lane in 0..LANES {
                let expected = [half + lane as f32, 49.0 - half + lane as f32];
                assert_close(&[valley[lane], peak[lane]], &expected, 1e-5);
            }
        }
        assert_eq!(extremes(&[], 1, &mut Vec::new()), ([0.0; LANES], [0.0; LANES]));
    }

    #[test]
    fn extremes_of_lanes_with_different_values_equal_those_of_the_sorted_values_for_every_number_of_bins() {
        let mut state = 1u32;
        for n_bins in 1..40 {
            let block: Vec<Lanes> = (0..n_bins)
                .map(|_| {
                    array::from_fn(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 8) as f32
                    })
                })
                .collect();
            for n in [1, 2, 3, 4, 9] {
                let (valley, peak) = extremes(&block, n, &mut Vec::new());
                for lane in 0..LANES {
                    let mut sorted: Vec<f64> = block.iter().map(|bin| f64::from(bin[lane])).collect();
                    sorted.sort_by(f64::total_cmp);
                    let n = n.min(n_bins);
                    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
                    let expected = [mean(&sorted[..n]), mean(&sorted[n_bins - n..])];
                    assert_close(&[valley[lane], peak[lane]], &expected, 1.0);
                }
            }
        }
    }

    #[test]
    fn bands_are_octaves() {
        let hertz: Vec<f64> = (0..=100).map(|k| f64::from(k) * 10.0).collect();
        let config = ContrastConfig { f_min: 100.0, n_bands: 3, quantile: 0.1, linear: false };
        let bins: Vec<_> = bands(&config, &hertz).into_iter().map(|band| band.bins).collect();
        assert_eq!(bins, [0..10, 9..20, 19..40, 39..101]);
    }

    #[test]
    fn invalid_bands_are_errors() {
        let refused = |contrast: ContrastConfig| {
            SpectralContrast::validate(&contrast, &FrameParams::default()).unwrap_err().to_string()
        };
        let default = ContrastConfig::default;
        assert!(refused(ContrastConfig { n_bands: 7, ..default() }).contains("half the sample rate"));
        assert!(refused(ContrastConfig { f_min: 0.0, ..default() }).contains("f_min"));
        assert!(refused(ContrastConfig { f_min: 1e-3, ..default() }).contains("have none"));
        assert!(refused(ContrastConfig { quantile: 1.0, ..default() }).contains("quantile"));
    }
}
