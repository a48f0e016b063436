//! Embedding models of a call: their files, and recipes whose features need them.

use cantus::Recipe;
use cantus_audio::feature::Embedding;
use cantus_embedding::Library;
use serde::Deserialize;

use crate::errors::{Class, Failure};

/// The recipe for embeddings where none is named.
pub const RECIPE: &str = "embedding";

/// Embedding models.
#[derive(Deserialize, Default)]
pub struct Embeddings {
    /// ONNX files with their descriptions, or names in the user's folder of embedding models.
    #[serde(default)]
    pub embedding: Vec<String>,
    /// Whether stores and models refer to the models by their SHA-256 instead of containing them.
    #[serde(default)]
    pub embedding_by_reference: bool,
}

impl Embeddings {
    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.embedding.is_empty()
    }

    /// The models, with their graphs.
    ///
    /// # Errors
    /// If one is not found, has no description or cannot be run.
    pub fn load(&self) -> Result<Vec<Embedding>, Failure> {
        self.embedding.iter().map(|model| self.load_one(model)).collect()
    }

    /// The models that are given or, if none are, all in the user's folder.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn load_or_added(&self) -> Result<Vec<Embedding>, Failure> {
        if !self.is_empty() {
            return self.load();
        }
        let Ok(library) = Library::of_user() else { return Ok(Vec::new()) };
        library.list()?.iter().map(|entry| Ok(cantus_embedding::load(&entry.path)?)).collect()
    }

    fn load_one(&self, model: &str) -> Result<Embedding, Failure> {
        let path = match Library::of_user() {
            Ok(library) => library.find(model)?,
            Err(_) => model.into(),
        };
        let mut embedding = cantus_embedding::load(&path)?;
        embedding.description.by_reference = self.embedding_by_reference;
        Ok(embedding)
    }

    /// A recipe with the models that its features need.
    ///
    /// # Errors
    /// If it needs a model and none is given, or the reverse; those of [`Self::load`].
    pub fn of_recipe(&self, recipe: Recipe) -> Result<Recipe, Failure> {
        if !recipe.needs_embeddings() && self.is_empty() {
            return Ok(recipe);
        }
        let embeddings = self.load()?;
        let advice = match embeddings.is_empty() {
            true => "give it as embedding='MODEL.onnx'",
            false => "leave out embedding=, or choose recipe='embedding' or 'embedding-best'",
        };
        recipe
            .with_embeddings(&embeddings)
            .map_err(|error| Failure::parameter(format!("{}; {advice}", Failure::from(error).message())))
    }
}

impl From<cantus_embedding::Error> for Failure {
    fn from(error: cantus_embedding::Error) -> Self {
        use cantus_embedding::Error;
        match error {
            Error::Io { path, source } => Self::system(&path, source),
            Error::NotFound { .. } => Self::of(Class::Parameter, &error),
            other => Self::of(Class::Model, &other),
        }
    }
}
