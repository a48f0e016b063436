//! The report of a tagger as Markdown; its pictures are linked from the folder `plots/` beside it.

use super::text::{figure, figure_if_any, range};
use super::{TagMistake, TagReport, folds};
use crate::report::markdown::{escaped, table};
use crate::report::text::percent;
use crate::report::{Figure, facts};
use cantus_metrics::tagging::paired_in_words;

/// The report with links to its figures.
pub(in crate::report) fn markdown(report: &TagReport, figures: &[Figure]) -> String {
    let scores = &report.scores;
    let mut out = format!("# {}\n\n", escaped(&report.model.recipe));
    out += &table(&["score", "", ""], &headline(report));
    for remark in &report.remarks {
        out += &format!("\n> {}\n", escaped(remark));
    }
    if let Some(cross) = &report.cross_validation {
        out += "\n## Folds\n\n";
        let rows = cross.rows();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
        out += &table(&folds::HEAD, &rows);
    }
    out += "\n## By label\n\n";
    let row = |label: &String| {
        let tag = scores.track_per_label.get(label);
        let number =
            |of: fn(&cantus_metrics::tagging::TagScore) -> Option<f64>| figure_if_any(tag.and_then(of));
        vec![
            escaped(label),
            number(|tag| tag.average_precision),
            tag.map(|tag| range(tag.average_precision_interval, None)).unwrap_or_default(),
            number(|tag| Some(tag.prevalence)),
            number(|tag| tag.roc_auc),
            number(|tag| Some(tag.precision)),
            number(|tag| Some(tag.recall)),
            number(|tag| Some(tag.f1_score)),
            tag.map_or(0, |tag| tag.support).to_string(),
        ]
    };
    out += &table(&super::html::HEAD, &scores.labels.iter().map(row).collect::<Vec<_>>());
    for figure in figures {
        out += &format!("\n![{}](plots/{}.svg)\n", escaped(&figure.caption), figure.name);
    }
    if !report.mistakes.is_empty() {
        out += "\n## Most confident mistakes\n\n";
        let rows: Vec<Vec<String>> = report.mistakes.iter().map(mistake).collect();
        out += &table(&["file", "label", "what", "probability", "most at"], &rows);
    }
    out += "\n## How it was made\n\n";
    let facts = facts(&report.about());
    let rows: Vec<Vec<String>> =
        facts.into_iter().map(|(name, value)| vec![name.to_owned(), escaped(&value)]).collect();
    out + &table(&["", ""], &rows)
}

fn headline(report: &TagReport) -> Vec<Vec<String>> {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let row = |name: &str, score: f64, note: String| vec![name.to_owned(), figure(score), note];
    let interval = |interval| range(interval, scores.n_groups);
    vec![
        row(
            "macro average precision of tracks",
            scores.track_macro_average_precision,
            interval(scores.track_macro_average_precision_interval),
        ),
        row("of segments", scores.macro_average_precision, String::new()),
        row("macro ROC AUC of tracks", scores.track_macro_roc_auc, String::new()),
        row(
            "micro F1 of tracks",
            scores.track_micro_f1,
            format!("labels predicted above {}", scores.threshold),
        ),
        row("macro F1 of tracks", scores.track_macro_f1, String::new()),
        row(
            "baseline",
            baseline.track_macro_average_precision,
            format!(
                "average precision of logistic regression; the model {}",
                paired_in_words(&baseline.model_against_it)
            ),
        ),
        row("chance", scores.chance_level, "average precision".to_owned()),
    ]
}

fn mistake(mistake: &TagMistake) -> Vec<String> {
    let time = mistake.start_s.map_or(String::new(), |start| format!("{start:.1} s"));
    let what = if mistake.has_it { "false negative" } else { "false positive" };
    let [path, label] = [&mistake.path, &mistake.label].map(|text| escaped(text));
    vec![path, label, what.to_owned(), percent(mistake.probability), time]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::markdown::tests::assert_even_tables;
    use crate::report::reference::tag_report;

    #[test]
    fn table_rows_have_equal_numbers_of_cells_for_any_label() {
        let text = markdown(&tag_report("rock | roll"), &[]);
        assert_even_tables(&text);
        assert!(text.contains("rock \\| roll"), "{text}");
    }
}
