//! Repeated evaluation of a finished run from its features.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cantus_dataset::{FeatureStore, Part};

use super::tables::{self, SplitRow};
use super::{Run, SPLIT};
use crate::Error;
use crate::error::RunProblem;
use crate::noise::NoiseSounds;
use crate::predictions::Predictions;
use crate::report::EvaluationReport;
use crate::training::fingerprint::data_sha256;

impl Run {
    /// Scores the run's models on their test parts again, from the features, on `n_threads` threads (0 for one per core).
    ///
    /// # Errors
    /// If the run is incomplete, or its features are missing, changed or of another specification.
    pub fn evaluate(&self, features: Option<&Path>, n_threads: usize) -> Result<EvaluationReport, Error> {
        if let Some(held_out) = self.held_out() {
            return held_out.evaluate(features, n_threads);
        }
        let mut store = FeatureStore::open(&self.features(features)?)?;
        let report = self.report()?;
        let runs = match report.n_folds() {
            None => vec![self.clone()],
            Some(n_folds) => (0..n_folds).map(|fold| self.fold(fold)).collect(),
        };
        // Before the checksum, which only detects a difference: this error names it.
        if let Some(run) = runs.first() {
            run.model()?.check_features(store.spec(), store.labels())?;
        }
        if data_sha256(&store)? != report.model().data_sha256 {
            return self.refuse(RunProblem::OtherFeatures);
        }
        if let Some(run) = runs.first() {
            run.recall_groups(&mut store)?;
        }
        let (mut predictions, noise) = (Predictions::default(), NoiseSounds::extract(&store)?);
        for run in runs {
            predictions.extend(&run.predictions(&store, &noise, n_threads)?);
        }
        report.renewed(&predictions, &store)
    }

    /// The predictions of the run's model for its test part.
    pub(super) fn predictions(
        &self,
        store: &FeatureStore,
        noise: &NoiseSounds,
        n_threads: usize,
    ) -> Result<Predictions, Error> {
        let mut model = self.model()?;
        model.network.set_threads(n_threads);
        model.check_features(store.spec(), store.labels())?;
        let [train, validation, test] = self.segments(store)?;
        Predictions::of(&model, store, &test, &[train, validation].concat(), noise)
    }

    /// Path of the features: the given one, or the one that the run was trained on.
    fn features(&self, given: Option<&Path>) -> Result<PathBuf, Error> {
        if let Some(path) = given {
            return Ok(path.to_owned());
        }
        let features = self.dir.join(self.config()?.run.features);
        if features.exists() {
            return Ok(features);
        }
        self.refuse(RunProblem::FeaturesMoved { features })
    }

    /// Restores the groups of the store's tracks from `split.csv`.
    fn recall_groups(&self, store: &mut FeatureStore) -> Result<(), Error> {
        let rows = self.split_rows()?.into_iter().map(|row| (row.path, row.group));
        let groups: HashMap<String, Option<String>> = rows.collect();
        for track in store.tracks_mut() {
            track.group = groups.get(&track.path).cloned().flatten();
        }
        Ok(())
    }

    fn split_rows(&self) -> Result<Vec<SplitRow>, Error> {
        tables::read_split(&self.path(SPLIT)).map_err(|error| self.malformed(SPLIT, &error))
    }

    /// The segments of each part according to `split.csv`, in the order of [`Part::ALL`].
    fn segments(&self, store: &FeatureStore) -> Result<[Vec<usize>; 3], Error> {
        let numbers: HashMap<&str, usize> =
            store.tracks().iter().enumerate().map(|(number, track)| (track.path.as_str(), number)).collect();
        let mut segments: [Vec<usize>; 3] = Default::default();
        for SplitRow { path, segment, part, .. } in self.split_rows()? {
            let Some(&track) = numbers.get(path.as_str()) else {
                return self.refuse(RunProblem::UnknownTrack { track: path });
            };
            let Some(place) = part.and_then(|part| Part::ALL.into_iter().position(|other| other == part))
            else {
                continue;
            };
            let of_track = store.segments_of(track);
            match segment {
                None => segments[place].extend(of_track),
                Some(segment) => segments[place].extend(of_track.into_iter().nth(segment)),
            }
        }
        segments.iter_mut().for_each(|part| part.sort_unstable());
        Ok(segments)
    }
}
