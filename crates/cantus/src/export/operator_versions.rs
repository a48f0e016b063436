//! Operator sets in which an operator of ONNX means the same as in that of exported graphs, 17.

/// The operator set of exported graphs: the first with STFT, supported by all current runtimes.
pub(super) const OPSET: i64 = 17;

/// First and last operator set, and the operators that are the same in all sets between: the output of
/// `bench/export/operator_versions.py`, computed from the definitions in the Python package `onnx` 1.23.
const SAME: &[(i64, i64, &str)] = &[
    (7, 17, "LpPool ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin"),
    (7, 17, "ReduceProd ReduceSumSquare"),
    (7, 18, "AveragePool Cast"),
    (7, 27, "SpaceToDepth"),
    (7, 28, "Abs Acos Add And ArgMax ArgMin Asin Atan Ceil Concat Constant Conv ConvTranspose Cos"),
    (7, 28, "DepthToSpace Div Elu Equal Exp Flatten Floor GRU Gather Gemm GlobalAveragePool"),
    (7, 28, "GlobalLpPool GlobalMaxPool Greater HardSigmoid Identity InstanceNormalization LRN LSTM"),
    (7, 28, "LeakyRelu Less Log LpNormalization MatMul Max MaxPool MaxRoiPool Mean Min Mul"),
    (7, 28, "Multinomial Neg Not Or PRelu Pow RNN RandomNormal RandomNormalLike RandomUniform"),
    (7, 28, "RandomUniformLike Reciprocal Relu Reshape Selu Shape Sigmoid Sin Size Softplus Softsign"),
    (7, 28, "Sqrt Sub Sum Tan Tanh Tile Transpose Xor"),
    (8, 28, "Expand"),
    (9, 28, "Acosh Asinh Atanh BatchNormalization Compress ConstantOfShape Cosh Erf EyeLike IsNaN"),
    (9, 28, "MaxUnpool MeanVarianceNormalization NonZero OneHot Shrink Sign Sinh TfIdfVectorizer"),
    (9, 28, "Where"),
    (10, 17, "Resize"),
    (10, 18, "QuantizeLinear"),
    (10, 20, "DequantizeLinear"),
    (10, 28, "ConvInteger IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul"),
    (10, 28, "ReverseSequence RoiAlign Slice StringNormalizer ThresholdedRelu TopK"),
    (11, 17, "Pad"),
    (11, 26, "Range"),
    (11, 28, "BitShift Clip ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements"),
    (11, 28, "GatherND Round ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty"),
    (11, 28, "SequenceErase SequenceInsert SequenceLength SplitToSequence Unique"),
    (12, 28, "Celu Dropout Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss"),
    (12, 28, "SoftmaxCrossEntropyLoss"),
    (13, 17, "Split"),
    (13, 28, "Hardmax LogSoftmax ReduceSum Softmax Squeeze Unsqueeze"),
    (14, 28, "HardSwish Trilu"),
    (15, 17, "OptionalHasElement"),
    (15, 18, "CastLike"),
    (15, 28, "Bernoulli Optional OptionalGetElement"),
    (16, 19, "GridSample"),
    (17, 19, "DFT"),
    (17, 28, "BlackmanWindow HammingWindow HannWindow LayerNormalization MelWeightMatrix STFT"),
];

/// Whether nodes of an operator of the set `version` are nodes of set 17 with the same meaning; of an operator that the table does not
/// have, in set 17 alone.
pub(super) fn is_same(operator: &str, version: i64) -> bool {
    version == OPSET
        || SAME.iter().any(|&(first, last, operators)| {
            (first..=last).contains(&version) && operators.split(' ').any(|known| known == operator)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_the_same_until_its_inputs_or_attributes_change() {
        for (operator, same, other) in [
            ("Conv", &[7, 11, 17, 22, 28][..], &[6, 29][..]),
            ("ReduceMean", &[11, 13, 17], &[18, 20]),
            ("Softmax", &[13, 17, 20], &[11, 12]),
            ("Pad", &[11, 17], &[10, 18]),
            ("Unknown", &[17], &[16, 18]),
        ] {
            assert!(same.iter().all(|&version| is_same(operator, version)), "{operator}");
            assert!(other.iter().all(|&version| !is_same(operator, version)), "{operator}");
        }
    }

    #[test]
    fn an_operator_is_listed_once_and_all_ranges_contain_the_exported_set() {
        let mut seen = std::collections::BTreeSet::new();
        for (first, last, operators) in SAME {
            assert!((first..=last).contains(&&OPSET));
            assert!(operators.split(' ').all(|operator| !operator.is_empty() && seen.insert(operator)));
        }
    }
}
