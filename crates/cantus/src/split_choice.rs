//! The choice of a split by a user's options: its unit, groups, lists and shares, checked before data are read.

use std::path::PathBuf;

use cantus_dataset::{
    FeatureStore, GroupChoice, ListReport, Part, SplitSpec, Unit, assign_known_groups, assign_parts,
};

use crate::Error;
use crate::error::OptionProblem;

/// A split as a user chooses it: of the command line and of the Python package.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitChoice {
    /// What is kept together, if it is given.
    pub by: Option<Unit>,
    /// Whether a grouping is given.
    pub has_groups: bool,
    /// Lists of an official split: training, test, or training, validation, test; none for a random split.
    pub lists: Vec<PathBuf>,
    /// Share of the validation part.
    pub validation: f64,
    /// Share of the test part.
    pub test: f64,
}

/// What a split is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitPurpose {
    /// A training with a test part.
    Training,
    /// A cross-validation.
    Folds,
    /// A selection of recipes.
    Selection,
}

impl SplitChoice {
    /// The split, before the groups of a store are known: by track unless a unit or a grouping is given.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] if options exclude each other, or a share is out of range.
    pub fn spec(&self, seed: u64, purpose: SplitPurpose) -> Result<SplitSpec, Error> {
        let by = self.unit()?;
        self.check_lists(by, purpose)?;
        match purpose {
            SplitPurpose::Folds if by == Unit::Segment => return Err(OptionProblem::FoldsBySegment.into()),
            SplitPurpose::Selection if by == Unit::Segment => {
                return Err(OptionProblem::SelectionBySegment.into());
            }
            _ => {}
        }
        self.check_shares()?;
        Ok(SplitSpec { by, validation: self.validation, test: self.test, seed, ..SplitSpec::default() })
    }

    fn unit(&self) -> Result<Unit, Error> {
        match (self.by, self.has_groups) {
            (Some(Unit::Group) | None, true) => Ok(Unit::Group),
            (Some(_), true) => Err(OptionProblem::GroupsOfOtherSplit.into()),
            (by, false) => Ok(by.unwrap_or(Unit::Track)),
        }
    }

    fn check_lists(&self, by: Unit, purpose: SplitPurpose) -> Result<(), Error> {
        let problem = match self.lists.len() {
            0 => return Ok(()),
            2 | 3 if by == Unit::Segment => OptionProblem::ListsBySegment,
            2 | 3 if purpose == SplitPurpose::Folds => OptionProblem::ListsInFolds,
            2 | 3 => return Ok(()),
            found => OptionProblem::NumberOfLists { found },
        };
        Err(problem.into())
    }

    fn check_shares(&self) -> Result<(), Error> {
        for (option, share) in [("validation", self.validation), ("test", self.test)] {
            if !(0.0..1.0).contains(&share) {
                let (found, expected) = (share.to_string(), "a share from 0 to below 1");
                return Err(OptionProblem::OutOfRange { option, found, expected }.into());
            }
        }
        if self.test == 0.0 {
            return Err(OptionProblem::NoTest.into());
        }
        if self.validation + self.test >= 1.0 {
            return Err(OptionProblem::NoTraining.into());
        }
        Ok(())
    }

    /// Assigns the parts of the lists to the tracks of a store; `None` without lists.
    ///
    /// # Errors
    /// Those of [`assign_parts`].
    pub fn assign_lists(&self, store: &mut FeatureStore) -> Result<Option<ListReport>, Error> {
        let parts: &[Part] = match self.lists.len() {
            0 => return Ok(None),
            2 => &[Part::Train, Part::Test],
            _ => &Part::ALL,
        };
        let lists: Vec<(Part, PathBuf)> = parts.iter().copied().zip(self.lists.iter().cloned()).collect();
        Ok(Some(assign_parts(store.tracks_mut(), &lists)?))
    }

    /// The split by the groups of the manifest or the artist tags, where neither a unit nor a grouping is given and they can be kept
    /// whole; also what was chosen and why. With a split by track, the groups are assigned for intervals and p-values.
    pub fn keep_known_groups(
        &self,
        spec: SplitSpec,
        n_folds: Option<usize>,
        store: &mut FeatureStore,
    ) -> (SplitSpec, Option<GroupChoice>) {
        if self.has_groups {
            return (spec, None);
        }
        let labels = store.labels().to_vec();
        match self.by {
            None => spec.choose_by_known_groups(store.tracks_mut(), &labels, n_folds),
            Some(Unit::Track) => {
                assign_known_groups(store.tracks_mut(), &labels);
                (spec, None)
            }
            Some(Unit::Group | Unit::Segment) => (spec, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> SplitChoice {
        SplitChoice { by: None, has_groups: false, lists: Vec::new(), validation: 0.15, test: 0.25 }
    }

    fn problem(choice: &SplitChoice, purpose: SplitPurpose) -> OptionProblem {
        match choice.spec(0, purpose) {
            Err(Error::InvalidOptions(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_split_is_by_track_unless_a_unit_or_a_grouping_is_given() {
        let unit = |by, has_groups| {
            let choice = SplitChoice { by, has_groups, ..choice() };
            choice.spec(7, SplitPurpose::Training).map(|spec| (spec.by, spec.seed)).ok()
        };
        assert_eq!(unit(None, false), Some((Unit::Track, 7)));
        assert_eq!(unit(None, true), Some((Unit::Group, 7)));
        assert_eq!(unit(Some(Unit::Group), false), Some((Unit::Group, 7)));
        assert_eq!(unit(Some(Unit::Group), true), Some((Unit::Group, 7)));
        assert_eq!(unit(Some(Unit::Segment), false), Some((Unit::Segment, 7)));
        assert_eq!((unit(Some(Unit::Track), true), unit(Some(Unit::Segment), true)), (None, None));
    }

    #[test]
    fn a_split_by_segment_is_for_one_training_only() {
        let by_segment = SplitChoice { by: Some(Unit::Segment), ..choice() };
        assert_eq!(problem(&by_segment, SplitPurpose::Folds), OptionProblem::FoldsBySegment);
        assert_eq!(problem(&by_segment, SplitPurpose::Selection), OptionProblem::SelectionBySegment);
        let listed = SplitChoice { lists: vec!["a".into(), "b".into()], ..by_segment };
        assert_eq!(problem(&listed, SplitPurpose::Training), OptionProblem::ListsBySegment);
    }

    #[test]
    fn lists_are_two_or_three_and_have_no_folds() {
        let lists = |n: usize| SplitChoice { lists: vec![PathBuf::from("list"); n], ..choice() };
        for n in [1, 4] {
            let expected = OptionProblem::NumberOfLists { found: n };
            assert_eq!(problem(&lists(n), SplitPurpose::Training), expected);
        }
        assert!([0, 2, 3].iter().all(|&n| lists(n).spec(0, SplitPurpose::Training).is_ok()));
        assert_eq!(problem(&lists(2), SplitPurpose::Folds), OptionProblem::ListsInFolds);
    }

    #[test]
    fn shares_leave_a_test_and_a_training_part() {
        let shares = |validation, test| {
            problem(&SplitChoice { validation, test, ..choice() }, SplitPurpose::Training).to_string()
        };
        assert_eq!(shares(1.0, 0.25), "validation = 1: a share from 0 to below 1");
        assert_eq!(shares(0.1, f64::NAN), "test = NaN: a share from 0 to below 1");
        assert_eq!(shares(0.1, 0.0), "test = 0: the test part would be empty");
        assert_eq!(shares(0.5, 0.5), "validation and test leave nothing to train on");
    }
}
