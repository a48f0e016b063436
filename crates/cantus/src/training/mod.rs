//! Training: from a feature store, a split and a recipe to a model.
//!
//! The normalisation is computed on the training part, the network is trained with the validation part for early stopping
//! and calibration, and the test part is read by [`evaluate`](crate::evaluate) only.

pub(crate) mod checkpoints;
pub(crate) mod fingerprint;
pub(crate) mod job;
mod member;
mod memory;
mod options;
pub(crate) mod prepared;
mod starting_model;

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec};
use cantus_nn::History;

pub use self::options::{EnsembleMember, Observer, Stage, TrainEvent, TrainOptions, TrainingStart};
pub use self::starting_model::StartingModel;

pub(crate) use self::memory::MemoryBudget;

use self::fingerprint::data_sha256;
use self::job::Job;
use crate::report::TrainingCurve;
use crate::{Error, Model, Recipe, Task};

/// The result of a training.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// The recipe as it was used: with the seed of the options, and adapted to the task of the labels.
    pub recipe: Recipe,
    /// Loss and accuracy of each epoch; of an ensemble, those of its networks one after another.
    pub history: History,
    /// The epoch whose weights the model has, from 0; `None` if that is the last by definition.
    pub best_epoch: Option<usize>,
    /// Segments of the training, validation and test part.
    pub split: SegmentSplit,
    /// The specification of that split.
    pub spec: SplitSpec,
    /// SHA-256 of the training's data, split, recipe and seed, in hexadecimal; equal for equal trainings.
    pub fingerprint: String,
    /// Duration of the training in seconds; after a resumption, since then.
    pub training_s: f64,
}

impl Trained {
    pub(crate) fn curve(&self) -> TrainingCurve<'_> {
        TrainingCurve::new(&self.history, &self.recipe)
    }
}

/// Trains a recipe on the training part of a feature store, in memory. [`Run::train`](crate::Run::train) does the same and
/// writes a run folder.
///
/// A recipe for classes is adapted to tags by [`Recipe::for_task`] if the store's labels are tags.
///
/// ```no_run
/// use cantus::{Recipe, TrainOptions};
/// use cantus_dataset::FeatureStore;
///
/// let store = FeatureStore::open("features".as_ref())?;
/// let trained = cantus::train(&store, &Recipe::load("best")?, &TrainOptions::default())?;
/// println!("{}", cantus::evaluate(&trained, &store)?.report.to_text());
/// trained.model.save("model.safetensors")?;
/// # Ok::<(), cantus::Error>(())
/// ```
///
/// # Errors
/// If the store cannot be read or split, recipe and features do not fit, or the observer stops the training. If the training
/// diverges, [`Error::Diverged`] holds the model of the best epoch before.
pub fn train(store: &FeatureStore, recipe: &Recipe, options: &TrainOptions<'_>) -> Result<Trained, Error> {
    let recipe = adapted(recipe, store, options)?;
    let split = store.split(&options.split)?;
    let job = Job::new(store, &recipe, split, options, data_sha256(store)?);
    job.prepare()?.train(Stage::Single, options, None, |_, _| Ok(()))
}

/// The recipe with the seed of the options, for the task of the store's labels, and for the segments of the store if it is one
/// [to be fitted](Recipe::fit_segments).
///
/// # Errors
/// If it cannot be adapted to the task.
pub(crate) fn adapted(
    recipe: &Recipe,
    store: &FeatureStore,
    options: &TrainOptions<'_>,
) -> Result<Recipe, Error> {
    let mut recipe = recipe.for_task(Task::of_store(store))?;
    if recipe.fit_segments && recipe.features.kinds == store.spec().kinds {
        recipe = recipe.with_features(store.spec().clone());
    }
    recipe.networks_mut().iter_mut().for_each(|network| network.training.seed = options.seed);
    Ok(recipe)
}
