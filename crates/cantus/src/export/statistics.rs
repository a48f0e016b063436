//! Statistics pooling and random Fourier features in ONNX, the layers of the recipe `best`.

use std::ops::Range;

use cantus_nn::layer::{Kernel, RandomFourierFeatures, StatisticsPooling1D};

use super::ExportError;
use super::graph::{Attribute, Graph, Value};
use super::weights::Weights;

/// `[batch, time, channels]` → `[batch, channels, 2 + scales]`: means, deviations, and deviations of the change at each scale.
pub(super) fn pooling(graph: &mut Graph, layer: &StatisticsPooling1D, n_steps: usize, x: &Value) -> Value {
    let channels = graph.transpose(x, &[0, 2, 1]); // [batch, channels, time]
    let mut statistics = vec![graph.mean(&channels, &[2], true), deviation(graph, layer, &channels)];
    for &scale in &layer.scales {
        let changes = changes(graph, scale, n_steps, &channels);
        statistics.push(deviation(graph, layer, &changes));
    }
    graph.concat(statistics, 2)
}

/// dₜ of every channel: the mean over `scale` frames minus the mean over the `scale` frames before.
fn changes(graph: &mut Graph, scale: usize, n_steps: usize, channels: &Value) -> Value {
    let window = [("kernel_shape", Attribute::sizes(&[scale])), ("strides", Attribute::sizes(&[1]))];
    let means = graph.node_with("AveragePool", [channels], &window);
    let n = n_steps - 2 * scale + 1;
    let earlier = graph.slice(&means, 2, 0..n);
    let later = graph.slice(&means, 2, scale..scale + n);
    graph.node("Sub", [&later, &earlier])
}

/// √(σ² + ε) along the last axis, or its logarithm.
fn deviation(graph: &mut Graph, layer: &StatisticsPooling1D, values: &Value) -> Value {
    let mean = graph.mean(values, &[2], true);
    let centred = graph.node("Sub", [values, &mean]);
    let squares = graph.node("Mul", [&centred, &centred]);
    let variance = graph.mean(&squares, &[2], true);
    let epsilon = graph.number(layer.epsilon);
    let variance = graph.node("Add", [&variance, &epsilon]);
    if layer.logarithm {
        let logarithm = graph.node("Log", [&variance]);
        return graph.times(&logarithm, 0.5);
    }
    graph.node("Sqrt", [&variance])
}

/// `[batch, ...]` with `n_inputs` values each → `[batch, n_groups · units]`: for each group the cosines, then the sines.
pub(super) fn random_features(
    graph: &mut Graph,
    layer: &RandomFourierFeatures,
    path: &str,
    n_inputs: usize,
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, ExportError> {
    let (n_frequencies, kernel) = (layer.units / 2, weights.get(path, "kernel")?);
    let inputs = graph.reshape(x, &[-1, n_inputs as i64]);
    let mut features = Vec::new();
    for group in groups(layer, n_inputs) {
        let n = group.len();
        let rows = &kernel[group.start * n_frequencies..group.end * n_frequencies];
        let rows = graph.floats(&[n, n_frequencies], rows);
        let of_group = graph.slice(&inputs, 1, group);
        let products = graph.node("MatMul", [&of_group, &rows]);
        let scaled = graph.times(&products, frequency(layer, n));
        features.extend([graph.node("Cos", [&scaled]), graph.node("Sin", [&scaled])]);
    }
    Ok(graph.concat(features, 1))
}

/// The ranges of inputs that form the groups.
fn groups(layer: &RandomFourierFeatures, n_inputs: usize) -> Vec<Range<usize>> {
    let sizes = if layer.groups.is_empty() { vec![n_inputs] } else { layer.groups.clone() };
    let mut start = 0;
    let group = |size: usize| {
        start += size;
        start - size..start
    };
    sizes.into_iter().map(group).collect()
}

/// The factor that scales the random numbers to frequencies for a group of `n` inputs.
fn frequency(layer: &RandomFourierFeatures, n: usize) -> f32 {
    match layer.kernel {
        Kernel::Laplacian => 1.0 / (layer.scale * n as f32),
        Kernel::Gaussian => 1.0 / (layer.scale * (n as f32).sqrt()),
    }
}
