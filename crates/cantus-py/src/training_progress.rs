//! Events of a training for the function that shows its progress.

use std::cell::RefCell;

use cantus::{Stage, TrainEvent, TrainingStart};
use cantus_nn::{EpochEnd, Progress as Step};

use crate::progress::Progress;

/// Calls the function with the stage, the number of finished epochs, the number of epochs, and scores by their names in Keras.
pub struct TrainingProgress<'a> {
    progress: &'a Progress,
    stage: RefCell<(String, usize)>,
}

impl<'a> TrainingProgress<'a> {
    /// Before the first event.
    pub fn new(progress: &'a Progress) -> Self {
        Self { progress, stage: RefCell::default() }
    }

    /// Shows the beginning of a training and the end of each epoch.
    pub fn show(&self, event: &TrainEvent<'_>) {
        match event {
            TrainEvent::Start(start) => {
                *self.stage.borrow_mut() = (stage_name(start), start.n_epochs);
                self.call(0, Vec::new());
            }
            TrainEvent::Progress(Step::Epoch(end)) => self.call(end.epoch + 1, scores(end)),
            _ => {}
        }
    }

    fn call(&self, epoch: usize, scores: Vec<(&'static str, f64)>) {
        let (stage, n_epochs) = self.stage.borrow().clone();
        self.progress.show((stage, epoch, n_epochs, scores));
    }
}

/// The last value of each series of the history.
pub fn scores(end: &EpochEnd<'_>) -> Vec<(&'static str, f64)> {
    end.history.columns().filter_map(|(name, values)| Some((name, *values.last()?))).collect()
}

/// Name of a training beside its progress bar.
fn stage_name(start: &TrainingStart<'_>) -> String {
    let stage = match start.stage {
        Stage::WithoutLeak => "without leak".to_owned(),
        Stage::Fold { fold } => format!("fold {}", fold + 1),
        Stage::Final => "final".to_owned(),
        _ => "train".to_owned(),
    };
    match start.member {
        Some(member) => format!("{stage}, network {} of {}", member.index + 1, member.n_members),
        None => stage,
    }
}
