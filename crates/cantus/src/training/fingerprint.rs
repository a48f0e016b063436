//! Fingerprints: SHA-256 of a feature store, and of a training's data, split, recipe and seed as JSON.
//!
//! A checkpoint, and a finished fold of a cross-validation, are reused only by a training with the same fingerprint. The
//! hash covers serde's JSON, in the order of the fields below, which changes only with the meaning of a recipe; `Debug`
//! output may change with the compiler or with a type's name.

use cantus_dataset::FeatureStore;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model_file::hex;
use crate::predictions::named;
use crate::{Error, Recipe};

/// SHA-256 over the labels, the tracks and all features of a store, in hexadecimal.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn data_sha256(store: &FeatureStore) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for (number, track) in store.tracks().iter().enumerate() {
        hash.update(format!("{}\n{}\n", track.path, named(&track.labels, store.labels())));
        let segments: Vec<usize> = store.segments_of(number).collect();
        for value in store.read_segments(&segments)? {
            hash.update(value.to_le_bytes());
        }
    }
    Ok(hex(&hash.finalize()))
}

/// All inputs that determine a training. The order of the fields is part of the fingerprint.
#[derive(Debug, Serialize)]
pub(crate) struct Fingerprinted<'a> {
    /// SHA-256 of the store.
    pub(crate) data_sha256: &'a str,
    /// Checksums of the store's parts if altered copies are trained on; `data_sha256` does not cover copies.
    pub(crate) copies: Option<Vec<u32>>,
    /// Segments of synthesised sounds that are trained on as `_background_`; `None` without that label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_background_segments: Option<usize>,
    /// SHA-256 of the model that the training starts from, if it starts from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<&'a str>,
    /// Segments of the training, validation and test part.
    pub(crate) split: [&'a [usize]; 3],
    /// The recipe's name, which serialising `recipe` omits.
    pub(crate) name: &'a str,
    pub(crate) recipe: &'a Recipe,
    pub(crate) seed: u64,
}

impl Fingerprinted<'_> {
    /// SHA-256, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        #[expect(
            clippy::expect_used,
            reason = "fails only for maps whose keys are not strings, of which a recipe has none"
        )]
        let json = serde_json::to_vec(self).expect("a recipe is JSON");
        hex(&Sha256::digest(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = r#"
        class_weight = { jazz = 2.0, blues = 0.5 }
        [training]
        epochs = 3
        optimizer = { type = "SGD", learning_rate = 0.1 }
        [[layers]]
        type = "Flatten"
        [[layers]]
        type = "Dense"
        units = 4
        activation = "relu"
    "#;

    fn recipe() -> Recipe {
        Recipe { name: "small".to_owned(), ..toml::from_str(RECIPE).unwrap() }
    }

    fn fingerprinted(recipe: &Recipe) -> Fingerprinted<'_> {
        let split: [&[usize]; 3] = [&[0, 1, 4], &[2], &[3, 5]];
        Fingerprinted {
            data_sha256: "d0c5",
            copies: None,
            n_background_segments: None,
            start: None,
            split,
            name: &recipe.name,
            recipe,
            seed: 7,
        }
    }

    /// If this value changes, no training interrupted before the change can be resumed.
    #[test]
    fn the_fingerprint_of_a_small_training_is_pinned() {
        assert_eq!(
            fingerprinted(&recipe()).sha256(),
            "3dc5b573af96475aeaefbf0125037908b4214ad742d64594ee340ff8966a87f4"
        );
    }

    #[test]
    fn every_input_of_a_training_changes_its_fingerprint() {
        let recipe = recipe();
        let same = || fingerprinted(&recipe);
        let mut other = recipe.clone();
        other.training.epochs += 1;
        let renamed = Recipe { name: "other".to_owned(), ..recipe.clone() };
        // The same segments, divided differently.
        let moved: [&[usize]; 3] = [&[0, 1], &[4, 2], &[3, 5]];
        let fingerprints: std::collections::BTreeSet<String> = [
            same(),
            Fingerprinted { data_sha256: "d0c6", ..same() },
            Fingerprinted { copies: Some(vec![1]), ..same() },
            Fingerprinted { copies: Some(vec![]), ..same() },
            Fingerprinted { n_background_segments: Some(50), ..same() },
            Fingerprinted { split: moved, ..same() },
            Fingerprinted { start: Some("5a"), ..same() },
            Fingerprinted { seed: 8, ..same() },
            fingerprinted(&other),
            fingerprinted(&renamed),
        ]
        .iter()
        .map(Fingerprinted::sha256)
        .collect();
        assert_eq!(fingerprints.len(), 10);
        assert_eq!(same().sha256(), fingerprinted(&recipe.clone()).sha256());
    }

    #[test]
    fn a_recipe_that_round_trips_through_toml_has_the_same_fingerprint() {
        let recipe = recipe();
        let read: Recipe = toml::from_str(&toml::to_string(&recipe).unwrap()).unwrap();
        let read = Recipe { name: recipe.name.clone(), ..read };
        assert_eq!(fingerprinted(&read).sha256(), fingerprinted(&recipe).sha256());
    }
}
