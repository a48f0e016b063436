//! Observer of a training: progress bar, dashboard and checkpoints.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use cantus::run::Run;
use cantus_nn::{EpochEnd, Progress, Scores};
use cantus_serve::Dashboard;
use indicatif::ProgressBar;

use crate::interrupt;

/// Minimum time between two checkpoints: rare enough to cost little, frequent enough to lose little.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

/// Updates a bar and a dashboard, and writes checkpoints.
pub struct ProgressObserver<'a> {
    bar: &'a ProgressBar,
    dashboard: Option<&'a Dashboard>,
    run: &'a Run,
    /// Fingerprint of the job, stored with its checkpoints.
    fingerprint: String,
    last_checkpoint: Instant,
    /// Error of writing a checkpoint, which stops the training.
    failure: Option<cantus::Error>,
}

impl<'a> ProgressObserver<'a> {
    pub fn new(
        bar: &'a ProgressBar,
        dashboard: Option<&'a Dashboard>,
        run: &'a Run,
        fingerprint: String,
    ) -> Self {
        Self { bar, dashboard, run, fingerprint, last_checkpoint: Instant::now(), failure: None }
    }

    /// Shows progress. Ctrl-C stops the training at the end of the epoch, with a checkpoint.
    pub fn observe(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        match progress {
            Progress::Batch { scores, batch, n_batches, .. } => {
                let stopping = if interrupt::requested() { "stopping after this epoch  " } else { "" };
                self.bar
                    .set_message(format!("{stopping}batch {batch}/{n_batches}  {}", in_words("", scores)));
                if let Some(dashboard) = self.dashboard {
                    dashboard.record_batch(*batch, *n_batches, *scores);
                }
                ControlFlow::Continue(())
            }
            Progress::Epoch(end) => self.end_epoch(end),
            _ => ControlFlow::Continue(()),
        }
    }

    fn end_epoch(&mut self, end: &EpochEnd<'_>) -> ControlFlow<()> {
        self.bar.set_position(end.epoch as u64 + 1);
        let validation = end.log.validation.map(|scores| in_words("val_", &scores)).unwrap_or_default();
        self.bar.set_message(format!("{}  {validation}", in_words("", &end.log.train)));
        if let Some(dashboard) = self.dashboard {
            dashboard.record_epoch(end.history);
        }
        if interrupt::requested() || self.last_checkpoint.elapsed() >= CHECKPOINT_EVERY {
            self.last_checkpoint = Instant::now();
            let kept = end
                .checkpoint()
                .map_err(cantus::Error::from)
                .and_then(|bytes| self.run.save_checkpoint(&self.fingerprint, &bytes));
            self.failure = kept.err();
        }
        if interrupt::requested() || self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// The error that stopped the training, if a checkpoint could not be written.
    pub fn failure(self) -> Option<cantus::Error> {
        self.failure
    }
}

fn in_words(prefix: &str, scores: &Scores) -> String {
    let accuracy =
        scores.accuracy.map(|accuracy| format!("  {prefix}accuracy {accuracy:.3}")).unwrap_or_default();
    format!("{prefix}loss {:.3}{accuracy}", scores.loss)
}
