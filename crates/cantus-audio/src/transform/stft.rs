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
//! `power` and `magnitude` of a frame stand at the end, for those who go from frame to frame themselves.
//!
//! # Reference
//! Allen & Rabiner, "A unified approach to short-time Fourier analysis and synthesis", 1977; `librosa.stft` 0.11.

use multiversion::multiversion;

use super::fourier::{self, Complex32, RealFft};
use super::padding::PadMode;
use super::window::Window;
use crate::Error;

/// The longest frame that is accepted, in samples: 24 s at 44.1 kHz, far beyond any musical use.
pub const MAX_N_FFT: usize = 1 << 20;

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
        let n_fft = self.config.n_fft as isize;
        let first = (-start).clamp(0, n_fft) as usize; // within the frame: where the sound begins,
        let last = (samples.len() as isize - start).clamp(first as isize, n_fft) as usize; // and where it has ended
        let inside = samples.get((start + first as isize) as usize..).unwrap_or_default();
        weigh(&mut self.frame[first..last], &self.window[first..last], inside);
        for n in (0..first).chain(last..self.config.n_fft) {
            let source = self.config.pad_mode.source(start + n as isize, samples.len());
            self.frame[n] = source.map_or(0.0, |i| samples[i] * self.window[n]);
        }
    }
}

/// `frame = window · samples`
#[multiversion(targets = "simd")]
fn weigh(frame: &mut [f32], window: &[f32], samples: &[f32]) {
    frame.iter_mut().zip(window).zip(samples).for_each(|((slot, w), x)| *slot = x * w);
}

/// Writes `|spectrum|`.
#[multiversion(targets = "simd")]
pub fn magnitude(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr().sqrt();
    }
}

/// Writes `|spectrum|²`.
#[multiversion(targets = "simd")]
pub fn power(spectrum: &[Complex32], out: &mut [f32]) {
    for (slot, bin) in out.iter_mut().zip(spectrum) {
        *slot = bin.norm_sqr();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_close::assert_close;

    /// A loud chirp that begins and ends abruptly.
    fn chirp(n_samples: usize) -> Vec<f32> {
        (0..n_samples).map(|n| (n as f32 * n as f32 * 2e-4 + 1.0).sin()).collect()
    }

    fn planned(n_fft: usize, hop_length: usize) -> Stft {
        Stft::new(StftConfig { n_fft, hop_length, ..StftConfig::default() }).unwrap()
    }

    #[test]
    fn the_inverse_gives_the_sound_back() {
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
    fn the_inverse_gives_uncentred_sound_back_where_windows_reach() {
        let config = StftConfig { n_fft: 256, hop_length: 64, center: false, ..StftConfig::default() };
        let mut stft = Stft::new(config).unwrap();
        let samples = chirp(1024);
        let spectrogram = stft.transform(&samples);
        let found = stft.inverse(&spectrogram, 1024);
        // The periodic Hann window starts with a zero: nothing is known of the very first sample.
        assert_close(&found[64..960], &samples[64..960], 2e-6);
    }

    #[test]
    fn the_inverse_of_anything_is_finite_and_as_long_as_wished() {
        let mut stft = planned(64, 16);
        let spectrogram = vec![Complex32::new(1.0, -2.0); 10 * stft.n_bins() + 5];
        for n_samples in [0, 1, 100, 1000] {
            let found = stft.inverse(&spectrogram, n_samples);
            assert_eq!(found.len(), n_samples);
            assert!(found.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn frames_side_by_side_without_a_window_keep_the_energy_of_the_sound() {
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
    fn each_frame_is_the_naive_transform_of_its_windowed_samples() {
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
    fn frames_are_counted_as_librosa_counts_them() {
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
    fn what_is_too_short_for_a_frame_has_none() {
        let mut stft = Stft::new(StftConfig { center: false, ..StftConfig::default() }).unwrap();
        assert!(stft.power(&chirp(2047)).is_empty());
        assert!(planned(2048, 512).transform(&[]).is_empty());
    }

    #[test]
    fn the_same_sound_gives_the_same_bits_whatever_came_before() {
        let mut stft = planned(512, 128);
        let first = stft.magnitude(&chirp(3000));
        stft.magnitude(&chirp(10_000));
        assert_eq!(stft.magnitude(&chirp(3000)), first);
    }

    #[test]
    fn impossible_frames_are_refused_by_name() {
        let refused = |config: StftConfig| match Stft::new(config) {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        let default = StftConfig::default;
        assert_eq!(refused(StftConfig { n_fft: 0, ..default() }), "n_fft");
        assert_eq!(refused(StftConfig { n_fft: usize::MAX, ..default() }), "n_fft");
        assert_eq!(refused(StftConfig { hop_length: 0, ..default() }), "hop_length");
        assert_eq!(refused(StftConfig { win_length: Some(0), ..default() }), "win_length");
        assert_eq!(refused(StftConfig { win_length: Some(2049), ..default() }), "win_length");
    }
}
