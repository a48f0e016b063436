//! A trial: the score of a candidate by cross-validation on the tracks that may be used for the choice.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Instant;

use cantus_dataset::{FeatureStore, Folds, SplitSpec};
use cantus_metrics::tagging::TagFigures;
use cantus_metrics::{TrackDecision, track_decisions};
use serde::{Deserialize, Serialize};

use super::{Candidate, Selection};
use crate::predictions;
use crate::training::fingerprint::{Fingerprinted, data_sha256};
use crate::training::job::Job;
use crate::training::{self, Stage, TrainEvent, TrainOptions, Trained};
use crate::{Calibration, Error, Recipe, Task};

/// The measure of a score that is a share of tracks.
const OF_TRACKS: &str = "of tracks";

/// Folds of a trial, if every class has as many groups.
const N_FOLDS: usize = 3;

/// The result of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The candidate's name.
    pub name: String,
    /// SHA-256 of its data, recipe and seed: a trial with the same one has the same score.
    pub fingerprint: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the candidate is an ensemble, which [`Selection::chosen`] prefers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ensemble: bool,
    /// Temperatures fitted on the predictions for all tracks, each by the model of a fold that it took no part in; `None` without a
    /// score, and of a recipe whose models have a validation part of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Every fold was trained.
    Scored {
        /// Share of tracks predicted correctly, or macro average precision of tags.
        score: f64,
        /// Number of tracks of all folds.
        n_tracks: usize,
        /// Duration, in seconds.
        seconds: f64,
        /// The measure in words: `of tracks`, or `macro average precision`.
        measure: String,
    },
    /// The time was up, before it began or before it ended.
    OutOfTime,
    /// It could not be trained on these tracks or features.
    Failed {
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scored { score, n_tracks, seconds, measure } => {
                write!(f, "{:.1} % {measure} (n = {n_tracks}, {seconds:.0} s)", 100.0 * score)
            }
            Self::OutOfTime => f.write_str("not tried: no time left"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
        }
    }
}

/// Options of a trial.
#[derive(Debug, Clone)]
pub struct TrialOptions<'a> {
    /// Unit, seed and validation share of the folds, the seed and the threads of the training, and its observer.
    pub train: TrainOptions<'a>,
    /// When the trial ends without a score; `None` for never.
    pub deadline: Option<Instant>,
}

impl Trial {
    /// The score, if every fold was trained.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Scored { score, .. } => Some(score),
            _ => None,
        }
    }

    /// The standard error of a score that is a share of tracks, √(p (1 − p) / n); `None` of another score.
    pub(super) fn standard_error(&self) -> Option<f64> {
        match &self.outcome {
            Outcome::Scored { score, n_tracks, measure, .. } if measure == OF_TRACKS => {
                Some((score * (1.0 - score) / (*n_tracks).max(1) as f64).sqrt())
            }
            _ => None,
        }
    }

    /// A candidate for which there was no time.
    #[must_use]
    pub fn out_of_time(candidate: &Candidate) -> Self {
        Self {
            name: candidate.name.clone(),
            fingerprint: String::new(),
            outcome: Outcome::OutOfTime,
            is_ensemble: candidate.recipe.is_ensemble(),
            calibration: None,
        }
    }

    /// The fingerprint of a candidate on this store.
    fn fingerprint_of(
        candidate: &Candidate,
        store: &FeatureStore,
        options: &TrialOptions<'_>,
    ) -> Result<String, Error> {
        let fingerprinted = Fingerprinted {
            data_sha256: &data_sha256(store)?,
            // Copies are determined by the recordings and the recipe.
            copies: None,
            n_background_segments: None,
            start: None,
            split: [&[], &[], &[]],
            name: &format!("{} {:?}", candidate.recipe.name, options.train.split),
            recipe: &candidate.recipe,
            seed: options.train.seed,
        };
        Ok(fingerprinted.sha256())
    }

    /// The result that `earlier` has of the same trial or, without one, a new one: cross-validates a candidate in three folds (two if a class has too few groups) on all tracks of a store, which has no
    /// [test part](super::without_test_part).
    ///
    /// # Errors
    /// If the store cannot be read; [`Error::Interrupted`] if the observer stops it.
    pub fn run(
        candidate: &Candidate,
        store: &FeatureStore,
        options: &TrialOptions<'_>,
        earlier: &Selection,
    ) -> Result<Self, Error> {
        let start = Instant::now();
        let fingerprint = Self::fingerprint_of(candidate, store, options)?;
        if let Some(finished) = earlier.finished(&fingerprint) {
            return Ok(Self { is_ensemble: candidate.recipe.is_ensemble(), ..finished.clone() });
        }
        let mut calibration = None;
        let outcome = match predict_folds(&candidate.recipe, store, options)? {
            Predicted::OutOfFold(out_of_fold) => {
                let OutOfFold { segments, probabilities, has_validation } = &out_of_fold;
                let results = predictions::results(store, segments, probabilities);
                let n_labels = store.labels().len();
                let tracks = track_decisions(&results, n_labels)?;
                if !has_validation {
                    calibration = Some(Calibration::learn(&results, n_labels, Task::of_store(store))?);
                }
                let (score, measure) = score(&tracks, store)?;
                let seconds = start.elapsed().as_secs_f64();
                Outcome::Scored { score, n_tracks: tracks.len(), seconds, measure: measure.to_owned() }
            }
            Predicted::OutOfTime => Outcome::OutOfTime,
            Predicted::Failed(reason) => Outcome::Failed { reason },
        };
        let is_ensemble = candidate.recipe.is_ensemble();
        Ok(Self { name: candidate.name.clone(), fingerprint, outcome, is_ensemble, calibration })
    }
}

/// Uncalibrated predictions for the segments of all folds, each by the model of a fold that they took no part in.
#[derive(Default)]
struct OutOfFold {
    segments: Vec<usize>,
    /// `[n_segments, n_labels]`
    probabilities: Vec<f32>,
    /// Whether the models have a validation part of their own.
    has_validation: bool,
}

/// The predictions of all folds, or why there are none.
enum Predicted {
    OutOfFold(OutOfFold),
    OutOfTime,
    Failed(String),
}

fn predict_folds(
    recipe: &Recipe,
    store: &FeatureStore,
    options: &TrialOptions<'_>,
) -> Result<Predicted, Error> {
    let is_late = || options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let is_stopped = std::cell::Cell::new(false);
    let observer = |event: &TrainEvent<'_>| {
        is_stopped.set(is_stopped.get() || options.train.observe(event).is_break());
        if is_stopped.get() || is_late() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let recipe = training::adapted(recipe, store, &options.train)?;
    // Only early stopping needs a validation part.
    let validation = if recipe.stops_early() { options.train.split.validation } else { 0.0 };
    let split = SplitSpec { validation, test: 0.0, ..options.train.split.clone() };
    let train = TrainOptions { split, observer: Some(&observer), ..options.train.clone() };
    let folds = match draw_folds(store, &train.split) {
        Ok(folds) => folds,
        Err(error) => return Ok(Predicted::Failed(error.to_string())),
    };
    let mut out_of_fold = OutOfFold { has_validation: validation > 0.0, ..OutOfFold::default() };
    for fold in 0..folds.n_folds() {
        if is_late() {
            return Ok(Predicted::OutOfTime);
        }
        let split = match folds.split(fold, store.tracks(), store.labels(), &train.split) {
            Ok(split) => split,
            Err(error) => return Ok(Predicted::Failed(error.to_string())),
        };
        let job = Job::new(store, &recipe, store.segments_of_split(split), &train, String::new());
        let trained =
            job.prepare().and_then(|job| job.train(Stage::Trial { fold }, &train, None, |_, _| Ok(())));
        match trained {
            Ok(Trained { model, split, .. }) => {
                out_of_fold.probabilities.extend(predictions::uncalibrated(&model, store, &split.test)?);
                out_of_fold.segments.extend(split.test);
            }
            Err(Error::Interrupted) if !is_stopped.get() => return Ok(Predicted::OutOfTime),
            Err(error @ (Error::Diverged { .. } | Error::RecipeMisfit { .. } | Error::EmptyPart { .. })) => {
                return Ok(Predicted::Failed(error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Predicted::OutOfFold(out_of_fold))
}

/// Three folds, or two if a class has too few groups.
fn draw_folds(store: &FeatureStore, split: &SplitSpec) -> Result<Folds, Error> {
    let draw = |n_folds| Folds::draw(store.tracks(), store.labels(), split.by, n_folds, split.seed);
    Ok(draw(N_FOLDS).or_else(|_| draw(2))?)
}

/// The score of tracks, and its measure in words.
fn score(tracks: &[TrackDecision], store: &FeatureStore) -> Result<(f64, &'static str), Error> {
    if store.is_tagged() {
        let figures = TagFigures::of_tracks(tracks, store.labels().len())?;
        return Ok((figures.macro_average_precision, "macro average precision"));
    }
    let n_right = tracks.iter().filter(|track| track.is_right()).count();
    Ok((n_right as f64 / tracks.len().max(1) as f64, OF_TRACKS))
}
