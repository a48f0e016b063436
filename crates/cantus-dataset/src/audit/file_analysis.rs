//! Analysis of one file in a single pass: levels, silence, decoder warnings, hash of its samples, fingerprint.
//!
//! An extraction receives the decoded samples block by block, so that it need not decode them again. Memory is constant in the
//! length of the file, except for the fingerprint (32 bytes per second).

use std::path::Path;

use cantus_audio::decode::{AudioSource, DecodeWarning, Decoder};
use cantus_audio::fingerprint::Fingerprinter;
use cantus_audio::level::{LevelMeter, Levels, peak};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// Windows whose peak is below this level are silent, in dB of full scale.
const SILENCE_DB: f32 = -60.0;
/// Length of the windows that are silent or not, in seconds.
const WINDOW_S: f64 = 0.05;

/// Analysis of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileAnalysis {
    /// Codec, sample rate and channels of the file.
    pub source: AudioSource,
    /// Length of the mono mix, in samples at the file's own rate.
    pub n_samples: u64,
    /// Largest amplitude of the mono mix; 1 is full scale.
    pub peak: f32,
    /// Root mean square of the mono mix.
    pub rms: f64,
    /// Share of the mono mix that is silent, from 0 to 1: windows of 50 ms whose peak is below −60 dB.
    pub silence: f64,
    /// Levels of the channels before downmixing.
    pub levels: Levels,
    /// XXH3 of 128 bits, in hexadecimal, of the samples of the mono mix as little-endian f32, with the sample rate as its
    /// seed: equal for all lossless encodings of the same samples. It is not cryptographic: two recordings can be made that
    /// have one hash, but hashes of 2⁶⁰ recordings are distinct with a probability of 99 %.
    pub hash: String,
    /// Acoustic fingerprint, see [`cantus_audio::fingerprint`].
    pub fingerprint: Vec<u32>,
    /// Damage that the decoder tolerated.
    pub faults: Vec<DecodeWarning>,
}

impl FileAnalysis {
    /// Length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.n_samples as f64 / f64::from(self.source.sample_rate)
    }
}

/// A file to audit: its analysis, label and artist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditedFile {
    /// Its path.
    pub path: String,
    /// Its class; `None` for tags or without a label.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// Its artist tag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artist: Option<String>,
    /// Its analysis, or why it cannot be read. `evidence` in JSON.
    #[serde(rename = "evidence")]
    pub analysis: Result<FileAnalysis, String>,
}

/// Decodes and analyses a file.
///
/// # Errors
/// If the file cannot be read or decoded.
pub fn analyze_file(path: &Path) -> Result<FileAnalysis, cantus_audio::Error> {
    analyze(Decoder::open(path)?, |_| Ok(()))
}

/// [`analyze_file`] of an opened file; `on_block` receives every block of the mono mix, at the file's sample rate.
pub(crate) fn analyze(
    mut decoder: Decoder,
    mut on_block: impl FnMut(&[f32]) -> Result<(), cantus_audio::Error>,
) -> Result<FileAnalysis, cantus_audio::Error> {
    let mut analyzer = Analyzer::new(decoder.source().sample_rate);
    while let Some(block) = decoder.next_block()? {
        analyzer.consume(block);
        on_block(block)?;
        let (interleaved, n_channels) = decoder.frames();
        analyzer.meter.add(interleaved, n_channels);
    }
    let source = decoder.source().clone();
    Ok(analyzer.finish(source, decoder.into_warnings()))
}

/// Accumulates the analysis block by block.
struct Analyzer {
    meter: LevelMeter,
    mono: LevelMeter,
    hash: XxHash3_128,
    fingerprinter: Fingerprinter,
    silence: SilenceMeter,
    /// Scratch: the bits of a block's samples.
    bits: Vec<u32>,
}

impl Analyzer {
    fn new(sample_rate: u32) -> Self {
        Self {
            meter: LevelMeter::default(),
            mono: LevelMeter::default(),
            hash: XxHash3_128::with_seed(u64::from(sample_rate)),
            fingerprinter: Fingerprinter::new(sample_rate),
            silence: SilenceMeter::new(sample_rate),
            bits: Vec::new(),
        }
    }

    fn consume(&mut self, block: &[f32]) {
        self.bits.clear();
        // Adding 0 turns −0 into +0.
        self.bits.extend(block.iter().map(|sample| (sample + 0.0).to_bits().to_le()));
        self.hash.write(bytemuck::cast_slice(&self.bits));
        self.mono.add(block, 1);
        self.silence.consume(block);
        self.fingerprinter.consume(block);
    }

    fn finish(self, source: AudioSource, warnings: Vec<DecodeWarning>) -> FileAnalysis {
        let mono = self.mono.finish();
        let channel = mono.channels.first().copied().unwrap_or_default();
        FileAnalysis {
            source,
            n_samples: mono.n_samples,
            peak: channel.peak,
            rms: channel.rms,
            silence: self.silence.finish(),
            levels: self.meter.finish(),
            hash: format!("{:032x}", self.hash.finish_128()),
            fingerprint: self.fingerprinter.finish(),
            faults: warnings,
        }
    }
}

/// Counts the windows whose peak is below [`SILENCE_DB`].
struct SilenceMeter {
    threshold: f32,
    window_len: usize,
    /// Samples and peak of the current window.
    n_samples: usize,
    peak: f32,
    n_windows: u64,
    n_silent: u64,
}

impl SilenceMeter {
    fn new(sample_rate: u32) -> Self {
        let threshold = 10.0_f32.powf(SILENCE_DB / 20.0);
        let window_len = ((WINDOW_S * f64::from(sample_rate)) as usize).max(1);
        Self { threshold, window_len, n_samples: 0, peak: 0.0, n_windows: 0, n_silent: 0 }
    }

    fn consume(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(self.window_len - self.n_samples));
            self.peak = self.peak.max(peak(now));
            self.n_samples += now.len();
            samples = later;
            if self.n_samples == self.window_len {
                self.end_window();
            }
        }
    }

    fn end_window(&mut self) {
        self.n_windows += 1;
        self.n_silent += u64::from(self.peak < self.threshold);
        (self.n_samples, self.peak) = (0, 0.0);
    }

    fn finish(mut self) -> f64 {
        if self.n_samples > 0 {
            self.end_window();
        }
        self.n_silent as f64 / self.n_windows.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_silence_does_not_depend_on_the_block_size() {
        let samples = [vec![0.5; 22_050], vec![0.0; 22_050]].concat();
        for block in [1, 1000, 44_100] {
            let mut silence = SilenceMeter::new(22_050);
            samples.chunks(block).for_each(|block| silence.consume(block));
            let share = silence.finish();
            assert!((share - 0.5).abs() < 0.02, "{share}");
        }
    }

    #[test]
    fn the_hash_depends_on_samples_and_rate_and_not_on_the_block_size() {
        let hash = |rate: u32, block: usize| {
            let mut analyzer = Analyzer::new(rate);
            [0.0, 0.25, -0.5, 0.75].chunks(block).for_each(|block| analyzer.consume(block));
            let source = AudioSource { codec: String::new(), sample_rate: rate, n_channels: 1 };
            analyzer.finish(source, Vec::new()).hash
        };
        assert_eq!(hash(8000, 1), hash(8000, 4));
        assert_ne!(hash(8000, 4), hash(8001, 4));
        // pip install xxhash==3.6.0
        // xxhash.xxh3_128(numpy.float32([0, 0.25, -0.5, 0.75]).tobytes(), seed=8000).hexdigest()
        assert_eq!(hash(8000, 4), "413fcf37dccea9e1dd852ecaa86b83cd");
    }
}
