//! The short-time Fourier transform: which frequencies are heard when.
//!
//! The sound is cut into frames of `n_fft` samples, one every `hop_length`; each is weighted by a window and
//! transformed. Plan once ([`Stft::new`]), process many: per frame nothing is allocated.
//!
//! # Conventions
//! - Spectrograms are `[n_frames, n_bins]` row-major (librosa's, transposed), `n_bins = n_fft / 2 + 1`.
//! - Centred (librosa's default): frame `t` has its middle at sample `t * hop_length`, and `pad_mode` says what is
//!   heard beyond the ends. There are `1 + n_samples / hop_length` frames for an even `n_fft`.
//! - Not centred: frame `t` starts at sample `t * hop_length`, and only frames that lie wholly inside count.
//!
//! # Reference
//! Allen & Rabiner, "A unified approach to short-time Fourier analysis and synthesis", 1977; `librosa.stft` 0.11.

use serde::{Deserialize, Serialize};

use super::fourier::{self, Complex32, RealFft};
use super::window::Window;
use crate::Error;

/// The longest frame that is accepted, in samples: 24 s at 44.1 kHz, far beyond any musical use.
pub const MAX_N_FFT: usize = 1 << 20;

/// What is heard beyond the ends of the sound, where a centred frame reaches over them; NumPy's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PadMode {
    /// Silence.
    #[default]
    Constant,
    /// The first or last sample, held.
    Edge,
    /// The sound mirrored at its end sample, which is heard once.
    Reflect,
    /// The sound mirrored behind its end sample, which is heard twice.
    Symmetric,
}

impl PadMode {
    /// Where sample `position` of the endless signal is found among `n_samples > 0`; `None` is silence.
    fn source(self, position: isize, n_samples: usize) -> Option<usize> {
        let n = n_samples as isize;
        if (0..n).contains(&position) {
            return Some(position as usize);
        }
        let index = match self {
            Self::Constant => return None,
            Self::Edge => position.clamp(0, n - 1),
            Self::Reflect if n == 1 => 0,
            Self::Reflect => {
                let within = position.rem_euclid(2 * (n - 1));
                within.min(2 * (n - 1) - within)
            }
            Self::Symmetric => {
                let within = position.rem_euclid(2 * n);
                within.min(2 * n - 1 - within)
            }
        };
        Some(index as usize)
    }
}

/// How a sound is cut into frames; librosa's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct StftConfig {
    /// Length of the FFT, in samples.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop_length: usize,
    /// Length of the window, in samples; `n_fft` if absent. A shorter window stands in the middle of the frame.
    pub win_length: Option<usize>,
    /// Shape of the window.
    pub window: Window,
    /// Whether frame `t` has its middle at sample `t * hop_length`.
    pub center: bool,
    /// What is heard beyond the ends, if centred.
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
    /// Number of frames of a sound of `n_samples`; none if it is empty, or too short for one frame and not centred.
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
    fn padding(&self) -> usize {
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
    /// `[n_fft]`, working space.
    frame: Vec<f32>,
    /// `[n_bins]`, working space.
    spectrum: Vec<Complex32>,
}

impl Stft {
    /// Plans the transform.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] if `n_fft` or `hop_length` is 0 or absurd, or the window is longer than the frame.
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

    /// How it was planned.
    pub fn config(&self) -> &StftConfig {
        &self.config
    }

    /// Number of frequency bins: `n_fft / 2 + 1`.
    pub fn n_bins(&self) -> usize {
        self.spectrum.len()
    }

    /// Number of frames of a sound of `n_samples`.
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.config.n_frames(n_samples)
    }

    /// Transforms frame after frame and hands each spectrum, `[n_bins]`, to `visit` together with its number.
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
    /// Equals `librosa.stft(samples, …).T` 0.11 within 1e-6 of the largest magnitude.
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

    /// The sound of a complex spectrogram: frames are transformed back, weighted by the window once more, overlapped
    /// and added, and divided by the sum of the squared windows that lie over each sample.
    ///
    /// The inverse of [`Self::transform`] wherever that sum is not zero; with Hann and a hop of a quarter that is everywhere.
    ///
    /// # Shapes
    /// - `spectrogram`: `[n_frames, n_bins]`; an incomplete last row is not read
    /// - returns: `[n_samples]`; silence where no frame reaches
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
            let first = padding.saturating_sub(start); // what lies before the sound is left out
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

    /// Writes the windowed frame that starts at sample `start` of the endless signal.
    fn fill_frame(&mut self, samples: &[f32], start: isize) {
        let n_fft = self.config.n_fft;
        if let Some(inside) = usize::try_from(start).ok().and_then(|s| samples.get(s..s + n_fft)) {
            for ((slot, x), w) in self.frame.iter_mut().zip(inside).zip(&self.window) {
                *slot = x * w;
            }
            return;
        }
        for (n, (slot, w)) in self.frame.iter_mut().zip(&self.window).enumerate() {
            let source = self.config.pad_mode.source(start + n as isize, samples.len());
            *slot = source.map_or(0.0, |i| samples[i] * w);
        }
    }
}

/// Writes `|spectrum|`.
pub fn magnitude(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr().sqrt();
    }
}

/// Writes `|spectrum|²`.
pub fn power(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr();
    }
}
