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
    /// The trial whose candidate is chosen: the one with the highest score, the earliest of equal ones, unless that of an ensemble
    /// is within one standard error of it. `None` if there is none with a score.
    ///
    /// Scores of so few tracks differ by noise, an average of several networks varies least, and networks that learn their own
    /// features gain most from the larger training part that follows.
    ///
    /// # Reference
    /// The rule of one standard error: L. Breiman et al., "Classification and Regression Trees", 1984.
    #[must_use]
    pub fn chosen(&self) -> Option<&Trial> {
        let highest = highest_of(self.trials.iter())?;
        let ensemble = highest_of(self.trials.iter().filter(|trial| trial.is_ensemble));
        let least = highest.score()? - highest.standard_error().unwrap_or(0.0);
        Some(ensemble.filter(|trial| trial.score().is_some_and(|score| score >= least)).unwrap_or(highest))
    }

    /// The earlier result of a trial with this fingerprint, if it has a score.
    pub(crate) fn finished(&self, fingerprint: &str) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.fingerprint == fingerprint && trial.score().is_some())
    }

    /// A table of the trials: name, score, seconds.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.trials.iter().map(|trial| trial.name.chars().count()).max().unwrap_or(0);
        let [highest, chosen] = [highest_of(self.trials.iter()), self.chosen()]
            .map(|trial| trial.map(|trial| trial.name.as_str()));
        let line = |trial: &Trial| {
            let mark = match chosen == Some(trial.name.as_str()) {
                true if highest != chosen => {
                    "  ← chosen, an ensemble within one standard error of the highest"
                }
                true => "  ← chosen",
                false => "",
            };
            format!("  {:<width$}  {}{mark}\n", trial.name, trial.outcome)
        };
        self.trials.iter().map(line).collect()
    }
}

/// The trial with the highest score, the earliest of equal ones.
fn highest_of<'a>(trials: impl Iterator<Item = &'a Trial>) -> Option<&'a Trial> {
    let scored = trials.filter_map(|trial| Some((trial, trial.score()?)));
    let highest = scored.reduce(|highest, next| if next.1 > highest.1 { next } else { highest });
    highest.map(|(trial, _)| trial)
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
        let is_ensemble = name.starts_with("ensemble");
        Trial { name: name.to_owned(), fingerprint: name.to_owned(), outcome, is_ensemble, calibration: None }
    }

    /// With 20 tracks, the standard error of 70 % is 10.2 points.
    #[test]
    fn an_ensemble_is_chosen_within_one_standard_error_of_the_highest_score() {
        let chosen = |score: f64, measure: &str| {
            let trials = [("a", Some(0.7)), ("ensemble", Some(score)), ("ensemble 2", Some(0.1))];
            let mut trials = trials.map(|(name, score)| trial(name, score)).to_vec();
            for trial in &mut trials {
                let Outcome::Scored { measure: of_trial, .. } = &mut trial.outcome else { unreachable!() };
                measure.clone_into(of_trial);
            }
            Selection { trials }.chosen().map(|trial| trial.name.clone()).unwrap()
        };
        assert_eq!(
            [0.59, 0.61, 0.7, 0.8].map(|score| chosen(score, "of tracks")),
            ["a", "ensemble", "ensemble", "ensemble"]
        );
        assert_eq!(
            [0.69, 0.7, 0.8].map(|score| chosen(score, "macro average precision")),
            ["a", "ensemble", "ensemble"]
        );
    }

    #[test]
    fn the_best_trial_is_the_earliest_of_equal_ones() {
        let trials = [("a", Some(0.5)), ("b", Some(0.7)), ("c", Some(0.7)), ("d", None)];
        let selection = Selection { trials: trials.map(|(name, score)| trial(name, score)).to_vec() };
        assert_eq!(selection.chosen().map(|trial| trial.name.as_str()), Some("b"));
        assert!(selection.finished("c").is_some() && selection.finished("d").is_none());
        let text = selection.to_text();
        assert!(text.contains("  b  70.0 % of tracks") && text.contains("← chosen"), "{text}");
        assert!(text.contains("  d  not tried: no time left"), "{text}");
        assert_eq!(Selection::default().chosen(), None);
        let json = serde_json::to_string(&selection).unwrap();
        assert_eq!(serde_json::from_str::<Selection>(&json).unwrap(), selection);
    }
}
