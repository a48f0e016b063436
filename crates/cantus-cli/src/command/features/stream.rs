//! Features of recordings of any length: kinds that depend on the samples of their own frame only, written as they are computed.
//!
//! The samples are processed in chunks that overlap by more than a frame. A frame that lies inside of a chunk has the same samples there as
//! in the whole recording, and the same values to the bit; frames at the ends of the recording are padded as always. Decibels relative to
//! the maximum, tuning, tempo and differences of frames depend on more, and are computed from the whole recording.

use std::path::PathBuf;

use anyhow::Context;
use cantus_audio::atomic_file::AtomicFile;
use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};
use cantus_audio::feature::{FeatureExtractor, FeatureKind, FeatureSpec};

use super::format::Format;
use super::kind::Kinds;
use super::npy::NpyWriter;
use super::table::CsvWriter;
use crate::command::output_path::Job;

/// Samples that are added to the overlap in each chunk: 4 MiB.
const CHUNK_LEN: usize = 1 << 20;

/// Whether these kinds can be written to this format as they are computed.
pub fn is_possible(spec: &FeatureSpec, kinds: &Kinds, format: Format) -> bool {
    let is_array = matches!(format, Format::Npy | Format::Csv);
    is_array && kinds.whole.is_empty() && kinds.framed.iter().all(|&kind| is_local(kind, spec))
}

/// Whether a frame depends on its own samples only.
fn is_local(kind: FeatureKind, spec: &FeatureSpec) -> bool {
    match kind {
        FeatureKind::AmplitudeEnvelope
        | FeatureKind::Rms
        | FeatureKind::ZeroCrossingRate
        | FeatureKind::Stft
        | FeatureKind::Spectrogram
        | FeatureKind::Mel
        | FeatureKind::SpectralCentroid
        | FeatureKind::SpectralBandwidth
        | FeatureKind::SpectralRolloff
        | FeatureKind::SpectralFlatness => true,
        FeatureKind::Mfcc | FeatureKind::LogMel => spec.top_db.is_none(),
        _ => false,
    }
}

/// Decodes a recording, computes its features and writes them; returns the number of its samples and the damage that was skipped.
///
/// # Errors
/// If it cannot be decoded, is shorter than a frame, or the file cannot be written.
pub fn run(
    job: &Job,
    format: Format,
    extractor: &mut FeatureExtractor,
) -> anyhow::Result<(usize, Vec<DecodeWarning>)> {
    let spec = extractor.spec().clone();
    let mut stream = ResampledDecoder::new(Decoder::open(&job.input)?, spec.sample_rate);
    let mut chunks = Chunks::new(extractor, CHUNK_LEN);
    let mut sink = Sink::new(format, job, &spec)?;
    while let Some(block) = stream.next_block()? {
        chunks.push(block, |frames| sink.write(frames))?;
    }
    spec.validate_length(chunks.n_samples)?;
    let n_samples = chunks.n_samples;
    chunks.finish(|frames| sink.write(frames))?;
    sink.finish()?;
    Ok((n_samples, stream.into_warnings()))
}

/// The file that is being written.
pub struct Sink {
    writer: Writer,
    path: PathBuf,
}

enum Writer {
    Npy(NpyWriter<AtomicFile>),
    Csv(Box<CsvWriter<AtomicFile>>),
}

impl Sink {
    /// Begins an array or a table with the columns of the specification.
    pub fn new(format: Format, job: &Job, spec: &FeatureSpec) -> anyhow::Result<Self> {
        let (file, path) = (job.create()?, job.output.clone());
        let writer = match format {
            Format::Csv => CsvWriter::new(file, spec).map(|table| Writer::Csv(Box::new(table))),
            _ => NpyWriter::new(file, spec.n_bins()).map(Writer::Npy),
        };
        Ok(Self { writer: writer.with_context(|| path.display().to_string())?, path })
    }

    /// Appends frames, `[n, n_bins]`.
    pub fn write(&mut self, frames: &[f32]) -> anyhow::Result<()> {
        let written = match &mut self.writer {
            Writer::Npy(writer) => writer.write(frames),
            Writer::Csv(writer) => writer.write(frames),
        };
        written.with_context(|| self.path.display().to_string())
    }

    /// Completes the file under its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let file = match self.writer {
            Writer::Npy(writer) => writer.finish(),
            Writer::Csv(writer) => writer.finish(),
        };
        file.and_then(|file| Ok(file.commit()?)).with_context(|| self.path.display().to_string())
    }
}

/// Cuts the samples of a recording into overlapping chunks and computes their frames.
struct Chunks<'a> {
    extractor: &'a mut FeatureExtractor,
    chunk_len: usize,
    /// The samples from frame `first` on.
    samples: Vec<f32>,
    first: usize,
    /// The next frame that is not computed yet.
    next: usize,
    n_samples: usize,
}

impl<'a> Chunks<'a> {
    fn new(extractor: &'a mut FeatureExtractor, chunk_len: usize) -> Self {
        Self { extractor, chunk_len, samples: Vec::new(), first: 0, next: 0, n_samples: 0 }
    }

    /// Frames by which chunks overlap: more than half a frame of samples at either end.
    fn overlap(&self) -> usize {
        let spec = self.extractor.spec();
        spec.n_fft.div_ceil(spec.hop_length) + 1
    }

    fn push(&mut self, block: &[f32], write: impl FnMut(&[f32]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.samples.extend_from_slice(block);
        self.n_samples += block.len();
        let hop_length = self.extractor.spec().hop_length;
        if self.samples.len() < self.chunk_len + 2 * self.overlap() * hop_length {
            return Ok(());
        }
        let n_whole = (self.samples.len() - self.extractor.spec().n_fft) / hop_length + 1;
        self.compute(n_whole, write)?;
        let first = self.next.saturating_sub(self.overlap());
        self.samples.drain(..(first - self.first) * hop_length);
        self.first = first;
        Ok(())
    }

    fn finish(mut self, write: impl FnMut(&[f32]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.compute(usize::MAX, write)
    }

    /// Writes the frames of the chunk that are new, among its first `n_whole`.
    fn compute(
        &mut self,
        n_whole: usize,
        mut write: impl FnMut(&[f32]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let features = self.extractor.extract(&self.samples);
        let (start, end) = (self.next - self.first, features.n_frames.min(n_whole));
        if start < end {
            write(&features.values[start * features.n_bins..end * features.n_bins])?;
            self.next = self.first + end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_audio::transform::PadMode;

    fn samples(n: usize) -> Vec<f32> {
        let sample = |n: usize| ((n as f32 * 0.05).sin() + (n as f32 * n as f32 * 1e-6).sin()) * 0.3;
        (0..n).map(sample).collect()
    }

    /// The frames of chunks of `chunk_len` samples, read in blocks of 1000.
    fn in_chunks(spec: &FeatureSpec, samples: &[f32], chunk_len: usize) -> Vec<f32> {
        let mut extractor = spec.extractor().unwrap();
        let (mut chunks, mut values) = (Chunks::new(&mut extractor, chunk_len), Vec::new());
        let mut append = |frames: &[f32]| {
            values.extend_from_slice(frames);
            Ok(())
        };
        samples.chunks(1000).for_each(|block| chunks.push(block, &mut append).unwrap());
        chunks.finish(append).unwrap();
        values
    }

    #[test]
    fn chunks_give_the_frames_of_the_whole_recording_to_the_bit() {
        let local =
            |kind: &FeatureKind| is_local(*kind, &FeatureSpec { top_db: None, ..FeatureSpec::default() });
        let kinds: Vec<FeatureKind> = FeatureKind::ALL.iter().copied().filter(local).collect();
        assert_eq!(kinds.len(), 12);
        for (center, pad_mode, hop_length) in
            [(true, PadMode::Constant, 512), (true, PadMode::Reflect, 300), (false, PadMode::Constant, 700)]
        {
            for &kind in &kinds {
                let kinds = vec![kind];
                let spec = FeatureSpec {
                    kinds,
                    top_db: None,
                    center,
                    pad_mode,
                    hop_length,
                    ..FeatureSpec::default()
                };
                for n in [2048, 2500, 60_000, 61_440] {
                    let samples = samples(n);
                    let whole = spec.extractor().unwrap().extract(&samples).values;
                    for chunk_len in [1, 10_000, 1 << 20] {
                        let found = in_chunks(&spec, &samples, chunk_len);
                        assert!(found == whole, "{kind:?}, {center}, {n} samples, chunks of {chunk_len}");
                    }
                }
            }
        }
    }

    #[test]
    fn kinds_that_depend_on_the_whole_recording_are_not_streamed() {
        let spec = FeatureSpec::default();
        for kind in [FeatureKind::Mfcc, FeatureKind::LogMel, FeatureKind::Pcen, FeatureKind::ChromaStft] {
            let kinds = Kinds { framed: vec![kind], whole: Vec::new() };
            assert!(!is_possible(&spec, &kinds, Format::Npy), "{kind:?}");
        }
        let kinds = Kinds { framed: vec![FeatureKind::Mel], whole: Vec::new() };
        assert!(is_possible(&spec, &kinds, Format::Csv) && !is_possible(&spec, &kinds, Format::Png));
    }
}
