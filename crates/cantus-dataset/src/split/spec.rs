//! How to split tracks into training, validation and test, and the resulting split.
//!
//! A predefined split (from the manifest or split lists) takes precedence over a random one; tracks that it does not name
//! are left out.

use serde::{Deserialize, Serialize};

use super::leakage::missing_labels;
use super::random_split::random_split;
use super::unit::Unit;
use crate::{Error, Part, Track};

/// How to split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSpec {
    /// What is kept together.
    pub by: Unit,
    /// Share of the validation part, in [0, 1).
    pub validation: f64,
    /// Share of the test part, in [0, 1).
    pub test: f64,
    /// Random seed.
    pub seed: u64,
    /// Whether the test part is drawn first and the validation part from the rest, so that the test part is the same for
    /// every validation share.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test_first: bool,
}

impl Default for SplitSpec {
    /// By track, with the course's shares: a quarter for test, a fifth of the rest for validation.
    fn default() -> Self {
        Self { by: Unit::Track, validation: 0.15, test: 0.25, seed: 0, test_first: false }
    }
}

/// A split of tracks (or of segments, for [`Unit::Segment`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What was kept together.
    pub unit: Unit,
    /// The part of each track, or of each segment for [`Unit::Segment`]; `None` if it was left out.
    pub parts: Vec<Option<Part>>,
    /// Whether the manifest or split lists specify it.
    pub predefined: bool,
    /// (label, part) for each label that a part has no track of: unavoidable with these groups or this predefined split.
    pub missing: Vec<(usize, Part)>,
}

impl SplitSpec {
    /// Splits tracks, by track or by group. With [`Unit::Segment`], every entry of `tracks` stands for a segment.
    ///
    /// If tracks have a [`part`](Track::part), that split is used and tracks without one are left out; if it has no
    /// validation part, one is drawn from its training part.
    ///
    /// # Errors
    /// If the shares are not valid, no track has a group with [`Unit::Group`], or a class has fewer tracks (groups) than
    /// there are parts. A tag with too few is [`missing`](Split::missing) in some part instead.
    pub fn split(&self, tracks: &[Track], labels: &[String]) -> Result<Split, Error> {
        self.validate()?;
        let predefined = tracks.iter().any(|track| track.part.is_some());
        let parts = if predefined {
            self.predefined_parts(tracks, labels)?
        } else {
            self.random_parts(tracks, labels)?
        };
        let missing = missing_labels(tracks, &parts, labels.len());
        Ok(Split { unit: self.by, parts, predefined, missing })
    }

    /// The split of a final model that is not evaluated: the tracks of all parts are in the training part, except a validation
    /// part. Tracks that a predefined split leaves out stay out; with [`Unit::Segment`], tracks are kept whole.
    ///
    /// # Errors
    /// Those of [`split`](Self::split).
    pub fn split_without_test(&self, tracks: &[Track], labels: &[String]) -> Result<Split, Error> {
        self.validate()?;
        let predefined = tracks.iter().any(|track| track.part.is_some());
        let part = |track: &Track| (!predefined || track.part.is_some()).then_some(Part::Train);
        let by = if self.by == Unit::Segment { Unit::Track } else { self.by };
        Self { by, ..self.clone() }.with_validation(tracks.iter().map(part).collect(), tracks, labels)
    }

    /// The split whose training part is given, less a validation part drawn from it.
    pub(super) fn with_validation(
        &self,
        mut parts: Vec<Option<Part>>,
        tracks: &[Track],
        labels: &[String],
    ) -> Result<Split, Error> {
        self.draw_validation(&mut parts, tracks, labels, self.validation)?;
        let missing = missing_labels(tracks, &parts, labels.len());
        Ok(Split { unit: self.by, parts, predefined: false, missing })
    }

    fn validate(&self) -> Result<(), Error> {
        let invalid = |parameter, value: f64, expected| {
            Err(Error::InvalidSplit { parameter, found: value.to_string(), expected })
        };
        for (parameter, share) in [("validation", self.validation), ("test", self.test)] {
            if !(0.0..1.0).contains(&share) {
                return invalid(parameter, share, "a share in [0, 1)");
            }
        }
        if self.validation + self.test >= 1.0 {
            return invalid(
                "validation + test",
                self.validation + self.test,
                "less than 1, to leave tracks to train on",
            );
        }
        Ok(())
    }

    /// Shares of train, validation and test.
    pub(super) fn shares(&self) -> [f64; 3] {
        [1.0 - self.validation - self.test, self.validation, self.test]
    }

    fn random_parts(&self, tracks: &[Track], labels: &[String]) -> Result<Vec<Option<Part>>, Error> {
        if self.test_first && self.validation > 0.0 {
            let test_only = Self { validation: 0.0, ..self.clone() };
            let mut parts = test_only.random_parts(tracks, labels)?;
            self.draw_validation(&mut parts, tracks, labels, self.validation / (1.0 - self.test))?;
            return Ok(parts);
        }
        let n_parts = self.shares().iter().filter(|share| **share > 0.0).count();
        let indices = random_split(tracks, labels, self.by, &self.shares(), n_parts, self.seed)?;
        Ok(indices.into_iter().map(|index| Some(Part::ALL[index])).collect())
    }

    /// The parts that the tracks specify, with a random validation part if they specify none.
    fn predefined_parts(&self, tracks: &[Track], labels: &[String]) -> Result<Vec<Option<Part>>, Error> {
        let mut parts: Vec<Option<Part>> = tracks.iter().map(|track| track.part).collect();
        if !parts.contains(&Some(Part::Validation)) {
            self.draw_validation(&mut parts, tracks, labels, self.validation / (1.0 - self.test))?;
        }
        Ok(parts)
    }

    /// Moves a share of the training part to the validation part. A label with a single cluster stays in training.
    pub(super) fn draw_validation(
        &self,
        parts: &mut [Option<Part>],
        tracks: &[Track],
        labels: &[String],
        share: f64,
    ) -> Result<(), Error> {
        if share <= 0.0 {
            return Ok(());
        }
        let is_training = |(index, _): &(usize, Track)| parts[*index] == Some(Part::Train);
        let (indices, training): (Vec<usize>, Vec<Track>) =
            tracks.iter().cloned().enumerate().filter(is_training).unzip();
        let drawn = random_split(&training, labels, self.by, &[1.0 - share, share], 1, self.seed)?;
        indices.into_iter().zip(drawn).for_each(|(index, part)| parts[index] = Some(Part::ALL[part]));
        Ok(())
    }
}
