//! Cross-validation folds: every track is in the test part exactly once.
//!
//! Tracks (or whole groups) are assigned to folds; each fold in turn is the test part, and the others are the training
//! part, from which a validation part is drawn. Random folds are stratified like a split; folds that the manifest
//! specifies, such as those of ESC-50, are used unchanged.

use std::collections::BTreeSet;

use super::leakage::missing_labels;
use super::random_split::{has_tags, random_split};
use super::spec::{Split, SplitSpec};
use super::unit::Unit;
use crate::{BACKGROUND_LABEL, Error, Part, Track};

/// An assignment of tracks to cross-validation folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// What is kept together.
    pub unit: Unit,
    /// Names of the folds: 1, 2, … if they are random.
    pub names: Vec<String>,
    /// The fold of each track, an index into `names`.
    pub fold_of_track: Vec<usize>,
    /// Whether the manifest specifies them.
    pub predefined: bool,
}

impl Folds {
    /// Random stratified folds of tracks, or of whole groups if `by` is [`Unit::Group`].
    ///
    /// # Errors
    /// If there are fewer than two folds, or a class has fewer tracks (groups) than there are folds.
    pub fn draw(
        tracks: &[Track],
        labels: &[String],
        by: Unit,
        n_folds: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        if n_folds < 2 {
            let found = n_folds.to_string();
            return Err(Error::InvalidSplit { parameter: "folds", found, expected: "2 or more" });
        }
        let shares = vec![1.0 / n_folds as f64; n_folds];
        let fold_of_track = random_split(tracks, labels, by, &shares, n_folds, seed)?;
        let names = (1..=n_folds).map(|number| number.to_string()).collect();
        Ok(Self { unit: by, names, fold_of_track, predefined: false })
    }

    /// The folds that the manifest specifies, in the order of their numbers, or of their names; `None` if some track has
    /// none.
    ///
    /// `by` is what a validation part keeps together.
    #[must_use]
    pub fn from_tracks(tracks: &[Track], by: Unit) -> Option<Self> {
        let folds: Vec<&str> = tracks.iter().map(|track| track.fold.as_deref()).collect::<Option<_>>()?;
        let mut names: Vec<&str> = folds.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
        let index = |fold: &str| names.iter().position(|name| *name == fold).unwrap_or(0);
        let fold_of_track = folds.into_iter().map(index).collect();
        let names = names.into_iter().map(str::to_owned).collect();
        Some(Self { unit: by, names, fold_of_track, predefined: true })
    }

    /// The folds that the manifest specifies or, if it has none, `n_folds` random ones with the unit and the seed of `spec`.
    ///
    /// # Errors
    /// [`Error::OtherFolds`] if the manifest has another number of folds; those of [`draw`](Self::draw).
    pub fn given_or_drawn(
        tracks: &[Track],
        labels: &[String],
        n_folds: usize,
        spec: &SplitSpec,
    ) -> Result<Self, Error> {
        match Self::from_tracks(tracks, spec.by) {
            None => Self::draw(tracks, labels, spec.by, n_folds, spec.seed),
            Some(given) if given.n_folds() == n_folds => Ok(given),
            Some(given) => Err(Error::OtherFolds { names: given.names }),
        }
    }

    /// Number of folds.
    #[must_use]
    pub fn n_folds(&self) -> usize {
        self.names.len()
    }

    /// The split whose test part is `fold`. `spec.validation`, as a share of all tracks, is drawn from the other folds;
    /// `spec.test` is ignored.
    ///
    /// # Errors
    /// If a class has no track outside of the fold, or the fold and the validation part leave no training part.
    pub fn split(
        &self,
        fold: usize,
        tracks: &[Track],
        labels: &[String],
        spec: &SplitSpec,
    ) -> Result<Split, Error> {
        let part = |of: &usize| Some(if *of == fold { Part::Test } else { Part::Train });
        let mut parts: Vec<Option<Part>> = self.fold_of_track.iter().map(part).collect();
        let n_rest = self.fold_of_track.iter().filter(|of| **of != fold).count();
        let share = spec.validation * tracks.len() as f64 / n_rest.max(1) as f64;
        if share >= 1.0 {
            let found = spec.validation.to_string();
            let expected = "less than what a fold leaves, so that there are tracks to train on";
            return Err(Error::InvalidSplit { parameter: "validation", found, expected });
        }
        if !has_tags(tracks) {
            self.check_labels(fold, tracks, labels)?;
        }
        let spec = SplitSpec { by: self.unit, ..spec.clone() };
        spec.draw_validation(&mut parts, tracks, labels, share)?;
        let missing = missing_labels(tracks, &parts, labels.len());
        Ok(Split { unit: self.unit, parts, predefined: self.predefined, missing })
    }

    /// The split of a final model that is not evaluated: all tracks are in the training part, except a validation part as
    /// large as that of the folds.
    ///
    /// # Errors
    /// Those of [`split`](Self::split).
    pub fn split_without_test(
        &self,
        tracks: &[Track],
        labels: &[String],
        spec: &SplitSpec,
    ) -> Result<Split, Error> {
        let parts = vec![Some(Part::Train); tracks.len()];
        SplitSpec { by: self.unit, ..spec.clone() }.with_validation(parts, tracks, labels)
    }

    /// Fails if all tracks of a class are in this fold, except the background, for which there are synthesised sounds.
    fn check_labels(&self, fold: usize, tracks: &[Track], labels: &[String]) -> Result<(), Error> {
        for (index, label) in labels.iter().enumerate() {
            let mut of_label =
                tracks.iter().zip(&self.fold_of_track).filter(|(track, _)| track.labels.contains(&index));
            if of_label.all(|(_, of)| *of == fold) && label != BACKGROUND_LABEL {
                return Err(Error::OnlyInOneFold { label: label.clone(), fold: self.names[fold].clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn labels() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    /// 60 tracks of three labels by 30 artists of two tracks each.
    fn tracks() -> Vec<Track> {
        let track = |i: usize| Track {
            path: format!("{i:02}.wav"),
            labels: vec![i % 3],
            artist: None,
            group: Some(format!("artist-{}", i / 2)),
            part: None,
            fold: None,
            recording: None,
        };
        (0..60).map(track).collect()
    }

    #[test]
    fn folds_have_equal_size_and_keep_groups_together() {
        let tracks = tracks();
        let folds = Folds::draw(&tracks, &labels(), Unit::Group, 5, 0).unwrap();
        for fold in 0..5 {
            assert_eq!(folds.fold_of_track.iter().filter(|f| **f == fold).count(), 12);
        }
        assert!(folds.fold_of_track.chunks(2).all(|pair| pair[0] == pair[1]));
        assert!(Folds::draw(&tracks, &labels(), Unit::Track, 1, 0).is_err());
        assert_ne!(folds, Folds::draw(&tracks, &labels(), Unit::Group, 5, 1).unwrap());
    }

    #[test]
    fn every_track_is_tested_once_and_no_group_is_in_two_parts() {
        let tracks = tracks();
        let folds = Folds::draw(&tracks, &labels(), Unit::Group, 5, 3).unwrap();
        let mut n_tested = vec![0; tracks.len()];
        for fold in 0..5 {
            let split = folds.split(fold, &tracks, &labels(), &SplitSpec::default()).unwrap();
            let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
            for (index, (track, part)) in tracks.iter().zip(&split.parts).enumerate() {
                let group = track.group.as_deref().unwrap();
                assert_eq!(*part_of.entry(group).or_insert(*part), *part, "fold {fold}, {group}");
                n_tested[index] += usize::from(*part == Some(Part::Test));
            }
            let n_validation = split.parts.iter().filter(|p| **p == Some(Part::Validation)).count();
            assert!((7..=11).contains(&n_validation), "{n_validation} of 60, for a share of 0.15");
            assert_eq!(split.missing, []);
        }
        assert!(n_tested.iter().all(|n| *n == 1), "{n_tested:?}");
    }

    #[test]
    fn folds_of_the_manifest_are_ordered_by_number() {
        let mut tracks = tracks();
        assert_eq!(Folds::from_tracks(&tracks, Unit::Track), None);
        tracks.iter_mut().enumerate().for_each(|(i, track)| track.fold = Some((10 - i / 20).to_string()));
        let folds = Folds::from_tracks(&tracks, Unit::Track).unwrap();
        assert_eq!(folds.names, ["8", "9", "10"]);
        assert_eq!((folds.fold_of_track[0], folds.fold_of_track[59]), (2, 0));
        let split = folds.split(0, &tracks, &labels(), &SplitSpec::default()).unwrap();
        assert!(split.parts[40..].iter().all(|part| *part == Some(Part::Test)));
        let asked = |n| Folds::given_or_drawn(&tracks, &labels(), n, &SplitSpec::default());
        assert_eq!(asked(3).unwrap(), folds);
        assert_eq!(asked(5).unwrap_err().to_string(), "the manifest gives 3 folds (8, 9, 10)");
        assert!(split.predefined && !split.parts[..40].contains(&Some(Part::Test)));
    }

    #[test]
    fn a_label_in_a_single_fold_is_an_error() {
        let mut tracks = tracks();
        tracks.iter_mut().for_each(|track| track.fold = Some(track.labels[0].to_string()));
        let folds = Folds::from_tracks(&tracks, Unit::Track).unwrap();
        let error = folds.split(1, &tracks, &labels(), &SplitSpec::default()).unwrap_err().to_string();
        assert!(error.contains("class 'b' has tracks in fold 1 only"), "{error}");
        let spec = SplitSpec { validation: 0.7, ..SplitSpec::default() };
        assert!(folds.split(1, &tracks, &labels(), &spec).unwrap_err().to_string().contains("validation"));
    }
}
