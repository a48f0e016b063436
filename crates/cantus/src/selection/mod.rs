//! Selection of a recipe by cross-validation on the training part.
//!
//! The test part is drawn first and takes no part in the choice: candidates are compared on a store [without its
//! tracks](without_test_part). The score of the winner on the test part is therefore an estimate for new recordings, whereas
//! the scores of the trials, of which the best was chosen, are too high.
//!
//! # Reference
//! Nested cross-validation: S. Varma & R. Simon, "Bias in error estimation when using cross-validation for model selection",
//! BMC Bioinformatics 2006.

mod candidates;
mod search;
mod trial;

use cantus_dataset::{FeatureStore, Part, SplitSpec, Unit};
use serde::{Deserialize, Serialize};

pub use self::candidates::{Candidate, candidates};
pub use self::search::{Search, SelectionData, Winner};
pub use self::trial::{Outcome, Trial, TrialOptions};

use crate::Error;

/// The trials of a selection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// In the order in which they were made.
    pub trials: Vec<Trial>,
}

impl Selection {
    /// The trial with the highest score, the earliest of equal ones; `None` if there is none with a score.
    #[must_use]
    pub fn best(&self) -> Option<&Trial> {
        let scored = self.trials.iter().filter_map(|trial| Some((trial, trial.score()?)));
        let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(trial, _)| trial)
    }

    /// The earlier result of a trial with this fingerprint, if it has a score.
    pub(crate) fn finished(&self, fingerprint: &str) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.fingerprint == fingerprint && trial.score().is_some())
    }

    /// A table of the trials: name, score, seconds.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.trials.iter().map(|trial| trial.name.chars().count()).max().unwrap_or(0);
        let best = self.best().map(|trial| trial.name.as_str());
        let line = |trial: &Trial| {
            let mark = if best == Some(trial.name.as_str()) { "  ← chosen" } else { "" };
            format!("  {:<width$}  {}{mark}\n", trial.name, trial.outcome)
        };
        self.trials.iter().map(line).collect()
    }
}

/// Removes the tracks of the test part from a store, so that nothing of them is read in a selection.
///
/// # Errors
/// Those of [`SplitSpec::split`]; if the split is by segment, which puts segments of one track into several parts.
pub fn without_test_part(store: &mut FeatureStore, spec: &SplitSpec) -> Result<(), Error> {
    if spec.by == Unit::Segment {
        let (parameter, found, expected) = ("by", "segment".to_owned(), "track or group, for a selection");
        return Err(cantus_dataset::Error::InvalidSplit { parameter, found, expected }.into());
    }
    let split = store.split(&SplitSpec { test_first: true, ..spec.clone() })?.split;
    let keep: Vec<bool> = split.parts.iter().map(|part| !matches!(part, None | Some(Part::Test))).collect();
    store.retain_tracks(&keep);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(name: &str, score: Option<f64>) -> Trial {
        let outcome = match score {
            Some(score) => {
                Outcome::Scored { score, n_tracks: 20, seconds: 1.5, measure: "of tracks".to_owned() }
            }
            None => Outcome::OutOfTime,
        };
        Trial { name: name.to_owned(), fingerprint: name.to_owned(), outcome, calibration: None }
    }

    #[test]
    fn the_best_trial_is_the_earliest_of_equal_ones() {
        let trials = [("a", Some(0.5)), ("b", Some(0.7)), ("c", Some(0.7)), ("d", None)];
        let selection = Selection { trials: trials.map(|(name, score)| trial(name, score)).to_vec() };
        assert_eq!(selection.best().map(|trial| trial.name.as_str()), Some("b"));
        assert!(selection.finished("c").is_some() && selection.finished("d").is_none());
        let text = selection.to_text();
        assert!(text.contains("  b  70.0 % of tracks") && text.contains("← chosen"), "{text}");
        assert!(text.contains("  d  not tried: no time left"), "{text}");
        assert_eq!(Selection::default().best(), None);
        let json = serde_json::to_string(&selection).unwrap();
        assert_eq!(serde_json::from_str::<Selection>(&json).unwrap(), selection);
    }
}
