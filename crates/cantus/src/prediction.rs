//! A song in, an answer out: segments are heard one by one, and the track's answer is the mean of theirs.

use std::path::Path;

use cantus_audio::decode::{DecodeWarning, Decoder, ResampledDecoder};
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, Segmenter};
use cantus_metrics::aggregate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calibration::temper;
use crate::{Error, Model, Task};

/// Segments that the network hears at once: bounds the memory, changes no result.
const BLOCK: usize = 64;

/// What a model says of one track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The most probable label; of a model that gives tags the most probable of these, whether it is given or not.
    pub label: String,
    /// Its probability.
    pub probability: f32,
    /// The probability of each label, in the order of the model's labels; those of classes sum to 1.
    pub probabilities: Probabilities,
    /// The tags that are given, each with a probability above ½, the most probable first; none of a model that tells classes
    /// apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Length of the recording, in seconds.
    pub duration_s: f64,
    /// What each segment says, in the order of time.
    #[serde(skip)]
    pub segments: Vec<SegmentPrediction>,
    /// Damage in the file that was passed over.
    #[serde(skip)]
    pub warnings: Vec<DecodeWarning>,
}

/// What a model says of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentPrediction {
    /// Where the segment begins, in seconds.
    pub start_s: f64,
    /// Where it ends, in seconds.
    pub end_s: f64,
    /// The probability of each label, in the order of the model's labels.
    pub probabilities: Vec<f32>,
}

impl SegmentPrediction {
    /// Index of the most probable label.
    pub fn best(&self) -> usize {
        aggregate::arg_max(&self.probabilities)
    }
}

/// Labels and their probabilities, in the order of the model's labels; a JSON object.
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

/// A model that is ready to hear many files: its feature extraction is planned once.
pub struct Predictor<'model> {
    model: &'model Model,
    extractor: FeatureExtractor,
}

impl Model {
    /// Plans the prediction of many files.
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
    /// Predicts one file, all of it: as many whole segments as it has. The memory that it takes does not depend on its
    /// length, so that it may last for hours.
    ///
    /// # Errors
    /// If the file cannot be decoded, is silent, or is shorter than one segment.
    pub fn predict_file(&mut self, path: &Path) -> Result<Prediction, Error> {
        self.predict(path, Decoder::open(path)?)
    }

    /// The same for a file that a decoder has opened, wherever it lies; `path` is what it is called in messages.
    ///
    /// # Errors
    /// If it cannot be decoded to its end, is silent, or is shorter than one segment.
    pub fn predict(&mut self, path: &Path, decoder: Decoder) -> Result<Prediction, Error> {
        self.predict_beside(path, decoder, |_| Ok(()))
    }

    /// The same beside a listener, to whom each block of samples is shown before it is heard, at the rate of the model's
    /// features; by an error it ends the prediction.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict), and those of the listener.
    pub fn predict_beside<E: From<Error>>(
        &mut self,
        path: &Path,
        decoder: Decoder,
        mut listener: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<Prediction, E> {
        let spec = &self.model.features;
        let full = BLOCK * spec.frames_per_segment() * spec.n_bins();
        let mut stream = ResampledDecoder::new(decoder, spec.sample_rate);
        let (mut segmenter, mut features, mut predictions) = (Segmenter::default(), Vec::new(), Vec::new());
        while let Some(samples) = stream.next_block().map_err(Error::from)? {
            listener(samples)?;
            segmenter.push(&mut self.extractor, samples, &mut features);
            if features.len() >= full {
                predictions.extend(self.model.predict_uncalibrated(&features)?);
                features.clear();
            }
        }
        let duration_s = segmenter.n_samples() as f64 / f64::from(self.model.features.sample_rate);
        let n_segments = segmenter.finish(&mut self.extractor, &mut features);
        n_segments.map_err(|reason| Error::NoSegments { path: path.to_owned(), reason })?;
        predictions.extend(self.model.predict_uncalibrated(&features)?);
        Ok(Prediction { duration_s, warnings: stream.into_warnings(), ..self.vote(predictions) })
    }

    /// How sound becomes the features that the model was trained on.
    pub fn spec(&self) -> &FeatureSpec {
        &self.model.features
    }

    /// The track's answer, and those of its segments, from what the network says of these.
    fn vote(&self, mut segments: Vec<f32>) -> Prediction {
        let Model { labels, calibration, .. } = self.model;
        let probabilities = self.model.vote(&segments.chunks_exact(labels.len()).collect::<Vec<_>>());
        temper(&mut segments, labels.len(), calibration.segment_temperature, self.model.task());
        let best = aggregate::arg_max(&probabilities);
        let spec = &self.model.features;
        let segment_s = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
        let at = |(number, probabilities): (usize, &[f32])| SegmentPrediction {
            start_s: number as f64 * segment_s,
            end_s: (number + 1) as f64 * segment_s,
            probabilities: probabilities.to_vec(),
        };
        let named = labels.iter().cloned().zip(probabilities.iter().map(|&probability| probability as f32));
        Prediction {
            label: labels[best].clone(),
            probability: probabilities[best] as f32,
            probabilities: Probabilities(named.collect()),
            tags: (self.model.task() == Task::Tagging).then(|| given(labels, &probabilities)),
            segments: segments.chunks_exact(labels.len()).enumerate().map(at).collect(),
            duration_s: 0.0,
            warnings: Vec::new(),
        }
    }
}

/// Names of the tags that are given, the most probable first.
fn given(labels: &[String], probabilities: &[f64]) -> Vec<String> {
    let mut given = aggregate::tags_above_threshold(probabilities);
    given.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    given.into_iter().map(|label| labels[label].clone()).collect()
}
