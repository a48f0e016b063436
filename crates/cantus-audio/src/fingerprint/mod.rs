//! Acoustic fingerprints: sequences of 32-bit numbers that are robust to re-encoding, gain and cutting.
//!
//! Each number describes the change of energy in the twelve pitch classes over about two seconds; the step from one to the
//! next is an eighth of a second. Fingerprints of the same recording differ in few bits, those of different recordings in
//! about half (`bench/audio/duplicates.py` measures both).
//!
//! The algorithm is Chromaprint's second, but for the highest frequency: 2400 Hz instead of 3520 Hz, so that half of its sample
//! rate is enough. The numbers differ from Chromaprint's in a few percent of the bits, so they are no AcoustIDs.
//!
//! `low_rate` → `power_spectrum` → `chroma` → `classifiers`. All sums are in a fixed order: the same samples have the same
//! fingerprint in blocks of any length and on every instruction set.
//!
//! # Reference
//! L. Lalinský, "How does Chromaprint work?" (2011), algorithm 2, as AcoustID uses it.
//! Y. Ke, D. Hoiem, R. Sukthankar, "Computer Vision for Music Identification", CVPR 2005.

mod chroma;
mod classifiers;
mod low_rate;
mod power_spectrum;

use self::chroma::{Smoothing, energies};
use self::classifiers::ChromaImage;
use self::low_rate::LowRate;
use self::power_spectrum::{FRAME, LANES, Lanes, PowerSpectrum};

/// Step from one number to the next, in half samples of the low rate, which is in samples of Chromaprint's rate.
const TWICE_HOP: u64 = 1365;
/// Step from one number to the next, in seconds.
pub const STEP_S: f64 = TWICE_HOP as f64 / low_rate::TWICE_RATE as f64;

/// Computes the fingerprint of a recording block by block, in memory that does not depend on its length.
pub struct Fingerprinter {
    low_rate: LowRate,
    /// Samples at the low rate from the next frame on.
    samples: Vec<f32>,
    /// Position of `samples[0]`.
    start: u64,
    n_frames: u64,
    spectrum: PowerSpectrum,
    power: Vec<Lanes>,
    smoothing: Smoothing,
    image: ChromaImage,
    numbers: Vec<u32>,
}

impl Fingerprinter {
    /// For mono samples at `sample_rate` Hz.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        assert!(sample_rate > 0, "a sample rate of 0 Hz");
        Self {
            low_rate: LowRate::new(sample_rate),
            samples: Vec::new(),
            start: 0,
            n_frames: 0,
            spectrum: PowerSpectrum::new(),
            power: Vec::new(),
            smoothing: Smoothing::default(),
            image: ChromaImage::new(),
            numbers: Vec::new(),
        }
    }

    /// Takes the next samples of the recording.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, mono
    pub fn consume(&mut self, samples: &[f32]) {
        self.low_rate.push(samples, &mut self.samples);
        while self.frame_start(LANES as u64 - 1) + FRAME <= self.samples.len() {
            self.process_frames(LANES);
        }
    }

    /// The fingerprint: one number per [`STEP_S`] seconds; empty for less than about three seconds.
    #[must_use]
    pub fn finish(mut self) -> Vec<u32> {
        self.consume(&[]);
        self.low_rate.finish(&mut self.samples);
        loop {
            let is_whole = |ahead: &u64| self.frame_start(*ahead) + FRAME <= self.samples.len();
            let n = (0..LANES as u64).take_while(is_whole).count();
            if n == 0 {
                return self.numbers;
            }
            self.process_frames(n);
        }
    }

    /// Index in `samples` of the start of the frame `ahead` frames after the next.
    fn frame_start(&self, ahead: u64) -> usize {
        ((self.n_frames + ahead) * TWICE_HOP / 2 - self.start) as usize
    }

    /// Processes the next `n` frames, at most [`LANES`].
    fn process_frames(&mut self, n: usize) {
        let starts: [usize; LANES] = std::array::from_fn(|lane| self.frame_start(lane.min(n - 1) as u64));
        let frames = starts.map(|start| &self.samples[start..start + FRAME]);
        self.power.resize(FRAME / 2, [0.0; LANES]);
        self.spectrum.compute(&frames, &mut self.power);
        let energies = energies(&self.power);
        for lane in 0..n {
            if let Some(row) = self.smoothing.push(energies.map(|lanes| f64::from(lanes[lane]))) {
                self.numbers.extend(self.image.push(&row));
            }
        }
        self.n_frames += n as u64;
        let n_used = self.frame_start(0).min(self.samples.len());
        self.samples.drain(..n_used);
        self.start += n_used as u64;
    }
}

#[cfg(test)]
mod tests;
