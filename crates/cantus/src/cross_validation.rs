//! Cross-validation: each fold is predicted by a model trained on the other folds; the scores cover all folds together.

use std::collections::{BTreeMap, BTreeSet};

use cantus_dataset::{FeatureStore, Folds, SegmentSplit, SplitSpec};

use crate::evaluation::{Evaluated, evaluate_with};
use crate::noise::NoiseSounds;
use crate::predictions::Predictions;
use crate::report::{
    CrossValidation, EvaluationReport, Report, TagCrossValidation, TagReport, embedding_remarks,
    group_remarks, missing_remarks, shared_artists,
};
use crate::training::fingerprint::data_sha256;
use crate::training::job::Job;
use crate::training::{self, Stage, TrainEvent, TrainOptions};
use crate::{Error, Recipe, StartingPoint};

/// Trains a recipe on all folds but one, tests it on that one, does so for each fold, and scores the predictions of all folds
/// together. [`Run::cross_validate`](crate::Run::cross_validate) does the same and writes a run folder.
///
/// ```no_run
/// use cantus::{Recipe, TrainOptions};
/// use cantus_dataset::{FeatureStore, Folds, Unit};
///
/// let store = FeatureStore::open("features".as_ref())?;
/// let folds = Folds::draw(store.tracks(), store.labels(), Unit::Track, 5, 0)?;
/// let evaluated = cantus::cross_validate(&store, &Recipe::load("best")?, &folds, &TrainOptions::default())?;
/// println!("{}", evaluated.report.to_text());
/// # Ok::<(), cantus::Error>(())
/// ```
///
/// # Errors
/// Those of [`train`](crate::train), for any fold.
pub fn cross_validate(
    store: &FeatureStore,
    recipe: &Recipe,
    folds: &Folds,
    options: &TrainOptions<'_>,
) -> Result<Evaluated, Error> {
    let options = of_folds(options);
    let recipe = training::adapted(recipe, store, &options)?;
    let data_sha256 = data_sha256(store)?;
    let noise = NoiseSounds::extract(store)?;
    evaluate_folds(store, folds, &options, |fold, split| {
        let job = Job::new(store, &recipe, split, &options, data_sha256.clone());
        let trained = job.prepare()?.train(Stage::Fold { fold }, &options, None, |_, _| Ok(()))?;
        evaluate_with(&trained, store, &noise)
    })
}

/// The options for the folds, whose test parts are the folds themselves.
pub(crate) fn of_folds<'a>(options: &TrainOptions<'a>) -> TrainOptions<'a> {
    TrainOptions { split: SplitSpec { test: 0.0, ..options.split.clone() }, ..options.clone() }
}

/// Evaluates every fold by `evaluate`, which receives its number and its split, and scores all folds together.
pub(crate) fn evaluate_folds(
    store: &FeatureStore,
    folds: &Folds,
    options: &TrainOptions<'_>,
    mut evaluate: impl FnMut(usize, SegmentSplit) -> Result<Evaluated, Error>,
) -> Result<Evaluated, Error> {
    let mut pool = Pool::new(folds, &options.split);
    for (fold, name) in folds.names.iter().enumerate() {
        let Evaluated { predictions, report } = evaluate(fold, pool.split(fold, store)?)?;
        let n_folds = folds.n_folds();
        options.notify(&TrainEvent::FoldEvaluated { fold, name, n_folds, report: &report })?;
        pool.predictions.extend(&predictions);
        pool.reports.push(report);
    }
    pool.evaluate(store)
}

/// The pooled predictions and reports of the folds so far.
#[derive(Debug)]
struct Pool<'a> {
    folds: &'a Folds,
    /// How each fold is split.
    spec: &'a SplitSpec,
    predictions: Predictions,
    /// One per fold; model facts are taken from the first.
    reports: Vec<EvaluationReport>,
}

impl<'a> Pool<'a> {
    fn new(folds: &'a Folds, spec: &'a SplitSpec) -> Self {
        Self { folds, spec, predictions: Predictions::default(), reports: Vec::new() }
    }

    /// The split whose test part is a fold, counted from 0.
    ///
    /// # Errors
    /// Those of [`Folds::split`].
    fn split(&self, fold: usize, store: &FeatureStore) -> Result<SegmentSplit, Error> {
        Ok(store.segments_of_split(self.folds.split(fold, store.tracks(), store.labels(), self.spec)?))
    }

    /// Scores all folds together.
    ///
    /// # Errors
    /// If no fold was added.
    fn evaluate(self, store: &FeatureStore) -> Result<Evaluated, Error> {
        let remarks = self.remarks(store)?;
        let Self { folds, predictions, reports, .. } = self;
        // Total training time; `None` if it is missing for any fold.
        let training_s: Option<f64> = reports.iter().map(EvaluationReport::training_s).sum();
        let mut report = match reports.first() {
            None => return Err(cantus_metrics::ScoresError::NoSegments.into()),
            Some(EvaluationReport::Classes(first)) => {
                let summaries = named(folds, &reports, EvaluationReport::classes)
                    .map(|(name, report)| report.fold_summary(name));
                let cross = CrossValidation::new(folds.predefined, summaries.collect());
                let report = Report::of_folds(Report::clone(first), &predictions, store, cross, remarks)?;
                EvaluationReport::Classes(Box::new(report))
            }
            Some(EvaluationReport::Tags(first)) => {
                let summaries = named(folds, &reports, EvaluationReport::tags)
                    .map(|(name, report)| report.fold_summary(name));
                let cross = TagCrossValidation::new(folds.predefined, summaries.collect());
                let report =
                    TagReport::of_folds(TagReport::clone(first), &predictions, store, cross, remarks)?;
                EvaluationReport::Tags(Box::new(report))
            }
        };
        report.took(training_s);
        Ok(Evaluated { predictions, report })
    }

    /// Warnings about what may bias the scores upwards.
    fn remarks(&self, store: &FeatureStore) -> Result<Vec<String>, Error> {
        let mut remarks: Vec<String> = Vec::new();
        if store.tracks_known() {
            remarks.extend(self.separated_groups(store).or_else(|| {
                let shared = in_several_folds(self.folds, |track| store.tracks()[track].artist_group());
                shared_artists(&shared, &shared)
            }));
        } else if let Some(report) = self.reports.first() {
            remarks.extend(report.remarks().first().cloned());
        }
        for (fold, name) in self.folds.names.iter().enumerate() {
            let split = self.folds.split(fold, store.tracks(), store.labels(), self.spec)?;
            remarks.extend(missing_remarks(store, &split.missing, &format!(" of fold {name}")));
        }
        remarks.extend(embedding_remarks(store));
        let n_shared = |report: &EvaluationReport| Some(report.model().start.as_ref()?.n_shared_test_tracks);
        remarks.extend(StartingPoint::remark(self.reports.iter().filter_map(n_shared).sum()));
        Ok(remarks)
    }

    /// Remark on groups that are in several folds.
    fn separated_groups(&self, store: &FeatureStore) -> Option<String> {
        let shared = in_several_folds(self.folds, |track| store.tracks()[track].group.clone());
        let is_drawn = !shared.is_empty() && !self.folds.predefined;
        let n_folds = Some(self.folds.n_folds());
        let advice = if is_drawn { group_remarks::advice(store, self.spec, n_folds) } else { String::new() };
        group_remarks::shared_groups(shared.len(), group_remarks::noun(store), &advice)
    }
}

/// The names that tracks of several folds have; `name` is that of a track.
pub(crate) fn in_several_folds(folds: &Folds, name: impl Fn(usize) -> Option<String>) -> BTreeSet<String> {
    let (mut seen, mut in_several) = (BTreeMap::new(), BTreeSet::new());
    for (track, fold) in folds.fold_of_track.iter().enumerate() {
        let Some(name) = name(track) else { continue };
        if seen.entry(name.clone()).or_insert(fold) != &fold {
            in_several.insert(name);
        }
    }
    in_several
}

/// The reports of one kind with the names of their folds.
fn named<'a, R: 'a>(
    folds: &'a Folds,
    reports: &'a [EvaluationReport],
    kind: impl Fn(&'a EvaluationReport) -> Option<&'a R>,
) -> impl Iterator<Item = (&'a str, &'a R)> {
    let named = folds.names.iter().zip(reports);
    named.filter_map(move |(name, report)| Some((name.as_str(), kind(report)?)))
}
