//! Tuning: by how much a recording lies beside A4 = 440 Hz.
//!
//! In every frame the peaks of the spectrum are found, each between bins by a parabola through the three values around
//! it. The louder half of them all is sorted by how far each lies from the nearest note; most lie where the
//! instruments are tuned.
//!
//! # Conventions
//! In parts of a bin, from -0.5 to below 0.5, where an octave has `bins_per_octave`; in steps of 0.01.
//!
//! # Reference
//! Smith & Serra, "PARSHL: an analysis/synthesis program for non-harmonic sounds", 1987 (the parabola);
//! `librosa.estimate_tuning` 0.11 with its defaults.

/// Peaks are looked for between these frequencies, in Hz.
const PITCHES_HZ: std::ops::Range<f64> = 150.0..4000.0;
/// Peaks lower than this part of the frame's highest value do not count.
pub const THRESHOLD: f32 = 0.1;
/// Number of steps in a bin.
pub const N_STEPS: usize = 100;
/// The A four octaves below A4, in Hz.
pub const A0_HZ: f32 = 27.5;

/// Collects the peaks of frame after frame, and says how the recording is tuned.
#[derive(Debug, Clone)]
pub struct TuningEstimator {
    bins_per_octave: usize,
    /// Hz from one bin of the spectrum to the next.
    bin_hz: f64,
    /// The bins of the spectrum in which peaks are looked for.
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

    /// The bins of the spectrum in which peaks are looked for; the first and last bin of all are never among them.
    pub fn bins(&self) -> std::ops::Range<usize> {
        self.bins.clone()
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        self.peaks.clear();
    }

    /// Collects the peaks of one frame.
    ///
    /// # Shapes
    /// - `spectrum`: `[n_fft / 2 + 1]`, magnitude or power: they give estimates of their own
    pub fn add(&mut self, spectrum: &[f32]) {
        let threshold = THRESHOLD * spectrum.iter().copied().fold(0.0, f32::max);
        for k in self.bins.clone() {
            let Some(&[before, here, after]) = spectrum.get(k - 1..k + 2) else { return };
            let audible = |x: f32| if x > threshold { x } else { 0.0 };
            if audible(here) > audible(before) && audible(here) >= audible(after) {
                let shift = vertex(before, here, after);
                let pitch_hz = ((k as f64 + f64::from(shift)) * self.bin_hz) as f32;
                let height = here + 0.25 * (after - before) * shift;
                self.peaks.push(Peak { pitch_hz, height });
            }
        }
    }

    /// The tuning of all frames since the last [`Self::clear`]; 0 if no pitch was heard.
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

/// Where the parabola through three values has its vertex, relative to the middle one; 0 if that is not between them.
fn vertex(before: f32, here: f32, after: f32) -> f32 {
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

/// How far a pitch lies from the nearest note, in notes of which an octave has `bins_per_octave`: from -0.5 to 0.5.
fn residual(pitch_hz: f32, bins_per_octave: usize) -> f32 {
    let within = (bins_per_octave as f32 * (pitch_hz / A0_HZ).log2()).rem_euclid(1.0);
    if within >= 0.5 { within - 1.0 } else { within }
}

/// Where step `i` begins.
pub fn edge(i: usize) -> f64 {
    -0.5 + i as f64 * 0.01 // numpy.linspace, to the last bit
}

/// In which step a residual lies.
fn step(residual: f32) -> usize {
    let residual = f64::from(residual);
    let guess = ((residual + 0.5) * N_STEPS as f64).clamp(0.0, N_STEPS as f64 - 1.0) as usize;
    // Rounding may have carried it over an edge.
    if residual < edge(guess) {
        guess.saturating_sub(1)
    } else if residual >= edge(guess + 1) {
        (guess + 1).min(N_STEPS - 1)
    } else {
        guess
    }
}

/// The median; of an even number of values, the mean of the two in the middle. 0 of none.
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
    fn an_instrument_out_of_tune_is_found_out() {
        for tuning in [-0.4, -0.12, 0.0, 0.23, 0.41] {
            let turns = std::f64::consts::TAU * 440.0 * f64::exp2(tuning / 12.0) / 22_050.0;
            let tone: Vec<f32> = (0..30_000).map(|n| (turns * f64::from(n)).sin() as f32).collect();
            assert!((tuning_of(&tone) - tuning).abs() < 0.03, "{} instead of {tuning}", tuning_of(&tone));
        }
    }

    #[test]
    fn silence_is_in_tune() {
        assert_eq!(tuning_of(&[0.0; 5000]), 0.0);
        assert_eq!(tuning_of(&[]), 0.0);
    }

    #[test]
    fn every_residual_lies_in_the_step_that_numpy_puts_it_into() {
        // x = np.float32([-0.5, -0.49, -0.4900001, 0, -1e-9, 0.48999998, 0.49, 0.5])
        // print([int(np.flatnonzero(np.histogram([v], np.linspace(-0.5, 0.5, 101))[0])[0]) for v in x])
        let residuals = [-0.5, -0.49, -0.490_000_1, 0.0, -1e-9, 0.489_999_98, 0.49, 0.5];
        assert_eq!(residuals.map(step), [0, 0, 0, 50, 49, 98, 99, 99]);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}
