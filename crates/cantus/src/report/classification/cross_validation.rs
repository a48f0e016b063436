//! Cross-validation results of a classifier: the scores of each fold and their spread.
//!
//! All folds together are scored as one test part, since every track is predicted once.

use serde::{Deserialize, Serialize};

use crate::report::fold_table::{FoldRow, FoldTable};
use crate::report::format::percent;
use crate::report::{PartSize, Spread};

/// The folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// Whether the folds are predefined by the manifest.
    pub given: bool,
    /// Track accuracy over the folds.
    pub track_accuracy: Spread,
    /// Segment accuracy over the folds.
    pub accuracy: Spread,
    /// The results of each fold.
    pub folds: Vec<FoldSummary>,
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldSummary {
    /// Its name; its run is in `fold-NAME`.
    pub fold: String,
    /// Its track accuracy.
    pub track_accuracy: f64,
    /// Its segment accuracy.
    pub accuracy: f64,
    /// Sizes of the training part.
    pub train_part: PartSize,
    /// Sizes of the validation part.
    pub validation_part: PartSize,
    /// Sizes of the test part: the fold itself.
    pub test_part: PartSize,
    /// Number of trained epochs.
    pub n_epochs: usize,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
}

impl FoldSummary {
    /// Its row of the table.
    fn row(&self) -> FoldRow<'_> {
        FoldRow {
            name: &self.fold,
            n_tracks: self.test_part.n_tracks,
            scores: [self.track_accuracy, self.accuracy],
            best_epoch: self.best_epoch,
            n_epochs: self.n_epochs,
        }
    }

    /// Sizes of its training, validation and test part.
    pub(super) fn parts(&self) -> [PartSize; 3] {
        [self.train_part, self.validation_part, self.test_part]
    }
}

impl CrossValidation {
    pub(crate) fn new(given: bool, folds: Vec<FoldSummary>) -> Self {
        let spread =
            |score: fn(&FoldSummary) -> f64| Spread::of(&folds.iter().map(score).collect::<Vec<_>>());
        let (track_accuracy, accuracy) = (spread(|fold| fold.track_accuracy), spread(|fold| fold.accuracy));
        Self { given, track_accuracy, accuracy, folds }
    }

    /// The scores of each fold and their spread.
    pub(super) fn table(&self) -> FoldTable<'_> {
        FoldTable {
            names: ["track accuracy", "segment accuracy"],
            folds: self.folds.iter().map(FoldSummary::row).collect(),
            spreads: [self.track_accuracy, self.accuracy],
            format: percent,
        }
    }
}
