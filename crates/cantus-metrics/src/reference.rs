//! Reference numbers of `tests/reference/classification.py` and `tagging.py`, for tests.

use serde_json::Value;

use crate::TrackDecision;
use crate::aggregate::arg_max;

/// The document of `classification.py`, and the true class and probabilities of its tracks.
pub fn classification() -> (Value, Vec<usize>, Vec<Vec<f64>>) {
    let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/classification.json"));
    let reference: Value = serde_json::from_str(json).unwrap();
    let labels = serde_json::from_value(reference["true"].clone()).unwrap();
    let probabilities = serde_json::from_value(reference["probabilities"].clone()).unwrap();
    (reference, labels, probabilities)
}

/// The document of `tagging.py`, and the true tags and probabilities of its tracks.
pub fn tagging() -> (Value, Vec<Vec<usize>>, Vec<Vec<f64>>) {
    let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/tagging.json"));
    let reference: Value = serde_json::from_str(json).unwrap();
    let labels = serde_json::from_value(reference["labels"].clone()).unwrap();
    let probabilities = serde_json::from_value(reference["probabilities"].clone()).unwrap();
    (reference, labels, probabilities)
}

/// The tracks of `tagging.py` with their probabilities, and with random ones.
pub fn tagging_tracks() -> (Vec<TrackDecision>, Vec<TrackDecision>) {
    let (reference, labels, probabilities) = tagging();
    let groups: Vec<usize> = serde_json::from_value(reference["groups"].clone()).unwrap();
    let noise: Vec<Vec<f64>> = serde_json::from_value(reference["noise"].clone()).unwrap();
    let decisions = |probabilities: &[Vec<f64>]| {
        let rows = probabilities.iter().zip(&labels).zip(&groups).enumerate();
        rows.map(|(track, ((p, labels), group))| TrackDecision {
            track,
            group: *group,
            labels: labels.clone(),
            predicted: arg_max(p),
            probabilities: p.clone(),
        })
        .collect()
    };
    (decisions(&probabilities), decisions(&noise))
}

pub fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}
