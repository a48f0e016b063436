//! Gives a recipe the embedding models that its features need.

use cantus_audio::feature::{Embedding, FeatureKind};

use super::Recipe;
use crate::Error;

impl Recipe {
    /// Whether its features need an embedding model.
    #[must_use]
    pub fn needs_embeddings(&self) -> bool {
        self.features.kinds.contains(&FeatureKind::Embedding)
    }

    /// The recipe with embedding models in place of those it has. If it has no other kind of features, the sample rate becomes
    /// that of the models, so that recordings are resampled once.
    ///
    /// # Errors
    /// [`Error::RecipeMisfit`] if its features need a model and there is none, or need none and there is one.
    pub fn with_embeddings(&self, embeddings: &[Embedding]) -> Result<Self, Error> {
        let refuse =
            |reason: &str| Err(Error::RecipeMisfit { name: self.name.clone(), reason: reason.to_owned() });
        if self.needs_embeddings() == embeddings.is_empty() {
            return refuse(match embeddings.is_empty() {
                true => "its features need an embedding model, and none is given",
                false => "its features have no embedding, so that no embedding model can be given",
            });
        }
        let mut features = self.features.clone();
        if let ([FeatureKind::Embedding], Some(highest)) = (
            &features.kinds[..],
            embeddings.iter().map(|embedding| embedding.description.input.sample_rate).max(),
        ) {
            features.sample_rate = highest;
        }
        features.embeddings = embeddings.to_vec();
        Ok(self.with_features(features))
    }
}
