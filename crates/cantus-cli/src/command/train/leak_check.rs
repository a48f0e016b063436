//! The unbiased estimate for a split by segment, which leaks: scores of the same recipe on a split by track.

use cantus::Recipe;
use cantus::report::{EvaluationReport, WithoutLeak};
use cantus::run::{Run, WITHOUT_LEAK};
use cantus_dataset::{SplitSpec, Unit};

use super::Train;
use super::data::Data;
use crate::global_options::Global;
use crate::output;

/// Result of the training without the leak.
pub(super) enum LeakCheck {
    /// The scores on a split by track.
    Found(WithoutLeak),
    /// Not applicable: the split does not leak, the tracks of the segments are unknown, or labels are tags.
    None,
    /// Ctrl-C stopped its training.
    Interrupted,
}

impl Train {
    /// If the split leaks, trains the same recipe with the same shares and seed on a split by track, in a nested run.
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
            output::note(&format!("first without the leak, for comparison: {}", prepared.split_summary()));
        }
        let run = run.inner(WITHOUT_LEAK)?;
        let evaluated = self.train_inside(prepared, &run, data, recipe, "no leak", global)?;
        Ok(match evaluated {
            None => LeakCheck::Interrupted,
            Some((_, EvaluationReport::Classes(report))) => LeakCheck::Found(WithoutLeak::of(&report.scores)),
            Some((_, EvaluationReport::Tags(_))) => LeakCheck::None,
        })
    }
}
