//! Segments of a file that is decoded block by block, in memory that does not depend on its length.

use std::path::Path;

use super::{SegmentError, SegmentFeatures, Segmenter};
use crate::decode::{DecodeWarning, Decoder};
use crate::feature::FeatureExtractor;
use crate::resample::{ResampleStream, Resampler};
use crate::{Audio, Error};

/// Most samples that are kept while the length of a file is unknown: 64 MiB, 12 minutes at 22050 Hz.
const MAX_KEPT: usize = 1 << 24;

/// Extracts as many segments of a file as an extraction takes from a track, with the result of
/// [`FeatureExtractor::segment`] for the samples that [`load`](crate::decode::load) returns.
///
/// Which segments these are depends on the length of the recording. If the file declares it, the samples of three segments
/// are kept at most; otherwise all samples, up to 64 MiB. A longer file of unknown length, or one whose length is not as
/// declared, is decoded once more when its length is known.
pub struct TrackSegmenter {
    /// `None` if the file has the sample rate of the features.
    resampler: Option<ResampleStream>,
    /// Scratch: resampled samples.
    resampled: Vec<f32>,
    input: Input,
    /// Number of samples so far, at the file's sample rate.
    n_samples: u64,
    features: Vec<f32>,
}

/// What is kept of a file until its segments are extracted.
enum Input {
    /// The segments of a file of `n_samples` samples at its sample rate.
    Expected { n_samples: u64, segmenter: Box<Segmenter> },
    /// All samples so far.
    Kept(Vec<f32>),
    /// Nothing: the file is not as long as expected, or too long to be kept.
    Counted,
}

/// What a decoded file ends with: its segments, or its length if they have to be selected by it.
enum Ending {
    Extracted(SegmentFeatures),
    Length(u64),
}

impl TrackSegmenter {
    /// For the samples of `decoder`, which has returned none yet.
    #[must_use]
    pub fn new(decoder: &Decoder, extractor: &FeatureExtractor) -> Self {
        Self::expecting(decoder.n_samples_declared(), decoder, extractor)
    }

    /// For a file of `n_samples` samples at its sample rate, or of unknown length.
    fn expecting(n_samples: Option<u64>, decoder: &Decoder, extractor: &FeatureExtractor) -> Self {
        let spec = extractor.spec();
        let resampler = Resampler::if_needed(decoder.source().sample_rate, spec.sample_rate);
        let input = n_samples.map_or_else(
            || Input::Kept(Vec::new()),
            |n_samples| {
                let n_out =
                    resampler.as_ref().map_or(n_samples, |plan| plan.n_out(n_samples as usize) as u64);
                let segmenter = Segmenter::at_most(spec.segments.max_per_track(), n_out, spec);
                Input::Expected { n_samples, segmenter: Box::new(segmenter) }
            },
        );
        Self {
            resampler: resampler.map(ResampleStream::new),
            resampled: Vec::new(),
            input,
            n_samples: 0,
            features: Vec::new(),
        }
    }

    /// Takes the next samples of the decoder, `[n]`.
    pub fn push(&mut self, extractor: &mut FeatureExtractor, samples: &[f32]) {
        self.n_samples += samples.len() as u64;
        if let Input::Expected { n_samples, .. } = self.input
            && self.n_samples > n_samples
        {
            self.input = Input::Counted;
            self.features = Vec::new();
        }
        if matches!(self.input, Input::Counted) {
            return;
        }
        match &mut self.resampler {
            None => self.input.push(extractor, samples, &mut self.features),
            Some(resampler) => {
                self.resampled.clear();
                resampler.push(samples, &mut self.resampled);
                self.input.push(extractor, &self.resampled, &mut self.features);
            }
        }
    }

    /// Ends the file `path`, and decodes it again if its segments could not be selected without its length.
    ///
    /// # Errors
    /// If the file has to be decoded again and cannot be; within, if the recording has no segments.
    pub fn finish(
        self,
        extractor: &mut FeatureExtractor,
        path: &Path,
    ) -> Result<Result<SegmentFeatures, SegmentError>, Error> {
        let n_samples = match self.end(extractor) {
            Ok(Ending::Extracted(segments)) => return Ok(Ok(segments)),
            Ok(Ending::Length(n_samples)) => n_samples,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut decoder = Decoder::open(path)?;
        let mut segmenter = Self::expecting(Some(n_samples), &decoder, extractor);
        while let Some(block) = decoder.next_block()? {
            segmenter.push(extractor, block);
        }
        match segmenter.end(extractor) {
            Ok(Ending::Extracted(segments)) => Ok(Ok(segments)),
            Ok(Ending::Length(_)) => {
                let source = std::io::Error::other("the file changes while it is read");
                Err(Error::Io { path: path.to_owned(), source })
            }
            Err(reason) => Ok(Err(reason)),
        }
    }

    fn end(mut self, extractor: &mut FeatureExtractor) -> Result<Ending, SegmentError> {
        if let Some(resampler) = self.resampler.take() {
            self.resampled.clear();
            resampler.finish(&mut self.resampled);
            self.input.push(extractor, &self.resampled, &mut self.features);
        }
        match self.input {
            Input::Expected { n_samples, segmenter } if n_samples == self.n_samples => {
                let mut features = self.features;
                let starts = segmenter.finish(extractor, &mut features)?;
                Ok(Ending::Extracted(SegmentFeatures { features, n_segments: starts.len(), starts }))
            }
            Input::Kept(samples) => {
                let audio = Audio { samples, sample_rate: extractor.spec().sample_rate };
                let max_segments = extractor.spec().segments.max_per_track();
                extractor.segment(&audio, max_segments).map(Ending::Extracted)
            }
            Input::Expected { .. } | Input::Counted => Ok(Ending::Length(self.n_samples)),
        }
    }
}

impl Input {
    /// Takes samples at the sample rate of the features.
    fn push(&mut self, extractor: &mut FeatureExtractor, samples: &[f32], features: &mut Vec<f32>) {
        match self {
            Self::Expected { segmenter, .. } => segmenter.push(extractor, samples, features),
            Self::Kept(kept) if kept.len() + samples.len() <= MAX_KEPT => kept.extend_from_slice(samples),
            Self::Kept(_) => *self = Self::Counted,
            Self::Counted => {}
        }
    }
}

/// Decodes a file and extracts as many segments as an extraction takes from a track, see [`TrackSegmenter`]; also returns
/// the damage that decoding skipped.
///
/// # Errors
/// If the file cannot be decoded; within, if the recording has no segments.
pub fn segment_file(
    path: &Path,
    extractor: &mut FeatureExtractor,
) -> Result<(Result<SegmentFeatures, SegmentError>, Vec<DecodeWarning>), Error> {
    let mut decoder = Decoder::open(path)?;
    let mut segmenter = TrackSegmenter::new(&decoder, extractor);
    while let Some(block) = decoder.next_block()? {
        segmenter.push(extractor, block);
    }
    let segments = segmenter.finish(extractor, path)?;
    let warnings = decoder.into_warnings();
    Ok((segments.map_err(|reason| reason.explained_by(&warnings)), warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::load;
    use crate::feature::{FeatureSpec, SegmentPadding, SegmentWindows, Segments};
    use crate::write_wav;

    fn extractor(segments: Segments) -> FeatureExtractor {
        FeatureSpec { segments, sample_rate: 16_000, ..FeatureSpec::course() }.extractor().unwrap()
    }

    fn windows(hop_s: f64, max_segments: usize) -> FeatureExtractor {
        let padding = SegmentPadding::Repeat;
        extractor(Segments::Windows(SegmentWindows { duration_s: 0.2, hop_s, padding, max_segments }))
    }

    fn parts() -> FeatureExtractor {
        extractor(Segments::Parts { track_duration_s: 1.0, n_segments: 4 })
    }

    fn write_tone(path: &Path, sample_rate: u32, n_samples: usize) {
        let samples =
            (0..n_samples).map(|n| (n as f32 * 0.1).sin() * 0.5 * (n as f32 / n_samples as f32)).collect();
        write_wav(path, &Audio { samples, sample_rate }).unwrap();
    }

    /// What [`segment_file`] has to return.
    fn of_the_whole(path: &Path, extractor: &mut FeatureExtractor) -> Result<SegmentFeatures, SegmentError> {
        let audio = load(path, extractor.spec().sample_rate).unwrap().audio;
        extractor.segment(&audio, extractor.spec().segments.max_per_track())
    }

    /// The segments of a file for whose length a pass expects `n_samples`.
    fn expecting(
        n_samples: Option<u64>,
        path: &Path,
        extractor: &mut FeatureExtractor,
    ) -> Result<SegmentFeatures, SegmentError> {
        let mut decoder = Decoder::open(path).unwrap();
        let mut segmenter = TrackSegmenter::expecting(n_samples, &decoder, extractor);
        while let Some(block) = decoder.next_block().unwrap() {
            segmenter.push(extractor, block);
        }
        segmenter.finish(extractor, path).unwrap()
    }

    #[test]
    fn a_file_has_the_segments_of_its_samples_in_memory_whatever_length_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tone.wav");
        for sample_rate in [16_000, 44_100] {
            for n_samples in [900, 3000, 20_000, 150_000] {
                write_tone(&path, sample_rate, n_samples);
                for mut extractor in
                    [windows(0.2, 1000), windows(0.1, 5), windows(0.3, 3), windows(0.2, 1), parts()]
                {
                    let whole = of_the_whole(&path, &mut extractor);
                    assert_eq!(segment_file(&path, &mut extractor).unwrap().0, whole);
                    let true_length = n_samples as u64;
                    for n_samples in
                        [None, Some(0), Some(true_length - 1), Some(true_length), Some(u64::MAX >> 8)]
                    {
                        let found = expecting(n_samples, &path, &mut extractor);
                        assert!(found == whole, "{true_length} samples, {n_samples:?} expected");
                    }
                }
            }
        }
    }

    #[test]
    fn a_silent_file_has_no_segments() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("silence.wav");
        write_wav(&path, &Audio { samples: vec![0.0; 50_000], sample_rate: 16_000 }).unwrap();
        for mut extractor in [windows(0.2, 3), parts()] {
            assert_eq!(segment_file(&path, &mut extractor).unwrap().0, Err(SegmentError::Silent));
        }
    }

    /// A file that is too long to be kept is decoded twice if it does not declare its length, with the same result.
    #[test]
    fn too_many_samples_to_be_kept_are_read_again() {
        let mut extractor = windows(0.2, 7);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long.wav");
        write_tone(&path, 16_000, MAX_KEPT + 100_000);
        let found = expecting(None, &path, &mut extractor);
        assert_eq!(found, of_the_whole(&path, &mut extractor));
        assert_eq!(found, segment_file(&path, &mut extractor).unwrap().0);
    }
}
