//! The data of a training: the given feature store, or one that is extracted from the given recordings.

use std::path::PathBuf;

use cantus::{Recipe, RecordingOptions, Run, Task};
use cantus_dataset::{Durations, FeatureStore, SplitSpec};

use super::Train;
use crate::command::{extract, segment_options};
use crate::global_options::Global;
use crate::output;

/// Features to train on.
pub(super) struct Data {
    pub(super) store: FeatureStore,
    /// How it is split.
    pub(super) split: SplitSpec,
    /// Number of files whose extraction for this run failed.
    pub(super) n_lost: usize,
}

impl Train {
    /// The features, with their groups and official parts. `None` if Ctrl-C stopped their extraction.
    pub(super) fn data(
        &self,
        split: SplitSpec,
        recipe: &Recipe,
        run: &Run,
        global: &Global,
    ) -> anyhow::Result<Option<Data>> {
        let Some((features, n_lost)) = self.features(recipe, run, global)? else { return Ok(None) };
        let mut store = FeatureStore::open(&features)?;
        let split = self.split.assign(split, self.folds.map(usize::from), &mut store, global)?;
        if !global.quiet {
            note_shard(&store);
            note_copies(&store);
            note_tags(&store, recipe)?;
        }
        Ok(Some(Data { store, split, n_lost }))
    }

    /// The given feature store, or one extracted into the run from the given recordings, and the number of these that
    /// failed; `None` if interrupted.
    fn features(
        &self,
        recipe: &Recipe,
        run: &Run,
        global: &Global,
    ) -> anyhow::Result<Option<(PathBuf, usize)>> {
        if FeatureStore::is_store(&self.data) {
            self.recording_options().check_store()?;
            return Ok(Some((self.data.clone(), 0)));
        }
        if self.start.is_given() {
            self.recording_options().check_start()?;
        }
        let store = run.path("features");
        let copies = recipe.augmentation.copy_spec();
        let choices = extract::Choices {
            overwrite: self.overwrite,
            augmentation: Some(&copies),
            ..extract::Choices::default()
        };
        let catalog = extract::open_catalog(&self.data, self.background.as_deref(), None, global)?;
        let durations = Durations::of_catalog(&catalog);
        let (recipe, segments) =
            self.segments.changes().of_recipe(recipe, &durations, catalog.labels.len())?;
        segment_options::report_choice(&segments, &durations, global);
        let extraction = extract::extract_catalog(&catalog, &recipe.features, &store, choices, global)?;
        Ok(extraction.map(|extraction| {
            extract::report_extraction(&extraction, &store, global);
            (store, extraction.failures.len())
        }))
    }

    fn recording_options(&self) -> RecordingOptions {
        RecordingOptions {
            segments: !self.segments.changes().is_empty(),
            embeddings: !self.embeddings.is_empty(),
            background: self.background.is_some(),
        }
    }
}

/// Reports that a store has only a share of the recordings.
fn note_shard(store: &FeatureStore) {
    if let Some(shard) = store.shard() {
        output::note(&format!(
            "the features are shard {shard} of a data set; `cantus store merge` of all shards gives the whole"
        ));
    }
}

/// Reports tags: their statistics, and how they change the recipe.
fn note_tags(store: &FeatureStore, recipe: &Recipe) -> anyhow::Result<()> {
    if Task::of_store(store) == Task::Tagging {
        let adapted = recipe.for_task(Task::Tagging)?;
        let mut pairs = adapted.networks().iter().zip(recipe.networks());
        let is_changed = pairs.any(|(adapted, recipe)| adapted.training.loss != recipe.training.loss);
        output::note(&tags_in_words(store, is_changed));
    }
    Ok(())
}

/// Statistics of the tags, and how they change the recipe.
fn tags_in_words(store: &FeatureStore, is_changed: bool) -> String {
    let labels = match store.labels().len() {
        1 => "1 label, or none".to_owned(),
        n => format!("{n} labels, several to a track"),
    };
    let n_tags: usize = store.tracks().iter().map(|track| track.labels.len()).sum();
    let n_without = store.tracks().iter().filter(|track| track.labels.is_empty()).count();
    let mean = n_tags as f64 / store.tracks().len().max(1) as f64;
    let changed = if is_changed {
        "; sigmoid and binary cross-entropy replace the recipe's softmax and categorical cross-entropy"
    } else {
        ""
    };
    format!("{labels}: {mean:.1} on average, none in {n_without} of {} tracks{changed}", store.tracks().len())
}

/// Reports copies of recordings, which every split keeps together.
fn note_copies(store: &FeatureStore) {
    let of_recordings: Vec<&str> =
        store.tracks().iter().filter_map(|track| track.recording.as_deref()).collect();
    let n_recordings = of_recordings.iter().collect::<std::collections::BTreeSet<_>>().len();
    if n_recordings > 0 {
        let n_tracks = of_recordings.len();
        output::note(&format!(
            "{n_tracks} tracks are copies of {} (recordings.csv of the features); the split keeps the copies of each together",
            output::count(n_recordings, "recording")
        ));
    }
}
