//! What `tests/reference/examination.py` made, for the tests beside the code.

use serde_json::Value;

/// All of it, and the true class and the probabilities of its tracks.
pub(crate) fn examination() -> (Value, Vec<usize>, Vec<Vec<f64>>) {
    let json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/examination.json"));
    let reference: Value = serde_json::from_str(json).unwrap();
    let labels = serde_json::from_value(reference["true"].clone()).unwrap();
    let probabilities = serde_json::from_value(reference["probabilities"].clone()).unwrap();
    (reference, labels, probabilities)
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}
