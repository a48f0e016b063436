//! The report of a tagger as plain text: headline scores and a table by tag.

use super::{TagReport, folds};
use cantus_metrics::Interval;
use cantus_metrics::tagging::{TagScore, paired_in_words};

/// The full report.
pub(super) fn text(report: &TagReport) -> String {
    let mut out = of_folds(report) + &headline(report) + "\n" + &tags(report);
    for failure in &report.failures {
        out += &format!("\nlost: {}: {}", failure.path, failure.reason);
    }
    for remark in &report.remarks {
        out += &format!("\nnote: {remark}");
    }
    if !(report.failures.is_empty() && report.remarks.is_empty()) {
        out.push('\n');
    }
    out
}

/// A score between 0 and 1 with three decimals.
pub(super) fn figure(score: f64) -> String {
    format!("{score:.3}")
}

/// The same for an optional score.
pub(super) fn figure_if_any(score: Option<f64>) -> String {
    score.map_or("–".to_owned(), figure)
}

/// A confidence interval, with the number of independent groups if the unit is not the track.
pub(super) fn range(interval: Option<Interval>, n_groups: Option<usize>) -> String {
    let over = n_groups.map(|n| format!(" over {n} groups")).unwrap_or_default();
    let words = |i: Interval| format!("(95 % CI {:.2}–{:.2}{over})", i.low, i.high);
    interval.map(words).unwrap_or_default()
}

fn of_folds(report: &TagReport) -> String {
    let Some(cross) = &report.cross_validation else { return String::new() };
    let mut out = format!(
        "{}-fold cross-validation: every track was predicted once, by a model trained on the other folds\n\n",
        cross.folds.len()
    );
    let head: Vec<String> = folds::HEAD.iter().map(|name| (*name).to_owned()).collect();
    let rows = cross.rows();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in std::iter::once(&head).chain(&rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        out += cells.collect::<Vec<_>>().join("  ").trim_end();
        out.push('\n');
    }
    out + "\nall folds together:\n\n"
}

fn headline(report: &TagReport) -> String {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let interval = |interval| format!(" {}", range(interval, scores.n_groups)).trim_end().to_owned();
    format!(
        "macro average precision {} of tracks{}, n = {}; chance would score {}\n\
         macro average precision {} of segments, n = {}\n\
         macro ROC AUC {} of tracks, {} of segments\n\
         F1 of tracks, each tag given above {}: micro {}, macro {}\n\
         baseline {} of tracks{}: a logistic regression for each label on means and deviations; the model {}\n\
         {}\n",
        figure(scores.track_macro_average_precision),
        interval(scores.track_macro_average_precision_interval),
        counted(scores.n_tracks, "track"),
        figure(scores.chance_level),
        figure(scores.macro_average_precision),
        counted(scores.n_segments, "segment"),
        figure(scores.track_macro_roc_auc),
        figure(scores.macro_roc_auc),
        scores.threshold,
        figure(scores.track_micro_f1),
        figure(scores.track_macro_f1),
        figure(baseline.track_macro_average_precision),
        interval(baseline.track_macro_average_precision_interval),
        paired_in_words(&baseline.model_against_it),
        report.calibration.in_words(),
    )
}

fn counted(n: usize, unit: &str) -> String {
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

/// A row for each tag.
fn tags(report: &TagReport) -> String {
    let scores = &report.scores;
    let first = scores.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(9);
    let mut out = format!(
        "{:>first$}  avg precision     (95 % CI)  by chance  ROC AUC  precision    recall  f1-score   support\n\n",
        "tracks"
    );
    for label in &scores.labels {
        let Some(tag) = scores.track_per_label.get(label) else { continue };
        out += &row(label, tag, first);
    }
    out += &format!(
        "\n{:>first$}  {:>13}  {:>12}  {:>9}  {:>7}  {:>9} {:>9} {:>9} {:>9}\n",
        "macro avg",
        figure(scores.track_macro_average_precision),
        short(scores.track_macro_average_precision_interval),
        figure(scores.chance_level),
        figure(scores.track_macro_roc_auc),
        "",
        "",
        figure(scores.track_macro_f1),
        scores.track_per_label.values().map(|tag| tag.support).sum::<usize>(),
    );
    out
}

fn row(label: &str, tag: &TagScore, first: usize) -> String {
    format!(
        "{label:>first$}  {:>13}  {:>12}  {:>9}  {:>7}  {:>9} {:>9} {:>9} {:>9}\n",
        figure_if_any(tag.average_precision),
        short(tag.average_precision_interval),
        figure(tag.prevalence),
        figure_if_any(tag.roc_auc),
        figure(tag.precision),
        figure(tag.recall),
        figure(tag.f1_score),
        tag.support,
    )
}

fn short(interval: Option<Interval>) -> String {
    interval.map(|i| format!("({:.2}–{:.2})", i.low, i.high)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::reference::tag_report;

    #[test]
    fn the_text_report_of_a_tagger() {
        let text = text(&tag_report("drums & bass"));
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            "macro average precision 0.750 of tracks (95 % CI 0.50–1.00), n = 4 tracks; chance would score 0.500"
        );
        assert_eq!(lines.nth(2).unwrap(), "F1 of tracks, each tag given above 0.5: micro 0.667, macro 0.667");
        for expected in ["drums & bass          1.000", "note: a remark", "lost: x.wav: cut", "macro avg"] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }
}
