//! Prediction of recordings: decodes a file, predicts its segments, and averages them to a prediction for the track.

use std::path::Path;

use cantus_audio::Audio;
use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segmenter};
use cantus_audio::resample::resample;
use cantus_metrics::aggregate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calibration::temperature_scale;
use crate::{Error, Model, Task};

/// Segments per prediction block: bounds the memory, does not affect the result.
const BLOCK: usize = 64;

/// Samples in memory that are segmented at once: bounds the features between two predictions, does not affect the result.
const SAMPLES_PER_PUSH: usize = 1 << 16;

/// The prediction for one track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The most probable label; for a tagger, the most probable tag, even if it is below the threshold.
    pub label: String,
    /// Its probability.
    pub probability: f32,
    /// The probability of each label, in the order of the model's labels; class probabilities sum to 1.
    pub probabilities: Probabilities,
    /// The tags with a probability above ½, the most probable first; `None` for a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Length of the recording, in seconds.
    pub duration_s: f64,
    /// The prediction for each segment, in order of time.
    #[serde(skip)]
    pub segments: Vec<SegmentPrediction>,
    /// Damage in the file that decoding skipped.
    #[serde(skip)]
    pub warnings: Vec<DecodeWarning>,
}

/// The prediction for one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentPrediction {
    /// Start of the segment, in seconds.
    pub start_s: f64,
    /// End of the segment, in seconds.
    pub end_s: f64,
    /// The probability of each label, in the order of the model's labels.
    pub probabilities: Vec<f32>,
}

impl SegmentPrediction {
    /// Index of the most probable label.
    #[must_use]
    pub fn best(&self) -> usize {
        aggregate::arg_max(&self.probabilities)
    }
}

/// Labels and their probabilities, in the order of the model's labels; serialised as a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities(pub Vec<(String, f32)>);

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, probability) in &self.0 {
            map.serialize_entry(label, probability)?;
        }
        map.end()
    }
}

/// Predicts many files with one model; its feature extraction is planned once.
///
/// ```no_run
/// use std::path::Path;
///
/// let model = cantus::Model::load("run")?;
/// let mut predictor = model.predictor()?;
/// for path in ["one.mp3", "two.flac"] {
///     let prediction = predictor.predict_file(Path::new(path))?;
///     println!("{path}: {} ({:.0} %)", prediction.label, 100.0 * prediction.probability);
/// }
/// # Ok::<(), cantus::Error>(())
/// ```
pub struct Predictor<'model> {
    model: &'model Model,
    extractor: FeatureExtractor,
}

/// The segments of one track while it is read: uncalibrated probabilities, and features that are not predicted yet.
#[derive(Default)]
struct SegmentPredictions {
    segmenter: Segmenter,
    features: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Model {
    /// A predictor for many files.
    ///
    /// # Errors
    /// If the model's feature specification cannot be computed.
    pub fn predictor(&self) -> Result<Predictor<'_>, Error> {
        Ok(Predictor { model: self, extractor: self.features.extractor()? })
    }

    /// Predicts one file. For many, a [`Predictor`] saves the planning.
    ///
    /// # Errors
    /// If the file cannot be decoded, is silent, or is shorter than one segment.
    pub fn predict_file(&self, path: impl AsRef<Path>) -> Result<Prediction, Error> {
        self.predictor()?.predict_file(path.as_ref())
    }
}

impl Predictor<'_> {
    /// Predicts all whole segments of one file. Memory use does not depend on its length beyond the predictions.
    ///
    /// # Errors
    /// If the file cannot be decoded, is silent, or is shorter than one segment.
    pub fn predict_file(&mut self, path: &Path) -> Result<Prediction, Error> {
        self.predict(path, Decoder::open(path)?)
    }

    /// The same for an opened decoder; `path` is used in messages only.
    ///
    /// # Errors
    /// If it cannot be decoded to its end, is silent, or is shorter than one segment.
    pub fn predict(&mut self, path: &Path, decoder: Decoder) -> Result<Prediction, Error> {
        self.predict_beside(path, decoder, |_| Ok(()))
    }

    /// The same with a callback that receives each block of samples, at the sample rate of the model's features, before
    /// the features are extracted; an error of the callback ends the prediction.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict), and those of the callback.
    pub fn predict_beside<E: From<Error>>(
        &mut self,
        path: &Path,
        decoder: Decoder,
        mut on_block: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<Prediction, E> {
        let mut stream = ResampledDecoder::new(decoder, self.model.features.sample_rate);
        let mut segments = SegmentPredictions::default();
        while let Some(samples) = stream.next_block().map_err(Error::from)? {
            on_block(samples)?;
            self.push(samples, &mut segments)?;
        }
        Ok(self.finish(segments, path, stream.into_warnings())?)
    }

    /// Predicts samples in memory; `path` is used in messages only. They are resampled, if the model's features have another
    /// sample rate; the prediction is that of a file with these samples.
    ///
    /// # Errors
    /// If the samples are silent, or shorter than one segment.
    pub fn predict_audio(&mut self, path: &Path, audio: &Audio) -> Result<Prediction, Error> {
        let sample_rate = self.model.features.sample_rate;
        let mut segments = SegmentPredictions::default();
        let resampled = (audio.sample_rate != sample_rate)
            .then(|| resample(&audio.samples, audio.sample_rate, sample_rate));
        for samples in resampled.as_deref().unwrap_or(&audio.samples).chunks(SAMPLES_PER_PUSH) {
            self.push(samples, &mut segments)?;
        }
        self.finish(segments, path, Vec::new())
    }

    /// Predicts the segments that these samples complete, when there are enough of them.
    fn push(&mut self, samples: &[f32], segments: &mut SegmentPredictions) -> Result<(), Error> {
        let spec = &self.model.features;
        let full = BLOCK * spec.frames_per_segment() * spec.n_bins();
        segments.segmenter.push(&mut self.extractor, samples, &mut segments.features);
        if segments.features.len() >= full {
            segments.probabilities.extend(self.model.predict_uncalibrated(&segments.features)?);
            segments.features.clear();
        }
        Ok(())
    }

    /// Predicts the last segments, and aggregates those of the track.
    fn finish(
        &mut self,
        segments: SegmentPredictions,
        path: &Path,
        warnings: Vec<DecodeWarning>,
    ) -> Result<Prediction, Error> {
        let SegmentPredictions { segmenter, mut features, mut probabilities } = segments;
        let duration_s = segmenter.n_samples() as f64 / f64::from(self.model.features.sample_rate);
        let starts = segmenter.finish(&mut self.extractor, &mut features);
        let starts = starts.map_err(|reason| Error::NoSegments {
            path: path.to_owned(),
            reason: reason.explained_by(&warnings),
        })?;
        probabilities.extend(self.model.predict_uncalibrated(&features)?);
        Ok(Prediction { duration_s, warnings, ..self.aggregate(probabilities, &starts) })
    }

    /// Specification of the features that the model was trained on.
    #[must_use]
    pub fn spec(&self) -> &FeatureSpec {
        &self.model.features
    }

    /// The calibrated predictions of the track and of its segments, from the segments' uncalibrated probabilities and first
    /// samples.
    fn aggregate(&self, mut segments: Vec<f32>, starts: &[u64]) -> Prediction {
        let Model { labels, calibration, .. } = self.model;
        let probabilities = self.model.aggregate(&segments.chunks_exact(labels.len()).collect::<Vec<_>>());
        temperature_scale(&mut segments, labels.len(), calibration.segment_temperature, self.model.task());
        let best = aggregate::arg_max(&probabilities);
        let spec = &self.model.features;
        let (length, sample_rate) = (spec.segment_samples() as u64, f64::from(spec.sample_rate));
        let at = |(&start, probabilities): (&u64, &[f32])| SegmentPrediction {
            start_s: start as f64 / sample_rate,
            end_s: (start + length) as f64 / sample_rate,
            probabilities: probabilities.to_vec(),
        };
        let named = labels.iter().cloned().zip(probabilities.iter().map(|&probability| probability as f32));
        Prediction {
            label: labels[best].clone(),
            probability: probabilities[best] as f32,
            probabilities: Probabilities(named.collect()),
            tags: (self.model.task() == Task::Tagging).then(|| predicted_tags(labels, &probabilities)),
            segments: starts.iter().zip(segments.chunks_exact(labels.len())).map(at).collect(),
            duration_s: 0.0,
            warnings: Vec::new(),
        }
    }
}

/// Names of the tags above the threshold, the most probable first.
fn predicted_tags(labels: &[String], probabilities: &[f64]) -> Vec<String> {
    let mut tags = aggregate::tags_above_threshold(probabilities);
    tags.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    tags.into_iter().map(|label| labels[label].clone()).collect()
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::export::tests::small_model;

    #[test]
    fn samples_in_memory_are_predicted_as_a_file_with_these_samples() {
        let model = small_model();
        let dir = tempfile::tempdir().unwrap();
        for sample_rate in [model.features.sample_rate, 16_000] {
            let n_samples = 5 * model.features.segment_samples();
            // Multiples of 2⁻¹⁵, which a WAV file of 16 bits holds exactly.
            let samples = (0..n_samples).map(|n| ((n as f32 * 0.05).sin() * 9000.0).round() / 32_768.0);
            let audio = Audio { samples: samples.collect(), sample_rate };
            let path = dir.path().join(format!("{sample_rate}.wav"));
            cantus_audio::write_wav(&path, &audio).unwrap();
            let mut predictor = model.predictor().unwrap();
            let expected = predictor.predict_file(&path).unwrap();
            assert_eq!(predictor.predict_audio(Path::new("samples"), &audio).unwrap(), expected);
        }
    }

    #[test]
    fn silent_samples_are_an_error_with_their_name() {
        let model = small_model();
        let audio = Audio { samples: vec![0.0; 100_000], sample_rate: 22_050 };
        let error = model.predictor().unwrap().predict_audio(Path::new("x[3]"), &audio).unwrap_err();
        assert_eq!(error.to_string(), "x[3]: silent: every sample is zero");
    }
}
