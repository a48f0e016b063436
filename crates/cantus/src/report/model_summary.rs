//! Key facts of a model in its report.

use cantus_audio::feature::{Embedding, EmbeddingDescription};
use serde::{Deserialize, Serialize};

use super::TrainingCurve;
use crate::{Model, StartingPoint};

/// Key facts of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// The recipe that it was trained with.
    pub recipe: String,
    /// Seed of the training.
    pub seed: u64,
    /// Number of its parameters.
    pub n_parameters: usize,
    /// Number of networks whose probabilities are averaged; `None` for a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_networks: Option<usize>,
    /// Number of trained epochs, of all networks; in a cross-validation, each fold has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_epochs: Option<usize>,
    /// The epoch whose weights were kept, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// SHA-256 of the features that it was trained and evaluated on.
    pub data_sha256: String,
    /// The embedding models of its features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<EmbeddingSource>,
    /// The model that its training started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartingPoint>,
}

/// An embedding model in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingSource {
    /// Its name.
    pub name: String,
    /// Where its weights are from.
    pub source: String,
    /// Licence of the weights.
    pub licence: String,
    /// The publication to cite.
    pub citation: String,
    /// Data sets that it was trained on.
    pub training_data: Vec<String>,
    /// SHA-256 of its graph.
    pub sha256: String,
}

impl EmbeddingSource {
    pub(crate) fn new(embedding: &Embedding) -> Self {
        let EmbeddingDescription { name, source, licence, citation, training_data, sha256, .. } =
            embedding.description.clone();
        Self { name, source, licence, citation, training_data, sha256 }
    }

    /// The source in one line.
    pub(crate) fn in_a_line(&self) -> String {
        let Self { name, source, licence, citation, training_data, .. } = self;
        format!("{name}, {source}; licence: {licence}; trained on: {}; {citation}", training_data.join(", "))
    }
}

impl ModelSummary {
    pub(super) fn new(model: &Model, curve: TrainingCurve<'_>) -> Self {
        Self {
            recipe: model.provenance.recipe.clone(),
            seed: model.provenance.seed,
            n_parameters: model.network.n_parameters(),
            n_networks: model.n_networks(),
            n_epochs: Some(curve.history.n_epochs()),
            best_epoch: curve.best_epoch.map(|epoch| epoch + 1).or(Some(curve.history.n_epochs())),
            data_sha256: model.provenance.data_sha256.clone(),
            embeddings: model.features.embeddings.iter().map(EmbeddingSource::new).collect(),
            start: model.provenance.start.clone(),
        }
    }
}
