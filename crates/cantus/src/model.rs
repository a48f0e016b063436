//! The trained model: network, feature specification, normalisation, calibration and labels.

use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::feature::FeatureSpec;
use cantus_metrics::aggregate;
use cantus_nn::Network;

use crate::calibration::{Calibration, temperature_scale};
use crate::crops::mean_over_crops;
use crate::model_file::{self, Provenance};
use crate::{Crops, Error, Normalization, Task};

/// A trained classifier or tagger with all that prediction needs.
#[derive(Debug)]
pub struct Model {
    /// Names of the classes or tags, in the order of the network's outputs.
    pub labels: Vec<String>,
    /// Specification of the features that the network was trained on.
    pub features: FeatureSpec,
    /// Normalisation computed on the training part.
    pub normalization: Normalization,
    /// The crops of a segment that are the network's input; `None` if the input is the whole segment.
    pub crops: Option<Crops>,
    /// Temperatures of its probabilities, fitted on the validation part.
    pub calibration: Calibration,
    /// Where the model came from.
    pub provenance: Provenance,
    /// The network: normalised features of one segment (or crop) in, one probability for each label out.
    pub network: Network,
}

impl Model {
    /// Loads a model file, or the model of a run folder.
    ///
    /// # Errors
    /// If the file cannot be read, is not a model, is truncated or modified, or was written by a later version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let mut path = path.as_ref().to_owned();
        if path.is_dir() {
            let file = path.join(model_file::FILE_NAME);
            if !file.exists() {
                return Err(Error::unfinished_run(&path, model_file::FILE_NAME));
            }
            path = file;
        }
        if !path.exists() {
            let reason = "no such model; give a run folder or its model.safetensors".to_owned();
            return Err(Error::Run { path, reason });
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        model_file::from_bytes(&bytes, &path)
    }

    /// Whether the model is a classifier or a tagger.
    pub fn task(&self) -> Task {
        Task::of(self.network.architecture())
    }

    /// The model as the bytes of a `.safetensors` file.
    ///
    /// # Errors
    /// If the network's tensors cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        model_file::to_bytes(self)
    }

    /// Writes the model file atomically.
    ///
    /// # Errors
    /// If the network's tensors cannot be serialised, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        atomic_file::write(path, &self.to_bytes()?).map_err(Error::io(path))
    }

    /// Calibrated probabilities of one or several segments; with crops, the mean over the crops of a segment.
    ///
    /// # Shapes
    /// - `segments`: `[n_segments, n_frames, n_bins]`, features as extracted
    /// - returns: `[n_segments, n_labels]`
    ///
    /// # Errors
    /// If `segments` is not a whole number of segments.
    pub fn predict_segments(&self, segments: &[f32]) -> Result<Vec<f32>, Error> {
        let mut probabilities = self.predict_uncalibrated(segments)?;
        temperature_scale(
            &mut probabilities,
            self.labels.len(),
            self.calibration.segment_temperature,
            self.task(),
        );
        Ok(probabilities)
    }

    /// Calibrated probabilities of a track: the mean of its segments' uncalibrated probabilities, scaled by the track
    /// temperature. Averaging comes first, so that calibration does not change the predicted class.
    ///
    /// # Shapes
    /// - `segments`: `[n_segments][n_labels]`, from [`predict_uncalibrated`](Self::predict_uncalibrated)
    /// - returns: `[n_labels]`
    pub(crate) fn aggregate(&self, segments: &[&[f32]]) -> Vec<f64> {
        self.calibration.of_track(&aggregate::mean_probabilities(segments, self.labels.len()), self.task())
    }

    /// Uncalibrated probabilities, as the network outputs them.
    pub(crate) fn predict_uncalibrated(&self, segments: &[f32]) -> Result<Vec<f32>, Error> {
        let mut normalised = segments.to_vec();
        self.normalization.apply(&mut normalised);
        let Some(crops) = self.crops else { return Ok(self.network.predict(&normalised)?) };
        let (n_frames, n_bins) = (self.features.frames_per_segment(), self.features.n_bins());
        if !segments.len().is_multiple_of(n_frames * n_bins) {
            let shape = vec![n_frames, n_bins];
            let (got, wanted) = (segments.len(), n_frames * n_bins);
            return Err(cantus_nn::Error::Inputs { got, wanted, shape }.into());
        }
        let predictions = self.network.predict(&crops.cut(&normalised, n_frames, n_bins))?;
        Ok(mean_over_crops(&predictions, crops.n_crops, self.labels.len()))
    }
}
