//! The content of a classifier's report in HTML that a tagger's does not have.

use super::mistakes_table::mistakes_table;
use super::{Report, WithoutLeak};
use crate::report::format::{percent, percent_interval, time_range};
use crate::report::html::{self, Card, HtmlParts};
use crate::report::{Figure, Table};
use cantus_metrics::{ClassScores, Scores, paired_in_words};

/// The page of a report with these figures.
pub(in crate::report) fn html(report: &Report, figures: &[Figure]) -> String {
    let parts = HtmlParts {
        main_score: format!("{} of tracks", percent(report.scores.track_accuracy)),
        cards: cards(report),
        notes: report.without_leak.iter().map(without_leak).collect(),
        folds: report.folds(),
        labels: ("By class", classes(&report.scores)),
        confusion: Some(confusion(&report.scores)),
        curves: "Each class against the rest",
        mistakes: mistakes_table(
            "Misclassified tracks, the most confident first",
            &report.mistakes,
            |mistake| time_range(mistake.start_s, mistake.end_s),
        ),
    };
    html::html(&report.context(), figures, &parts)
}

fn cards(report: &Report) -> Vec<Card> {
    let scores = &report.scores;
    let card = |name: &str, share: f64, note: &str| Card {
        name: name.to_owned(),
        value: percent(share),
        note: note.to_owned(),
    };
    let interval = |interval: Option<_>| interval.map(|i| percent_interval(i, scores.n_groups));
    let of_tracks = interval(Some(scores.track_interval())).unwrap_or_default();
    let of_segments = interval(scores.accuracy_interval).unwrap_or_default();
    let mut cards = vec![
        card("Track accuracy", scores.track_accuracy, &of_tracks),
        card("Segment accuracy", scores.accuracy, &of_segments),
        card("Balanced accuracy of tracks", scores.track_balanced_accuracy, "mean recall of the classes"),
        card("Macro F1 of tracks", scores.track_macro_f1, "mean over the classes"),
    ];
    cards.extend(report.baseline.as_ref().map(|baseline| {
        let note = format!(
            "logistic regression on means and deviations; the model {}",
            paired_in_words(&baseline.model_against_it)
        );
        card("Baseline", baseline.track_accuracy, &note)
    }));
    cards.push(card("Majority class", scores.majority_baseline, "of tracks"));
    let top_k = scores.track_top_k.iter().filter(|(k, _)| ["2", "3"].contains(&k.as_str()));
    cards.extend(top_k.map(|(k, share)| card(&format!("Among the first {k}"), *share, "of tracks")));
    cards
}

fn without_leak(without: &WithoutLeak) -> String {
    format!(
        "The same recipe without the leak, on a split by {}: {} of tracks {}, {} of segments{}.",
        without.unit(),
        percent(without.track_accuracy),
        percent_interval(without.track_accuracy_interval, without.n_groups),
        percent(without.accuracy),
        without
            .accuracy_interval
            .map(|i| format!(" {}", percent_interval(i, without.n_groups)))
            .unwrap_or_default(),
    )
}

fn classes(scores: &Scores) -> Table {
    let number = |number: Option<&f64>| number.map_or("–".to_owned(), |number| format!("{number:.2}"));
    let row = |label: &String| {
        let class: ClassScores = scores.track_per_class.get(label).copied().unwrap_or_default();
        let [precision, recall, f1] =
            [class.precision, class.recall, class.f1_score].map(|share| format!("{share:.2}"));
        let roc_auc = number(scores.track_roc_auc.get(label));
        let average_precision = number(scores.track_average_precision.get(label));
        vec![label.clone(), precision, recall, f1, roc_auc, average_precision, class.support.to_string()]
    };
    let head = ["class", "precision", "recall", "F1", "ROC AUC", "average precision", "tracks"];
    Table::new("Scores of tracks by class", &head, scores.labels.iter().map(row))
}

fn confusion(scores: &Scores) -> Table {
    let head: Vec<&str> =
        std::iter::once("true class").chain(scores.labels.iter().map(String::as_str)).collect();
    let rows = scores.labels.iter().zip(&scores.track_confusion_matrix).map(|(label, counts)| {
        std::iter::once(label.clone()).chain(counts.iter().map(usize::to_string)).collect()
    });
    Table::new("Tracks by true class (rows) and predicted class (columns)", &head, rows)
}
