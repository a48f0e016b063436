//! The choice of segments before an extraction: by a user's options, the durations of the recordings, or the recipe.

use cantus_audio::feature::{FeatureSpec, SegmentPadding, SegmentWindows, Segments};
use cantus_dataset::{Durations, SegmentFit};

use crate::error::OptionProblem;
use crate::{Error, Recipe};

/// Segments as a user gives them, on the command line or in Python; what is not given follows the recipe or the durations of the
/// recordings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SegmentChanges {
    /// Duration of a segment, in seconds.
    pub duration_s: Option<f64>,
    /// Time from one segment to the next, in seconds; the duration if only that is given.
    pub hop_s: Option<f64>,
    /// How recordings that are shorter than a segment are padded.
    pub padding: Option<SegmentPadding>,
    /// Maximum number of segments of a recording for training.
    pub max_segments: Option<usize>,
}

/// The features of recordings with the segments that were chosen for them.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentChoice {
    /// The specification.
    pub spec: FeatureSpec,
    /// Which segments, and why, in a line.
    pub reason: String,
    /// How many recordings are too short and will be left out, in a line; `None` if none will.
    pub left_out: Option<String>,
}

/// Longest segment and hop, in seconds: a day.
const MAX_SECONDS: f64 = 86_400.0;
/// Most segments of a recording.
const MAX_SEGMENTS: usize = 1_000_000;

impl SegmentChanges {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] if one is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        for (option, seconds) in [("segment", self.duration_s), ("hop", self.hop_s)] {
            if let Some(seconds) = seconds
                && !(seconds > 0.0 && seconds <= MAX_SECONDS)
            {
                let expected = "seconds, more than 0 and at most a day, 86400";
                return Err(OptionProblem::OutOfRange { option, found: seconds.to_string(), expected }.into());
            }
        }
        match self.max_segments {
            Some(n) if !(1..=MAX_SEGMENTS).contains(&n) => {
                let (option, found, expected) = ("n_segments", n.to_string(), "from 1 to 1000000");
                Err(OptionProblem::OutOfRange { option, found, expected }.into())
            }
            _ => Ok(()),
        }
    }

    /// Segments with these changes. The lecture course's rule becomes windows of the same duration.
    ///
    /// # Errors
    /// Those of [`validate`](Self::validate).
    pub fn apply(&self, segments: &Segments) -> Result<Segments, Error> {
        self.validate()?;
        if self.is_empty() {
            return Ok(segments.clone());
        }
        let base = match segments {
            Segments::Windows(windows) => *windows,
            Segments::Parts { track_duration_s, n_segments } => {
                SegmentWindows::adjacent(track_duration_s / (*n_segments).max(1) as f64)
            }
        };
        let duration_s = self.duration_s.unwrap_or(base.duration_s);
        Ok(Segments::Windows(SegmentWindows {
            duration_s,
            hop_s: self.hop_s.unwrap_or(if self.duration_s.is_some() { duration_s } else { base.hop_s }),
            padding: self.padding.unwrap_or(base.padding),
            max_segments: self.max_segments.unwrap_or(base.max_segments),
        }))
    }

    /// Checks the values for a selection of recipes, which tries segments of several durations.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] if a duration is given, or a value is out of range.
    pub fn validate_for_selection(&self) -> Result<(), Error> {
        match self.duration_s {
            Some(_) => Err(OptionProblem::SelectionWithSegment.into()),
            None => self.validate(),
        }
    }

    /// A recipe that a selection tries, with these changes.
    ///
    /// # Errors
    /// Those of [`validate_for_selection`](Self::validate_for_selection).
    pub fn of_candidate(&self, recipe: &Recipe) -> Result<Recipe, Error> {
        self.validate_for_selection()?;
        let segments = self.apply(&recipe.features.segments)?;
        Ok(recipe.with_features(FeatureSpec { segments, ..recipe.features.clone() }))
    }

    /// A specification with segments for recordings of these durations; with `fit`, segments that are not given follow them.
    ///
    /// # Errors
    /// If a value is out of range, the specification is not valid, or every recording is shorter than a segment and would be left
    /// out.
    pub fn choose(
        &self,
        base: &FeatureSpec,
        fit: bool,
        durations: &Durations,
    ) -> Result<SegmentChoice, Error> {
        self.validate()?;
        let (base, reason) = match (self.duration_s, fit) {
            (Some(duration_s), true) => (SegmentFit::with_length(base, duration_s), None),
            (None, true) => {
                let SegmentFit { spec, reason } = SegmentFit::new(base, durations);
                (spec, Some(reason))
            }
            (_, false) => (base.clone(), None),
        };
        let segments = self.apply(&base.segments)?;
        let spec = FeatureSpec { segments, ..base };
        spec.validate()?;
        let source = if self.duration_s.is_some() { "as given" } else { "by the recipe or preset" };
        let reason = reason.unwrap_or_else(|| format!("segments of {:.2} s, {source}", segment_s(&spec)));
        let left_out = left_out(&spec, durations)?;
        Ok(SegmentChoice { spec, reason, left_out })
    }

    /// A recipe with segments for recordings of these durations; also the [choice](Self::choose).
    ///
    /// # Errors
    /// Those of [`choose`](Self::choose), and if no network for `n_labels` labels can be built on the segments.
    pub fn of_recipe(
        &self,
        recipe: &Recipe,
        durations: &Durations,
        n_labels: usize,
    ) -> Result<(Recipe, SegmentChoice), Error> {
        let choice = self.choose(&recipe.features, recipe.fit_segments, durations)?;
        let recipe = recipe.with_features(choice.spec.clone());
        recipe.validate_for(&recipe.features, n_labels)?;
        Ok((recipe, choice))
    }
}

/// Recordings that will be left out, in a line; an error if that is all of them.
fn left_out(spec: &FeatureSpec, durations: &Durations) -> Result<Option<String>, Error> {
    if spec.segments.padding() != SegmentPadding::None {
        return Ok(None);
    }
    // A segment that lacks some samples, but no frame, counts.
    let least_s = segment_s(spec) - spec.hop_length as f64 / f64::from(spec.sample_rate);
    let (n_short, n) = (durations.n_shorter_than(least_s), durations.n_measured());
    if n_short == 0 {
        return Ok(None);
    }
    let what = format!("{n_short} of {n} recordings are shorter than a segment of {:.2} s", segment_s(spec));
    if n_short == n {
        return Err(Error::ShortRecordings { what, durations: durations.in_words() });
    }
    Ok(Some(format!("{what} and will be left out")))
}

fn segment_s(spec: &FeatureSpec) -> f64 {
    spec.segment_samples() as f64 / f64::from(spec.sample_rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(segments: &Segments) -> SegmentWindows {
        match segments {
            Segments::Windows(windows) => *windows,
            Segments::Parts { .. } => panic!("no windows"),
        }
    }

    fn durations(seconds: &[f64]) -> Durations {
        Durations::from_seconds(seconds.iter().copied())
    }

    #[test]
    fn what_is_not_given_is_kept_and_the_hop_follows_the_duration() {
        let base = Segments::Windows(SegmentWindows {
            hop_s: 1.0,
            max_segments: 7,
            ..SegmentWindows::adjacent(2.0)
        });
        let applied = |changes: SegmentChanges| windows(&changes.apply(&base).unwrap());
        assert_eq!(SegmentChanges::default().apply(&base).unwrap(), base);
        let longer = applied(SegmentChanges { duration_s: Some(3.0), ..SegmentChanges::default() });
        assert_eq!((longer.duration_s, longer.hop_s, longer.max_segments), (3.0, 3.0, 7));
        let zeros = applied(SegmentChanges {
            padding: Some(SegmentPadding::Zero),
            max_segments: Some(2),
            ..SegmentChanges::default()
        });
        assert_eq!((zeros.duration_s, zeros.hop_s, zeros.max_segments), (2.0, 1.0, 2));
        assert_eq!(zeros.padding, SegmentPadding::Zero);
    }

    #[test]
    fn the_rule_of_the_course_becomes_windows_of_the_same_duration() {
        let changes = SegmentChanges { hop_s: Some(1.5), ..SegmentChanges::default() };
        let changed = windows(&changes.apply(&Segments::default()).unwrap());
        assert_eq!((changed.duration_s, changed.hop_s), (3.0, 1.5));
    }

    #[test]
    fn values_out_of_range_are_errors_that_name_the_option() {
        let message = |changes: SegmentChanges| changes.validate().unwrap_err().to_string();
        let segment = |seconds| SegmentChanges { duration_s: Some(seconds), ..SegmentChanges::default() };
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, 86_401.0] {
            assert!(message(segment(seconds)).starts_with("segment = "), "{seconds}");
        }
        let hop = SegmentChanges { hop_s: Some(-1.0), ..SegmentChanges::default() };
        assert_eq!(message(hop), "hop = -1: seconds, more than 0 and at most a day, 86400");
        let none = SegmentChanges { max_segments: Some(0), ..SegmentChanges::default() };
        assert_eq!(message(none), "n_segments = 0: from 1 to 1000000");
        assert!(segment(86_400.0).validate().is_ok());
    }

    #[test]
    fn segments_follow_the_durations_unless_they_are_given() {
        let course = FeatureSpec::course();
        let short = durations(&[0.2, 0.4, 0.5]);
        let fitted = SegmentChanges::default().choose(&course, true, &short).unwrap();
        assert_eq!(windows(&fitted.spec.segments).duration_s, 0.4);
        let padded = SegmentChanges {
            duration_s: Some(1.0),
            padding: Some(SegmentPadding::Zero),
            ..SegmentChanges::default()
        };
        let given = padded.choose(&course, true, &short).unwrap();
        assert_eq!(windows(&given.spec.segments).duration_s, 1.0);
        assert_eq!((given.reason.as_str(), given.left_out), ("segments of 1.00 s, as given", None));
        let kept = SegmentChanges::default().choose(&course, false, &durations(&[30.0; 3])).unwrap();
        assert_eq!(kept.reason, "segments of 3.00 s, by the recipe or preset");
    }

    #[test]
    fn recordings_that_would_be_left_out_are_counted_and_must_not_be_all() {
        let without = SegmentChanges {
            duration_s: Some(1.0),
            padding: Some(SegmentPadding::None),
            ..SegmentChanges::default()
        };
        let choose = |seconds: &[f64]| without.choose(&FeatureSpec::course(), true, &durations(seconds));
        let left_out = choose(&[0.5, 2.0, 2.0]).unwrap().left_out.unwrap();
        assert_eq!(left_out, "1 of 3 recordings are shorter than a segment of 1.00 s and will be left out");
        let error = choose(&[0.5, 0.6]).unwrap_err().to_string();
        assert!(error.starts_with("2 of 2 recordings are shorter than a segment of 1.00 s: "), "{error}");
    }

    #[test]
    fn a_candidate_of_a_selection_takes_all_but_the_duration() {
        let best = Recipe::load("best").unwrap();
        let few = SegmentChanges { max_segments: Some(3), ..SegmentChanges::default() };
        assert_eq!(few.of_candidate(&best).unwrap().features.segments.max_per_track(), 3);
        let segment = SegmentChanges { duration_s: Some(1.0), ..SegmentChanges::default() };
        let refused = segment.of_candidate(&best);
        assert!(matches!(refused, Err(Error::InvalidOptions(OptionProblem::SelectionWithSegment))));
    }
}
