//! Cross-validation: every track is examined once, by a model that has learnt from the others.
//!
//! Tracks (or, with groups, whole groups) are dealt into folds; each fold in turn is the test part, and the rest is what is
//! learnt from, a validation part drawn from it in the same way included. Drawn folds are stratified as a split is
//! (`stratify`); folds that the manifest gives, as those of ESC-50, are kept as they are.

use std::collections::BTreeSet;

use crate::split::{draw, has_tags, missing};
use crate::{Error, Part, Split, SplitSpec, Track, Unit};

/// Which tracks are examined together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// What was kept whole.
    pub unit: Unit,
    /// Names of the folds: 1, 2, … if they were drawn.
    pub names: Vec<String>,
    /// The fold of each track, an index into `names`.
    pub of: Vec<usize>,
    /// Whether the manifest gave them.
    pub given: bool,
}

impl Folds {
    /// Deals tracks into `n_folds` folds, stratified; whole groups if `by` is [`Unit::Group`].
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
        let of = draw(tracks, labels, by, &shares, n_folds, seed)?;
        let names = (1..=n_folds).map(|number| number.to_string()).collect();
        Ok(Self { unit: by, names, of, given: false })
    }

    /// The folds that the manifest gives, if it does; in the order of their numbers, or of their names.
    ///
    /// `by` is what a validation part keeps whole.
    pub fn given(tracks: &[Track], by: Unit) -> Option<Self> {
        let folds: Vec<&str> = tracks.iter().map(|track| track.fold.as_deref()).collect::<Option<_>>()?;
        let mut names: Vec<&str> = folds.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
        let place = |fold: &str| names.iter().position(|name| *name == fold).unwrap_or(0);
        let of = folds.into_iter().map(place).collect();
        Some(Self { unit: by, names: names.into_iter().map(str::to_owned).collect(), of, given: true })
    }

    /// How many folds there are.
    pub fn n_folds(&self) -> usize {
        self.names.len()
    }

    /// The split that examines `fold`: its tracks are the test part, and of the others `spec.validation` (a share of all
    /// tracks) is the validation part. `spec.test` plays no role.
    ///
    /// # Errors
    /// If a class has no track outside of the fold, or the folds and the validation part leave nothing to learn from.
    pub fn split(
        &self,
        fold: usize,
        tracks: &[Track],
        labels: &[String],
        spec: &SplitSpec,
    ) -> Result<Split, Error> {
        let part = |of: &usize| Some(if *of == fold { Part::Test } else { Part::Train });
        let mut parts: Vec<Option<Part>> = self.of.iter().map(part).collect();
        let n_rest = self.of.iter().filter(|of| **of != fold).count();
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
        let missing = missing(tracks, &parts, labels.len());
        Ok(Split { unit: self.unit, parts, given: self.given, missing })
    }

    /// The split of a model that is to be used and not examined: all tracks are learnt from, but for a validation part
    /// as large as that of the folds.
    ///
    /// # Errors
    /// Those of [`split`](Self::split).
    pub fn split_without_test(
        &self,
        tracks: &[Track],
        labels: &[String],
        spec: &SplitSpec,
    ) -> Result<Split, Error> {
        let mut parts = vec![Some(Part::Train); tracks.len()];
        let spec = SplitSpec { by: self.unit, ..spec.clone() };
        spec.draw_validation(&mut parts, tracks, labels, spec.validation)?;
        let missing = missing(tracks, &parts, labels.len());
        Ok(Split { unit: self.unit, parts, given: false, missing })
    }

    /// Whether every class is left outside of a fold.
    fn check_labels(&self, fold: usize, tracks: &[Track], labels: &[String]) -> Result<(), Error> {
        for (number, label) in labels.iter().enumerate() {
            let mut folds = tracks.iter().zip(&self.of).filter(|(track, _)| track.labels.contains(&number));
            if folds.all(|(_, of)| *of == fold) {
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
    fn folds_are_of_one_size_and_keep_groups_whole() {
        let tracks = tracks();
        let folds = Folds::draw(&tracks, &labels(), Unit::Group, 5, 0).unwrap();
        for fold in 0..5 {
            assert_eq!(folds.of.iter().filter(|f| **f == fold).count(), 12);
        }
        assert!(folds.of.chunks(2).all(|pair| pair[0] == pair[1]));
        assert!(Folds::draw(&tracks, &labels(), Unit::Track, 1, 0).is_err());
        assert_ne!(folds, Folds::draw(&tracks, &labels(), Unit::Group, 5, 1).unwrap());
    }

    #[test]
    fn every_track_is_examined_once_and_no_group_stands_on_two_sides() {
        let tracks = tracks();
        let folds = Folds::draw(&tracks, &labels(), Unit::Group, 5, 3).unwrap();
        let mut n_examined = vec![0; tracks.len()];
        for fold in 0..5 {
            let split = folds.split(fold, &tracks, &labels(), &SplitSpec::default()).unwrap();
            let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
            for (place, (track, part)) in tracks.iter().zip(&split.parts).enumerate() {
                let group = track.group.as_deref().unwrap();
                assert_eq!(*part_of.entry(group).or_insert(*part), *part, "fold {fold}, {group}");
                n_examined[place] += usize::from(*part == Some(Part::Test));
            }
            let n_validation = split.parts.iter().filter(|p| **p == Some(Part::Validation)).count();
            assert!((7..=11).contains(&n_validation), "{n_validation} of 60, for a share of 0.15");
            assert_eq!(split.missing, []);
        }
        assert!(n_examined.iter().all(|n| *n == 1), "{n_examined:?}");
    }

    #[test]
    fn folds_of_the_manifest_are_kept_in_the_order_of_their_numbers() {
        let mut tracks = tracks();
        assert_eq!(Folds::given(&tracks, Unit::Track), None);
        tracks.iter_mut().enumerate().for_each(|(i, track)| track.fold = Some((10 - i / 20).to_string()));
        let folds = Folds::given(&tracks, Unit::Track).unwrap();
        assert_eq!(folds.names, ["8", "9", "10"]);
        assert_eq!((folds.of[0], folds.of[59]), (2, 0));
        let split = folds.split(0, &tracks, &labels(), &SplitSpec::default()).unwrap();
        assert!(split.parts[40..].iter().all(|part| *part == Some(Part::Test)));
        assert!(split.given && !split.parts[..40].contains(&Some(Part::Test)));
    }

    #[test]
    fn a_label_that_only_one_fold_has_cannot_be_learnt() {
        let mut tracks = tracks();
        tracks.iter_mut().for_each(|track| track.fold = Some(track.labels[0].to_string()));
        let folds = Folds::given(&tracks, Unit::Track).unwrap();
        let error = folds.split(1, &tracks, &labels(), &SplitSpec::default()).unwrap_err().to_string();
        assert!(error.contains("class 'b' has tracks in fold 1 only"), "{error}");
        let spec = SplitSpec { validation: 0.7, ..SplitSpec::default() };
        assert!(folds.split(1, &tracks, &labels(), &spec).unwrap_err().to_string().contains("validation"));
    }
}
