//! The split of a training: its unit, shares and groups, as the options of `cantus train` choose them.

use std::collections::HashMap;
use std::path::PathBuf;

use cantus::{SplitChoice, SplitPurpose};
use cantus_dataset::{FeatureStore, Grouping, SplitSpec, Unit, assign_groups};
use serde::Deserialize;

use crate::errors::Failure;

/// The arguments of a training for the split.
#[derive(Deserialize)]
pub struct SplitRequest {
    split: Option<Unit>,
    groups: Option<Groups>,
    #[serde(default)]
    split_lists: Vec<PathBuf>,
    validation: f64,
    test: f64,
}

/// What defines a group.
#[derive(Deserialize)]
#[serde(untagged)]
enum Groups {
    /// `artist`, `parent`, or a CSV file.
    Named(String),
    /// The group of each track, by its path.
    ByPath(HashMap<String, Option<String>>),
}

impl SplitRequest {
    /// The split, before the groups of a store are known.
    ///
    /// # Errors
    /// If arguments exclude each other, or a share is out of range.
    pub fn spec(&self, seed: u64, purpose: SplitPurpose) -> Result<SplitSpec, Failure> {
        Ok(self.choice().spec(seed, purpose)?)
    }

    fn choice(&self) -> SplitChoice {
        SplitChoice {
            by: self.split,
            has_groups: self.groups.is_some(),
            lists: self.split_lists.clone(),
            validation: self.validation,
            test: self.test,
        }
    }

    /// Assigns groups, and the parts of an official split, to the tracks of a store. Returns the split, which is by group if groups
    /// are known and can be kept whole, and no argument or manifest says otherwise.
    ///
    /// # Errors
    /// If the named groups cannot be assigned, or a list does not fit the tracks.
    pub fn assign(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
    ) -> Result<SplitSpec, Failure> {
        self.assign_groups(store)?;
        let choice = self.choice();
        choice.assign_lists(store)?;
        Ok(choice.keep_known_groups(spec, n_folds, store).0)
    }

    fn assign_groups(&self, store: &mut FeatureStore) -> Result<(), Failure> {
        let labels = store.labels().to_vec();
        let grouping = match &self.groups {
            None => return Ok(()),
            Some(Groups::Named(name)) => {
                let Ok(grouping) = name.parse::<Grouping>();
                grouping
            }
            Some(Groups::ByPath(groups)) => {
                for track in store.tracks_mut() {
                    track.group = groups.get(&track.path).cloned().flatten();
                }
                Grouping::Given
            }
        };
        assign_groups(store.tracks_mut(), &labels, &grouping)?;
        Ok(())
    }
}
