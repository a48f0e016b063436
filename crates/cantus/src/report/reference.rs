//! Reference values of the scripts in `tests/reference` of cantus-metrics, for unit tests.

use serde_json::Value;

/// A file of reference values, shared with the tests of cantus-metrics.
pub(crate) fn metrics_reference(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../cantus-metrics/tests/reference");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// The reference values of classification, with the true class and the probabilities of their tracks.
pub(crate) fn classification() -> (Value, Vec<usize>, Vec<Vec<f64>>) {
    let json = &metrics_reference("classification.json");
    let reference: Value = serde_json::from_str(json).unwrap();
    let labels = serde_json::from_value(reference["true"].clone()).unwrap();
    let probabilities = serde_json::from_value(reference["probabilities"].clone()).unwrap();
    (reference, labels, probabilities)
}

/// The reference values of tagging, with the tags and the probabilities of their tracks.
pub(crate) fn tagging() -> (Value, Vec<Vec<usize>>, Vec<Vec<f64>>) {
    let json = &metrics_reference("tagging.json");
    let reference: Value = serde_json::from_str(json).unwrap();
    let labels = serde_json::from_value(reference["labels"].clone()).unwrap();
    let probabilities = serde_json::from_value(reference["probabilities"].clone()).unwrap();
    (reference, labels, probabilities)
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}
