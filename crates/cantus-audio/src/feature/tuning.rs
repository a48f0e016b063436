//! Tuning estimation: the deviation of a recording from A4 = 440 Hz.
//!
//! In every frame the peaks of the spectrum are located by parabolic interpolation. Of the peaks at or above the median height, a
//! histogram of the deviation from the nearest note is made; its mode is the tuning.
//!
//! # Conventions
//! In fractions of a bin, from -0.5 to below 0.5, with `bins_per_octave` bins per octave; in steps of 0.01.
//!
//! # Reference
//! Smith & Serra, "PARSHL: an analysis/synthesis program for non-harmonic sounds", 1987 (the parabola);
//! `librosa.estimate_tuning` 0.11 with its defaults.

/// Range of the peaks, in Hz.
const PITCHES_HZ: std::ops::Range<f64> = 150.0..4000.0;
/// Minimum height of a peak, relative to the maximum of the frame.
pub const THRESHOLD: f32 = 0.1;
/// Number of histogram steps per bin.
pub const N_STEPS: usize = 100;
/// Four octaves below A4, in Hz.
pub const A0_HZ: f32 = 27.5;

/// Collects spectral peaks frame by frame, and estimates the tuning.
#[derive(Debug, Clone)]
pub struct TuningEstimator {
    bins_per_octave: usize,
    /// Bandwidth of a bin of the spectrum, in Hz.
    bin_hz: f64,
    /// The bins of the spectrum that are searched for peaks.
    bins: std::ops::Range<usize>,
    peaks: Vec<Peak>,
    /// Working space.
    heights: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Peak {
    pitch_hz: f32,
    height: f32,
}

impl TuningEstimator {
    /// Plans the estimate from spectra of `n_fft` samples.
    pub fn new(sample_rate: u32, n_fft: usize, bins_per_octave: usize) -> Self {
        let bin_hz = f64::from(sample_rate) / n_fft as f64;
        let n_bins = n_fft / 2 + 1;
        let first_above = |hz: f64| (0..n_bins).find(|k| *k as f64 * bin_hz >= hz).unwrap_or(n_bins);
        let end = first_above(PITCHES_HZ.end.min(f64::from(sample_rate) / 2.0));
        let bins = first_above(PITCHES_HZ.start).max(1)..end.min(n_bins.saturating_sub(1));
        Self { bins_per_octave, bin_hz, bins, peaks: Vec::new(), heights: Vec::new() }
    }

    /// The bins of the spectrum that are searched for peaks; never the first or last.
    pub fn bins(&self) -> std::ops::Range<usize> {
        self.bins.clone()
    }

    /// Removes all frames.
    pub fn clear(&mut self) {
        self.peaks.clear();
    }

    /// Adds the peaks of one frame.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`, magnitude or power; the estimates differ
    pub fn add(&mut self, spectrum: &[f32]) {
        let threshold = THRESHOLD * spectrum.iter().copied().fold(0.0, f32::max);
        for k in self.bins.clone() {
            let Some(&[before, here, after]) = spectrum.get(k - 1..k + 2) else { return };
            let thresholded = |x: f32| if x > threshold { x } else { 0.0 };
            if thresholded(here) > thresholded(before) && thresholded(here) >= thresholded(after) {
                let shift = vertex(before, here, after);
                let pitch_hz = ((k as f64 + f64::from(shift)) * self.bin_hz) as f32;
                let height = here + 0.25 * (after - before) * shift;
                self.peaks.push(Peak { pitch_hz, height });
            }
        }
    }

    /// The tuning of all frames since the last [`Self::clear`]; 0 without peaks.
    ///
    /// # Reference
    /// Equals `librosa.estimate_tuning(S=…)` 0.11, except where two steps are equally likely up to rounding.
    pub fn tuning(&mut self) -> f64 {
        self.heights.clear();
        self.heights.extend(self.peaks.iter().map(|peak| peak.height));
        let threshold = median(&mut self.heights);
        let mut counts = [0usize; N_STEPS];
        for peak in self.peaks.iter().filter(|peak| peak.height >= threshold) {
            counts[step(residual(peak.pitch_hz, self.bins_per_octave))] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        let first = counts.iter().position(|count| *count == most && most > 0);
        first.map_or(0.0, edge)
    }
}

/// Vertex of the parabola through three values, relative to the middle one; 0 if it is outside.
fn vertex(before: f32, here: f32, after: f32) -> f32 {
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

/// Deviation of a pitch from the nearest note, in bins: from -0.5 to below 0.5.
fn residual(pitch_hz: f32, bins_per_octave: usize) -> f32 {
    let within = (bins_per_octave as f32 * (pitch_hz / A0_HZ).log2()).rem_euclid(1.0);
    if within >= 0.5 { within - 1.0 } else { within }
}

/// Lower edge of step `i`.
pub fn edge(i: usize) -> f64 {
    -0.5 + i as f64 * 0.01 // numpy.linspace, to the last bit
}

/// The step of a residual.
fn step(residual: f32) -> usize {
    let residual = f64::from(residual);
    let guess = ((residual + 0.5) * N_STEPS as f64).clamp(0.0, N_STEPS as f64 - 1.0) as usize;
    // Corrects rounding at the edges.
    if residual < edge(guess) {
        guess.saturating_sub(1)
    } else if residual >= edge(guess + 1) {
        (guess + 1).min(N_STEPS - 1)
    } else {
        guess
    }
}

/// The median; for an even number of values, the mean of the two central ones; 0 for none.
pub(super) fn median(values: &mut [f32]) -> f32 {
    let n = values.len();
    if n == 0 {
        return 0.0;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f32::total_cmp);
    let upper = *middle;
    if n % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (lower + upper) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Stft, StftConfig};

    fn tuning_of(samples: &[f32]) -> f64 {
        let mut estimator = TuningEstimator::new(22_050, 2048, 12);
        let mut stft = Stft::new(StftConfig::default()).unwrap();
        let magnitude = stft.magnitude(samples);
        magnitude.chunks_exact(1025).for_each(|frame| estimator.add(frame));
        estimator.tuning()
    }

    #[test]
    fn the_tuning_of_a_detuned_tone_is_estimated() {
        for tuning in [-0.4, -0.12, 0.0, 0.23, 0.41] {
            let turns = std::f64::consts::TAU * 440.0 * f64::exp2(tuning / 12.0) / 22_050.0;
            let tone: Vec<f32> = (0..30_000).map(|n| (turns * f64::from(n)).sin() as f32).collect();
            assert!((tuning_of(&tone) - tuning).abs() < 0.03, "{} instead of {tuning}", tuning_of(&tone));
        }
    }

    #[test]
    fn the_tuning_of_silence_is_0() {
        assert_eq!(tuning_of(&[0.0; 5000]), 0.0);
        assert_eq!(tuning_of(&[]), 0.0);
    }

    #[test]
    fn the_step_of_a_residual_equals_numpys() {
        // x = np.float32([-0.5, -0.49, -0.4900001, 0, -1e-9, 0.48999998, 0.49, 0.5])
        // print([int(np.flatnonzero(np.histogram([v], np.linspace(-0.5, 0.5, 101))[0])[0]) for v in x])
        let residuals = [-0.5, -0.49, -0.490_000_1, 0.0, -1e-9, 0.489_999_98, 0.49, 0.5];
        assert_eq!(residuals.map(step), [0, 0, 0, 50, 49, 98, 99, 99]);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_central_two() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}
