//! A run with a final model: one is trained and evaluated on held-out tracks, in a run inside this one, and one on all tracks.

use cantus_dataset::{FeatureStore, SplitSpec};

use super::{HELD_OUT, Run, WITHOUT_LEAK};
use crate::evaluation::Evaluated;
use crate::training::fingerprint::data_sha256;
use crate::training::job::Job;
use crate::training::{self, Stage, TrainOptions};
use crate::{Error, Model, Recipe};

impl Run {
    /// Trains and evaluates a recipe as [`train`](Self::train) does, in the run `held-out` inside this one, and then trains a
    /// final model on the tracks of all parts, except a validation part. This run has the final model and the report of the
    /// other one, whose scores are an estimate for it.
    ///
    /// # Errors
    /// Those of [`train`](Self::train).
    pub fn train_final(
        &self,
        store: &FeatureStore,
        recipe: &Recipe,
        options: &TrainOptions<'_>,
    ) -> Result<Evaluated, Error> {
        let recipe = training::adapted(recipe, store, options)?;
        let data_sha256 = data_sha256(store)?;
        let split = options.split.split_without_test(store.tracks(), store.labels())?;
        let of_final =
            TrainOptions { split: SplitSpec { test: 0.0, ..options.split.clone() }, ..options.clone() };
        let job = Job::new(store, &recipe, store.segments_of_split(split), &of_final, data_sha256.clone());
        let prepared = job.prepare()?;
        // Before anything is replaced; a finished run gets the same files again.
        self.is_finished(&prepared.fingerprint())?;
        let held_out = self.inside(HELD_OUT);
        held_out.make_folder()?;
        let evaluated = held_out.train_on_split(store, &recipe, options, data_sha256)?;
        let trained = self.fit(prepared, Stage::Final, &of_final)?;
        self.save(&trained, &evaluated, store)?;
        self.remove_inside(WITHOUT_LEAK)?;
        Ok(evaluated)
    }

    /// The run whose model the report scores, if this run has a final model beside it.
    pub(super) fn held_out(&self) -> Option<Self> {
        let inside = self.inside(HELD_OUT);
        inside.path(Model::FILE_NAME).is_file().then_some(inside)
    }
}
