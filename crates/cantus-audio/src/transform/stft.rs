//! The short-time Fourier transform (STFT) and its inverse.
//!
//! The signal is cut into frames of `n_fft` samples, one every `hop_length`; each is multiplied by a window and
//! transformed. [`Stft::new`] plans it once for many signals; nothing is allocated per frame.
//!
//! # Conventions
//! - Spectrograms are `[n_frames, n_bins]` row-major (librosa's, transposed), `n_bins = n_fft / 2 + 1`.
//! - Centred (librosa's default): frame `t` is centred at sample `t * hop_length`, and the signal is padded by
//!   `pad_mode`. There are `1 + n_samples / hop_length` frames for an even `n_fft`.
//! - Not centred: frame `t` starts at sample `t * hop_length`; there are only frames that lie completely inside.
//!
//! # Reference
//! Allen & Rabiner, "A unified approach to short-time Fourier analysis and synthesis", 1977; `librosa.stft` 0.11.

use cantus_simd::multiversion;

use super::fourier::{self, Complex32, RealFft};
use super::padding::PadMode;
use super::window::Window;
use crate::Error;

/// Limit on the length of a frame, in samples: 24 s at 44.1 kHz.
pub const MAX_N_FFT: usize = 1 << 20;

/// Parameters of the STFT; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct StftConfig {
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop_length: usize,
    /// Length of the window, in samples; `n_fft` if absent. A shorter window is centred in the frame.
    pub win_length: Option<usize>,
    /// The window function.
    pub window: Window,
    /// Whether frame `t` is centred at sample `t * hop_length`.
    pub center: bool,
    /// How the signal is padded, if centred.
    pub pad_mode: PadMode,
}

impl Default for StftConfig {
    fn default() -> Self {
        Self {
            n_fft: 2048,
            hop_length: 512,
            win_length: None,
            window: Window::Hann,
            center: true,
            pad_mode: PadMode::Constant,
        }
    }
}

impl StftConfig {
    /// Number of frames of `n_samples` samples; 0 if there are none, or too few for a frame that is not centred.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        let padded = n_samples + 2 * self.padding();
        if n_samples == 0 || self.n_fft == 0 || self.hop_length == 0 || padded < self.n_fft {
            return 0;
        }
        1 + (padded - self.n_fft) / self.hop_length
    }

    /// Checks that the transform can be computed.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let within = |parameter, found: usize, limit: usize| {
            if (1..=limit).contains(&found) {
                return Ok(());
            }
            let expected = format!("a number of samples from 1 to {limit}");
            Err(Error::InvalidSpec { parameter, found: found.to_string(), expected })
        };
        within("n_fft", self.n_fft, MAX_N_FFT)?;
        within("hop_length", self.hop_length, MAX_N_FFT)?;
        within("win_length", self.win_length.unwrap_or(self.n_fft), self.n_fft)
    }

    /// Samples of padding at each end.
    pub(crate) fn padding(&self) -> usize {
        if self.center { self.n_fft / 2 } else { 0 }
    }
}

/// A planned short-time Fourier transform.
#[derive(Debug, Clone)]
pub struct Stft {
    config: StftConfig,
    /// `[n_fft]`
    window: Vec<f32>,
    fft: RealFft,
    /// `[n_fft]`, scratch.
    frame: Vec<f32>,
    /// `[n_bins]`, scratch.
    spectrum: Vec<Complex32>,
}

impl Stft {
    /// Plans the transform.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if `n_fft` or `hop_length` is 0 or over [`MAX_N_FFT`], or the window is longer than the frame.
    pub fn new(config: StftConfig) -> Result<Self, Error> {
        config.validate()?;
        let win_length = config.win_length.unwrap_or(config.n_fft);
        Ok(Self {
            window: config.window.frame_weights(win_length, config.n_fft),
            fft: RealFft::new(config.n_fft),
            frame: vec![0.0; config.n_fft],
            spectrum: vec![Complex32::default(); fourier::n_bins(config.n_fft)],
            config,
        })
    }

    /// The planned configuration.
    #[must_use]
    pub fn config(&self) -> &StftConfig {
        &self.config
    }

    /// Number of frequency bins: `n_fft / 2 + 1`.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.spectrum.len()
    }

    /// Number of frames of `n_samples` samples.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.config.n_frames(n_samples)
    }

    /// Transforms frame by frame and calls `visit` with the index and the spectrum, `[n_bins]`, of each.
    pub fn for_each_frame(&mut self, samples: &[f32], mut visit: impl FnMut(usize, &[Complex32])) {
        let padding = self.config.padding() as isize;
        for t in 0..self.n_frames(samples.len()) {
            let start = (t * self.config.hop_length) as isize - padding;
            self.fill_frame(samples, start);
            self.fft.forward(&mut self.frame, &mut self.spectrum);
            visit(t, &self.spectrum);
        }
    }

    /// The complex spectrogram.
    ///
    /// # Shapes
    /// - returns: `[n_frames, n_bins]`
    ///
    /// # Reference
    /// Equals `librosa.stft(samples, …).T` 0.11; magnitudes within 1e-6 of the largest.
    pub fn transform(&mut self, samples: &[f32]) -> Vec<Complex32> {
        let mut spectrogram = Vec::with_capacity(self.n_frames(samples.len()) * self.n_bins());
        self.for_each_frame(samples, |_, spectrum| spectrogram.extend_from_slice(spectrum));
        spectrogram
    }

    /// The magnitude spectrogram, `|transform|`.
    ///
    /// # Shapes
    /// - returns: `[n_frames, n_bins]`
    pub fn magnitude(&mut self, samples: &[f32]) -> Vec<f32> {
        self.map(samples, magnitude)
    }

    /// The power spectrogram, `|transform|²`.
    ///
    /// # Shapes
    /// - returns: `[n_frames, n_bins]`
    pub fn power(&mut self, samples: &[f32]) -> Vec<f32> {
        self.map(samples, power)
    }

    /// The signal of a complex spectrogram: windowed overlap-add, divided by the sum of the squared windows.
    ///
    /// The inverse of [`Self::transform`] wherever that sum is not zero: everywhere for Hann and a hop of a quarter.
    ///
    /// # Shapes
    /// - `spectrogram`: `[n_frames, n_bins]`; an incomplete last row is not read
    /// - returns: `[n_samples]`; 0 outside of the frames
    ///
    /// # Reference
    /// Griffin & Lim, "Signal estimation from modified short-time Fourier transform", 1984; equals
    /// `librosa.istft(…, length=n_samples)` 0.11.
    pub fn inverse(&mut self, spectrogram: &[Complex32], n_samples: usize) -> Vec<f32> {
        let (hop_length, padding) = (self.config.hop_length, self.config.padding());
        let mut sum = vec![0.0f32; n_samples];
        let mut weight = vec![0.0f32; n_samples];
        for (t, row) in spectrogram.chunks_exact(self.n_bins()).enumerate() {
            self.spectrum.copy_from_slice(row);
            self.fft.inverse(&mut self.spectrum, &mut self.frame);
            let start = t * hop_length;
            let first = padding.saturating_sub(start); // samples of the padding are skipped
            let at = (start + first - padding).min(n_samples);
            let frame = self.frame[first.min(self.config.n_fft)..].iter();
            let window = self.window[first.min(self.config.n_fft)..].iter();
            for (((s, w), x), a) in sum[at..].iter_mut().zip(&mut weight[at..]).zip(frame).zip(window) {
                *s += a * x;
                *w += a * a;
            }
        }
        for (s, w) in sum.iter_mut().zip(&weight) {
            if *w > f32::MIN_POSITIVE {
                *s /= w;
            }
        }
        sum
    }

    fn map(&mut self, samples: &[f32], measure: fn(&[Complex32], &mut [f32])) -> Vec<f32> {
        let n_bins = self.n_bins();
        let mut spectrogram = vec![0.0; self.n_frames(samples.len()) * n_bins];
        self.for_each_frame(samples, |t, spectrum| {
            measure(spectrum, &mut spectrogram[t * n_bins..(t + 1) * n_bins]);
        });
        spectrogram
    }

    /// Writes the windowed frame that starts at sample `start` of the padded signal.
    fn fill_frame(&mut self, samples: &[f32], start: isize) {
        let n_fft = self.config.n_fft as isize;
        let first = (-start).clamp(0, n_fft) as usize; // within the frame: the start of the signal,
        let last = (samples.len() as isize - start).clamp(first as isize, n_fft) as usize; // and its end
        let inside = samples.get((start + first as isize) as usize..).unwrap_or_default();
        apply_window(&mut self.frame[first..last], &self.window[first..last], inside);
        for n in (0..first).chain(last..self.config.n_fft) {
            let source = self.config.pad_mode.source(start + n as isize, samples.len());
            self.frame[n] = source.map_or(0.0, |i| samples[i] * self.window[n]);
        }
    }
}

/// `frame = window · samples`
#[multiversion]
fn apply_window(frame: &mut [f32], window: &[f32], samples: &[f32]) {
    frame.iter_mut().zip(window).zip(samples).for_each(|((slot, w), x)| *slot = x * w);
}

/// Writes `|spectrum|`.
#[multiversion]
pub fn magnitude(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr().sqrt();
    }
}

/// Writes `|spectrum|²`.
#[multiversion]
pub fn power(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// A chirp with abrupt ends.
    fn chirp(n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (n as f32 * n as f32 * 2e-4 + 1.0).sin()).collect()
    }

    fn planned(n_fft: usize, hop_length: usize) -> Stft {
        Stft::new(StftConfig { n_fft, hop_length, ..StftConfig::default() }).unwrap()
    }

    #[test]
    fn the_inverse_reproduces_the_signal() {
        for (n_fft, hop_length, n_samples) in
            [(2048, 512, 10_000), (256, 64, 3001), (255, 60, 1000), (64, 16, 20)]
        {
            let mut stft = planned(n_fft, hop_length);
            let samples = chirp(n_samples);
            let spectrogram = stft.transform(&samples);
            assert_close(&stft.inverse(&spectrogram, n_samples), &samples, 2e-6);
        }
    }

    #[test]
    fn the_inverse_of_uncentred_frames_reproduces_the_covered_samples() {
        let config = StftConfig { n_fft: 256, hop_length: 64, center: false, ..StftConfig::default() };
        let mut stft = Stft::new(config).unwrap();
        let samples = chirp(1024);
        let spectrogram = stft.transform(&samples);
        let found = stft.inverse(&spectrogram, 1024);
        // The periodic Hann window starts with a zero: the first sample cannot be reconstructed.
        assert_close(&found[64..960], &samples[64..960], 2e-6);
    }

    #[test]
    fn any_spectrogram_has_a_finite_inverse_of_the_requested_length() {
        let mut stft = planned(64, 16);
        let spectrogram = vec![Complex32::new(1.0, -2.0); 10 * stft.n_bins() + 5];
        for n_samples in [0, 1, 100, 1000] {
            let found = stft.inverse(&spectrogram, n_samples);
            assert_eq!(found.len(), n_samples);
            assert!(found.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn adjacent_frames_without_a_window_preserve_energy() {
        let config = StftConfig {
            n_fft: 128,
            hop_length: 128,
            window: Window::Boxcar,
            center: false,
            ..StftConfig::default()
        };
        let mut stft = Stft::new(config).unwrap();
        let samples = chirp(1280);
        let energy: f64 = samples.iter().map(|x| f64::from(x * x)).sum();
        let power = stft.power(&samples);
        let halves = power.chunks_exact(65).flat_map(|frame| {
            frame.iter().enumerate().map(|(k, p)| f64::from(*p) * if k % 64 == 0 { 1.0 } else { 2.0 })
        });
        assert_close(&[halves.sum::<f64>() / 128.0], &[energy], energy * 1e-6);
    }

    #[test]
    fn each_frame_equals_the_dft_of_its_windowed_samples() {
        let mut stft = planned(100, 30);
        let samples = chirp(400);
        let window = Window::Hann.frame_weights(100, 100);
        let spectrogram = stft.transform(&samples);
        for (t, spectrum) in spectrogram.chunks_exact(51).enumerate() {
            let frame: Vec<f32> = (0..100)
                .map(|n| {
                    (t * 30 + n).checked_sub(50).and_then(|i| samples.get(i)).map_or(0.0, |x| x * window[n])
                })
                .collect();
            for (found, expected) in spectrum.iter().zip(fourier::dft(&frame)) {
                assert!((found - expected).norm() < 2e-5, "frame {t}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_number_of_frames_equals_librosas() {
        // librosa.stft(np.zeros(n), n_fft=n_fft, hop_length=hop, center=center).shape[1], librosa 0.11
        let count = |n_fft, hop_length, center, n_samples| {
            StftConfig { n_fft, hop_length, center, ..StftConfig::default() }.n_frames(n_samples)
        };
        assert_eq!(count(2048, 512, true, 66_150), 130);
        assert_eq!(count(2048, 512, true, 66_048), 130);
        assert_eq!(count(2048, 512, true, 1), 1);
        assert_eq!(count(2048, 512, false, 66_150), 126);
        assert_eq!(count(2048, 512, false, 2048), 1);
        assert_eq!(count(255, 64, true, 2000), 32);
    }

    #[test]
    fn signals_shorter_than_a_frame_have_no_frames() {
        let mut stft = Stft::new(StftConfig { center: false, ..StftConfig::default() }).unwrap();
        assert!(stft.power(&chirp(2047)).is_empty());
        assert!(planned(2048, 512).transform(&[]).is_empty());
    }

    #[test]
    fn output_does_not_depend_on_previous_signals() {
        let mut stft = planned(512, 128);
        let first = stft.magnitude(&chirp(3000));
        stft.magnitude(&chirp(10_000));
        assert_eq!(stft.magnitude(&chirp(3000)), first);
    }

    #[test]
    fn invalid_parameters_are_rejected_by_name() {
        let rejected = |config: StftConfig| match Stft::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = StftConfig::default;
        assert_eq!(rejected(StftConfig { n_fft: 0, ..default() }), "n_fft");
        assert_eq!(rejected(StftConfig { n_fft: usize::MAX, ..default() }), "n_fft");
        assert_eq!(rejected(StftConfig { hop_length: 0, ..default() }), "hop_length");
        assert_eq!(rejected(StftConfig { win_length: Some(0), ..default() }), "win_length");
        assert_eq!(rejected(StftConfig { win_length: Some(2049), ..default() }), "win_length");
    }
}
