//! Key facts of a model in its report.

use serde::{Deserialize, Serialize};

use super::TrainingCurve;
use crate::Model;

/// Key facts of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The recipe that it was trained with.
    pub recipe: String,
    /// Seed of the training.
    pub seed: u64,
    /// Number of its parameters.
    pub n_parameters: usize,
    /// Number of trained epochs; in a cross-validation, each fold has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_epochs: Option<usize>,
    /// The epoch whose weights were kept, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// SHA-256 of the features that it was trained and evaluated on.
    pub data_sha256: String,
}

impl ModelSummary {
    pub(super) fn new(model: &Model, curve: TrainingCurve<'_>) -> Self {
        Self {
            recipe: model.provenance.recipe.clone(),
            seed: model.provenance.seed,
            n_parameters: model.network.n_parameters(),
            n_epochs: Some(curve.history.n_epochs()),
            best_epoch: curve.best_epoch.map(|epoch| epoch + 1).or(Some(curve.history.n_epochs())),
            data_sha256: model.provenance.data_sha256.clone(),
        }
    }
}
