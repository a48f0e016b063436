//! The report of a tagger as one self-contained HTML page.

use super::text::{figure, figure_if_any, range};
use super::{TagMistake, TagReport, folds};
use crate::report::html::{
    calibration, card, figure_html, files, heading, made, notes, page, section, table,
};
use crate::report::text::percent;
use crate::report::{Figure, facts};
use cantus_metrics::tagging::{TagScore, paired_in_words};

/// Column heads of the table by label.
pub(super) const HEAD: [&str; 9] =
    ["label", "average precision", "95 % CI", "by chance", "ROC AUC", "precision", "recall", "F1", "tracks"];

/// The page of a report with these figures.
pub(in crate::report) fn html(report: &TagReport, figures: &[Figure]) -> String {
    let score = figure(report.scores.track_macro_average_precision);
    let title = format!("{}: average precision {score} of tracks", report.model.recipe);
    let figures_of = |names: &[&str]| -> String {
        figures.iter().filter(|figure| names.contains(&figure.name)).map(figure_html).collect()
    };
    let n_folds = report.cross_validation.as_ref().map(|folds| folds.folds.len());
    let sections = [
        heading(&report.model.recipe, &report.split, n_folds, report.scores.n_tracks),
        cards(report),
        notes(&report.remarks),
        of_folds(report),
        section("By label", &labels(report)),
        section(
            "Each label for itself",
            &format!(r#"<div class="pair">{}</div>"#, figures_of(&["precision_recall", "roc"])),
        ),
        section("Calibration", &(calibration(&report.calibration) + &figures_of(&["reliability"]))),
        section("Most confident mistakes", &mistakes(report)),
        section("Training", &figures_of(&["history"])),
        section("How it was made", &made(facts(&report.about()))),
        section("Files", &files(&report.failures, &report.warnings)),
    ];
    page(&title, &sections.concat())
}

fn cards(report: &TagReport) -> String {
    let (scores, baseline) = (&report.scores, &report.baseline);
    let against = format!(
        "logistic regression for each label; the model {}",
        paired_in_words(&baseline.model_against_it)
    );
    let given = format!("labels predicted above {}", scores.threshold);
    let of_tracks = range(scores.track_macro_average_precision_interval, scores.n_groups);
    let cards = [
        ("Average precision of tracks", scores.track_macro_average_precision, of_tracks.as_str(), " best"),
        ("Average precision of segments", scores.macro_average_precision, "mean over the labels", ""),
        ("ROC AUC of tracks", scores.track_macro_roc_auc, "mean over the labels", ""),
        ("Micro F1 of tracks", scores.track_micro_f1, &given, ""),
        ("Macro F1 of tracks", scores.track_macro_f1, "mean over the labels", ""),
        ("Baseline", baseline.track_macro_average_precision, &against, ""),
        ("Average precision by chance", scores.chance_level, "mean share of tracks with a label", ""),
    ];
    let cards = cards.map(|(name, score, note, class)| card(name, &figure(score), note, class));
    format!("<dl class=\"cards\">\n{}</dl>\n", cards.concat())
}

fn of_folds(report: &TagReport) -> String {
    let Some(cross) = &report.cross_validation else { return String::new() };
    let mut rows = cross.rows();
    let foot = rows.split_off(cross.folds.len());
    section("Folds", &table("", &folds::HEAD, rows.into_iter(), &foot))
}

fn labels(report: &TagReport) -> String {
    let row = |(label, tag): (&String, &TagScore)| {
        let interval = tag.average_precision_interval.map(|i| format!("{:.2}–{:.2}", i.low, i.high));
        vec![
            label.clone(),
            figure_if_any(tag.average_precision),
            interval.unwrap_or("–".to_owned()),
            figure(tag.prevalence),
            figure_if_any(tag.roc_auc),
            figure(tag.precision),
            figure(tag.recall),
            figure(tag.f1_score),
            tag.support.to_string(),
        ]
    };
    table("Scores of tracks by label", &HEAD, report.scores.track_per_label.iter().map(row), &[])
}

fn mistakes(report: &TagReport) -> String {
    if report.mistakes.is_empty() {
        return String::new();
    }
    let row = |mistake: &TagMistake| {
        let time = match (mistake.start_s, mistake.end_s) {
            (Some(start), Some(end)) => format!("{start:.1}–{end:.1} s"),
            _ => "–".to_owned(),
        };
        let what = if mistake.has_it { "false negative" } else { "false positive" };
        vec![mistake.path.clone(), mistake.label.clone(), what.to_owned(), percent(mistake.probability), time]
    };
    let head = ["file", "label", "mistake", "probability", "most confident segment"];
    table("Wrong predictions, the most confident first", &head, report.mistakes.iter().map(row), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::reference::tag_report;

    #[test]
    fn labels_are_escaped_and_elements_are_closed() {
        let page = html(&tag_report("<script>alert(1)</script>"), &[]);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        for tag in ["table", "figure", "div", "dl", "section", "main"] {
            let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(
            !page.contains("confusion") && !page.contains("accuracy"),
            "sections that do not apply are left out"
        );
    }
}
