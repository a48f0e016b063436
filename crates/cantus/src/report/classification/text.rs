//! The content of a classifier's report as text that a tagger's does not have: headline scores, a table by class, and the
//! confusion matrix.
//!
//! The table by class has the layout of scikit-learn's `classification_report`.

use std::fmt::{self, Write};

use super::{Baseline, Report, WithoutLeak};
use crate::report::format::{counted, percent, percent_interval};
use crate::report::text::{self, TextParts, length, printable_labels};
use cantus_metrics::{ClassScores, Scores, macro_average, paired_in_words, weighted_average};

/// Matrices wider than this get numbers as column heads.
const WIDEST: usize = 96;

/// The full report.
pub(in crate::report) fn text(report: &Report) -> String {
    let Report { scores, without_leak, baseline, .. } = report;
    let without_leak = without_leak.as_ref().map(without_leak_line).unwrap_or_default();
    let baseline = baseline.as_ref().map(|baseline| baseline_line(baseline, scores.n_groups));
    let parts = TextParts {
        folds: report.folds(),
        scores: headline(scores) + &without_leak + &baseline.unwrap_or_default(),
        tables: tables(scores),
    };
    text::text(&report.context(), &parts)
}

/// The scores without those of the baseline and without calibration, in lines that end in `\n`.
pub(in crate::report) fn scores_text(scores: &Scores) -> String {
    headline(scores) + "\n" + &tables(scores)
}

fn without_leak_line(without: &WithoutLeak) -> String {
    format!(
        "without the leak, on a split by {}: {} of tracks {}, {} of segments\n",
        without.unit(),
        percent(without.track_accuracy),
        percent_interval(without.track_accuracy_interval, without.n_groups),
        percent(without.accuracy),
    )
}

fn baseline_line(baseline: &Baseline, n_groups: Option<usize>) -> String {
    format!(
        "baseline {} of tracks {}: logistic regression on means and deviations; the model {}\n",
        percent(baseline.track_accuracy),
        percent_interval(baseline.track_accuracy_interval, n_groups),
        paired_in_words(&baseline.model_against_it),
    )
}

fn headline(scores: &Scores) -> String {
    let interval = |interval| format!(" {}", percent_interval(interval, scores.n_groups));
    format!(
        "track accuracy {}{}, n = {}; majority class would score {:.0} %\n\
         segment accuracy {}{}, n = {}; equal guessing would score {:.0} %\n\
         balanced accuracy {} of tracks, {} of segments\n",
        percent(scores.track_accuracy),
        interval(scores.track_interval()),
        counted(scores.n_tracks, "track"),
        100.0 * scores.majority_baseline,
        percent(scores.accuracy),
        scores.accuracy_interval.map(interval).unwrap_or_default(),
        counted(scores.n_segments, "segment"),
        100.0 * scores.chance_level,
        percent(scores.track_balanced_accuracy),
        percent(scores.balanced_accuracy),
    )
}

/// The table by class, a blank line, and the confusion matrix.
#[expect(clippy::expect_used, reason = "writing to a String does not fail")]
fn tables(scores: &Scores) -> String {
    let mut out = String::new();
    write_tables(&mut out, scores).expect("memory");
    out
}

fn write_tables(out: &mut String, scores: &Scores) -> fmt::Result {
    let labels = printable_labels(&scores.labels);
    write_classes(out, scores, &labels)?;
    writeln!(out)?;
    write_confusion(out, &labels, &scores.track_confusion_matrix)
}

fn write_classes(out: &mut String, scores: &Scores, labels: &[String]) -> fmt::Result {
    let matrix = &scores.track_confusion_matrix;
    let first = labels.iter().map(|label| length(label)).max().unwrap_or(0).max("weighted avg".len());
    writeln!(out, "{:>first$}  precision    recall  f1-score   support", "tracks")?;
    writeln!(out)?;
    let row = |out: &mut String, name: &str, class: &ClassScores| {
        let ClassScores { precision, recall, f1_score, support } = class;
        writeln!(out, "{name:>first$} {precision:>10.2} {recall:>9.2} {f1_score:>9.2} {support:>9}")
    };
    for (label, printable) in scores.labels.iter().zip(labels) {
        row(out, printable, &scores.track_per_class.get(label).copied().unwrap_or_default())?;
    }
    writeln!(out)?;
    let (accuracy, n_tracks) = (scores.track_accuracy, scores.n_tracks);
    writeln!(out, "{:>first$} {:>10} {:>9} {accuracy:>9.2} {n_tracks:>9}", "accuracy", "", "")?;
    row(out, "macro avg", &macro_average(matrix))?;
    row(out, "weighted avg", &weighted_average(matrix))
}

fn write_confusion(out: &mut String, labels: &[String], matrix: &[Vec<usize>]) -> fmt::Result {
    let digits = matrix.iter().flatten().map(|count| count.to_string().len()).max().unwrap_or(1);
    let named: Vec<usize> = labels.iter().map(|label| length(label).max(digits)).collect();
    let longest = labels.iter().map(|label| length(label)).max().unwrap_or(0);
    if longest + named.iter().map(|width| width + 2).sum::<usize>() <= WIDEST {
        writeln!(out, "confusion of tracks: rows are true classes, columns predicted ones")?;
        return write_matrix(out, labels, labels, &named, matrix);
    }
    let numbers: Vec<String> = (1..=labels.len()).map(|n| n.to_string()).collect();
    let width = digits.max(labels.len().to_string().len());
    let numbered: Vec<String> =
        labels.iter().zip(&numbers).map(|(label, n)| format!("{label} {n:>width$}")).collect();
    writeln!(out, "confusion of tracks: rows are true classes, columns predicted ones by number")?;
    write_matrix(out, &numbered, &numbers, &vec![width; labels.len()], matrix)
}

fn write_matrix(
    out: &mut String,
    rows: &[String],
    columns: &[String],
    widths: &[usize],
    matrix: &[Vec<usize>],
) -> fmt::Result {
    let first = rows.iter().map(|row| length(row)).max().unwrap_or(0);
    let line = |out: &mut String, head: &str, cells: &mut dyn Iterator<Item = String>| {
        write!(out, "{head:>first$}")?;
        for (cell, width) in cells.zip(widths) {
            write!(out, "  {cell:>width$}")?;
        }
        writeln!(out)
    };
    writeln!(out)?;
    line(out, "", &mut columns.iter().cloned())?;
    for (label, counts) in rows.iter().zip(matrix) {
        line(out, label, &mut counts.iter().map(usize::to_string))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_metrics::{SegmentResult, scores};

    /// `counts[true][predicted]` tracks of one segment each.
    fn scores_of(labels: &[&str], counts: &[&[usize]]) -> Scores {
        let labels: Vec<String> = labels.iter().map(|&l| l.to_owned()).collect();
        let predictions: Vec<Vec<f32>> =
            (0..labels.len()).map(|i| (0..labels.len()).map(|j| f32::from(i == j)).collect()).collect();
        let mut segments = Vec::new();
        let numbers: Vec<usize> = (0..labels.len()).collect();
        for (label, row) in counts.iter().enumerate() {
            for (probabilities, &n) in predictions.iter().zip(*row) {
                for _ in 0..n {
                    segments.push(SegmentResult {
                        track: segments.len(),
                        group: segments.len(),
                        labels: &numbers[label..=label],
                        probabilities,
                    });
                }
            }
        }
        scores(&segments, &labels, 0).unwrap()
    }

    #[test]
    fn the_text_report_of_three_classes() {
        let scores = scores_of(&["classical", "pop", "électro"], &[&[18, 2, 0], &[1, 9, 2], &[0, 0, 0]]);
        let expected = "\
track accuracy 84.4 % (95 % CI 68–93), n = 32 tracks; majority class would score 62 %
segment accuracy 84.4 % (95 % CI 72–97), n = 32 segments; equal guessing would score 33 %
balanced accuracy 82.5 % of tracks, 82.5 % of segments

      tracks  precision    recall  f1-score   support

   classical       0.95      0.90      0.92        20
         pop       0.82      0.75      0.78        12
     électro       0.00      0.00      0.00         0

    accuracy                           0.84        32
   macro avg       0.59      0.55      0.57        32
weighted avg       0.90      0.84      0.87        32

confusion of tracks: rows are true classes, columns predicted ones

           classical  pop  électro
classical         18    2        0
      pop          1    9        2
  électro          0    0        0
";
        assert_eq!(scores_text(&scores), expected);
    }

    /// The table equals scikit-learn's, except for the head of the first column and the class that neither occurs nor is
    /// predicted, which a call of scikit-learn must leave out for the same averages.
    #[test]
    fn the_table_matches_scikit_learn() {
        let json = &crate::report::reference::metrics_reference("scores.json");
        let reference: serde_json::Value = serde_json::from_str(json).unwrap();
        let rows: Vec<Vec<usize>> =
            serde_json::from_value(reference["by_track"]["confusion_matrix"].clone()).unwrap();
        let rows: Vec<&[usize]> = rows.iter().map(Vec::as_slice).collect();
        let found = scores_text(&scores_of(&["blues", "disco", "jazz", "metal", "pop"], &rows));
        for line in reference["classification_report"].as_str().unwrap().lines().skip(2) {
            assert!(found.contains(line), "{line:?} is not in\n{found}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let report = scores_text(&scores_of(&["a\u{1b}[2J", "b\nc\u{202e}"], &[&[1, 0], &[0, 1]]));
        let is_plain = |character: char| character == '\n' || !character.is_control();
        assert!(report.chars().all(is_plain) && !report.contains('\u{202e}'), "{report}");
        assert!(report.contains("a\\u{1b}[2J") && report.contains("b\\nc\\u{202e}"), "{report}");
    }

    #[test]
    fn columns_are_numbered_for_many_classes() {
        let labels: Vec<String> = (0..12).map(|i| format!("some genre {i}")).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let mut row = [0; 12];
        row[11] = 123;
        let mut rows = vec![&[0; 12][..]; 12];
        rows[0] = &row;
        let report = scores_text(&scores_of(&labels, &rows));
        let matrix: Vec<&str> = report.lines().skip_while(|line| !line.starts_with("confusion")).collect();
        assert_eq!(matrix[0], "confusion of tracks: rows are true classes, columns predicted ones by number");
        assert_eq!(
            matrix[2],
            "                     1    2    3    4    5    6    7    8    9   10   11   12"
        );
        assert_eq!(
            matrix[3],
            " some genre 0   1    0    0    0    0    0    0    0    0    0    0    0  123"
        );
        assert_eq!(
            matrix[14],
            "some genre 11  12    0    0    0    0    0    0    0    0    0    0    0    0"
        );
    }

    #[test]
    fn a_single_track_is_singular_and_has_no_bootstrap_interval() {
        let report = scores_text(&scores_of(&["a", "b"], &[&[1, 0], &[0, 0]]));
        let mut lines = report.lines();
        assert_eq!(
            lines.next().unwrap(),
            "track accuracy 100.0 % (95 % CI 21–100), n = 1 track; majority class would score 100 %"
        );
        assert_eq!(
            lines.next().unwrap(),
            "segment accuracy 100.0 %, n = 1 segment; equal guessing would score 50 %"
        );
    }
}
