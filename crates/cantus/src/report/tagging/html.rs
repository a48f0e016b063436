//! The content of a tagger's report in HTML that a classifier's does not have.

use super::{TagMistake, TagReport};
use crate::report::format::{decimal, decimal_interval, decimal_or_dash, percent, time_range};
use crate::report::html::{self, Card, HtmlParts};
use crate::report::{Figure, Table};
use cantus_metrics::tagging::{TagScore, TagScores, paired_in_words};

/// Column heads of the table by label.
pub(super) const LABEL_HEAD: [&str; 9] =
    ["label", "average precision", "95 % CI", "by chance", "ROC AUC", "precision", "recall", "F1", "tracks"];

/// The page of a report with these figures.
pub(in crate::report) fn html(report: &TagReport, figures: &[Figure]) -> String {
    let score = decimal(report.scores.track_macro_average_precision);
    let parts = HtmlParts {
        main_score: format!("average precision {score} of tracks"),
        cards: cards(report),
        notes: Vec::new(),
        folds: report.folds(),
        labels: ("By label", labels(&report.scores)),
        confusion: None,
        curves: "Each label for itself",
        mistakes: mistakes(&report.mistakes),
    };
    html::html(&report.context(), figures, &parts)
}

fn cards(report: &TagReport) -> Vec<Card> {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let against = format!(
        "logistic regression for each label; the model {}",
        paired_in_words(&baseline.model_against_it)
    );
    let threshold = format!("labels predicted above {}", scores.threshold);
    let of_tracks = decimal_interval(scores.track_macro_average_precision_interval, scores.n_groups);
    let cards = [
        ("Average precision of tracks", scores.track_macro_average_precision, of_tracks.as_str()),
        ("Average precision of segments", scores.macro_average_precision, "mean over the labels"),
        ("ROC AUC of tracks", scores.track_macro_roc_auc, "mean over the labels"),
        ("Micro F1 of tracks", scores.track_micro_f1, &threshold),
        ("Macro F1 of tracks", scores.track_macro_f1, "mean over the labels"),
        ("Baseline", baseline.track_macro_average_precision, &against),
        ("Average precision by chance", scores.chance_level, "mean share of tracks with a label"),
    ];
    let card = |(name, score, note): (&str, f64, &str)| Card {
        name: name.to_owned(),
        value: decimal(score),
        note: note.to_owned(),
    };
    cards.into_iter().map(card).collect()
}

fn labels(scores: &TagScores) -> Table {
    let row = |(label, tag): (&String, &TagScore)| {
        let interval = tag.average_precision_interval.map(|i| format!("{:.2}–{:.2}", i.low, i.high));
        vec![
            label.clone(),
            decimal_or_dash(tag.average_precision),
            interval.unwrap_or("–".to_owned()),
            decimal(tag.prevalence),
            decimal_or_dash(tag.roc_auc),
            decimal(tag.precision),
            decimal(tag.recall),
            decimal(tag.f1_score),
            tag.support.to_string(),
        ]
    };
    Table::new("Scores of tracks by label", &LABEL_HEAD, scores.track_per_label.iter().map(row))
}

fn mistakes(mistakes: &[TagMistake]) -> Table {
    let row = |mistake: &TagMistake| {
        let TagMistake { path, label, probability, start_s, end_s, .. } = mistake;
        let time = time_range(*start_s, *end_s);
        vec![path.clone(), label.clone(), mistake.kind().to_owned(), percent(*probability), time]
    };
    let head = ["file", "label", "mistake", "probability", "most confident segment"];
    Table::new("Wrong predictions, the most confident first", &head, mistakes.iter().map(row))
}
