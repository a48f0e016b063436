//! A report as plain text: groups of the split, folds, scores, calibration, tables by label, failed files and remarks.
//!
//! Columns are aligned by the number of characters; the text has no colours.

use crate::printable;

use super::{FoldTable, ReportContext, Table};

/// Failed files that are listed at most; the others are counted.
const MAX_FILES: usize = 10;

/// What differs between the reports of classes and of tags; lines end in `\n`.
pub(super) struct TextParts<'a> {
    /// In a cross-validation.
    pub(super) folds: Option<FoldTable<'a>>,
    /// The headline scores, and those of the baseline.
    pub(super) scores: String,
    /// Tables of scores by label.
    pub(super) tables: String,
}

/// The report of this content.
pub(super) fn text(context: &ReportContext<'_>, parts: &TextParts<'_>) -> String {
    let calibration =
        context.calibration.map(|calibration| calibration.in_words() + "\n").unwrap_or_default();
    let noise = context.noise.map(|noise| noise.line() + "\n").unwrap_or_default();
    let folds = parts.folds.as_ref().map(folds).unwrap_or_default();
    let groups = context.groups().map(|groups| groups + "\n\n").unwrap_or_default();
    let coverage = context.coverage().map(|coverage| coverage + "\n").unwrap_or_default();
    [&groups, &folds, &parts.scores, &coverage, &calibration, &noise, "\n", &parts.tables, &notes(context)]
        .concat()
}

fn folds(folds: &FoldTable<'_>) -> String {
    format!(
        "{}-fold cross-validation: every track was predicted once, by a model trained on the other folds\n\n{}\n\
         all folds together:\n\n",
        folds.folds.len(),
        table(&folds.to_table("±")),
    )
}

/// The failed files and the remarks, after a blank line.
fn notes(context: &ReportContext<'_>) -> String {
    let n_hidden = context.failures.len().saturating_sub(MAX_FILES);
    // A single one more is as short as the line that says so.
    let n_shown = if n_hidden > 1 { MAX_FILES } else { context.failures.len() };
    let failures = context.failures.iter().take(n_shown);
    let failures =
        failures.map(|file| format!("\nlost: {}: {}", printable(&file.path), printable(&file.reason)));
    let hidden = (n_hidden > 1).then(|| format!("\nlost: {n_hidden} more; report.html lists all"));
    let remarks = context.remarks.iter().map(|remark| format!("\nnote: {}", printable(remark)));
    let notes: String = failures.chain(hidden).chain(remarks).collect();
    if notes.is_empty() { notes } else { notes + "\n" }
}

/// All columns aligned right.
fn table(table: &Table) -> String {
    let rows: Vec<&Vec<String>> = std::iter::once(&table.head).chain(table.all_rows()).collect();
    let width = |column: usize| rows.iter().map(|row| length(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Labels for a terminal.
pub(super) fn printable_labels(labels: &[String]) -> Vec<String> {
    labels.iter().map(|label| printable(label)).collect()
}

/// Number of characters.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}
