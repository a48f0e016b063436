//! What one pass over a file brings to light: levels, silence, faults, a hash of its samples, its fingerprint.
//!
//! The pass is that of the decoder: whoever needs the samples, as extraction does, gets them from it block by block, and
//! nothing is decoded twice. Its memory does not grow with the length of the file, but for the fingerprint (32 bytes a
//! second).

use std::path::Path;

use cantus_audio::decode::{AudioSource, DecodeWarning, Decoder};
use cantus_audio::fingerprint::Fingerprinter;
use cantus_audio::level::{LevelMeter, Levels};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Below this level, in dB of full scale, a stretch of sound counts as silent.
const SILENCE_DB: f32 = -60.0;
/// Length of the stretches that are silent or not, in seconds.
const STRETCH_S: f64 = 0.05;

/// What was found out about one recording while it was decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// How the file holds its sound.
    pub source: AudioSource,
    /// Length of the mono mix, in samples at the file's own rate.
    pub n_samples: u64,
    /// Largest amplitude of the mono mix; 1 is full scale.
    pub peak: f32,
    /// Root of the mean square of the mono mix.
    pub rms: f64,
    /// Share of the mono mix that is silent, from 0 to 1: stretches of 50 ms whose peak is below −60 dB.
    pub silence: f64,
    /// Levels of the channels, before they were mixed.
    pub levels: Levels,
    /// SHA-256 over the sample rate and the samples of the mono mix, in hexadecimal: equal for equal sound, whatever the
    /// file's name and (lossless) encoding.
    pub sha256: String,
    /// Chromaprint, see [`cantus_audio::fingerprint`].
    pub fingerprint: Vec<u32>,
    /// Damage that was passed over.
    pub faults: Vec<DecodeWarning>,
}

impl Evidence {
    /// Length in seconds.
    pub fn duration_s(&self) -> f64 {
        self.n_samples as f64 / f64::from(self.source.sample_rate)
    }
}

/// Decodes a file once and looks at it; `take` gets every block of the mono mix, at the file's own rate.
///
/// # Errors
/// If the file cannot be read or decoded, or `take` fails.
pub fn examine(
    path: &Path,
    mut take: impl FnMut(&[f32]) -> Result<(), cantus_audio::Error>,
) -> Result<Evidence, cantus_audio::Error> {
    let mut decoder = Decoder::open(path)?;
    let mut examiner = Examiner::new(decoder.source().sample_rate);
    while let Some(block) = decoder.next_block()? {
        examiner.listen(block);
        take(block)?;
        let (interleaved, n_channels) = decoder.frames();
        examiner.meter.add(interleaved, n_channels);
    }
    let source = decoder.source().clone();
    Ok(examiner.finish(source, decoder.into_warnings()))
}

/// Collects evidence block by block.
struct Examiner {
    meter: LevelMeter,
    mono: LevelMeter,
    hash: Sha256,
    fingerprinter: Fingerprinter,
    silence: Silence,
    bytes: Vec<u8>,
}

impl Examiner {
    fn new(sample_rate: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(sample_rate.to_le_bytes());
        Self {
            meter: LevelMeter::default(),
            mono: LevelMeter::default(),
            hash,
            fingerprinter: Fingerprinter::new(sample_rate),
            silence: Silence::new(sample_rate),
            bytes: Vec::new(),
        }
    }

    fn listen(&mut self, block: &[f32]) {
        self.bytes.clear();
        // Adding 0 makes one zero of the two that floating point has.
        self.bytes.extend(block.iter().flat_map(|sample| (sample + 0.0).to_le_bytes()));
        self.hash.update(&self.bytes);
        self.mono.add(block, 1);
        self.silence.listen(block);
        self.fingerprinter.consume(block);
    }

    fn finish(self, source: AudioSource, faults: Vec<DecodeWarning>) -> Evidence {
        let mono = self.mono.finish();
        let channel = mono.channels.first().copied().unwrap_or_default();
        Evidence {
            source,
            n_samples: mono.n_samples,
            peak: channel.peak,
            rms: channel.rms,
            silence: self.silence.finish(),
            levels: self.meter.finish(),
            sha256: self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            fingerprint: self.fingerprinter.finish(),
            faults,
        }
    }
}

/// Counts the stretches whose peak lies below [`SILENCE_DB`].
struct Silence {
    threshold: f32,
    stretch: usize,
    /// Samples and peak of the stretch that is being heard.
    n_heard: usize,
    peak: f32,
    n_stretches: u64,
    n_silent: u64,
}

impl Silence {
    fn new(sample_rate: u32) -> Self {
        let threshold = 10.0_f32.powf(SILENCE_DB / 20.0);
        let stretch = ((STRETCH_S * f64::from(sample_rate)) as usize).max(1);
        Self { threshold, stretch, n_heard: 0, peak: 0.0, n_stretches: 0, n_silent: 0 }
    }

    fn listen(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.stretch - self.n_heard));
            self.peak = now.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
            self.n_heard += now.len();
            samples = later;
            if self.n_heard == self.stretch {
                self.end_stretch();
            }
        }
    }

    fn end_stretch(&mut self) {
        self.n_stretches += 1;
        self.n_silent += u64::from(self.peak < self.threshold);
        (self.n_heard, self.peak) = (0, 0.0);
    }

    fn finish(mut self) -> f64 {
        if self.n_heard > 0 {
            self.end_stretch();
        }
        self.n_silent as f64 / self.n_stretches.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_recording_of_zeros_is_half_silent_in_whatever_blocks_it_comes() {
        let samples = [vec![0.5; 22_050], vec![0.0; 22_050]].concat();
        for block in [1, 1000, 44_100] {
            let mut silence = Silence::new(22_050);
            samples.chunks(block).for_each(|block| silence.listen(block));
            let share = silence.finish();
            assert!((share - 0.5).abs() < 0.02, "{share}");
        }
    }

    #[test]
    fn equal_sound_has_an_equal_hash_and_other_rates_another() {
        let hash = |rate: u32, block: usize| {
            let mut examiner = Examiner::new(rate);
            [0.0, 0.25, -0.5, 0.75].chunks(block).for_each(|block| examiner.listen(block));
            let source = AudioSource { codec: String::new(), sample_rate: rate, n_channels: 1 };
            examiner.finish(source, Vec::new()).sha256
        };
        assert_eq!(hash(8000, 1), hash(8000, 4));
        assert_ne!(hash(8000, 4), hash(8001, 4));
    }
}
