//! Pictures of a tagger's report: ROC, precision and recall, reliability diagram.

use super::TagReport;
use crate::report::Figure;
use crate::report::pictures::{precision_recall, reliability, roc};
use cantus_metrics::tagging::tag_probability;
use cantus_metrics::{Curves, TrackDecision, curves};

/// Maximum number of tags whose curves are drawn: twice the number of distinguishable colours.
const MAX_CURVES: usize = 10;

/// The pictures of a tagger's track predictions.
pub(in crate::report) fn pictures(report: &TagReport, tracks: &[TrackDecision]) -> Vec<Figure> {
    let scores = &report.scores;
    let support =
        |label: usize| scores.track_per_label.get(&scores.labels[label]).map_or(0, |tag| tag.support);
    let mut drawn: Vec<(usize, Curves)> = (0..scores.labels.len())
        .filter_map(|label| Some((label, curves(tracks.iter().map(|track| tag_probability(track, label)))?)))
        .collect();
    let n_labels = drawn.len();
    // A stable sort keeps the order of labels with equal values.
    drawn.sort_by_key(|(label, _)| std::cmp::Reverse(support(*label)));
    drawn.truncate(MAX_CURVES);
    drawn.sort_by_key(|(label, _)| *label);
    let by_label: Vec<(&str, Curves)> =
        drawn.into_iter().map(|(label, curves)| (scores.labels[label].as_str(), curves)).collect();
    let what = match by_label.len() {
        n if n < n_labels => format!("the {n} commonest of {n_labels} labels"),
        _ => "each label".to_owned(),
    };
    let axes = ("Probability of a label", "Share of tracks that have it");
    let caption = "Reliability over all labels: share of tracks that have a label by its predicted probability, in bins.";
    vec![
        precision_recall(&by_label, &what, tracks.len()),
        roc(&by_label, &what, tracks.len()),
        reliability(&report.calibration, axes, caption),
    ]
}
