//! Pictures of a classifier's report: confusion matrix, ROC, precision and recall, reliability diagram.

use super::Report;
use crate::report::Figure;
use crate::report::pictures::{precision_recall, reliability, roc};
use cantus_metrics::{Curves, TrackDecision, curves};

/// Subtitle of one-vs-rest curves.
const AGAINST_THE_REST: &str = "each class against the rest";

/// The pictures of a classifier's track predictions.
pub(in crate::report) fn pictures(report: &Report, tracks: &[TrackDecision]) -> Vec<Figure> {
    let labels = &report.scores.labels;
    let by_class: Vec<(&str, Curves)> = labels
        .iter()
        .enumerate()
        .filter_map(|(class, label)| {
            let predictions =
                tracks.iter().map(|track| (track.probabilities[class], track.labels.contains(&class)));
            Some((label.as_str(), curves(predictions)?))
        })
        .collect();
    let confusion = Figure {
        name: "confusion_matrix",
        caption: "Confusion matrix of tracks: rows are true classes, columns predicted ones.".to_owned(),
        picture: cantus_plot::confusion_matrix(labels, &report.scores.track_confusion_matrix, "tracks"),
    };
    let mut figures = vec![
        confusion,
        roc(&by_class, AGAINST_THE_REST, tracks.len()),
        precision_recall(&by_class, AGAINST_THE_REST, tracks.len()),
    ];
    let axes = ("Probability of the label that was named", "Share of right ones");
    let caption = "Reliability: track accuracy by predicted probability, in bins.";
    figures.extend(report.calibration.as_ref().map(|calibration| reliability(calibration, axes, caption)));
    figures
}
