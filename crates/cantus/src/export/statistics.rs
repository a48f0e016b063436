//! Statistics pooling and random Fourier features in ONNX, the layers of the recipe `best`.

use cantus_nn::layer::{RandomFourierFeatures, StatisticsPooling1D};

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
    let n_frequencies = layer.units / 2;
    let inputs = graph.reshape(x, &[-1, n_inputs as i64]);
    let mut features = Vec::new();
    for group in layer.groups_of(n_inputs) {
        let (n, first) = (group.inputs.len(), group.first_row * n_frequencies);
        let kernel = weights.get(path, &group.tensor)?;
        let rows = graph.floats(&[n, n_frequencies], &kernel[first..first + n * n_frequencies]);
        let of_group = graph.slice(&inputs, 1, group.inputs);
        let products = graph.node("MatMul", [&of_group, &rows]);
        let scaled = graph.times(&products, group.frequency);
        for function in ["Cos", "Sin"] {
            let feature = graph.node(function, [&scaled]);
            features.push(if group.amplitude == 1.0 {
                feature
            } else {
                graph.times(&feature, group.amplitude)
            });
        }
    }
    Ok(graph.concat(features, 1))
}
