//! Embeddings: the output of a network that others have trained, as a feature of a segment.
//!
//! ```text
//! segment ─▶ resampled ─▶ (mel spectrogram) ─▶ patches ─▶ graph ─▶ values of each patch ─▶ pooled over the patches
//! ```
//!
//! [`EmbeddingDescription`] says what the graph takes and gives. The graph is run by another crate, through the traits
//! [`EmbeddingGraph`] and [`PlannedGraph`]; everything before and behind it is computed here.

mod description;
mod half;
mod input;
mod patches;
mod plan;
#[cfg(test)]
pub(crate) mod testing;
mod validate;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use description::{
    Compression, EmbeddingDescription, EmbeddingInput, EmbeddingOutput, InputAxis, MelInput, Patch,
    PatchPooling,
};
pub use patches::PatchExtractor;
pub(super) use plan::EmbeddingPlan;

/// The graph of an embedding model, not planned.
pub trait EmbeddingGraph: fmt::Debug + Send + Sync {
    /// The contents of the graph's file.
    fn bytes(&self) -> &[u8];

    /// Plans the graph for the input shape and the output of a description.
    ///
    /// # Errors
    /// In a line, why the graph cannot be run or does not fit the description.
    fn plan(&self, description: &EmbeddingDescription) -> Result<Arc<dyn PlannedGraph>, String>;
}

/// The graph of an embedding model, planned for the input shape of its description; one serves all threads.
pub trait PlannedGraph: fmt::Debug + Send + Sync {
    /// Runs the graph; what it cannot compute is NaN.
    ///
    /// # Shapes
    /// - `input`: [`EmbeddingDescription::input_shape`]
    /// - returns: `[per_run, n_rows, size]`, rows that are to be averaged
    fn run(&self, input: &[f32]) -> Vec<f32>;
}

/// An embedding model: its description, and its graph if that is loaded.
///
/// Only the description is serialised. Two embeddings are equal if their descriptions are, which contain the SHA-256 of the
/// graph.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "EmbeddingDescription", into = "EmbeddingDescription")]
pub struct Embedding {
    /// What the graph takes and gives.
    pub description: EmbeddingDescription,
    /// The graph; without it, nothing can be extracted.
    pub graph: Option<Arc<dyn EmbeddingGraph>>,
}

impl PartialEq for Embedding {
    fn eq(&self, other: &Self) -> bool {
        self.description == other.description
    }
}

impl From<EmbeddingDescription> for Embedding {
    fn from(description: EmbeddingDescription) -> Self {
        Self { description, graph: None }
    }
}

impl From<Embedding> for EmbeddingDescription {
    fn from(embedding: Embedding) -> Self {
        embedding.description
    }
}
