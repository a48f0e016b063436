//! The trained model: network, feature specification, normalisation, calibration and labels.

use cantus_audio::feature::FeatureSpec;
use cantus_metrics::aggregate;
use cantus_nn::{LayerSpec, Network};
use serde::{Deserialize, Serialize};

use crate::calibration::{Calibration, temperature_scale};
use crate::crops::mean_over_crops;
use crate::{Crops, Error, Normalization, Task};

/// Crops that are predicted at once, a multiple of the block of [`Network::predict`]: bounds the memory, does not affect the
/// result.
const CROPS_AT_ONCE: usize = 256;

/// A trained classifier or tagger with all that prediction needs.
///
/// ```no_run
/// let model = cantus::Model::load("run/model.safetensors")?;
/// println!("{} labels, {} frames per segment", model.labels.len(), model.features.frames_per_segment());
/// let prediction = model.predict_file("song.mp3")?;
/// println!("{} ({:.0} %)", prediction.label, 100.0 * prediction.probability);
/// # Ok::<(), cantus::Error>(())
/// ```
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

/// Where a model came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// Recipe that it was trained with.
    pub recipe: String,
    /// Seed of the split and of the training.
    pub seed: u64,
    /// SHA-256 of the features that it was trained and evaluated on.
    pub data_sha256: String,
    /// Tracks in the training part.
    pub n_training_tracks: usize,
    /// The model that its training started from; `None` if it started from random weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartingPoint>,
}

impl Provenance {
    /// Remark on test tracks that the starting model was trained on, if there are any.
    #[cfg(feature = "train")]
    pub(crate) fn remark(&self) -> Option<String> {
        StartingPoint::remark(self.start.as_ref()?.n_shared_test_tracks)
    }
}

/// A trained model that another training started from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StartingPoint {
    /// Recipe that it was trained with.
    pub recipe: String,
    /// Number of its labels.
    pub n_labels: usize,
    /// Tracks in its training part.
    pub n_training_tracks: usize,
    /// SHA-256 of its model file, in hexadecimal.
    pub sha256: String,
    /// Number of the later training's test tracks whose paths are those of tracks that it was trained on; 0 if these are not
    /// known.
    pub n_shared_test_tracks: usize,
}

impl StartingPoint {
    /// What it is, in one line.
    #[cfg(feature = "train")]
    pub(crate) fn in_a_line(&self) -> String {
        let Self { recipe, n_labels, n_training_tracks, sha256, .. } = self;
        format!(
            "the layers of a model of recipe {recipe}, trained on {n_training_tracks} tracks of {n_labels} labels (SHA-256 {})",
            sha256.get(..12).unwrap_or(sha256)
        )
    }

    /// Remark on test tracks that a starting model was trained on, if there are any.
    #[cfg(feature = "train")]
    pub(crate) fn remark(n_shared_test_tracks: usize) -> Option<String> {
        (n_shared_test_tracks > 0).then(|| {
            format!(
                "{n_shared_test_tracks} of the test tracks have the paths of tracks that the starting model was trained on: if they \
                 are the same recordings, these scores are too high"
            )
        })
    }
}

impl Model {
    /// Name of the model file inside a run folder.
    pub const FILE_NAME: &str = "model.safetensors";

    /// Whether the model is a classifier or a tagger.
    pub fn task(&self) -> Task {
        Task::of(self.network.architecture())
    }

    /// Number of networks whose outputs are averaged, if it is an ensemble.
    #[must_use]
    pub fn n_networks(&self) -> Option<usize> {
        match &self.network.architecture().layers[..] {
            [LayerSpec::Average(average)] => Some(average.branches.len()),
            _ => None,
        }
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
        let n_crops = segments.len() / (n_frames * n_bins) * crops.n_crops;
        let mut predictions = Vec::new();
        for start in (0..n_crops).step_by(CROPS_AT_ONCE) {
            let range = start..n_crops.min(start + CROPS_AT_ONCE);
            predictions.extend(self.network.predict(&crops.cut(&normalised, n_frames, n_bins, range))?);
        }
        Ok(mean_over_crops(&predictions, crops.n_crops, self.labels.len()))
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::export::tests::small_model;

    #[test]
    fn a_model_from_bytes_is_that_of_the_file() {
        let bytes = small_model().to_bytes().unwrap();
        let path = Path::new("a model in memory");
        assert_eq!(Model::from_bytes(&bytes, path).unwrap().to_bytes().unwrap(), bytes);
        let error = Model::from_bytes(&bytes[..100], path).unwrap_err().to_string();
        assert!(error.starts_with("a model in memory: not a Cantus model"), "{error}");
    }
}
