//! The report as Markdown; its pictures are linked from the folder `plots/` beside it.

use super::text::{percent, range};
use super::{Figure, Report, facts};
use cantus_metrics::{ClassScores, paired_in_words};

/// The report with links to its figures.
pub fn markdown(report: &Report, figures: &[Figure]) -> String {
    let scores = &report.scores;
    let mut out = format!("# {}\n\n", escaped(&report.model.recipe));
    let interval = scores.accuracy_interval.map(|i| range(i, scores.n_groups)).unwrap_or_default();
    let mut rows = vec![
        vec![
            "track accuracy".into(),
            percent(scores.track_accuracy),
            range(scores.track_interval(), scores.n_groups),
        ],
        vec!["segment accuracy".into(), percent(scores.accuracy), interval],
        vec!["balanced accuracy of tracks".into(), percent(scores.track_balanced_accuracy), String::new()],
        vec!["macro F1 of tracks".into(), percent(scores.track_macro_f1), String::new()],
    ];
    if let Some(baseline) = &report.baseline {
        let note = format!("logistic regression; the model {}", paired_in_words(&baseline.model_against_it));
        rows.push(vec!["baseline".into(), percent(baseline.track_accuracy), note]);
    }
    rows.push(vec!["majority class".into(), percent(scores.majority_baseline), String::new()]);
    if let Some(without) = &report.without_leak {
        let note = format!(
            "of tracks {}; {} of segments",
            range(without.track_accuracy_interval, None),
            percent(without.accuracy)
        );
        rows.push(vec!["without the leak".into(), percent(without.track_accuracy), note]);
    }
    out += &table(&["score", "", ""], &rows);
    for remark in &report.remarks {
        out += &format!("\n> {}\n", escaped(remark));
    }
    if let Some(cross) = &report.cross_validation {
        out += "\n## Folds\n\n";
        let row = |fold: &super::FoldSummary| {
            let tracks = fold.test_part.n_tracks.to_string();
            vec![escaped(&fold.fold), tracks, percent(fold.track_accuracy), percent(fold.accuracy)]
        };
        let mut rows: Vec<Vec<String>> = cross.folds.iter().map(row).collect();
        let (tracks, segments) = (cross.track_accuracy, cross.accuracy);
        rows.push(vec!["mean".into(), String::new(), percent(tracks.mean), percent(segments.mean)]);
        rows.push(vec!["±".into(), String::new(), percent(tracks.deviation), percent(segments.deviation)]);
        out += &table(&["fold", "tracks", "track accuracy", "segment accuracy"], &rows);
    }
    out += "\n## By class\n\n";
    let row = |label: &String| {
        let class: ClassScores = scores.track_per_class.get(label).copied().unwrap_or_default();
        let shares = [class.precision, class.recall, class.f1_score].map(|share| format!("{share:.2}"));
        let auc = scores.track_roc_auc.get(label).map_or("–".to_owned(), |auc| format!("{auc:.2}"));
        let mut row = vec![escaped(label)];
        row.extend(shares);
        row.extend([auc, class.support.to_string()]);
        row
    };
    let head = ["class", "precision", "recall", "F1", "ROC AUC", "tracks"];
    out += &table(&head, &scores.labels.iter().map(row).collect::<Vec<_>>());
    for figure in figures {
        out += &format!("\n![{}](plots/{}.svg)\n", escaped(&figure.caption), figure.name);
    }
    if !report.mistakes.is_empty() {
        out += "\n## Most confident mistakes\n\n";
        let row = |mistake: &super::Mistake| {
            let time = mistake.start_s.map_or(String::new(), |start| format!("{start:.1} s"));
            let [path, label, predicted] =
                [&mistake.path, &mistake.label, &mistake.predicted].map(|text| escaped(text));
            vec![path, label, predicted, percent(mistake.probability), time]
        };
        let head = ["file", "true", "predicted", "probability", "most confident segment"];
        out += &table(&head, &report.mistakes.iter().map(row).collect::<Vec<_>>());
    }
    out += "\n## How it was made\n\n";
    let rows: Vec<Vec<String>> = facts(&report.about())
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), escaped(&value)])
        .collect();
    out + &table(&["", ""], &rows)
}

pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let rows: String = rows.iter().map(|row| line(row.iter().map(String::as_str).collect())).collect();
    line(head.to_vec()) + &rule + &rows
}

/// Escapes text for a table cell, since labels and file names are arbitrary.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::document::tests::sample;
    use super::*;

    /// Asserts that every row of a table has as many cells as the others.
    pub(in crate::report) fn assert_even_tables(text: &str) {
        let mut n_cells = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                n_cells = None;
                continue;
            }
            let n = line.replace("\\|", "").matches('|').count();
            assert_eq!(*n_cells.get_or_insert(n), n, "{line}");
        }
    }

    #[test]
    fn table_rows_have_equal_numbers_of_cells_for_any_label() {
        let text = markdown(&sample("rock | roll\n`x`"), &[]);
        assert_even_tables(&text);
        assert!(text.contains("rock \\| roll \\`x\\`"), "{text}");
    }
}
