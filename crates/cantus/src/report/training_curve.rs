//! The training history of a model, with the epoch whose weights were kept.

use cantus_nn::History;

use crate::Recipe;

/// The training history with the epoch whose weights were kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingCurve<'a> {
    /// Loss and accuracy by epoch.
    pub(crate) history: &'a History,
    /// The epoch whose weights were kept, from 0; `None` if that is the last by definition.
    pub(crate) best_epoch: Option<usize>,
    /// Number of networks of an ensemble, whose epochs are one after another; `None` for a single network.
    pub(crate) n_networks: Option<usize>,
}

impl<'a> TrainingCurve<'a> {
    /// The curve of a training with a recipe: early stopping keeps the first epoch with the lowest validation loss (training
    /// loss without a validation part).
    pub(crate) fn new(history: &'a History, recipe: &Recipe) -> Self {
        let keeps_best = recipe.training.early_stopping.is_some_and(|stopping| stopping.restore_best_weights);
        let n_networks = recipe.is_ensemble().then_some(recipe.members.len());
        Self { history, best_epoch: history.best_epoch().filter(|_| keeps_best), n_networks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_is_set_with_early_stopping_only() {
        let (loss, val_loss) = (vec![0.9, 0.5, 0.1], vec![0.8, 0.95, 0.9]);
        let history = History { loss, val_loss, ..History::default() };
        let best = |history: &History, recipe: &str| {
            TrainingCurve::new(history, &Recipe::load(recipe).unwrap()).best_epoch
        };
        assert_eq!((best(&history, "mlp-normalised"), best(&history, "mlp")), (Some(0), None));
        let without_validation = History { val_loss: Vec::new(), ..history };
        assert_eq!(best(&without_validation, "mlp-normalised"), Some(2));
    }
}
