//! Cross-validation: every fold is examined by a model that has learnt from the others, and all are scored together.

use std::collections::BTreeSet;

use cantus_dataset::{FeatureStore, Folds, SegmentSplit, SplitSpec};

use crate::Error;
use crate::evaluation::Answers;
use crate::report::{
    CrossValidation, FoldSummary, Report, TagCrossValidation, TagReport, Verdict, artists, missing_remarks,
    shared_artists,
};
use crate::training::Examined;

/// What the folds have brought so far.
#[derive(Debug)]
pub struct Pool<'a> {
    folds: &'a Folds,
    spec: &'a SplitSpec,
    answers: Answers,
    /// Of each fold; what the first says of the model holds for all.
    reports: Vec<Verdict>,
}

impl<'a> Pool<'a> {
    /// Nothing yet; `spec` is how each fold is split.
    pub fn new(folds: &'a Folds, spec: &'a SplitSpec) -> Self {
        Self { folds, spec, answers: Answers::default(), reports: Vec::new() }
    }

    /// The split that examines a fold, counted from 0.
    ///
    /// # Errors
    /// Those of [`Folds::split`].
    pub fn split(&self, fold: usize, store: &FeatureStore) -> Result<SegmentSplit, Error> {
        Ok(store.segments_of_split(self.folds.split(fold, store.tracks(), store.labels(), self.spec)?))
    }

    /// Adds what the next fold brought.
    pub fn add(&mut self, answers: &Answers, report: Verdict) {
        self.answers.extend(answers);
        self.reports.push(report);
    }

    /// Scores all folds together.
    ///
    /// # Errors
    /// If no fold was added.
    pub fn examine(self, store: &FeatureStore) -> Result<Examined, Error> {
        let remarks = self.remarks(store)?;
        let Self { folds, answers, reports, .. } = self;
        // How long all of them took to train, if that is known of each.
        let training_s: Option<f64> = reports.iter().map(Verdict::training_s).sum();
        let mut report = match reports.first() {
            None => return Err(cantus_metrics::ScoresError::NoSegments.into()),
            Some(Verdict::Classes(first)) => {
                let summaries =
                    named(folds, &reports, Verdict::classes).map(|(name, fold)| FoldSummary::new(name, fold));
                let cross = CrossValidation::new(folds.predefined, summaries.collect());
                let report = Report::of_folds(Report::clone(first), &answers, store, cross, remarks)?;
                Verdict::Classes(Box::new(report))
            }
            Some(Verdict::Tags(first)) => {
                let cross = TagCrossValidation::new(folds.predefined, named(folds, &reports, Verdict::tags));
                let report = TagReport::of_folds(TagReport::clone(first), &answers, store, cross, remarks)?;
                Verdict::Tags(Box::new(report))
            }
        };
        report.took(training_s);
        Ok(Examined { answers, report })
    }

    /// What may make the scores look better than they are.
    fn remarks(&self, store: &FeatureStore) -> Result<Vec<String>, Error> {
        let mut remarks: Vec<String> = Vec::new();
        if store.tracks_known() {
            let shared = self.artists_of_several_folds(store);
            remarks.extend(shared_artists(&shared, &shared));
        } else if let Some(report) = self.reports.first() {
            remarks.extend(report.remarks().first().cloned());
        }
        for (fold, name) in self.folds.names.iter().enumerate() {
            let split = self.folds.split(fold, store.tracks(), store.labels(), self.spec)?;
            remarks.extend(missing_remarks(store, &split.missing, &format!(" of fold {name}")));
        }
        Ok(remarks)
    }

    fn artists_of_several_folds(&self, store: &FeatureStore) -> BTreeSet<String> {
        let (mut seen, mut several) = (BTreeSet::new(), BTreeSet::new());
        for fold in 0..self.folds.n_folds() {
            let tracks = (0..store.tracks().len()).filter(|&track| self.folds.fold_of_track[track] == fold);
            let segments: Vec<usize> = tracks.flat_map(|track| store.segments_of(track)).collect();
            let artists = artists(store, &segments);
            several.extend(artists.intersection(&seen).cloned());
            seen.extend(artists);
        }
        several
    }
}

/// The reports of one kind with the names of their folds.
fn named<'a, R: 'a>(
    folds: &'a Folds,
    reports: &'a [Verdict],
    kind: impl Fn(&'a Verdict) -> Option<&'a R>,
) -> impl Iterator<Item = (&'a str, &'a R)> {
    let named = folds.names.iter().zip(reports);
    named.filter_map(move |(name, report)| Some((name.as_str(), kind(report)?)))
}
