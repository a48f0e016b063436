//! The selection itself: every candidate is tried, and the best one is trained on all tracks outside of the test part.

use std::path::{Path, PathBuf};
use std::time::Instant;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use cantus_dataset::{FeatureStore, SplitSpec};

use super::{Candidate, Selection, Trial, TrialOptions, without_test_part};
use crate::training::{Observer, TrainOptions};
use crate::{Error, Evaluated, Recipe, Run};

/// The recordings of a selection.
pub trait SelectionData {
    /// Errors of the data and of the trials.
    type Error: From<Error>;

    /// Extracts the features of a recipe, with its augmented copies, into a folder.
    ///
    /// # Errors
    /// If they cannot be extracted, or the extraction is stopped.
    fn extract(&mut self, recipe: &Recipe, dir: &Path) -> Result<(), Self::Error>;

    /// Opens features, with the groups of their tracks, and completes the split, which may be by group.
    ///
    /// # Errors
    /// If they cannot be read, or groups cannot be assigned.
    fn open(&mut self, dir: &Path, split: &SplitSpec) -> Result<(FeatureStore, SplitSpec), Self::Error>;

    /// Reports the result of a trial.
    fn tried(&mut self, trial: &Trial);
}

/// A selection in a run folder. Features are extracted into it, once for all candidates that have the same.
pub struct Search<'a, D> {
    run: &'a Run,
    data: D,
    options: TrialOptions<'a>,
    extracted: Vec<Extracted>,
}

/// A specification, that of its augmented copies, and the folder of the features.
struct Extracted {
    spec: FeatureSpec,
    copies: AugmentSpec,
    dir: PathBuf,
}

/// The best candidate, ready to be trained.
pub struct Winner<'a> {
    /// Folder of the features.
    pub features: PathBuf,
    recipe: Recipe,
    store: FeatureStore,
    run: Run,
    options: TrainOptions<'a>,
}

impl<'a, D: SelectionData> Search<'a, D> {
    /// A selection before its first trial; the test part of its split is drawn first.
    #[must_use]
    pub fn new(run: &'a Run, data: D, mut options: TrialOptions<'a>) -> Self {
        options.train.split.test_first = true;
        Self { run, data, options, extracted: Vec::new() }
    }

    /// Tries every candidate that the deadline leaves time for, but always the first. The trials are saved in the run; those
    /// that it has already are not repeated.
    ///
    /// # Errors
    /// Those of the data; [`Error::Interrupted`] if the observer stops a trial; if a file cannot be read or written.
    pub fn run(&mut self, candidates: &[Candidate]) -> Result<Selection, D::Error> {
        let earlier = self.run.selection()?;
        let mut selection = Selection::default();
        for candidate in candidates {
            let trial = self.try_candidate(candidate, &earlier)?;
            self.data.tried(&trial);
            selection.trials.push(trial);
            self.run.save_selection(&selection)?;
        }
        Ok(selection)
    }

    fn try_candidate(&mut self, candidate: &Candidate, earlier: &Selection) -> Result<Trial, D::Error> {
        // The first candidate is always tried, so that there is a result.
        let is_first = self.extracted.is_empty();
        let is_late = || self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_late() && !is_first {
            return Ok(Trial::out_of_time(candidate));
        }
        let dir = self.extract(&candidate.recipe)?;
        let (mut store, split) = self.data.open(&dir, &self.options.train.split)?;
        without_test_part(&mut store, &split)?;
        let options = TrialOptions {
            deadline: self.options.deadline.filter(|_| !is_first),
            train: TrainOptions { split, ..self.options.train.clone() },
        };
        Ok(Trial::run(candidate, &store, &options, earlier)?)
    }

    /// Folder of the features of a recipe, which are extracted if no candidate before had the same.
    fn extract(&mut self, recipe: &Recipe) -> Result<PathBuf, D::Error> {
        let (spec, copies) = (&recipe.features, recipe.augmentation.copy_spec());
        let is_same = |extracted: &&Extracted| extracted.spec == *spec && extracted.copies == copies;
        if let Some(extracted) = self.extracted.iter().find(is_same) {
            return Ok(extracted.dir.clone());
        }
        let dir = self.run.path(&format!("features-{}", self.extracted.len() + 1));
        self.data.extract(recipe, &dir)?;
        self.extracted.push(Extracted { spec: spec.clone(), copies, dir: dir.clone() });
        Ok(dir)
    }

    /// The candidate that a selection [chose](Selection::chosen), or the first if none has a score; `None` if there is none at all.
    ///
    /// # Errors
    /// Those of the data.
    pub fn winner(
        &mut self,
        candidates: &[Candidate],
        selection: &Selection,
    ) -> Result<Option<Winner<'a>>, D::Error> {
        let best = selection.chosen();
        let is_best = |candidate: &&Candidate| best.is_some_and(|trial| trial.name == candidate.name);
        let Some(chosen) = candidates.iter().find(is_best).or(candidates.first()) else { return Ok(None) };
        let features = self.extract(&chosen.recipe)?;
        let (store, split) = self.data.open(&features, &self.options.train.split)?;
        // Only early stopping needs a validation part.
        let validation = if chosen.recipe.stops_early() { split.validation } else { 0.0 };
        let options = TrainOptions {
            split: SplitSpec { validation, ..split },
            calibration: best.and_then(|trial| trial.calibration),
            ..self.options.train.clone()
        };
        let run = self.run.clone().with_remark(remark(chosen, selection));
        Ok(Some(Winner { features, recipe: chosen.recipe.clone(), store, run, options }))
    }
}

impl Winner<'_> {
    /// Trains it on all tracks outside of the test part, evaluates it on those inside, and writes the run; with `final_model`, a
    /// [final model](Run::train_final) follows.
    ///
    /// # Errors
    /// Those of [`Run::train`].
    pub fn train(&self, final_model: bool, observer: &Observer<'_>) -> Result<Evaluated, Error> {
        let options = TrainOptions { observer: Some(observer), ..self.options.clone() };
        match final_model {
            true => self.run.train_final(&self.store, &self.recipe, &options),
            false => self.run.train(&self.store, &self.recipe, &options),
        }
    }
}

/// What the report says of the choice.
fn remark(chosen: &Candidate, selection: &Selection) -> String {
    let n_tried = selection.trials.iter().filter(|trial| trial.score().is_some()).count();
    match n_tried {
        0 => format!("the recipe ({}) was not selected by a comparison: too few tracks", chosen.name),
        _ => format!(
            "the recipe ({}) was selected among {n_tried} by cross-validation on the training part; the test part took no part in the choice",
            chosen.name
        ),
    }
}
