//! A song in, an answer out: segments are heard one by one, and the track's answer is the mean of theirs.

use std::path::Path;

use cantus_audio::decode::{self, Fault};
use cantus_audio::feature::FeatureExtractor;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::calibration::temper;
use crate::{Error, Model, Task, vote};

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
    /// What each segment says, in the order of time.
    #[serde(skip)]
    pub segments: Vec<SegmentPrediction>,
    /// Damage in the file that was passed over.
    #[serde(skip)]
    pub faults: Vec<Fault>,
}

/// What a model says of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentPrediction {
    /// Where the segment begins, in seconds.
    pub start_s: f64,
    /// The probability of each label, in the order of the model's labels.
    pub probabilities: Vec<f32>,
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
    /// Predicts one file, all of it: as many whole segments as it has.
    ///
    /// # Errors
    /// If the file cannot be decoded, is silent, or is shorter than one segment.
    pub fn predict_file(&mut self, path: &Path) -> Result<Prediction, Error> {
        let recording = decode::load(path, self.model.features.sample_rate)?;
        let heard = self.extractor.hear(&recording.audio, usize::MAX);
        let heard = heard.map_err(|reason| Error::NothingToHear { path: path.to_owned(), reason })?;
        let mut prediction = self.vote(self.model.predict_uncalibrated(&heard.features)?);
        prediction.faults = recording.faults;
        Ok(prediction)
    }

    /// The track's answer, and those of its segments, from what the network says of these.
    fn vote(&self, mut segments: Vec<f32>) -> Prediction {
        let Model { labels, calibration, .. } = self.model;
        let probabilities = self.model.vote(&segments.chunks_exact(labels.len()).collect::<Vec<_>>());
        temper(&mut segments, labels.len(), calibration.segment_temperature, self.model.task());
        let best = vote::arg_max(&probabilities);
        let spec = &self.model.features;
        let segment_s = spec.segment_samples() as f64 / f64::from(spec.sample_rate);
        let at = |(number, probabilities): (usize, &[f32])| SegmentPrediction {
            start_s: number as f64 * segment_s,
            probabilities: probabilities.to_vec(),
        };
        let named = labels.iter().cloned().zip(probabilities.iter().map(|&probability| probability as f32));
        Prediction {
            label: labels[best].clone(),
            probability: probabilities[best] as f32,
            probabilities: Probabilities(named.collect()),
            tags: (self.model.task() == Task::Tagging).then(|| given(labels, &probabilities)),
            segments: segments.chunks_exact(labels.len()).enumerate().map(at).collect(),
            faults: Vec::new(),
        }
    }
}

/// Names of the tags that are given, the most probable first.
fn given(labels: &[String], probabilities: &[f64]) -> Vec<String> {
    let mut given = vote::tags(probabilities);
    given.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    given.into_iter().map(|label| labels[label].clone()).collect()
}
