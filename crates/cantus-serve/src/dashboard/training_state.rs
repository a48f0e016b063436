//! Progress of a training run, and the JSON messages that describe it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use cantus_nn::{History, Scores};
use serde::Serialize;
use tokio::sync::watch;

/// Training state that the training thread writes and the server reads.
#[derive(Debug)]
pub(super) struct SharedTraining {
    state: Mutex<TrainingState>,
    changed: watch::Sender<()>,
}

/// Progress of a run.
#[derive(Debug)]
pub(super) struct TrainingState {
    run: String,
    /// Current training; in a cross-validation, the current fold.
    stage: String,
    n_stages: usize,
    n_epochs: usize,
    started: Instant,
    /// Epochs of the stage that an interrupted process had trained before.
    n_resumed: usize,
    history: History,
    /// Progress within the current epoch.
    batch: Option<BatchProgress>,
    /// Result of the run once it has ended.
    pub(super) result: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct BatchProgress {
    batch: usize,
    n_batches: usize,
    loss: f64,
    accuracy: Option<f64>,
}

/// One server-sent event.
#[derive(Debug, Serialize)]
struct Message<'a> {
    run: &'a str,
    stage: &'a str,
    n_stages: usize,
    n_epochs: usize,
    elapsed_s: f64,
    /// Estimate from the mean duration of an epoch; ignores early stopping.
    left_s: Option<f64>,
    batch: Option<BatchProgress>,
    /// Index of the first epoch in this message, from 0; earlier ones were sent before.
    first: usize,
    epochs: Vec<Epoch>,
    ended: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Epoch {
    loss: f64,
    accuracy: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
}

/// Stages and epochs that one browser has received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SentEpochs {
    n_stages: usize,
    n_epochs: usize,
}

impl SharedTraining {
    pub(super) fn new(run: &str) -> Self {
        Self { state: Mutex::new(TrainingState::new(run)), changed: watch::Sender::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, TrainingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and notifies the subscribers.
    pub(super) fn update(&self, change: impl FnOnce(&mut TrainingState)) {
        change(&mut self.lock());
        self.changed.send_replace(());
    }

    /// A receiver that is notified of changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The next event for a browser, and whether it is the last one.
    pub(super) fn next_event(&self, sent: &mut SentEpochs) -> (Bytes, bool) {
        let state = self.lock();
        let first = if sent.n_stages == state.n_stages { sent.n_epochs } else { 0 };
        let message = state.message(first);
        *sent = SentEpochs { n_stages: state.n_stages, n_epochs: state.history.n_epochs() };
        // Cannot fail: the message has numbers and strings only.
        let text = serde_json::to_string(&message).unwrap_or_default();
        (format!("data: {text}\n\n").into(), state.result.is_some())
    }
}

impl TrainingState {
    fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            stage: String::new(),
            n_stages: 0,
            n_epochs: 0,
            started: Instant::now(),
            n_resumed: 0,
            history: History::default(),
            batch: None,
            result: None,
        }
    }

    pub(super) fn start_stage(&mut self, stage: &str, n_epochs: usize) {
        self.stage = stage.to_owned();
        self.n_stages += 1;
        self.n_epochs = n_epochs;
        self.started = Instant::now();
        self.n_resumed = 0;
        self.history = History::default();
        self.batch = None;
    }

    pub(super) fn record_batch(&mut self, batch: usize, n_batches: usize, scores: Scores) {
        let Scores { loss, accuracy } = scores;
        self.batch = Some(BatchProgress { batch, n_batches, loss, accuracy });
    }

    pub(super) fn record_epoch(&mut self, history: &History) {
        if self.history.n_epochs() == 0 {
            self.n_resumed = history.n_epochs().saturating_sub(1);
        }
        self.history = history.clone();
        self.batch = None;
    }

    fn message(&self, first: usize) -> Message<'_> {
        let History { loss, accuracy, val_loss, val_accuracy, .. } = &self.history;
        let epoch = |i: usize| Epoch {
            loss: loss[i],
            accuracy: accuracy.get(i).copied(),
            val_loss: val_loss.get(i).copied(),
            val_accuracy: val_accuracy.get(i).copied(),
        };
        Message {
            run: &self.run,
            stage: &self.stage,
            n_stages: self.n_stages,
            n_epochs: self.n_epochs,
            elapsed_s: self.started.elapsed().as_secs_f64(),
            left_s: self.left_s(),
            batch: self.batch,
            first,
            epochs: (first..loss.len()).map(epoch).collect(),
            ended: self.result.as_deref(),
        }
    }

    fn left_s(&self) -> Option<f64> {
        let n_done = self.history.n_epochs();
        let n_since_start = n_done.checked_sub(self.n_resumed).filter(|&n| n > 0)?;
        let epoch_s = self.started.elapsed().as_secs_f64() / n_since_start as f64;
        Some(epoch_s * self.n_epochs.saturating_sub(n_done) as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_remaining_time_of_a_resumed_training_counts_only_the_new_epochs() {
        let mut state = TrainingState::new("my run");
        state.start_stage("train", 100);
        state.started = Instant::now() - Duration::from_secs(10);
        state.record_epoch(&History { loss: vec![0.5; 51], ..History::default() });
        let left_s = state.left_s().unwrap();
        assert!((489.0..520.0).contains(&left_s), "49 more at 10 s each: {left_s}");
    }
}
