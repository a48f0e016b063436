//! A report as one self-contained HTML page, without external files or requests.
//!
//! Pictures are inline SVG in a light and a dark version, selected by the browser's colour scheme. The data of the pictures
//! are also in tables, for screen readers.

mod elements;

use self::elements::{cards, details, facts, figures, heading, notes, page, section, table};
use super::format::{percent, sentence};
use super::{CalibrationReport, Figure, FoldTable, NoiseReport, ReportContext, Table};
use cantus_metrics::Reliability;

pub(super) use self::elements::Card;

/// What differs between the reports of classes and of tags.
pub(super) struct HtmlParts<'a> {
    /// The main score, which follows the recipe in the title of the page.
    pub(super) main_score: String,
    /// The headline scores, the main one first.
    pub(super) cards: Vec<Card>,
    /// Notes above the remarks.
    pub(super) notes: Vec<String>,
    /// In a cross-validation.
    pub(super) folds: Option<FoldTable<'a>>,
    /// Title and table of the scores by label.
    pub(super) labels: (&'static str, Table),
    /// The data of the picture of the confusion matrix, if there is one.
    pub(super) confusion: Option<Table>,
    /// Title of the ROC and precision-recall curves.
    pub(super) curves: &'static str,
    /// The wrong predictions with the highest confidence.
    pub(super) mistakes: Table,
}

/// The page of this content with these figures.
pub(super) fn html(context: &ReportContext<'_>, all: &[Figure], parts: &HtmlParts<'_>) -> String {
    let folds = parts.folds.as_ref().map(|folds| folds.to_table("standard deviation")).unwrap_or_default();
    let (title, labels) = &parts.labels;
    let confusion = parts.confusion.as_ref().map(|matrix| details("The matrix as a table", &table(matrix)));
    let by_label = [table(labels), figures(all, &["confusion_matrix"]), confusion.unwrap_or_default()];
    let curves = format!(r#"<div class="pair">{}</div>"#, figures(all, &["roc", "precision_recall"]));
    let calibration = context.calibration.map(calibration).unwrap_or_default();
    let noise = context.noise.map(noise).unwrap_or_default();
    let groups = context.groups().map(|groups| sentence(&groups) + " ").unwrap_or_default();
    let coverage = context.coverage().map(|coverage| format!(" {coverage}.")).unwrap_or_default();
    let sections = [
        heading(&context.model.recipe, &(groups + &evaluation(context) + &coverage)),
        cards(&parts.cards),
        notes(parts.notes.iter().chain(context.remarks)),
        section("Folds", &table(&folds)),
        section(title, &by_label.concat()),
        section(parts.curves, &curves),
        section("Calibration", &(calibration + &figures(all, &["reliability"]))),
        section("Most confident mistakes", &table(&parts.mistakes)),
        section("Sounds of no class", &noise),
        section("Training", &figures(all, &["history"])),
        section("How it was made", &facts(super::facts::facts(context))),
        section("Files", &table(&files(context))),
    ];
    page(&format!("{}: {}", context.model.recipe, parts.main_score), &sections.concat())
}

/// The method of evaluation in a sentence.
fn evaluation(context: &ReportContext<'_>) -> String {
    let [train, validation, test] =
        [context.split.train_part, context.split.validation_part, context.split.test_part]
            .map(|part| part.n_tracks);
    match context.n_folds {
        Some(n_folds) => format!(
            "{n_folds}-fold cross-validation of {} tracks: each was predicted once, by a model trained on the other folds.",
            context.n_tracks
        ),
        None => {
            format!("Trained on {train} tracks, validated on {validation}, tested on {test}.")
        }
    }
}

fn calibration(calibration: &CalibrationReport) -> String {
    let error = |r: &Reliability| percent(r.expected_calibration_error);
    let CalibrationReport { tracks_before, tracks_after, segments_before, segments_after, temperatures } =
        calibration;
    if !calibration.is_calibrated() {
        let rows = [("tracks", tracks_after), ("segments", segments_after)]
            .map(|(of, reliability)| vec![of.to_owned(), error(reliability)]);
        let note = "<p>Not calibrated: that requires a validation part.</p>\n";
        return note.to_owned() + &table(&Table::new("", &["expected calibration error", ""], rows));
    }
    let row = |of: &str, before, after, temperature: Option<f32>| {
        let temperature = temperature.map_or("one for each fold".to_owned(), |t| format!("{t:.2}"));
        vec![of.to_owned(), error(before), error(after), temperature]
    };
    let rows = [
        row("tracks", tracks_before, tracks_after, temperatures.map(|t| t.track_temperature)),
        row("segments", segments_before, segments_after, temperatures.map(|t| t.segment_temperature)),
    ];
    let head = ["expected calibration error", "before", "calibrated", "temperature"];
    table(&Table::new("", &head, rows))
}

fn noise(noise: &NoiseReport) -> String {
    format!("<p>Of{}.</p>\n{}", noise.in_words().trim_start_matches("of"), table(&noise.table()))
}

fn files(context: &ReportContext<'_>) -> Table {
    let row =
        |kind: &str, path: &str, reason: &str| vec![path.to_owned(), kind.to_owned(), reason.to_owned()];
    let failed = context.failures.iter().map(|file| row("lost", &file.path, &file.reason));
    let damaged = context.warnings.iter().map(|file| row("damaged", &file.path, &file.reason));
    Table::new("Failed and damaged files", &["file", "what", "why"], failed.chain(damaged))
}

#[cfg(test)]
mod tests {
    use crate::report::samples::{class_report, tag_report};
    use crate::report::{EvaluationReport, Report, TagReport};

    fn of_classes(report: Report) -> EvaluationReport {
        EvaluationReport::Classes(Box::new(report))
    }

    fn of_tags(report: TagReport) -> EvaluationReport {
        EvaluationReport::Tags(Box::new(report))
    }

    #[test]
    fn labels_and_file_names_are_escaped() {
        let label = "<script>alert(1)</script>";
        for report in [of_classes(class_report(label)), of_tags(tag_report(label))] {
            let page = report.to_html(&[]);
            assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        }
    }

    #[test]
    fn elements_are_closed() {
        for report in [of_classes(class_report("rock")), of_tags(tag_report("rock"))] {
            let page = report.to_html(&report.pictures(&[]));
            assert_eq!(page.matches("<section>").count(), page.matches("</section>").count());
            for tag in ["table", "figure", "div", "dl", "details", "main"] {
                let open =
                    page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }

    #[test]
    fn the_page_is_self_contained() {
        let report = of_classes(class_report("rock"));
        let page = report.to_html(&report.pictures(&[]));
        let links = ["src=", "@import", "<link", "url(", "href=\"http"];
        assert!(links.iter().all(|link| !page.contains(link)), "a link to elsewhere");
        assert_eq!(page.matches("<svg").count(), 2 * 4, "each picture in light and in dark");
    }

    #[test]
    fn the_page_of_a_tagger_has_no_accuracy_and_no_confusion_matrix() {
        let page = of_tags(tag_report("rock")).to_html(&[]);
        assert!(!page.contains("confusion") && !page.contains("accuracy"), "{page}");
    }
}
