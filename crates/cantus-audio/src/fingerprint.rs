//! Chromaprint: a recording as a row of 32-bit numbers that stays nearly the same when the recording is encoded anew,
//! made louder or quieter, or cut.
//!
//! Each number describes how the energy of the twelve pitch classes moves over about two seconds; from one to the next
//! it is an eighth of a second. Two fingerprints of the same sound differ in few of their bits, those of different
//! sounds in about half (how few, and how far from half, `cantus_dataset::audit` measures).
//!
//! The sound is resampled here and not by the crate: its own resampler loses the end of a recording.
//!
//! # Reference
//! L. Lalinský, "How does Chromaprint work?" (2011), algorithm 2, as AcoustID uses it; computed by `rusty-chromaprint`.
//! Y. Ke, D. Hoiem, R. Sukthankar, "Computer Vision for Music Identification", CVPR 2005.

use rusty_chromaprint::{Configuration, Fingerprinter as Chromaprint};

use crate::resample::Resampler;

/// Sample rate at which Chromaprint listens, in Hz.
const SAMPLE_RATE: u32 = 11_025;
/// Samples at that rate from one number to the next: a third of its frame of 4096.
const HOP: usize = 1365;
/// Time from one number to the next, in seconds.
pub const STEP_S: f64 = HOP as f64 / SAMPLE_RATE as f64;
/// What is resampled at once, in seconds: whole seconds are whole samples at every rate.
const BLOCK_S: usize = 30;

/// Takes the fingerprint of a recording piece by piece, in memory that does not grow with its length.
pub struct Fingerprinter {
    chromaprint: Chromaprint,
    resampler: Option<Resampler>,
    block: Vec<f32>,
    block_len: usize,
}

impl Fingerprinter {
    /// A fingerprinter of mono sound at `sample_rate` Hz.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    pub fn new(sample_rate: u32) -> Self {
        let mut chromaprint = Chromaprint::new(&Configuration::preset_test2());
        #[expect(clippy::expect_used, reason = "mono at Chromaprint's own rate is what it cannot refuse")]
        chromaprint.start(SAMPLE_RATE, 1).expect("one channel at 11 025 Hz");
        Self {
            chromaprint,
            resampler: (sample_rate != SAMPLE_RATE).then(|| Resampler::new(sample_rate, SAMPLE_RATE)),
            block: Vec::new(),
            block_len: BLOCK_S * sample_rate as usize,
        }
    }

    /// Listens on.
    ///
    /// # Shapes
    /// - `samples`: `[n]`, mono
    pub fn consume(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.block_len - self.block.len()));
            self.block.extend_from_slice(now);
            samples = later;
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

    /// The fingerprint: a number for each [`STEP_S`] seconds, none if there are less than about three seconds.
    pub fn finish(mut self) -> Vec<u32> {
        self.flush();
        self.chromaprint.finish();
        self.chromaprint.fingerprint().to_vec()
    }
}

/// The nearest of 16-bit numbers, in steps that vectorise (`round` is a call of the C library on old processors).
fn to_i16(sample: f32) -> i16 {
    let scaled = sample * 32_767.0;
    (scaled + 0.5_f32.copysign(scaled)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A melody of tones that change every quarter of a second.
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

    fn fingerprint(samples: &[f32], sample_rate: u32, piece: usize) -> Vec<u32> {
        let mut fingerprinter = Fingerprinter::new(sample_rate);
        samples.chunks(piece).for_each(|piece| fingerprinter.consume(piece));
        fingerprinter.finish()
    }

    fn bit_error_rate(a: &[u32], b: &[u32]) -> f64 {
        let n_errors: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
        f64::from(n_errors) / (32 * a.len().min(b.len())) as f64
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_a_recording_is_heard() {
        let samples = melody(22_050, 40.0);
        let whole = fingerprint(&samples, 22_050, samples.len());
        assert_eq!(whole, fingerprint(&samples, 22_050, 997));
        // A frame of 4096 every 1365 samples; 5 frames are filtered into one, and 16 of these make a number.
        assert_eq!(whole.len(), (40 * 11_025 - 4096) / HOP + 1 - 4 - 15);
    }

    #[test]
    fn another_rate_and_another_loudness_change_few_bits_and_another_melody_many() {
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
    fn a_snippet_and_samples_beyond_all_measure_are_no_panic() {
        assert!(fingerprint(&[], 44_100, 1).is_empty());
        assert!(fingerprint(&[0.5; 1000], 8000, 100).is_empty());
        assert!(!fingerprint(&vec![1e30; 100_000], 11_025, 4096).is_empty());
        assert!(!fingerprint(&vec![f32::NAN; 100_000], 11_025, 4096).is_empty());
    }
}
