//! The content of a tagger's report as text that a classifier's does not have: headline scores and a table by tag.

use super::TagReport;
use crate::report::format::{counted, decimal, decimal_interval, decimal_or_dash};
use crate::report::text::{self, TextParts, length, printable_labels};
use cantus_metrics::Interval;
use cantus_metrics::tagging::{TagScore, TagScores, paired_in_words};

/// The full report.
pub(in crate::report) fn text(report: &TagReport) -> String {
    let parts = TextParts { folds: report.folds(), scores: headline(report), tables: tags(&report.scores) };
    text::text(&report.context(), &parts)
}

fn headline(report: &TagReport) -> String {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let interval =
        |interval| format!(" {}", decimal_interval(interval, scores.n_groups)).trim_end().to_owned();
    format!(
        "macro average precision {} of tracks{}, n = {}; chance would score {}\n\
         macro average precision {} of segments, n = {}\n\
         macro ROC AUC {} of tracks, {} of segments\n\
         F1 of tracks, each tag given above {}: micro {}, macro {}\n\
         baseline {} of tracks{}: a logistic regression for each label on means and deviations; the model {}\n",
        decimal(scores.track_macro_average_precision),
        interval(scores.track_macro_average_precision_interval),
        counted(scores.n_tracks, "track"),
        decimal(scores.chance_level),
        decimal(scores.macro_average_precision),
        counted(scores.n_segments, "segment"),
        decimal(scores.track_macro_roc_auc),
        decimal(scores.macro_roc_auc),
        scores.threshold,
        decimal(scores.track_micro_f1),
        decimal(scores.track_macro_f1),
        decimal(baseline.track_macro_average_precision),
        interval(baseline.track_macro_average_precision_interval),
        paired_in_words(&baseline.model_against_it),
    )
}

/// A row for each tag.
fn tags(scores: &TagScores) -> String {
    let labels = printable_labels(&scores.labels);
    let first = labels.iter().map(|label| length(label)).max().unwrap_or(0).max(9);
    let mut out = format!(
        "{:>first$}  avg precision     (95 % CI)  by chance  ROC AUC  precision    recall  f1-score   support\n\n",
        "tracks"
    );
    for (label, printable) in scores.labels.iter().zip(&labels) {
        let Some(tag) = scores.track_per_label.get(label) else { continue };
        out += &row(printable, tag, first);
    }
    out += &format!(
        "\n{:>first$}  {:>13}  {:>12}  {:>9}  {:>7}  {:>9} {:>9} {:>9} {:>9}\n",
        "macro avg",
        decimal(scores.track_macro_average_precision),
        short(scores.track_macro_average_precision_interval),
        decimal(scores.chance_level),
        decimal(scores.track_macro_roc_auc),
        "",
        "",
        decimal(scores.track_macro_f1),
        scores.track_per_label.values().map(|tag| tag.support).sum::<usize>(),
    );
    out
}

fn row(label: &str, tag: &TagScore, first: usize) -> String {
    format!(
        "{label:>first$}  {:>13}  {:>12}  {:>9}  {:>7}  {:>9} {:>9} {:>9} {:>9}\n",
        decimal_or_dash(tag.average_precision),
        short(tag.average_precision_interval),
        decimal(tag.prevalence),
        decimal_or_dash(tag.roc_auc),
        decimal(tag.precision),
        decimal(tag.recall),
        decimal(tag.f1_score),
        tag.support,
    )
}

fn short(interval: Option<Interval>) -> String {
    interval.map(|i| format!("({:.2}–{:.2})", i.low, i.high)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::tag_report;

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
