//! The constant-Q transform (CQT): a time-frequency transform with geometrically spaced bins.
//!
//! All bins have the same quality factor Q, the ratio of frequency to bandwidth: low bins have long wavelets and a fine
//! frequency resolution, high bins short wavelets and a fine time resolution.
//!
//! # Method
//! The wavelets of one octave are half as long as those of the octave below. The top octave is computed at the full rate;
//! then the signal is downsampled by 2 for the next octave with the same wavelets, and so on. The wavelets are applied in
//! the frequency domain, where each has few non-zero bins (`basis`). Where the hop is odd, the rate is kept and the
//! wavelets are longer instead. If all octaves are low, the signal is downsampled first.
//!
//! # Conventions
//! - `[n_frames, n_bins]`; frame `t` is centred at sample `t * hop_length`, `1 + n_samples / hop_length` frames.
//!   (librosa has one more where it downsamples first and the signal ends just before a hop.)
//! - Where the signal is first downsampled by more than 2 : 1, a loud start or end differs from librosa's by a few percent
//!   in the adjacent frames, because soxr's first and last samples are inaccurate there.
//! - `scale` divides by the square root of the wavelet's length, so that white noise has a flat spectrum.
//!
//! # Reference
//! Brown, "Calculation of a constant Q spectral transform", 1991; Schörkhuber & Klapuri, "Constant-Q transform toolbox
//! for music processing", 2010; `librosa.cqt` 0.11.

mod basis;
mod config;

use std::sync::Arc;

use basis::Basis;
pub use config::{C1_HZ, CqtConfig};

use super::fourier::Complex32;
use super::stft::{Stft, StftConfig};
use super::window::Window;
use crate::Error;
use crate::resample::Resampler;

/// A planned constant-Q transform.
#[derive(Clone)]
pub struct Cqt {
    config: CqtConfig,
    /// Downsampling before the first octave, if no bin needs the full rate.
    early: Option<Resampler>,
    halve: Resampler,
    /// In descending order.
    octaves: Vec<Octave>,
    /// Spectrum of a frame, real and imaginary parts interleaved.
    spectrum: Vec<f32>,
}

/// The transform of one octave.
#[derive(Debug, Clone)]
struct Octave {
    basis: Arc<Basis>,
    stft: Stft,
    /// Index of its first bin.
    bin: usize,
    /// Gains of its bins.
    gains: Vec<f32>,
    /// Whether the signal is downsampled by 2 before it.
    is_halved: bool,
}

impl Cqt {
    /// Plans the transform.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if a parameter is out of range, or a wavelet's band extends over half the sample rate.
    pub fn new(config: CqtConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self::planned(config))
    }

    /// Plans a validated configuration.
    pub(crate) fn planned(config: CqtConfig) -> Self {
        let n_early = config.n_early_halvings();
        let factor = 1u32 << n_early;
        let octaves = octaves(&config, factor);
        let longest = octaves.iter().map(|octave| octave.stft.n_bins()).max().unwrap_or(0);
        Self {
            early: (n_early > 0).then(|| Resampler::new(factor, 1)),
            halve: Resampler::new(2, 1),
            spectrum: vec![0.0; 2 * longest],
            octaves,
            config,
        }
    }

    /// The planned configuration.
    #[must_use]
    pub fn config(&self) -> &CqtConfig {
        &self.config
    }

    /// Number of frames of `n_samples` samples; 0 for 0.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        if n_samples == 0 { 0 } else { 1 + n_samples / self.config.hop_length }
    }

    /// The complex transform.
    ///
    /// # Shapes
    /// - returns: `[n_frames, n_bins]`
    ///
    /// # Reference
    /// Equals `librosa.cqt(samples, …).T` 0.11 within 1e-4 of the largest magnitude.
    pub fn transform(&mut self, samples: &[f32]) -> Vec<Complex32> {
        let n_bins = self.config.n_bins;
        let mut values = vec![Complex32::ZERO; self.n_frames(samples.len()) * n_bins];
        self.for_each(samples, |t, bin, value| values[t * n_bins + bin] = value);
        values
    }

    /// The magnitudes of the transform.
    ///
    /// # Shapes
    /// - returns: `[n_frames, n_bins]`
    pub fn magnitude(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut values = Vec::new();
        self.magnitude_into(samples, &mut values);
        values
    }

    /// [`Self::magnitude`] into a reused buffer, whose contents are replaced.
    pub fn magnitude_into(&mut self, samples: &[f32], values: &mut Vec<f32>) {
        let n_bins = self.config.n_bins;
        values.clear();
        values.resize(self.n_frames(samples.len()) * n_bins, 0.0);
        self.for_each(samples, |t, bin, value| values[t * n_bins + bin] = value.norm_sqr().sqrt());
    }

    /// Computes every value, octave by octave, and calls `visit` with its frame, bin and value.
    fn for_each(&mut self, samples: &[f32], mut visit: impl FnMut(usize, usize, Complex32)) {
        let n_frames = self.n_frames(samples.len());
        let Self { early, halve, octaves, spectrum, .. } = self;
        let mut downsampled = early.as_ref().map(|plan| plan.process(samples));
        for octave in octaves {
            if octave.is_halved {
                downsampled = Some(halve.process(downsampled.as_deref().unwrap_or(samples)));
            }
            let Octave { basis, stft, bin, gains, .. } = octave;
            stft.for_each_frame(downsampled.as_deref().unwrap_or(samples), |t, frame| {
                if t >= n_frames {
                    return; // downsampling rounds the length up, which may add a frame
                }
                for (pair, value) in spectrum.chunks_exact_mut(2).zip(frame) {
                    pair.copy_from_slice(&[value.re, value.im]);
                }
                for (i, (response, gain)) in basis.responses(spectrum).zip(gains.iter()).enumerate() {
                    visit(t, *bin + i, response * gain);
                }
            });
        }
    }
}

impl std::fmt::Debug for Cqt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cqt").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Plans the octaves, in descending order, for a signal that was downsampled by `factor`.
fn octaves(config: &CqtConfig, factor: u32) -> Vec<Octave> {
    let frequencies = config.frequencies();
    let full_rate = f64::from(config.sample_rate) / f64::from(factor);
    let (mut rate, mut hop_length) = (full_rate, config.hop_length / factor as usize);
    let mut octaves: Vec<Octave> = Vec::new();
    let mut end = frequencies.len();
    while end > 0 {
        let bin = end.saturating_sub(config.bins_per_octave);
        let is_halved = !octaves.is_empty() && hop_length.is_multiple_of(2);
        if is_halved {
            (rate, hop_length) = (rate / 2.0, hop_length / 2);
        }
        // At half the rate, the wavelets of the octave below are the same.
        let same = octaves.last().filter(|above| is_halved && above.gains.len() == end - bin);
        let basis = same.map_or_else(
            || Arc::new(Basis::new(config, &frequencies[bin..end], rate)),
            |above| Arc::clone(&above.basis),
        );
        octaves.push(Octave {
            stft: stft(config, basis.n_fft(), hop_length),
            basis,
            bin,
            gains: frequencies[bin..end].iter().map(|f| gain(config, *f, full_rate, rate)).collect(),
            is_halved,
        });
        end = bin;
    }
    octaves
}

/// Compensates for downsampling, and divides by the square root of the wavelet's length if `scale` is set.
fn gain(config: &CqtConfig, frequency: f64, full_rate: f64, rate: f64) -> f32 {
    let early = f64::from(config.sample_rate) / full_rate;
    let scale =
        if config.scale { early.sqrt() / config.wavelet_length(frequency, full_rate).sqrt() } else { early };
    (full_rate / rate * scale) as f32
}

#[expect(clippy::expect_used, reason = "a validated configuration has a valid n_fft and hop_length")]
fn stft(config: &CqtConfig, n_fft: usize, hop_length: usize) -> Stft {
    let pad_mode = config.pad_mode;
    let config = StftConfig { n_fft, hop_length, window: Window::Boxcar, pad_mode, ..StftConfig::default() };
    Stft::new(config).expect("a valid n_fft and hop_length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn tone(frequency: f64, n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (TAU * frequency * n as f64 / 22_050.0).sin() as f32).collect()
    }

    #[test]
    fn every_tone_has_its_maximum_in_its_own_bin() {
        let mut plan = Cqt::new(CqtConfig::default()).unwrap();
        for bin in [0, 11, 12, 40, 57, 83] {
            let frequency = plan.config().frequencies()[bin];
            let magnitude = plan.magnitude(&tone(frequency, 60_000));
            let middle = &magnitude[60 * 84..61 * 84];
            let loudest = (0..84).max_by(|a, b| middle[*a].total_cmp(&middle[*b])).unwrap();
            assert_eq!(loudest, bin, "{frequency} Hz");
        }
    }

    #[test]
    fn downsampled_octaves_equal_octaves_at_the_full_rate() {
        // With an odd hop there is no downsampling: the same transform by longer wavelets.
        let config = CqtConfig { n_bins: 36, hop_length: 255, sparsity: 0.0, ..CqtConfig::default() };
        let samples = tone(110.0, 40_000);
        let slow = Cqt::new(config.clone()).unwrap().magnitude(&samples);
        let fast = Cqt::new(CqtConfig { hop_length: 256, ..config }).unwrap().magnitude(&samples);
        let (slow, fast) = (&slow[78 * 36..79 * 36], &fast[78 * 36..79 * 36]);
        for (bin, (s, f)) in slow.iter().zip(fast).enumerate() {
            assert!((s - f).abs() < 1e-2 * slow[21], "bin {bin}: {f} instead of {s}");
        }
    }

    #[test]
    fn signals_of_any_length_are_accepted() {
        let mut plan = Cqt::new(CqtConfig::default()).unwrap();
        for n_samples in [0, 1, 2, 511, 512, 1023] {
            let magnitude = plan.magnitude(&tone(440.0, n_samples));
            assert_eq!(magnitude.len(), 84 * plan.n_frames(n_samples));
            assert!(magnitude.iter().all(|x| x.is_finite()));
        }
        assert_eq!((plan.n_frames(0), plan.n_frames(511), plan.n_frames(512)), (0, 1, 2));
    }

    #[test]
    fn output_does_not_depend_on_previous_signals() {
        let mut plan = Cqt::new(CqtConfig::default()).unwrap();
        let first = plan.transform(&tone(440.0, 5000));
        plan.transform(&tone(1000.0, 9000));
        assert_eq!(plan.clone().transform(&tone(440.0, 5000)), first);
    }
}
