//! Operator sets of ONNX: that of exported graphs, and from which ones an operator means something else.

use std::ops::RangeInclusive;

/// The operator set of exported graphs: the first with STFT, supported by all current runtimes.
pub(super) const OPSET: i64 = 17;
/// The operator sets of which the table has the changes.
pub(super) const KNOWN: RangeInclusive<i64> = 7..=28;

/// Operators, and the operator sets from which their earlier nodes are invalid or mean something else: the output of
/// `bench/export/operator_versions.py`, computed from the definitions in the Python package `onnx` 1.23.
const CHANGES: &[(&str, &[i64])] = &[
    ("BatchNormalization", &[9]),
    ("Clip", &[11]),
    ("DFT", &[20]),
    ("Dropout", &[12]),
    ("GridSample", &[20]),
    ("GroupNormalization", &[21]),
    ("Hardmax", &[13]),
    ("LogSoftmax", &[13]),
    ("Pad", &[11]),
    ("ReduceL1", &[18]),
    ("ReduceL2", &[18]),
    ("ReduceLogSum", &[18]),
    ("ReduceLogSumExp", &[18]),
    ("ReduceMax", &[18]),
    ("ReduceMean", &[18]),
    ("ReduceMin", &[18]),
    ("ReduceProd", &[18]),
    ("ReduceSum", &[13]),
    ("ReduceSumSquare", &[18]),
    ("Resize", &[11]),
    ("Scatter", &[11]),
    ("Slice", &[10]),
    ("Softmax", &[13]),
    ("Split", &[13]),
    ("Squeeze", &[13]),
    ("TopK", &[10]),
    ("Unsqueeze", &[13]),
    ("Upsample", &[9, 10]),
];

/// Whether nodes of an operator of the set `version` mean the same in a later set.
pub(super) fn is_same(operator: &str, version: i64, later: i64) -> bool {
    let is_between = |&change: &i64| version < change && change <= later;
    !CHANGES.iter().any(|(known, changes)| *known == operator && changes.iter().any(is_between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_the_same_until_its_inputs_or_attributes_change() {
        for (operator, same, other) in [
            ("Conv", &[(7, 17), (17, 28)][..], &[][..]),
            ("ReduceMean", &[(11, 17), (18, 28), (17, 17)], &[(13, 18), (17, 20)]),
            ("Softmax", &[(13, 17), (11, 12)], &[(12, 13), (7, 28)]),
            ("Pad", &[(11, 18)], &[(10, 11)]),
        ] {
            assert!(same.iter().all(|&(version, later)| is_same(operator, version, later)), "{operator}");
            assert!(other.iter().all(|&(version, later)| !is_same(operator, version, later)), "{operator}");
        }
    }
}
