//! Comparison of a model's outputs with those of another runtime, kept in `X.check.json` beside `X.onnx`.
//!
//! ```json
//! { "seed": 0, "outputs": [[0.1, 0.2]], "made_with": "onnxruntime 1.23" }
//! ```
//!
//! `outputs` has the values of some runs of the graph, in the order of the output. Value `i` of the input of run `r`, of `n`
//! values, is `((k * 2654435761) mod 2^32) / 2^32`, with `k = seed + r n + i`: computed in f64, then rounded to f32.

use std::path::{Path, PathBuf};

use cantus_audio::feature::Embedding;
use serde::{Deserialize, Serialize};

use crate::description_file::read;
use crate::error::Error;

/// Maximum size of a file of expected outputs, in bytes.
const MAX_CHECK_BYTES: u64 = 1 << 26;

/// Expected outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedOutputs {
    /// First index of the input.
    #[serde(default)]
    seed: u64,
    /// `[n_runs, per_run * n_rows * size]`
    outputs: Vec<Vec<f32>>,
    /// The runtime and its version.
    made_with: String,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Largest absolute difference; infinite if a value is not finite.
    pub max_difference: f64,
    /// Number of compared values.
    pub n_values: usize,
    /// The runtime that the expected values are from.
    pub made_with: String,
}

/// The file of the expected outputs of an ONNX file: `X.check.json` of `X.onnx`.
pub fn check_path(onnx: &Path) -> PathBuf {
    onnx.with_extension("check.json")
}

/// Runs a model and compares its outputs with those in a file.
///
/// # Errors
/// [`Error::Io`]; [`Error::Check`] if the file is malformed, or its outputs have another size than the model's;
/// [`Error::Plan`] if the model cannot be run.
pub fn check(embedding: &Embedding, path: &Path) -> Result<CheckReport, Error> {
    let malformed = |reason: String| Error::Check { path: path.to_owned(), reason };
    let expected: ExpectedOutputs = serde_json::from_slice(&read(path, MAX_CHECK_BYTES)?)
        .map_err(|error| malformed(error.to_string()))?;
    let description = &embedding.description;
    let graph = embedding.graph.as_ref().ok_or_else(|| Error::Plan { reason: "it is not loaded".into() })?;
    let planned = graph.plan(description).map_err(|reason| Error::Plan { reason })?;
    let n_inputs: usize = description.input_shape().iter().product();
    let mut max_difference = 0.0f64;
    for (run, outputs) in expected.outputs.iter().enumerate() {
        let first = expected.seed.wrapping_add((run as u64).wrapping_mul(n_inputs as u64));
        let found = planned.run(&check_input(first, n_inputs));
        if found.len() != outputs.len() {
            let reason = format!("run {run} has {} values; the model gives {}", outputs.len(), found.len());
            return Err(malformed(reason));
        }
        max_difference = max_difference.max(difference(&found, outputs));
    }
    let n_values = expected.outputs.iter().map(Vec::len).sum();
    if n_values == 0 {
        return Err(malformed("it has no outputs".into()));
    }
    Ok(CheckReport { max_difference, n_values, made_with: expected.made_with })
}

/// The input of a run from index `first`.
fn check_input(first: u64, n: usize) -> Vec<f32> {
    const MULTIPLIER: u64 = 2_654_435_761;
    let value = |i: u64| first.wrapping_add(i).wrapping_mul(MULTIPLIER) & 0xffff_ffff;
    (0..n as u64).map(|i| (value(i) as f64 / 4_294_967_296.0) as f32).collect()
}

/// Largest absolute difference; infinite if a value is not finite.
fn difference(found: &[f32], expected: &[f32]) -> f64 {
    let differences = found.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
    differences.fold(0.0, |max, x| if x.is_nan() { f64::INFINITY } else { max.max(x) })
}

#[cfg(test)]
#[cfg(feature = "tract")]
mod tests {
    use std::fs;

    use super::*;
    use crate::from_parts;
    use crate::testing::graphs::{DENSE, dense, description, encode};

    fn checked(json: &str) -> Result<CheckReport, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.check.json");
        fs::write(&path, json).unwrap();
        check(&from_parts(encode(&dense()).into(), description(DENSE)).unwrap(), &path)
    }

    /// ```python
    /// import numpy as np
    /// x = (((np.arange(8, dtype=object) * 2654435761) % 2**32) / 2**32).astype(np.float32).reshape(2, 4)
    /// x @ np.arange(1, 9).reshape(4, 2) + [0.5, -0.5]
    /// ```
    const EXPECTED: &str = "[[9.5131556, 10.2213596], [7.0673307, 7.6640785]]";

    #[test]
    fn equal_outputs_differ_by_rounding_only() {
        let report = checked(&format!("{{\"outputs\": {EXPECTED}, \"made_with\": \"NumPy 2\"}}")).unwrap();
        assert!(report.max_difference < 2e-6, "{report:?}");
        assert_eq!((report.n_values, &*report.made_with), (4, "NumPy 2"));
    }

    #[test]
    fn the_largest_difference_is_reported() {
        let report =
            checked(&format!("{{\"seed\": 1, \"outputs\": {EXPECTED}, \"made_with\": \"\"}}")).unwrap();
        assert!(report.max_difference > 0.1, "{report:?}");
        assert_eq!(difference(&[1.0, f32::NAN, 2.0], &[1.5, 0.0, 2.0]), f64::INFINITY);
        assert_eq!(difference(&[1.0, 2.0], &[1.5, 2.0]), 0.5);
    }

    #[test]
    fn a_malformed_file_is_an_error_in_a_line() {
        for (json, expected) in [
            ("", "EOF"),
            ("{\"outputs\": [], \"made_with\": \"\"}", "no outputs"),
            ("{\"outputs\": [[1.0]], \"made_with\": \"\"}", "run 0 has 1 values; the model gives 2"),
            ("{\"output\": [[1.0]], \"made_with\": \"\"}", "unknown field"),
        ] {
            let error = checked(json).unwrap_err().to_string();
            assert!(error.contains("a.check.json: ") && error.contains(expected), "{error}");
        }
    }
}
