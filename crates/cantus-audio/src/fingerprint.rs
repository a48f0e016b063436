//! Chromaprint acoustic fingerprints: sequences of 32-bit numbers that are robust to re-encoding, gain and cutting.
//!
//! Each number describes the change of energy in the twelve pitch classes over about two seconds; the step from one to the
//! next is an eighth of a second. Fingerprints of the same recording differ in few bits, those of different recordings in
//! about half (`cantus_dataset::audit` measures both).
//!
//! The signal is resampled here rather than by `rusty-chromaprint`, whose resampler drops the end of a recording.
//!
//! # Reference
//! L. Lalinský, "How does Chromaprint work?" (2011), algorithm 2, as AcoustID uses it; computed by `rusty-chromaprint`.
//! Y. Ke, D. Hoiem, R. Sukthankar, "Computer Vision for Music Identification", CVPR 2005.

use rusty_chromaprint::{Configuration, Fingerprinter as Chromaprint};

use crate::resample::Resampler;

/// Sample rate of Chromaprint's input, in Hz.
const SAMPLE_RATE: u32 = 11_025;
/// Step from one number to the next, in samples at that rate: a third of the frame of 4096.
const HOP: usize = 1365;
/// Step from one number to the next, in seconds.
pub const STEP_S: f64 = HOP as f64 / SAMPLE_RATE as f64;
/// Length of the blocks that are resampled, in seconds: whole seconds are whole samples at every rate.
const BLOCK_S: usize = 30;

/// Computes the fingerprint of a recording block by block, in memory that does not depend on its length.
///
/// Neither `Send` nor `Sync`, since `rusty-chromaprint` is not.
pub struct Fingerprinter {
    chromaprint: Chromaprint,
    resampler: Option<Resampler>,
    block: Vec<f32>,
    block_len: usize,
}

impl Fingerprinter {
    /// For mono samples at `sample_rate` Hz.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let mut chromaprint = Chromaprint::new(&Configuration::preset_test2());
        #[expect(clippy::expect_used, reason = "Chromaprint accepts mono at its own rate")]
        chromaprint.start(SAMPLE_RATE, 1).expect("one channel at 11 025 Hz");
        Self {
            chromaprint,
            resampler: Resampler::if_needed(sample_rate, SAMPLE_RATE),
            block: Vec::new(),
            block_len: BLOCK_S * sample_rate as usize,
        }
    }

    /// Takes the next samples of the recording.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, mono
    pub fn consume(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (head, tail) = samples.split_at(samples.len().min(self.block_len - self.block.len()));
            self.block.extend_from_slice(head);
            samples = tail;
            if self.block.len() == self.block_len {
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        let resampled = self.resampler.as_ref().map(|resampler| resampler.process(&self.block));
        let samples = resampled.as_ref().unwrap_or(&self.block);
        let numbers: Vec<i16> = samples.iter().map(|sample| to_i16(*sample)).collect();
        self.chromaprint.consume(&numbers);
        self.block.clear();
    }

    /// The fingerprint: one number per [`STEP_S`] seconds; empty for less than about three seconds.
    #[must_use]
    pub fn finish(mut self) -> Vec<u32> {
        self.flush();
        self.chromaprint.finish();
        self.chromaprint.fingerprint().to_vec()
    }
}

/// Rounds to 16 bits in operations that vectorise (`round` is a libm call on older processors).
fn to_i16(sample: f32) -> i16 {
    let scaled = sample * 32_767.0;
    (scaled + 0.5_f32.copysign(scaled)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A melody of notes of a quarter of a second.
    fn melody(sample_rate: u32, duration_s: f64) -> Vec<f32> {
        let rate = f64::from(sample_rate);
        let tone = |n: f64| {
            let note = (n / rate * 4.0) as u64;
            let semitone = (note * 7 + note * note * 3) % 24;
            let frequency = 220.0 * 2.0_f64.powf(semitone as f64 / 12.0);
            (0.4 * (2.0 * std::f64::consts::PI * frequency * n / rate).sin()) as f32
        };
        (0..(duration_s * rate) as usize).map(|n| tone(n as f64)).collect()
    }

    fn fingerprint(samples: &[f32], sample_rate: u32, block_len: usize) -> Vec<u32> {
        let mut fingerprinter = Fingerprinter::new(sample_rate);
        samples.chunks(block_len).for_each(|block| fingerprinter.consume(block));
        fingerprinter.finish()
    }

    fn bit_error_rate(a: &[u32], b: &[u32]) -> f64 {
        let n_errors: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
        f64::from(n_errors) / (32 * a.len().min(b.len())) as f64
    }

    #[test]
    fn the_fingerprint_does_not_depend_on_block_lengths() {
        let samples = melody(22_050, 40.0);
        let whole = fingerprint(&samples, 22_050, samples.len());
        assert_eq!(whole, fingerprint(&samples, 22_050, 997));
        // A frame of 4096 every 1365 samples; 5 frames are filtered into one, and 16 of these make a number.
        assert_eq!(whole.len(), (40 * 11_025 - 4096) / HOP + 1 - 4 - 15);
    }

    #[test]
    fn sample_rate_and_gain_change_few_bits_and_another_melody_many() {
        let original = fingerprint(&melody(44_100, 20.0), 44_100, 4096);
        let quiet: Vec<f32> = melody(16_000, 20.0).iter().map(|sample| sample * 0.3).collect();
        let same = bit_error_rate(&original, &fingerprint(&quiet, 16_000, 4096));
        assert!(same < 0.05, "{same}");
        let mut other = melody(44_100, 20.0);
        other.reverse();
        let different = bit_error_rate(&original, &fingerprint(&other, 44_100, 4096));
        assert!(different > 0.25, "{different}");
    }

    #[test]
    fn short_and_non_finite_input_does_not_panic() {
        assert!(fingerprint(&[], 44_100, 1).is_empty());
        assert!(fingerprint(&[0.5; 1000], 8000, 100).is_empty());
        assert!(!fingerprint(&vec![1e30; 100_000], 11_025, 4096).is_empty());
        assert!(!fingerprint(&vec![f32::NAN; 100_000], 11_025, 4096).is_empty());
    }
}
