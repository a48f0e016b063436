//! Pictures of a report: learning curves, ROC, precision and recall, reliability diagram.

use cantus_nn::History;

use super::{CalibrationReport, TrainingCurve};
use cantus_metrics::{Curves, Reliability};
use cantus_plot::{Axis, LineChart, Picture, Series, Style, line_chart};

/// Bin width of the reliability diagram.
const BIN: f64 = 1.0 / 15.0;

/// A picture of the report with its file name and caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// File name, without extension.
    pub name: &'static str,
    /// Caption.
    pub caption: String,
    /// The picture.
    pub picture: Picture,
}

/// Loss and accuracy by epoch.
pub(crate) fn history(TrainingCurve { history, best_epoch, n_networks }: TrainingCurve<'_>) -> Figure {
    let History { accuracy, val_accuracy, loss, val_loss, .. } = history;
    let curves = cantus_plot::History { accuracy, val_accuracy, loss, val_loss, best_epoch, n_networks };
    let picture = cantus_plot::history(&curves);
    let parts = if val_loss.is_empty() { "part" } else { "and the validation part" };
    let caption = format!("Learning curves: accuracy and loss of the training {parts} by epoch.");
    Figure { name: "history", caption, picture }
}

/// ROC curves of these labels, `what` in the subtitle.
pub(super) fn roc(classes: &[(&str, Curves)], what: &str, n_tracks: usize) -> Figure {
    let names: Vec<String> =
        classes.iter().map(|(label, curves)| format!("{label} {:.2}", curves.auc)).collect();
    let diagonal = [(0.0, 0.0), (1.0, 1.0)];
    let mut series = vec![Series::new("chance 0.50", Style::Reference, &diagonal)];
    series.extend(names.iter().zip(classes).map(|(name, (_, c))| Series::new(name, Style::Line, &c.roc)));
    let subtitle = format!("{what}, {n_tracks} tracks; the area under the curve");
    let picture = line_chart(&LineChart {
        title: "ROC",
        subtitle: &subtitle,
        x: Axis::new("False positive rate").from_to(0.0, 1.0),
        y: Axis::new("True positive rate").from_to(0.0, 1.0),
        series: &series,
        square: true,
    });
    let caption = "ROC curves: true positive rate of each class over its false positive rate.";
    Figure { name: "roc", caption: caption.to_owned(), picture }
}

/// Precision-recall curves of these labels, `what` in the subtitle.
pub(super) fn precision_recall(classes: &[(&str, Curves)], what: &str, n_tracks: usize) -> Figure {
    let names: Vec<String> =
        classes.iter().map(|(label, curves)| format!("{label} {:.2}", curves.average_precision)).collect();
    let series: Vec<Series<'_>> = names
        .iter()
        .zip(classes)
        .map(|(name, (_, c))| Series::new(name, Style::Line, &c.precision_recall))
        .collect();
    let subtitle = format!("{what}, {n_tracks} tracks; the average precision");
    let picture = line_chart(&LineChart {
        title: "Precision and recall",
        subtitle: &subtitle,
        x: Axis::new("Recall").from_to(0.0, 1.0),
        y: Axis::new("Precision").from_to(0.0, 1.0),
        series: &series,
        square: true,
    });
    let caption = "Precision of each label over its recall.";
    Figure { name: "precision_recall", caption: caption.to_owned(), picture }
}

/// The reliability diagram: accuracy over predicted probability; `axes` are the names of x and y.
pub(super) fn reliability(calibration: &CalibrationReport, axes: (&str, &str), caption: &str) -> Figure {
    let points = |reliability: &Reliability| -> Vec<(f64, f64)> {
        reliability.bins.iter().map(|bin| (bin.probability, bin.accuracy)).collect()
    };
    let bars: Vec<(f64, f64)> = calibration
        .tracks_after
        .bins
        .iter()
        .map(|bin| (((bin.probability / BIN).ceil().max(1.0) - 0.5) * BIN, bin.accuracy))
        .collect();
    let before = points(&calibration.tracks_before);
    let ideal = [(0.0, 0.0), (1.0, 1.0)];
    let is_calibrated = calibration.is_calibrated();
    let name = if is_calibrated { "calibrated" } else { "not calibrated" };
    let mut series = vec![Series::new(name, Style::Bars(BIN), &bars)];
    series.extend(is_calibrated.then(|| Series::new("before", Style::LineAndDots, &before)));
    series.push(Series::new("ideal", Style::Reference, &ideal));
    let error = |reliability: &Reliability| 100.0 * reliability.expected_calibration_error;
    let (after, before) = (error(&calibration.tracks_after), error(&calibration.tracks_before));
    let mut subtitle = format!("of tracks; expected calibration error {after:.1} %");
    if is_calibrated {
        subtitle += &format!(", before {before:.1} %");
    }
    let picture = line_chart(&LineChart {
        title: "Reliability",
        subtitle: &subtitle,
        x: Axis::new(axes.0).from_to(0.0, 1.0),
        y: Axis::new(axes.1).from_to(0.0, 1.0),
        series: &series,
        square: true,
    });
    Figure { name: "reliability", caption: caption.to_owned(), picture }
}
