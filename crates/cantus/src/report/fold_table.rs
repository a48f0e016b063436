//! Table of a cross-validation: the scores of each fold, with their mean and standard deviation.

use super::{Spread, Table};

/// The content of the table.
pub(super) struct FoldTable<'a> {
    /// Names of the score of tracks and of that of segments.
    pub(super) names: [&'static str; 2],
    /// A row for each fold.
    pub(super) folds: Vec<FoldRow<'a>>,
    /// Spread of both scores over the folds.
    pub(super) spreads: [Spread; 2],
    /// A score as text.
    pub(super) format: fn(f64) -> String,
}

/// One fold.
pub(super) struct FoldRow<'a> {
    pub(super) name: &'a str,
    /// Number of test tracks.
    pub(super) n_tracks: usize,
    /// Score of tracks, score of segments.
    pub(super) scores: [f64; 2],
    /// The epoch whose weights were kept, from 1.
    pub(super) best_epoch: usize,
    /// Number of trained epochs.
    pub(super) n_epochs: usize,
}

impl FoldTable<'_> {
    /// A row for each fold; the mean and the standard deviation, under the name `deviation`, are the foot.
    pub(super) fn to_table(&self, deviation: &str) -> Table {
        let row = |fold: &FoldRow<'_>| {
            let [tracks, segments] = fold.scores.map(self.format);
            let epochs = format!("{} of {}", fold.best_epoch, fold.n_epochs);
            vec![fold.name.to_owned(), fold.n_tracks.to_string(), tracks, segments, epochs]
        };
        let spread = |name: &str, value: fn(Spread) -> f64| {
            let [tracks, segments] = self.spreads.map(|spread| (self.format)(value(spread)));
            vec![name.to_owned(), String::new(), tracks, segments, String::new()]
        };
        let [tracks, segments] = self.names;
        let table =
            Table::new("", &["fold", "tracks", tracks, segments, "best epoch"], self.folds.iter().map(row));
        let foot = vec![spread("mean", |spread| spread.mean), spread(deviation, |spread| spread.deviation)];
        Table { foot, ..table }
    }
}
