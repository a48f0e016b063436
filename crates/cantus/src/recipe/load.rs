//! Loads a recipe: one that is built in, by name, or a file.

use std::path::Path;

use cantus_audio::regular_file;

use super::{BUILT_IN, Recipe};
use crate::{Error, parse_toml};

impl Recipe {
    /// A built-in recipe by name, or a TOML file by path.
    ///
    /// # Errors
    /// If there is no such recipe, or if it is malformed.
    pub fn load(name: &str) -> Result<Self, Error> {
        Self::parse(name, &text_of(name)?)
    }

    /// [`load`](Self::load) for a recipe of one network.
    pub(super) fn load_single(name: &str) -> Result<Self, Error> {
        let text = text_of(name)?;
        if has_key(&text, "members") {
            let reason = "an ensemble cannot be a member of another".to_owned();
            return Err(Error::InvalidRecipe { name: name.to_owned(), reason });
        }
        Self::parse(name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidRecipe { name: name.to_owned(), reason };
        let mut recipe: Self = parse_toml(text).map_err(invalid)?;
        recipe.name = name.to_owned();
        let required = ["training", "layers"].into_iter().filter(|_| !recipe.is_ensemble());
        if let Some(missing) = required.into_iter().find(|key| !has_key(text, key)) {
            return Err(invalid(format!("missing field `{missing}`")));
        }
        recipe.complete_members().map_err(invalid)?;
        // Paths of noise recordings and impulse responses are relative to the recipe's folder.
        if let Ok(path) = std::path::absolute(name)
            && let Some(folder) = path.parent()
        {
            recipe.augmentation.resolve_paths(folder);
        }
        if let Some(reason) = recipe.problem() {
            return Err(invalid(reason));
        }
        Ok(recipe)
    }
}

/// The text of a built-in recipe, or of a recipe file.
fn text_of(name: &str) -> Result<String, Error> {
    match BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        Some((_, text)) => Ok((*text).to_owned()),
        None => read(name),
    }
}

/// Whether a TOML text has a key at its top.
fn has_key(text: &str, key: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key(key))
}

/// The text of a recipe file; the error for a name that is not a file lists the built-in recipes.
fn read(name: &str) -> Result<String, Error> {
    regular_file::read_to_string(Path::new(name)).map_err(|source| Error::RecipeNotFound {
        name: name.to_owned(),
        source,
        built_in: Recipe::names().collect(),
    })
}
