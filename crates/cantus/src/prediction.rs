//! Prediction of recordings: decodes a file, predicts its segments, and averages them to a prediction for the track.

use std::path::Path;

use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segmenter};
use cantus_metrics::aggregate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calibration::temperature_scale;
use crate::{Error, Model, Task};

/// Segments per prediction block: bounds the memory, does not affect the result.
const BLOCK: usize = 64;

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
        let spec = &self.model.features;
        let full = BLOCK * spec.frames_per_segment() * spec.n_bins();
        let mut stream = ResampledDecoder::new(decoder, spec.sample_rate);
        let (mut segmenter, mut features, mut predictions) = (Segmenter::default(), Vec::new(), Vec::new());
        while let Some(samples) = stream.next_block().map_err(Error::from)? {
            on_block(samples)?;
            segmenter.push(&mut self.extractor, samples, &mut features);
            if features.len() >= full {
                predictions.extend(self.model.predict_uncalibrated(&features)?);
                features.clear();
            }
        }
        let duration_s = segmenter.n_samples() as f64 / f64::from(self.model.features.sample_rate);
        let starts = segmenter.finish(&mut self.extractor, &mut features);
        let warnings = stream.into_warnings();
        let starts = starts.map_err(|reason| Error::NoSegments {
            path: path.to_owned(),
            reason: reason.explained_by(&warnings),
        })?;
        predictions.extend(self.model.predict_uncalibrated(&features)?);
        Ok(Prediction { duration_s, warnings, ..self.aggregate(predictions, &starts) })
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
