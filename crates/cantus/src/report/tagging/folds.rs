//! Cross-validation results of a tagger: the scores of each fold and their spread.

use serde::{Deserialize, Serialize};

use super::TagReport;
use super::text::figure;
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
    /// Sizes of its training, validation and test part.
    pub(super) fn parts(&self) -> [PartSize; 3] {
        [self.train_part, self.validation_part, self.test_part]
    }

    /// The results from the report of a fold's own run.
    fn new(fold: &str, report: &TagReport) -> Self {
        Self {
            fold: fold.to_owned(),
            track_macro_average_precision: report.scores.track_macro_average_precision,
            macro_average_precision: report.scores.macro_average_precision,
            train_part: report.split.train_part,
            validation_part: report.split.validation_part,
            test_part: report.split.test_part,
            n_epochs: report.model.n_epochs.unwrap_or(0),
            best_epoch: report.model.best_epoch.unwrap_or(0),
        }
    }
}

impl TagCrossValidation {
    /// The results of folds, from their names and reports.
    pub(crate) fn new<'a>(given: bool, folds: impl Iterator<Item = (&'a str, &'a TagReport)>) -> Self {
        let folds: Vec<TagFold> = folds.map(|(name, report)| TagFold::new(name, report)).collect();
        let spread = |score: fn(&TagFold) -> f64| Spread::of(&folds.iter().map(score).collect::<Vec<_>>());
        Self {
            given,
            track_macro_average_precision: spread(|fold| fold.track_macro_average_precision),
            macro_average_precision: spread(|fold| fold.macro_average_precision),
            folds,
        }
    }

    /// Table cells: a row for each fold, then the mean and the deviation.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let row = |fold: &TagFold| {
            vec![
                fold.fold.clone(),
                fold.test_part.n_tracks.to_string(),
                figure(fold.track_macro_average_precision),
                figure(fold.macro_average_precision),
                format!("{} of {}", fold.best_epoch, fold.n_epochs),
            ]
        };
        let spread = |name: &str, value: fn(&Spread) -> f64| {
            let (tracks, segments) = (self.track_macro_average_precision, self.macro_average_precision);
            vec![
                name.to_owned(),
                String::new(),
                figure(value(&tracks)),
                figure(value(&segments)),
                String::new(),
            ]
        };
        let mut rows: Vec<Vec<String>> = self.folds.iter().map(row).collect();
        rows.push(spread("mean", |spread| spread.mean));
        rows.push(spread("±", |spread| spread.deviation));
        rows
    }
}

/// Column heads of [`TagCrossValidation::rows`].
pub(super) const HEAD: [&str; 5] = ["fold", "tracks", "macro AP of tracks", "of segments", "best epoch"];
