//! Cross-validation: every fold is examined by a model that has learnt from the others, and all are scored together.

use std::collections::BTreeSet;

use cantus_dataset::{FeatureStore, Folds, SegmentSplit, SplitSpec};

use crate::Error;
use crate::evaluation::Answers;
use crate::report::{CrossValidation, FoldSummary, Report, artists, part_name, shared_artists};
use crate::training::Examined;

/// What the folds have brought so far.
#[derive(Debug)]
pub struct Pool<'a> {
    folds: &'a Folds,
    spec: &'a SplitSpec,
    answers: Answers,
    summaries: Vec<FoldSummary>,
    /// How long all of them took to train, if that is known of each.
    training_s: Option<f64>,
    /// Of the first fold; what it says of the model holds for all.
    report: Option<Report>,
}

impl<'a> Pool<'a> {
    /// Nothing yet; `spec` is how each fold is split.
    pub fn new(folds: &'a Folds, spec: &'a SplitSpec) -> Self {
        Self {
            folds,
            spec,
            answers: Answers::default(),
            summaries: Vec::new(),
            training_s: Some(0.0),
            report: None,
        }
    }

    /// The split that examines a fold, counted from 0.
    ///
    /// # Errors
    /// Those of [`Folds::split`].
    pub fn split(&self, fold: usize, store: &FeatureStore) -> Result<SegmentSplit, Error> {
        Ok(store.segments_of_split(self.folds.split(fold, store.tracks(), store.labels(), self.spec)?))
    }

    /// Adds what the next fold brought.
    pub fn add(&mut self, answers: &Answers, report: Report) {
        let name = &self.folds.names[self.summaries.len()];
        self.answers.extend(answers);
        self.summaries.push(FoldSummary::new(name, &report));
        self.training_s = self.training_s.zip(report.training_s).map(|(sum, fold)| sum + fold);
        self.report.get_or_insert(report);
    }

    /// Scores all folds together.
    ///
    /// # Errors
    /// If no fold was added.
    pub fn examine(self, store: &FeatureStore) -> Result<Examined, Error> {
        let remarks = self.remarks(store)?;
        let Self { folds, answers, summaries, training_s, report, .. } = self;
        let Some(mut first) = report else { return Err(crate::report::ScoresError::NoSegments.into()) };
        first.training_s = training_s;
        let cross_validation = CrossValidation::new(folds.given, summaries);
        let report = Report::of_folds(first, &answers, store, cross_validation, remarks)?;
        Ok(Examined { answers, report })
    }

    /// What may make the scores look better than they are.
    fn remarks(&self, store: &FeatureStore) -> Result<Vec<String>, Error> {
        let mut remarks: Vec<String> = Vec::new();
        if store.tracks_known() {
            let shared = self.artists_of_several_folds(store);
            remarks.extend(shared_artists(&shared, &shared));
        } else if let Some(report) = &self.report {
            remarks.extend(report.remarks.first().cloned());
        }
        for (fold, name) in self.folds.names.iter().enumerate() {
            let split = self.folds.split(fold, store.tracks(), store.labels(), self.spec)?;
            let missing = |&(label, part): &(usize, _)| {
                format!(
                    "'{}' has no track in the {} part of fold {name}",
                    store.labels()[label],
                    part_name(part)
                )
            };
            remarks.extend(split.missing.iter().map(missing));
        }
        Ok(remarks)
    }

    fn artists_of_several_folds(&self, store: &FeatureStore) -> BTreeSet<String> {
        let (mut seen, mut several) = (BTreeSet::new(), BTreeSet::new());
        for fold in 0..self.folds.n_folds() {
            let tracks = (0..store.tracks().len()).filter(|&track| self.folds.of[track] == fold);
            let segments: Vec<usize> = tracks.flat_map(|track| store.segments_of(track)).collect();
            let artists = artists(store, &segments);
            several.extend(artists.intersection(&seen).cloned());
            seen.extend(artists);
        }
        several
    }
}
