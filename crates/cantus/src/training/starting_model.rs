//! Fine-tuning: a training that starts from the layers of a trained model, for other recordings and labels.
//!
//! Features, normalisation and layers are the model's, so that its weights receive the inputs they were trained on. The output
//! layer is new, unless the labels are the same. Layers near the input may be frozen, others trained with a lower learning rate
//! than the new output layer (Yosinski et al. 2014; Howard & Ruder 2018).

use std::collections::BTreeSet;

use cantus_dataset::{FeatureStore, spec_difference};
use cantus_nn::{Loss, Network, Tensor};
use sha2::{Digest, Sha256};

use crate::model::StartingPoint;
use crate::model_file::hex;
use crate::{Error, Model, Recipe};

/// A trained model whose layers a training starts from.
///
/// ```no_run
/// use cantus::{Recipe, StartingModel, TrainOptions};
///
/// let start = StartingModel::open("run".as_ref())?;
/// let recipe = start.recipe()?.fine_tuned(4, 0.1)?;
/// let store = cantus_dataset::FeatureStore::open("features".as_ref())?;
/// let options = TrainOptions { start: Some(&start), ..TrainOptions::default() };
/// let trained = cantus::train(&store, &recipe, &options)?;
/// # Ok::<(), cantus::Error>(())
/// ```
#[derive(Debug)]
pub struct StartingModel {
    model: Model,
    /// SHA-256 of the model file, in hexadecimal.
    sha256: String,
    /// The recipe of its run folder; `None` if only a model file was given.
    recipe: Option<Recipe>,
    /// Paths of the tracks in the training and the validation part of its run.
    trained_on: BTreeSet<String>,
}

impl StartingModel {
    /// Default factor of the learning rate of layers that are trained already.
    pub const LAYER_RATE: f32 = 0.1;

    /// A model with the recipe of its run, if that is known, and the paths of the tracks that it was trained on.
    ///
    /// # Errors
    /// If its network is an ensemble, or its tensors cannot be serialised.
    pub(crate) fn new(
        model: Model,
        recipe: Option<Recipe>,
        trained_on: BTreeSet<String>,
    ) -> Result<Self, Error> {
        if model.n_networks().is_some() {
            return Err(refusal(&model.provenance.recipe));
        }
        let sha256 = hex(&Sha256::digest(model.to_bytes()?));
        Ok(Self { model, sha256, recipe, trained_on })
    }

    /// The recipe that the model was trained with: that of its run folder, or else the built-in one that the model names.
    ///
    /// # Errors
    /// If the model file names no built-in recipe.
    pub fn recipe(&self) -> Result<Recipe, Error> {
        match &self.recipe {
            Some(recipe) => Ok(self.adapted(recipe)),
            None => Ok(self.adapted(&Recipe::load(&self.model.provenance.recipe)?)),
        }
    }

    /// A recipe's training settings and augmentation, with the features and layers of the model.
    #[must_use]
    pub fn adapted(&self, recipe: &Recipe) -> Recipe {
        let layers = &self.model.network.architecture().layers;
        let mut training = recipe.training.clone();
        if let Loss::BinaryCrossentropy { .. } = training.loss {
            // Of tags; `Recipe::for_task` replaces the loss for classes if the new labels are tags, too.
            training.loss = Loss::SparseCategoricalCrossentropy;
        }
        Recipe {
            features: self.model.features.clone(),
            fit_segments: false,
            layers: layers[..layers.len().saturating_sub(1)].to_vec(),
            crop_frames: self.model.crops.map(|crops| crops.n_frames),
            n_crops: self.model.crops.map_or(1, |crops| crops.n_crops),
            training,
            ..recipe.clone()
        }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Sets the weights of a new network: those of all layers but the output layer, and of that, too, if the labels are the
    /// same.
    ///
    /// # Errors
    /// If the features are not the model's, or the network's layers are not.
    pub(super) fn initialize(&self, network: &mut Network, store: &FeatureStore) -> Result<(), Error> {
        if let Some(difference) = spec_difference(store.spec(), &self.model.features) {
            return Err(Error::OtherStartingFeatures { difference });
        }
        let n_layers = self.model.network.architecture().layers.len();
        let output = format!("layers.{}.", n_layers.saturating_sub(1));
        let keeps_output = self.model.labels == store.labels();
        let weights = self.model.network.weights().into_iter();
        let kept: Vec<Tensor> =
            weights.filter(|tensor| keeps_output || !tensor.name.starts_with(&output)).collect();
        Ok(network.set_weights(&kept)?)
    }

    /// Where a model that starts from this one came from; `test` are the numbers of its test tracks.
    pub(super) fn starting_point(
        &self,
        store: &FeatureStore,
        test: impl Iterator<Item = usize>,
    ) -> StartingPoint {
        let Model { labels, provenance, .. } = &self.model;
        StartingPoint {
            recipe: provenance.recipe.clone(),
            n_labels: labels.len(),
            n_training_tracks: provenance.n_training_tracks,
            sha256: self.sha256.clone(),
            n_shared_test_tracks: test
                .filter(|&track| self.trained_on.contains(&store.tracks()[track].path))
                .count(),
        }
    }
}

impl Recipe {
    /// The recipe for fine-tuning: the first `n_frozen` layers are not trained, the others but the output layer with the learning
    /// rate times `rate`.
    ///
    /// # Errors
    /// If it is an ensemble or has fewer layers, or `rate` is not a finite number of at least 0.
    pub fn fine_tuned(&self, n_frozen: usize, rate: f32) -> Result<Self, Error> {
        if self.is_ensemble() {
            return Err(refusal(&self.name));
        }
        let n_layers = self.layers.len();
        let refuse = |reason: String| Err(Error::RecipeMisfit { name: self.name.clone(), reason });
        if n_frozen > n_layers {
            return refuse(format!(
                "{n_frozen} layers cannot be frozen: it has {n_layers} before the output layer"
            ));
        }
        if !(rate.is_finite() && rate >= 0.0) {
            return refuse(format!("the factor of the learning rate is {rate}, not a number of at least 0"));
        }
        let mut recipe = self.clone();
        recipe.training.layer_rates = [vec![0.0; n_frozen], vec![rate; n_layers - n_frozen]].concat();
        Ok(recipe)
    }
}

/// The error of an ensemble.
pub(super) fn refusal(name: &str) -> Error {
    let reason = "a training can start from one network, and this is an ensemble of several".to_owned();
    Error::RecipeMisfit { name: name.to_owned(), reason }
}
