//! Display of a training: notes, progress bar and dashboard, and how it ended.

use std::cell::RefCell;
use std::ops::ControlFlow;

use cantus::{Error, Evaluated, Stage, TrainEvent, TrainingStart};
use cantus_dataset::BACKGROUND_LABEL;
use cantus_nn::{EpochEnd, Progress, Scores};
use cantus_serve::Dashboard;
use indicatif::ProgressBar;

use super::Train;
use crate::global_options::Global;
use crate::{interrupt, output, progress};

/// Shows the events of one or several trainings, and stops them on Ctrl-C.
pub(super) struct Display<'a> {
    train: &'a Train,
    dashboard: Option<&'a Dashboard>,
    quiet: bool,
    bar: RefCell<ProgressBar>,
    /// An error of writing to standard output, which stops the training.
    failure: RefCell<Option<anyhow::Error>>,
}

impl<'a> Display<'a> {
    pub(super) fn new(train: &'a Train, dashboard: Option<&'a Dashboard>, global: &Global) -> Self {
        let (bar, failure) = (RefCell::new(ProgressBar::hidden()), RefCell::default());
        Self { train, dashboard, quiet: global.quiet, bar, failure }
    }

    /// Shows an event; Ctrl-C stops the training at the end of the epoch.
    pub(super) fn observe(&self, event: &TrainEvent<'_>) -> ControlFlow<()> {
        match event {
            TrainEvent::Start(start) => self.start(start),
            TrainEvent::Progress(Progress::Batch { scores, batch, n_batches, .. }) => {
                self.show_batch(*batch, *n_batches, scores);
            }
            TrainEvent::Progress(Progress::Epoch(end)) => self.show_epoch(end),
            TrainEvent::End => self.bar.borrow().finish_and_clear(),
            TrainEvent::FoldEvaluated { fold, name, n_folds, report } if !self.quiet => {
                let place = format!("fold {name} ({} of {n_folds})", fold + 1);
                output::note(&format!("{place}: {}", report.headline()));
            }
            _ => {}
        }
        let stops = interrupt::requested() || self.failure.borrow().is_some();
        if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn start(&self, start: &TrainingStart<'_>) {
        self.describe_network(start);
        // The networks of an ensemble are trained on the same data.
        if start.member.is_none_or(|member| member.index == 0) {
            self.describe_data(start);
        }
        let stage = stage_name(start);
        *self.bar.borrow_mut() = progress::training_bar(&stage, start.n_epochs, self.quiet);
        if let Some(dashboard) = self.dashboard {
            dashboard.start_stage(&stage, start.n_epochs);
        }
    }

    /// Prints the network of the first training; of an ensemble, each.
    fn describe_network(&self, start: &TrainingStart<'_>) {
        let is_first = matches!(start.stage, Stage::Single | Stage::Fold { fold: 0 });
        if self.quiet || self.train.json || !is_first {
            return;
        }
        let network = match &start.member {
            Some(member) => format!("{member}\n{}", start.network),
            None => start.network.clone(),
        };
        *self.failure.borrow_mut() = output::print(&network).err();
    }

    /// Prints the split of a training, and what else it trains on.
    fn describe_data(&self, start: &TrainingStart<'_>) {
        for recording in &start.duplicates_across_split {
            output::note(&format!(
                "the given split has copies of {recording} in several parts: the estimate is biased upwards"
            ));
        }
        if self.quiet {
            return;
        }
        let split = &start.split;
        match start.stage {
            Stage::WithoutLeak => output::note(&format!("first without the leak, for comparison: {split}")),
            _ => output::note(&split.to_string()),
        }
        if start.stage == Stage::Single && start.n_copied_segments > 0 {
            output::note(&format!(
                "training on {} segments of augmented copies too",
                start.n_copied_segments
            ));
        }
        if start.stage == Stage::Single && start.n_background_segments > 0 {
            output::note(&format!(
                "training on {} synthesised segments of noise, babble and hum as {BACKGROUND_LABEL} too",
                start.n_background_segments
            ));
        }
        if start.stage == Stage::Single && self.train.resume && !start.is_resumed {
            let run = self.train.output.display();
            output::note(&format!("no interrupted training in {run}; starting from the beginning"));
        }
    }

    fn show_batch(&self, batch: usize, n_batches: usize, scores: &Scores) {
        let stopping = if interrupt::requested() { "stopping after this epoch  " } else { "" };
        let message = format!("{stopping}batch {batch}/{n_batches}  {}", in_words("", scores));
        self.bar.borrow().set_message(message);
        if let Some(dashboard) = self.dashboard {
            dashboard.record_batch(batch, n_batches, *scores);
        }
    }

    fn show_epoch(&self, end: &EpochEnd<'_>) {
        let bar = self.bar.borrow();
        bar.set_position(end.epoch as u64 + 1);
        let validation = end.log.validation.map(|scores| in_words("val_", &scores)).unwrap_or_default();
        bar.set_message(format!("{}  {validation}", in_words("", &end.log.train)));
        if let Some(dashboard) = self.dashboard {
            dashboard.record_epoch(end.history);
        }
    }

    /// The result of the training, with its main score on the dashboard; `None` if Ctrl-C stopped it.
    pub(super) fn finish(&self, result: Result<Evaluated, Error>) -> anyhow::Result<Option<Evaluated>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match result {
            Ok(evaluated) => {
                if let Some(dashboard) = self.dashboard {
                    let what = if evaluated.report.classes().is_some() { "track accuracy " } else { "" };
                    dashboard.finish(&format!("{what}{}", evaluated.report.headline()));
                }
                Ok(Some(evaluated))
            }
            Err(Error::Interrupted) => {
                output::note("stopped; the same command with --resume continues");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The name of a training before its bar and on the dashboard.
fn stage_name(start: &TrainingStart<'_>) -> String {
    let stage = match start.stage {
        Stage::WithoutLeak => "no leak".to_owned(),
        Stage::Fold { fold } => format!("fold {}", fold + 1),
        Stage::Final => "final".to_owned(),
        Stage::Trial { fold } => format!("trial, fold {}", fold + 1),
        _ => "train".to_owned(),
    };
    match start.member {
        Some(member) => format!("{stage}, network {} of {}", member.index + 1, member.n_members),
        None => stage,
    }
}

fn in_words(prefix: &str, scores: &Scores) -> String {
    let accuracy =
        scores.accuracy.map(|accuracy| format!("  {prefix}accuracy {accuracy:.3}")).unwrap_or_default();
    format!("{prefix}loss {:.3}{accuracy}", scores.loss)
}
