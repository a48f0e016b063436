//! Specifications of features as JSON: those of recipes, with changes.

use cantus::Recipe;
use cantus_audio::feature::FeatureSpec;
use serde_json::{Map, Value};

use crate::embeddings::{self, Embeddings};
use crate::errors::Failure;

/// Fields of a specification, under the names of a recipe's table `[features]`.
pub type Changes = Map<String, Value>;

/// The specification with the fields of `changes` in place of its own.
///
/// # Errors
/// If there is no such field, or a value is out of range.
pub fn changed(spec: &FeatureSpec, changes: &Changes) -> Result<FeatureSpec, Failure> {
    let mut value = serde_json::to_value(spec).map_err(|error| Failure::json(&error))?;
    if let Value::Object(fields) = &mut value {
        fields.extend(changes.clone());
    }
    let mut changed: FeatureSpec = serde_json::from_value(value)
        .map_err(|error| Failure::parameter(format!("features: {}", error.to_string().replace('`', "'"))))?;
    changed.embeddings.clone_from(&spec.embeddings);
    Ok(changed)
}

/// A recipe by name or path, with the embedding models that its features need; `None` without a name or a model, and the
/// recipe for embeddings without a name.
///
/// # Errors
/// If there is none, it is malformed, or its features and the models do not fit.
pub fn recipe(name: Option<&str>, embeddings: &Embeddings) -> Result<Option<Recipe>, Failure> {
    let name = match name {
        None if embeddings.is_empty() => return Ok(None),
        None => embeddings::RECIPE,
        Some(name) => name,
    };
    Ok(Some(embeddings.of_recipe(Recipe::load(name)?)?))
}

/// A specification as JSON.
///
/// # Errors
/// If a value cannot be written.
pub fn to_json(spec: &FeatureSpec) -> Result<String, Failure> {
    serde_json::to_string(spec).map_err(|error| Failure::json(&error))
}
