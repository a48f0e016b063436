//! The split of a training: its unit, shares and groups, as the options of `cantus train` choose them.

use std::collections::HashMap;

use cantus_dataset::{FeatureStore, Grouping, SplitSpec, Unit, assign_groups, assign_known_groups};
use serde::Deserialize;

use crate::errors::Failure;

/// The arguments of a training for the split.
#[derive(Deserialize)]
pub struct SplitRequest {
    split: Option<UnitName>,
    groups: Option<Groups>,
    validation: f64,
    test: f64,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum UnitName {
    Track,
    Group,
    Segment,
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
    pub fn spec(&self, seed: u64, in_folds: bool) -> Result<SplitSpec, Failure> {
        let by = match (self.split, &self.groups) {
            (None | Some(UnitName::Track), None) => Unit::Track,
            (Some(UnitName::Segment), None) => Unit::Segment,
            (None | Some(UnitName::Group), _) => Unit::Group,
            (Some(_), Some(_)) => {
                return Err(Failure::parameter(
                    "groups= needs a split by group: omit split, or set split='group'",
                ));
            }
        };
        if in_folds && by == Unit::Segment {
            return Err(Failure::parameter("folds= keeps tracks or groups whole; omit split='segment'"));
        }
        let Self { validation, test, .. } = *self;
        for (name, share) in [("validation", validation), ("test", test)] {
            if !(0.0..1.0).contains(&share) {
                return Err(Failure::parameter(format!(
                    "{name} must be a share from 0 to below 1, not {share}"
                )));
            }
        }
        if test == 0.0 || validation + test >= 1.0 {
            let what = "test must be more than 0, and validation and test must leave something to train on";
            return Err(Failure::parameter(what));
        }
        Ok(SplitSpec { by, validation, test, seed, ..SplitSpec::default() })
    }

    /// Assigns groups to the tracks of a store. Returns the split, which is by group if groups are known and can be kept
    /// whole, and no argument or manifest says otherwise.
    ///
    /// # Errors
    /// If the named groups cannot be assigned.
    pub fn assign(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
    ) -> Result<SplitSpec, Failure> {
        let labels = store.labels().to_vec();
        match &self.groups {
            Some(Groups::Named(name)) => {
                let Ok(grouping) = name.parse::<Grouping>();
                assign_groups(store.tracks_mut(), &labels, &grouping)?;
                Ok(spec)
            }
            Some(Groups::ByPath(groups)) => {
                for track in store.tracks_mut() {
                    track.group = groups.get(&track.path).cloned().flatten();
                }
                assign_groups(store.tracks_mut(), &labels, &Grouping::Given)?;
                Ok(spec)
            }
            None => Ok(self.by_known_groups(spec, n_folds, store)),
        }
    }

    fn by_known_groups(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
    ) -> SplitSpec {
        let labels = store.labels().to_vec();
        match self.split {
            None => spec.choose_by_known_groups(store.tracks_mut(), &labels, n_folds).0,
            // With a split by track too: intervals and p-values are over groups.
            Some(UnitName::Track) => {
                assign_known_groups(store.tracks_mut(), &labels);
                spec
            }
            Some(UnitName::Group | UnitName::Segment) => spec,
        }
    }
}
