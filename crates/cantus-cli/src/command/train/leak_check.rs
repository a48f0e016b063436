//! What the same recipe scores without the leak, whenever the course's split is asked for.

use cantus::Recipe;
use cantus::report::{EvaluationReport, WithoutLeak};
use cantus::run::{Run, WITHOUT_LEAK};
use cantus_dataset::{SplitSpec, Unit};

use super::Train;
use super::data::Data;
use crate::cli::Global;
use crate::output;

/// What came of looking for the honest figure.
pub(super) enum LeakCheck {
    /// It was found.
    Found(WithoutLeak),
    /// It cannot be: nobody knows which segments come from one track; or the split does not leak.
    None,
    /// Ctrl-C stopped its training.
    Interrupted,
}

impl Train {
    /// If the split leaks, trains the same recipe with the same shares and seed on a split by track, in a run inside the
    /// run.
    pub(super) fn without_leak(
        &self,
        run: &Run,
        data: &Data,
        recipe: &Recipe,
        spec: &SplitSpec,
        global: &Global,
    ) -> anyhow::Result<LeakCheck> {
        if spec.by != Unit::Segment || !data.store.tracks_known() || data.store.is_tagged() {
            return Ok(LeakCheck::None);
        }
        let spec = SplitSpec { by: Unit::Track, ..spec.clone() };
        let split = data.store.split(&spec)?;
        let prepared = self.job(data, recipe, split, spec, global).prepare()?;
        if !global.quiet {
            output::note(&format!("first without the leak, to compare: {}", prepared.split_summary()));
        }
        let run = run.inner(WITHOUT_LEAK)?;
        let evaluated = self.train_inside(prepared, &run, data, recipe, "no leak", global)?;
        Ok(match evaluated {
            None => LeakCheck::Interrupted,
            Some((_, EvaluationReport::Classes(report))) => LeakCheck::Found(WithoutLeak::of(&report)),
            Some((_, EvaluationReport::Tags(_))) => LeakCheck::None,
        })
    }
}
