//! Sample reports for unit tests.

use std::collections::BTreeMap;

use cantus_dataset::{Failure, LeftOut, SplitSpec};
use cantus_metrics::tagging::{TagPaired, TagScore, TagScores};
use cantus_metrics::{Interval, SegmentResult, scores};

use super::{
    CalibrationReport, Mistake, ModelSummary, NoiseCount, NoiseReport, PartSize, Report, SplitSummary,
    TagBaseline, TagMistake, TagReport,
};
use crate::Task;

/// A report on three tracks, two of them of the class `label`, one of them wrong.
pub(crate) fn class_report(label: &str) -> Report {
    let decision =
        |track, labels, probabilities| SegmentResult { track, group: track, labels, probabilities };
    let predictions = [
        decision(0, &[0][..], &[0.9, 0.1][..]),
        decision(1, &[1], &[0.2, 0.8]),
        decision(2, &[0], &[0.3, 0.7]),
    ];
    let labels = [label.to_owned(), "other".to_owned()];
    let mistake = Mistake {
        path: format!("{label}/2.wav"),
        label: label.to_owned(),
        predicted: "other".to_owned(),
        probability: 0.7,
        start_s: Some(3.0),
        end_s: Some(6.0),
        is_probable_label_error: true,
    };
    Report {
        cantus_version: "0.1.0".to_owned(),
        scores: scores(&predictions, &labels, 0).unwrap(),
        cross_validation: None,
        remarks: vec![format!("'{label}' is a remark")],
        baseline: None,
        without_leak: None,
        calibration: Some(CalibrationReport::default()),
        noise: Some(NoiseReport {
            threshold: 0.625,
            n_right: Some(2),
            kinds: vec![NoiseCount { name: "white".to_owned(), n: 4, n_above: 1 }],
        }),
        mistakes: vec![mistake],
        model: model(),
        split: split(3),
        training_s: Some(1.5),
        left_out: LeftOut::default(),
        failures: vec![Failure { path: format!("{label}/9.wav"), reason: "cut".to_owned() }],
        warnings: Vec::new(),
    }
}

/// A tagger's report on four tracks and two labels, one of which is `label`.
pub(crate) fn tag_report(label: &str) -> TagReport {
    let interval = Some(Interval { low: 0.5, high: 1.0 });
    let score = |average_precision| TagScore {
        average_precision,
        average_precision_interval: interval.filter(|_| average_precision.is_some()),
        roc_auc: average_precision,
        precision: 0.5,
        recall: 1.0,
        f1_score: 2.0 / 3.0,
        support: 2,
        prevalence: 0.5,
    };
    let per_label = BTreeMap::from([(label.to_owned(), score(Some(1.0))), ("other".to_owned(), score(None))]);
    TagReport {
        task: Task::Tagging,
        cantus_version: "0.1.0".to_owned(),
        scores: TagScores {
            labels: vec![label.to_owned(), "other".to_owned()],
            n_segments: 4,
            n_tracks: 4,
            n_groups: None,
            label_cardinality: 1.0,
            threshold: 0.5,
            macro_average_precision: 0.7,
            macro_roc_auc: 0.8,
            micro_f1: 0.6,
            macro_f1: 0.6,
            per_label: per_label.clone(),
            track_macro_average_precision: 0.75,
            track_macro_average_precision_interval: interval,
            track_macro_roc_auc: 0.9,
            track_micro_f1: 2.0 / 3.0,
            track_macro_f1: 2.0 / 3.0,
            track_per_label: per_label,
            chance_level: 0.5,
        },
        cross_validation: None,
        remarks: vec!["a remark".to_owned()],
        baseline: TagBaseline {
            track_macro_average_precision: 0.6,
            track_macro_average_precision_interval: interval,
            track_macro_roc_auc: 0.7,
            track_micro_f1: 0.5,
            track_macro_f1: 0.5,
            model_against_it: TagPaired {
                n_tracks: 4,
                n_groups: None,
                difference: 0.15,
                interval,
                p_value: Some(0.01),
            },
        },
        calibration: CalibrationReport::default(),
        noise: Some(NoiseReport {
            threshold: 0.5,
            n_right: None,
            kinds: vec![NoiseCount { name: "white".to_owned(), n: 4, n_above: 1 }],
        }),
        mistakes: vec![TagMistake {
            path: "y.wav".to_owned(),
            label: label.to_owned(),
            has_it: false,
            probability: 0.9,
            start_s: Some(3.0),
            end_s: Some(6.0),
        }],
        model: model(),
        split: split(4),
        training_s: Some(1.5),
        left_out: LeftOut::default(),
        failures: vec![Failure { path: "x.wav".to_owned(), reason: "cut".to_owned() }],
        warnings: Vec::new(),
    }
}

fn model() -> ModelSummary {
    ModelSummary {
        recipe: "mlp".to_owned(),
        seed: 0,
        n_parameters: 1234,
        n_networks: None,
        n_epochs: Some(3),
        best_epoch: Some(2),
        data_sha256: "00".to_owned(),
        embeddings: Vec::new(),
        start: None,
    }
}

/// A split whose parts have `n` tracks of one segment each.
fn split(n: usize) -> SplitSummary {
    let size = PartSize { n_tracks: n, n_segments: n };
    SplitSummary {
        spec: SplitSpec::default(),
        given: false,
        groups: None,
        train_part: size,
        validation_part: size,
        test_part: size,
        remarks: Vec::new(),
    }
}
