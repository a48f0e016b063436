//! Cross-validation results of a tagger: the scores of each fold and their spread.

use serde::{Deserialize, Serialize};

use crate::report::fold_table::{FoldRow, FoldTable};
use crate::report::format::decimal;
use crate::report::{PartSize, Spread};

/// The folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagCrossValidation {
    /// Whether the folds are predefined by the manifest.
    pub given: bool,
    /// Macro average precision of tracks, over the folds.
    pub track_macro_average_precision: Spread,
    /// Macro average precision of segments, over the folds.
    pub macro_average_precision: Spread,
    /// The results of each fold.
    pub folds: Vec<TagFold>,
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagFold {
    /// Its name; its run is in `fold-NAME`.
    pub fold: String,
    /// Macro average precision of its tracks.
    pub track_macro_average_precision: f64,
    /// Macro average precision of its segments.
    pub macro_average_precision: f64,
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

impl TagFold {
    /// Its row of the table.
    fn row(&self) -> FoldRow<'_> {
        FoldRow {
            name: &self.fold,
            n_tracks: self.test_part.n_tracks,
            scores: [self.track_macro_average_precision, self.macro_average_precision],
            best_epoch: self.best_epoch,
            n_epochs: self.n_epochs,
        }
    }

    /// Sizes of its training, validation and test part.
    pub(super) fn parts(&self) -> [PartSize; 3] {
        [self.train_part, self.validation_part, self.test_part]
    }
}

impl TagCrossValidation {
    pub(crate) fn new(given: bool, folds: Vec<TagFold>) -> Self {
        let spread = |score: fn(&TagFold) -> f64| Spread::of(&folds.iter().map(score).collect::<Vec<_>>());
        Self {
            given,
            track_macro_average_precision: spread(|fold| fold.track_macro_average_precision),
            macro_average_precision: spread(|fold| fold.macro_average_precision),
            folds,
        }
    }

    /// The scores of each fold and their spread.
    pub(super) fn table(&self) -> FoldTable<'_> {
        FoldTable {
            names: ["macro AP of tracks", "of segments"],
            folds: self.folds.iter().map(TagFold::row).collect(),
            spreads: [self.track_macro_average_precision, self.macro_average_precision],
            format: decimal,
        }
    }
}
