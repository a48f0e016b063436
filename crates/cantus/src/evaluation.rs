//! Evaluation of a trained model on the test part.

use cantus_dataset::FeatureStore;

use crate::Error;
use crate::noise::NoiseSounds;
use crate::predictions::Predictions;
use crate::report::{EvaluationReport, SplitSummary};
use crate::training::Trained;

/// Predictions for a test part and their report.
#[derive(Debug)]
pub struct Evaluated {
    /// The predictions for each segment and track.
    pub predictions: Predictions,
    /// The scores, with remarks and diagnostics.
    pub report: EvaluationReport,
}

/// Evaluates a trained model on the test part of its split.
///
/// ```no_run
/// # use cantus::{Recipe, TrainOptions};
/// # let store = cantus_dataset::FeatureStore::open("features".as_ref())?;
/// let trained = cantus::train(&store, &Recipe::load("mlp")?, &TrainOptions::default())?;
/// let evaluated = cantus::evaluate(&trained, &store)?;
/// println!("{}", evaluated.report.headline());
/// # Ok::<(), cantus::Error>(())
/// ```
///
/// # Errors
/// If the test part is empty, or the store cannot be read or is not the one that the model was trained on.
pub fn evaluate(trained: &Trained, store: &FeatureStore) -> Result<Evaluated, Error> {
    evaluate_with(trained, store, &NoiseSounds::extract(store)?)
}

/// The same with the features of the sounds of no class, which do not depend on the model.
pub(crate) fn evaluate_with(
    trained: &Trained,
    store: &FeatureStore,
    noise: &NoiseSounds,
) -> Result<Evaluated, Error> {
    let Trained { model, split, spec, training_s, .. } = trained;
    let train = [&split.train[..], &split.validation].concat();
    let predictions = Predictions::of(model, store, &split.test, &train, noise)?;
    let summary = SplitSummary::new(store, spec, split);
    let mut report = EvaluationReport::new(&predictions, model, store, summary, trained.curve())?;
    report.took(Some(*training_s));
    Ok(Evaluated { predictions, report })
}
