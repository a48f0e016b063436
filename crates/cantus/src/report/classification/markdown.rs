//! The content of a classifier's report in Markdown that a tagger's does not have.

use super::Report;
use super::mistakes_table::mistakes_table;
use crate::report::format::{percent, percent_interval, start_time};
use crate::report::markdown::{self, MarkdownParts};
use crate::report::{Figure, Table};
use cantus_metrics::{ClassScores, Scores, paired_in_words};

/// The report with links to its figures.
pub(in crate::report) fn markdown(report: &Report, figures: &[Figure]) -> String {
    let parts = MarkdownParts {
        scores: headline(report),
        folds: report.folds(),
        labels: ("By class", classes(&report.scores)),
        mistakes: mistakes_table("", &report.mistakes, |mistake| start_time(mistake.start_s)),
    };
    markdown::markdown(&report.context(), figures, &parts)
}

fn headline(report: &Report) -> Vec<[String; 3]> {
    let scores = &report.scores;
    let row = |name: &str, share: f64, note: String| [name.to_owned(), percent(share), note];
    let interval = |interval| percent_interval(interval, scores.n_groups);
    let of_segments = scores.accuracy_interval.map(interval).unwrap_or_default();
    let mut rows = vec![
        row("track accuracy", scores.track_accuracy, interval(scores.track_interval())),
        row("segment accuracy", scores.accuracy, of_segments),
        row("balanced accuracy of tracks", scores.track_balanced_accuracy, String::new()),
        row("macro F1 of tracks", scores.track_macro_f1, String::new()),
    ];
    rows.extend(report.baseline.as_ref().map(|baseline| {
        let note = format!("logistic regression; the model {}", paired_in_words(&baseline.model_against_it));
        row("baseline", baseline.track_accuracy, note)
    }));
    rows.push(row("majority class", scores.majority_baseline, String::new()));
    rows.extend(report.without_leak.as_ref().map(|without| {
        let interval = percent_interval(without.track_accuracy_interval, without.n_groups);
        let note = format!(
            "of tracks {interval}; {} of segments; split by {}",
            percent(without.accuracy),
            without.unit()
        );
        row("without the leak", without.track_accuracy, note)
    }));
    rows
}

fn classes(scores: &Scores) -> Table {
    let row = |label: &String| {
        let class: ClassScores = scores.track_per_class.get(label).copied().unwrap_or_default();
        let [precision, recall, f1] =
            [class.precision, class.recall, class.f1_score].map(|share| format!("{share:.2}"));
        let roc_auc = scores.track_roc_auc.get(label).map_or("–".to_owned(), |auc| format!("{auc:.2}"));
        vec![label.clone(), precision, recall, f1, roc_auc, class.support.to_string()]
    };
    let head = ["class", "precision", "recall", "F1", "ROC AUC", "tracks"];
    Table::new("", &head, scores.labels.iter().map(row))
}
