//! The content of a tagger's report in Markdown that a classifier's does not have.

use super::html::LABEL_HEAD;
use super::{TagMistake, TagReport};
use crate::report::format::{decimal, decimal_interval, decimal_or_dash, percent, start_time};
use crate::report::markdown::{self, MarkdownParts};
use crate::report::{Figure, Table};
use cantus_metrics::tagging::{TagScore, TagScores, paired_in_words};

/// The report with links to its figures.
pub(in crate::report) fn markdown(report: &TagReport, figures: &[Figure]) -> String {
    let parts = MarkdownParts {
        scores: headline(report),
        folds: report.folds(),
        labels: ("By label", labels(&report.scores)),
        mistakes: mistakes(&report.mistakes),
    };
    markdown::markdown(&report.context(), figures, &parts)
}

fn headline(report: &TagReport) -> Vec<[String; 3]> {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let row = |name: &str, score: f64, note: String| [name.to_owned(), decimal(score), note];
    let of_tracks = decimal_interval(scores.track_macro_average_precision_interval, scores.n_groups);
    let threshold = format!("labels predicted above {}", scores.threshold);
    let against = format!(
        "average precision of logistic regression; the model {}",
        paired_in_words(&baseline.model_against_it)
    );
    vec![
        row("macro average precision of tracks", scores.track_macro_average_precision, of_tracks),
        row("of segments", scores.macro_average_precision, String::new()),
        row("macro ROC AUC of tracks", scores.track_macro_roc_auc, String::new()),
        row("micro F1 of tracks", scores.track_micro_f1, threshold),
        row("macro F1 of tracks", scores.track_macro_f1, String::new()),
        row("baseline", baseline.track_macro_average_precision, against),
        row("chance", scores.chance_level, "average precision".to_owned()),
    ]
}

fn labels(scores: &TagScores) -> Table {
    let row = |label: &String| {
        let tag = scores.track_per_label.get(label);
        let number = |of: fn(&TagScore) -> Option<f64>| decimal_or_dash(tag.and_then(of));
        vec![
            label.clone(),
            number(|tag| tag.average_precision),
            tag.map(|tag| decimal_interval(tag.average_precision_interval, None)).unwrap_or_default(),
            number(|tag| Some(tag.prevalence)),
            number(|tag| tag.roc_auc),
            number(|tag| Some(tag.precision)),
            number(|tag| Some(tag.recall)),
            number(|tag| Some(tag.f1_score)),
            tag.map_or(0, |tag| tag.support).to_string(),
        ]
    };
    Table::new("", &LABEL_HEAD, scores.labels.iter().map(row))
}

fn mistakes(mistakes: &[TagMistake]) -> Table {
    let row = |mistake: &TagMistake| {
        let TagMistake { path, label, probability, start_s, .. } = mistake;
        let time = start_time(*start_s);
        vec![path.clone(), label.clone(), mistake.kind().to_owned(), percent(*probability), time]
    };
    Table::new("", &["file", "label", "what", "probability", "most at"], mistakes.iter().map(row))
}
