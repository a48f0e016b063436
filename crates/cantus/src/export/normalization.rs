//! Batch and layer normalisation in ONNX.

use cantus_nn::layer::{BatchNormalization, LayerNormalization};

use super::ExportError;
use super::graph::{Graph, Value};
use super::weights::Weights;

/// Batch normalisation in inference: a scale and a shift per channel, from the moving statistics.
pub(super) fn batch_normalization(
    graph: &mut Graph,
    normalization: BatchNormalization,
    path: &str,
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, ExportError> {
    let variance = weights.get(path, "moving_variance")?;
    let scale: Vec<f32> = (weights.get(path, "gamma")?.iter().zip(variance))
        .map(|(gamma, variance)| gamma / (variance + normalization.epsilon).sqrt())
        .collect();
    let shift: Vec<f32> = (weights.get(path, "beta")?.iter().zip(weights.get(path, "moving_mean")?))
        .zip(&scale)
        .map(|((beta, mean), scale)| beta - mean * scale)
        .collect();
    let (scale, shift) = (graph.floats(&[scale.len()], &scale), graph.floats(&[shift.len()], &shift));
    let scaled = graph.node("Mul", [x, &scale]);
    Ok(graph.node("Add", [&scaled, &shift]))
}

/// Layer normalisation over the last axis.
pub(super) fn layer_normalization(
    graph: &mut Graph,
    normalization: LayerNormalization,
    path: &str,
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, ExportError> {
    let (gamma, beta) = (weights.get(path, "gamma")?, weights.get(path, "beta")?);
    let (gamma, beta) = (graph.floats(&[gamma.len()], gamma), graph.floats(&[beta.len()], beta));
    let epsilon = graph.number(normalization.epsilon);
    let mean = graph.mean(x, &[-1], true);
    let centred = graph.node("Sub", [x, &mean]);
    let squares = graph.node("Mul", [&centred, &centred]);
    let variance = graph.mean(&squares, &[-1], true);
    let raised = graph.node("Add", [&variance, &epsilon]);
    let deviation = graph.node("Sqrt", [&raised]);
    let standardised = graph.node("Div", [&centred, &deviation]);
    let scaled = graph.node("Mul", [&standardised, &gamma]);
    Ok(graph.node("Add", [&scaled, &beta]))
}
