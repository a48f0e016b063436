//! The table of misclassified tracks, in Markdown and in HTML.

use super::Mistake;
use crate::report::Table;
use crate::report::format::percent;

/// A row for each mistake; `time` is that of its most confident segment.
pub(super) fn mistakes_table(
    caption: &'static str,
    mistakes: &[Mistake],
    time: impl Fn(&Mistake) -> String,
) -> Table {
    let row = |mistake: &Mistake| {
        let Mistake { path, label, predicted, probability, is_probable_label_error, .. } = mistake;
        let error = if *is_probable_label_error { "label" } else { "" };
        let cells = [path, label, predicted].map(String::clone);
        cells.into_iter().chain([percent(*probability), time(mistake), error.to_owned()]).collect()
    };
    let head = ["file", "true", "predicted", "probability", "most confident segment", "probable error"];
    Table::new(caption, &head, mistakes.iter().map(row))
}
