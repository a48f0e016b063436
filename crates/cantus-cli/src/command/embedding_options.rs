//! The options that choose embedding models, shared by the commands that extract features.

use cantus::Recipe;
use cantus_audio::feature::Embedding;
use cantus_embedding::Library;
use clap::Args;

use crate::output::WrongUsage;

/// Name of the recipe for embeddings where none is named.
pub const RECIPE: &str = "embedding";

/// Embedding models.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Embeddings")]
pub struct EmbeddingOptions {
    /// Embedding model, whose values are features: an ONNX file with its description beside it, or the name of one that `cantus
    /// embeddings add` has added; several are concatenated
    #[arg(long = "embedding", value_name = "MODEL", value_delimiter = ',')]
    models: Vec<String>,
    /// Stores and models refer to the embedding model by its SHA-256 instead of containing it; it is then looked up among
    /// those that `cantus embeddings add` has added
    #[arg(long, requires = "models")]
    embedding_by_reference: bool,
}

impl EmbeddingOptions {
    /// Whether no model is given.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// The models, with their graphs.
    ///
    /// # Errors
    /// If one is not found, has no description or cannot be run.
    pub fn load(&self) -> anyhow::Result<Vec<Embedding>> {
        self.models.iter().map(|model| self.load_one(model)).collect()
    }

    /// The models that are given, or else all that have been added.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn load_or_added(&self) -> anyhow::Result<Vec<Embedding>> {
        if !self.is_empty() {
            return self.load();
        }
        let Ok(library) = Library::of_user() else { return Ok(Vec::new()) };
        library.list()?.iter().map(|entry| Ok(cantus_embedding::load(&entry.path)?)).collect()
    }

    /// The options under their names, for `config.toml`.
    pub fn settings(&self) -> toml::Table {
        let mut table = toml::Table::new();
        if !self.is_empty() {
            table.insert("embedding".to_owned(), self.models.clone().into());
            table.insert("embedding_by_reference".to_owned(), self.embedding_by_reference.into());
        }
        table
    }

    fn load_one(&self, model: &str) -> anyhow::Result<Embedding> {
        let mut embedding = load(model)?;
        embedding.description.by_reference = self.embedding_by_reference;
        Ok(embedding)
    }

    /// A recipe with the models that its features need.
    ///
    /// # Errors
    /// If it needs a model and none is given, or the reverse.
    pub fn of_recipe(&self, recipe: Recipe) -> anyhow::Result<Recipe> {
        if !recipe.needs_embeddings() && self.is_empty() {
            return Ok(recipe);
        }
        if !recipe.features.embeddings.is_empty() && self.is_empty() {
            let what = "the embedding models of a recipe file are given by --embedding";
            return Err(WrongUsage(format!("recipe {}: {what}", recipe.name)).into());
        }
        let embeddings = self.load()?;
        let advice = match embeddings.is_empty() {
            true => "give it by --embedding MODEL.onnx",
            false => "leave out --embedding, or choose -m embedding or -m embedding-best",
        };
        let adapted = recipe.with_embeddings(&embeddings);
        Ok(adapted.map_err(|error| WrongUsage(format!("{error}; {advice}")))?)
    }
}

/// A model with its graph: an ONNX file, or the name of one that has been added.
///
/// # Errors
/// If it is not found, has no description or cannot be run.
pub fn load(model: &str) -> anyhow::Result<Embedding> {
    let path = match Library::of_user() {
        Ok(library) => library.find(model)?,
        Err(_) => model.into(),
    };
    Ok(cantus_embedding::load(&path)?)
}
