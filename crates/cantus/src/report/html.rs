//! The report as one self-contained HTML page, without external files or requests.
//!
//! Pictures are inline SVG in a light and a dark version, selected by the browser's colour scheme. The data of the pictures
//! are also in tables, for screen readers.

use cantus_dataset::{Failure, Warning};

use super::text::{percent, range};
use super::{CalibrationReport, Figure, Report, SplitSummary, facts};
use cantus_metrics::{ClassScores, paired_in_words};
use cantus_plot::Theme;

const STYLE: &str = include_str!("page.css");

/// The page of a report with these figures.
pub fn html(report: &Report, figures: &[Figure]) -> String {
    let title = format!("{}: {} of tracks", report.model.recipe, percent(report.scores.track_accuracy));
    let figures_of = |names: &[&str]| -> String {
        figures.iter().filter(|figure| names.contains(&figure.name)).map(figure_html).collect()
    };
    let n_folds = report.cross_validation.as_ref().map(|folds| folds.folds.len());
    let sections = [
        heading(&report.model.recipe, &report.split, n_folds, report.scores.n_tracks),
        cards(report),
        notes(&remarks(report)),
        folds(report),
        section("By class", &(classes(report) + &figures_of(&["confusion_matrix"]) + &confusion(report))),
        section(
            "Each class against the rest",
            &format!(r#"<div class="pair">{}</div>"#, figures_of(&["roc", "precision_recall"])),
        ),
        section(
            "Calibration",
            &(report.calibration.as_ref().map(calibration).unwrap_or_default()
                + &figures_of(&["reliability"])),
        ),
        section("Most confident mistakes", &mistakes(report)),
        section("Training", &figures_of(&["history"])),
        section("How it was made", &made(facts(&report.about()))),
        section("Files", &files(&report.failures, &report.warnings)),
    ];
    page(&title, &sections.concat())
}

/// An HTML page with this content.
pub(super) fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{content}</main>\n</body>\n</html>\n",
        escaped(title),
    )
}

/// A section, unless it is empty.
pub(super) fn section(title: &str, content: &str) -> String {
    if content.trim().is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

pub(super) fn heading(recipe: &str, split: &SplitSummary, n_folds: Option<usize>, n_tracks: usize) -> String {
    let SplitSummary { train_part, validation_part, test_part, .. } = split;
    let about = match n_folds {
        Some(n_folds) => format!(
            "{n_folds}-fold cross-validation of {n_tracks} tracks: each was predicted once, by a model trained on the other folds.",
        ),
        None => format!(
            "Trained on {} tracks, validated on {}, tested on {}.",
            train_part.n_tracks, validation_part.n_tracks, test_part.n_tracks
        ),
    };
    format!("<h1>{}</h1>\n<p class=\"muted\">{about}</p>\n", escaped(recipe))
}

fn cards(report: &Report) -> String {
    let scores = &report.scores;
    let interval = |interval: Option<_>| interval.map(|i| range(i, scores.n_groups)).unwrap_or_default();
    let card = |name: &str, share, note: &str, class| card(name, &percent(share), note, class);
    let mut cards = vec![
        card("Track accuracy", scores.track_accuracy, &interval(Some(scores.track_interval())), " best"),
        card("Segment accuracy", scores.accuracy, &interval(scores.accuracy_interval), ""),
        card("Balanced accuracy of tracks", scores.track_balanced_accuracy, "mean recall of the classes", ""),
        card("Macro F1 of tracks", scores.track_macro_f1, "mean over the classes", ""),
    ];
    if let Some(baseline) = &report.baseline {
        let note = format!(
            "logistic regression on means and deviations; the model {}",
            paired_in_words(&baseline.model_against_it)
        );
        cards.push(card("Baseline", baseline.track_accuracy, &note, ""));
    }
    cards.push(card("Majority class", scores.majority_baseline, "of tracks", ""));
    for (k, share) in scores.track_top_k.iter().filter(|(k, _)| ["2", "3"].contains(&k.as_str())) {
        cards.push(card(&format!("Among the first {k}"), *share, "of tracks", ""));
    }
    format!("<dl class=\"cards\">\n{}</dl>\n", cards.concat())
}

pub(super) fn card(name: &str, figure: &str, note: &str, class: &str) -> String {
    format!(
        "<div><dt>{name}</dt><dd class=\"figure{class}\">{figure}</dd><dd class=\"muted\">{}</dd></div>\n",
        escaped(note)
    )
}

/// Remarks on what may bias the scores, first the scores without leakage.
fn remarks(report: &Report) -> Vec<String> {
    let leak = report.without_leak.iter().map(|without| {
        format!(
            "The same recipe without the leak, on a split by track: {} of tracks {}, {} of segments{}.",
            percent(without.track_accuracy),
            range(without.track_accuracy_interval, None),
            percent(without.accuracy),
            without.accuracy_interval.map(|i| format!(" {}", range(i, None))).unwrap_or_default(),
        )
    });
    leak.chain(report.remarks.iter().cloned()).collect()
}

pub(super) fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| format!("<p class=\"note\" role=\"note\">{}</p>\n", escaped(note))).collect()
}

fn folds(report: &Report) -> String {
    let Some(cross) = &report.cross_validation else { return String::new() };
    let row = |fold: &super::FoldSummary| {
        vec![
            fold.fold.clone(),
            fold.test_part.n_tracks.to_string(),
            percent(fold.track_accuracy),
            percent(fold.accuracy),
            format!("{} of {}", fold.best_epoch, fold.n_epochs),
        ]
    };
    let spread = |name: &str, value: fn(&super::Spread) -> f64| {
        let (tracks, segments) = (percent(value(&cross.track_accuracy)), percent(value(&cross.accuracy)));
        vec![name.to_owned(), String::new(), tracks, segments, String::new()]
    };
    let foot =
        [spread("mean", |spread| spread.mean), spread("standard deviation", |spread| spread.deviation)];
    let head = ["fold", "tracks", "track accuracy", "segment accuracy", "best epoch"];
    section("Folds", &table("", &head, cross.folds.iter().map(row), &foot))
}

fn classes(report: &Report) -> String {
    let scores = &report.scores;
    let number = |number: Option<&f64>| number.map_or("–".to_owned(), |number| format!("{number:.2}"));
    let row = |label: &String| {
        let class: ClassScores = scores.track_per_class.get(label).copied().unwrap_or_default();
        let ClassScores { precision, recall, f1_score, support } = class;
        let shares = [precision, recall, f1_score].map(|share| format!("{share:.2}"));
        let mut row = vec![label.clone()];
        row.extend(shares);
        row.push(number(scores.track_roc_auc.get(label)));
        row.push(number(scores.track_average_precision.get(label)));
        row.push(support.to_string());
        row
    };
    let head = ["class", "precision", "recall", "F1", "ROC AUC", "average precision", "tracks"];
    table("Scores of tracks by class", &head, scores.labels.iter().map(row), &[])
}

/// The confusion matrix as a table, for screen readers.
fn confusion(report: &Report) -> String {
    let scores = &report.scores;
    let head: Vec<&str> =
        std::iter::once("true class").chain(scores.labels.iter().map(String::as_str)).collect();
    let rows = scores.labels.iter().zip(&scores.track_confusion_matrix).map(|(label, counts)| {
        std::iter::once(label.clone()).chain(counts.iter().map(usize::to_string)).collect()
    });
    let table = table("Tracks by true class (rows) and predicted class (columns)", &head, rows, &[]);
    format!("<details><summary>The matrix as a table</summary>\n{table}</details>\n")
}

pub(super) fn calibration(calibration: &CalibrationReport) -> String {
    let error = |r: &cantus_metrics::Reliability| percent(r.expected_calibration_error);
    if !calibration.is_calibrated() {
        let rows = [("tracks", &calibration.tracks_after), ("segments", &calibration.segments_after)]
            .map(|(of, reliability)| vec![of.to_owned(), error(reliability)]);
        let note = "<p>Not calibrated: that requires a validation part.</p>\n";
        return note.to_owned() + &table("", &["expected calibration error", ""], rows.into_iter(), &[]);
    }
    let row = |of: &str, before, after, temperature: Option<f32>| {
        let temperature = temperature.map_or("one for each fold".to_owned(), |t| format!("{t:.2}"));
        vec![of.to_owned(), error(before), error(after), temperature]
    };
    let temperatures = calibration.temperatures;
    let rows = [
        row(
            "tracks",
            &calibration.tracks_before,
            &calibration.tracks_after,
            temperatures.map(|t| t.track_temperature),
        ),
        row(
            "segments",
            &calibration.segments_before,
            &calibration.segments_after,
            temperatures.map(|t| t.segment_temperature),
        ),
    ];
    let head = ["expected calibration error", "before", "calibrated", "temperature"];
    table("", &head, rows.into_iter(), &[])
}

fn mistakes(report: &Report) -> String {
    if report.mistakes.is_empty() {
        return String::new();
    }
    let rows = report.mistakes.iter().map(|mistake| {
        let time = match (mistake.start_s, mistake.end_s) {
            (Some(start), Some(end)) => format!("{start:.1}–{end:.1} s"),
            _ => "–".to_owned(),
        };
        let probability = percent(mistake.probability);
        vec![mistake.path.clone(), mistake.label.clone(), mistake.predicted.clone(), probability, time]
    });
    let head = ["file", "true", "predicted", "probability", "most confident segment"];
    table("Misclassified tracks, the most confident first", &head, rows, &[])
}

pub(super) fn made(facts: Vec<(&str, String)>) -> String {
    let row = |(name, value): (&str, String)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&value));
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.into_iter().map(row).collect::<String>())
}

pub(super) fn files(failures: &[Failure], warnings: &[Warning]) -> String {
    let item =
        |kind: &str, path: &str, reason: &str| vec![path.to_owned(), kind.to_owned(), reason.to_owned()];
    let lost = failures.iter().map(|failure| item("lost", &failure.path, &failure.reason));
    let damaged = warnings.iter().map(|warning| item("damaged", &warning.path, &warning.reason));
    let rows: Vec<Vec<String>> = lost.chain(damaged).collect();
    if rows.is_empty() {
        return String::new();
    }
    table("Failed and damaged files", &["file", "what", "why"], rows.into_iter(), &[])
}

pub(super) fn figure_html(figure: &Figure) -> String {
    let [light, dark] = [Theme::Light, Theme::Dark].map(|theme| figure.picture.to_svg(theme));
    format!(
        "<figure>\n<div class=\"light\">{light}</div><div class=\"dark\">{dark}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
        escaped(&figure.caption)
    )
}

/// A table whose first column has the row names; numbers are aligned right, text left.
pub(super) fn table(
    caption: &str,
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    foot: &[Vec<String>],
) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    let is_word = |cell: &String| cell.starts_with(|c: char| c.is_alphabetic());
    let class = |column: usize| {
        let words = rows.iter().any(|row| row.get(column).is_some_and(is_word));
        if words { " class=\"text\"" } else { "" }
    };
    let cells = |row: &Vec<String>| {
        let cell = |(column, text): (usize, &String)| match column {
            0 => format!("<th scope=\"row\">{}</th>", escaped(text)),
            _ => format!("<td{}>{}</td>", class(column), escaped(text)),
        };
        format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>())
    };
    let column = |(column, name): (usize, &&str)| {
        format!("<th scope=\"col\"{}>{}</th>", if column == 0 { "" } else { class(column) }, escaped(name))
    };
    let name = if caption.is_empty() { escaped(&head.join(", ")) } else { escaped(caption) };
    let caption = if caption.is_empty() { String::new() } else { format!("<caption>{name}</caption>\n") };
    let head: String = head.iter().enumerate().map(column).collect();
    let body: String = rows.iter().map(cells).collect();
    let foot: String = foot.iter().map(cells).collect();
    let foot = if foot.is_empty() { foot } else { format!("<tfoot>\n{foot}</tfoot>\n") };
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n<table>\n{caption}\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n{foot}</table>\n</div>\n"
    )
}

/// Escapes text for HTML, since labels and file names are arbitrary.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::sample;
    use super::*;

    #[test]
    fn labels_and_file_names_are_escaped() {
        let page = html(&sample("<script>alert(1)</script>"), &[]);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn the_page_is_self_contained() {
        let report = sample("rock");
        let tracks = [];
        let page = html(&report, &super::super::pictures::examination(&report, &tracks));
        let links = ["src=", "@import", "<link", "url(", "href=\"http"];
        assert!(links.iter().all(|link| !page.contains(link)), "a link to elsewhere");
        assert_eq!(page.matches("<svg").count(), 2 * 4, "each picture in light and in dark");
        assert_eq!(page.matches("<section>").count(), page.matches("</section>").count());
        for tag in ["table", "figure", "div", "dl", "details", "main"] {
            let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
