//! Network layers as ONNX operators, equal to `cantus_nn`'s layers in inference.
//!
//! Values keep the layout of `cantus_nn` between layers (channels last, time before features); operators that require
//! another one have a transposition on either side. The `match` on layers is exhaustive, so that a new layer does not
//! compile without an ONNX form.

use cantus_nn::layer::{Average, Branch, Dense};
use cantus_nn::{Architecture, LayerSpec, Network};

use super::activation::activation;
use super::graph::{Attribute, Graph, Value};
use super::weights::Weights;
use super::{convolution, normalization, recurrent, statistics};
use crate::Error;

/// Adds a whole network to the graph: `[batch, input_shape...]` in, `[batch, output_shape...]` out.
pub(super) fn network(graph: &mut Graph, network: &Network, input: &Value) -> Result<Value, Error> {
    let Architecture { input_shape, layers } = network.architecture();
    let tensors = network.weights();
    sequential(graph, layers, "layers", input_shape, &Weights(&tensors), input)
}

/// Adds a network without its last layer: `[batch, input_shape...]` in, `[batch, hidden_shape...]` out.
pub(super) fn without_last(graph: &mut Graph, network: &Network, input: &Value) -> Result<Value, Error> {
    let Architecture { input_shape, layers } = network.architecture();
    let tensors = network.weights();
    let hidden = &layers[..layers.len().saturating_sub(1)];
    sequential(graph, hidden, "layers", input_shape, &Weights(&tensors), input)
}

/// Adds layers in sequence; `path` is the prefix of their weights' names.
fn sequential(
    graph: &mut Graph,
    layers: &[LayerSpec],
    path: &str,
    input_shape: &[usize],
    weights: &Weights<'_>,
    input: &Value,
) -> Result<Value, Error> {
    let (mut value, mut shape) = (input.clone(), input_shape.to_vec());
    for (i, spec) in layers.iter().enumerate() {
        value = layer(graph, spec, &format!("{path}.{i}"), &shape, weights, &value)?;
        shape = spec.output_shape(&shape)?;
    }
    Ok(value)
}

/// Adds a layer; `shape` is that of its input without the batch axis.
fn layer(
    graph: &mut Graph,
    spec: &LayerSpec,
    path: &str,
    shape: &[usize],
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, Error> {
    Ok(match spec {
        LayerSpec::Activation(activate) => activation(graph, activate.activation, x),
        LayerSpec::Average(layer) => average(graph, layer, path, shape, weights, x)?,
        LayerSpec::AveragePool2D(pool) => convolution::average_pool(graph, *pool, x),
        LayerSpec::BatchNormalization(layer) => {
            normalization::batch_normalization(graph, *layer, path, weights, x)?
        }
        LayerSpec::Bidirectional(_)
        | LayerSpec::Gru(_)
        | LayerSpec::Lstm(_)
        | LayerSpec::MultiTimescaleLstm(_)
        | LayerSpec::SimpleRnn(_) => recurrent::layer(graph, spec, path, shape, weights, x)?,
        LayerSpec::Conv2D(conv) => convolution::convolution(graph, conv, path, shape, weights, x)?,
        LayerSpec::Dense(layer) => dense(graph, layer, path, shape, weights, x)?,
        // Active in training only.
        LayerSpec::Dropout(_) | LayerSpec::GaussianNoise(_) | LayerSpec::SpatialDropout(_) => x.clone(),
        LayerSpec::Flatten(_) | LayerSpec::Reshape(_) => {
            graph.reshape(x, &batch_of(&spec.output_shape(shape)?))
        }
        LayerSpec::GlobalAveragePooling1D(_) => graph.mean(x, &[1], false),
        LayerSpec::GlobalAveragePooling2D(_) => graph.mean(x, &[1, 2], false),
        LayerSpec::LayerNormalization(layer) => {
            normalization::layer_normalization(graph, *layer, path, weights, x)?
        }
        LayerSpec::MaxPool2D(pool) => convolution::max_pool(graph, *pool, x),
        LayerSpec::RandomFourierFeatures(features) => {
            statistics::random_features(graph, features, path, shape.iter().product(), weights, x)?
        }
        LayerSpec::Residual(residual) => {
            let change = sequential(graph, &residual.layers, &format!("{path}.layers"), shape, weights, x)?;
            graph.node("Add", [x, &change])
        }
        LayerSpec::StatisticsPooling1D(pool) => statistics::pooling(graph, pool, shape[0], x),
        LayerSpec::TimeDistributed(distributed) => {
            let steps = graph.reshape(x, &batch_of(&shape[1..]));
            let predictions = layer(graph, &distributed.layer, path, &shape[1..], weights, &steps)?;
            graph.reshape(&predictions, &batch_of(&spec.output_shape(shape)?))
        }
    })
}

/// The mean of the outputs of some branches.
fn average(
    graph: &mut Graph,
    layer: &Average,
    path: &str,
    shape: &[usize],
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, Error> {
    let mut sum: Option<Value> = None;
    for (i, branch) in layer.branches.iter().enumerate() {
        let (bins, shape) = bins_of(graph, branch, shape, x);
        let path = format!("{path}.branches.{i}.layers");
        let output = sequential(graph, &branch.layers, &path, &shape, weights, &bins)?;
        sum = Some(match sum {
            Some(sum) => graph.node("Add", [&sum, &output]),
            None => output,
        });
    }
    // A network has no Average without branches.
    let sum = sum.unwrap_or_else(|| x.clone());
    Ok(graph.times(&sum, 1.0 / layer.branches.len() as f32))
}

/// The bins of the last axis that a branch reads, and their shape without the batch axis.
fn bins_of(graph: &mut Graph, branch: &Branch, shape: &[usize], x: &Value) -> (Value, Vec<usize>) {
    let bins: Vec<i64> = branch.bins.iter().flat_map(|&[start, end]| start as i64..end as i64).collect();
    let Some((_, outer)) = shape.split_last().filter(|_| !bins.is_empty()) else {
        return (x.clone(), shape.to_vec());
    };
    let indices = graph.integers(&bins);
    let last_axis = [("axis", Attribute::Int(shape.len() as i64))];
    (graph.node_with("Gather", [x, &indices], &last_axis), [outer, &[bins.len()]].concat())
}

/// `[batch, shape...]` with a symbolic batch axis.
fn batch_of(shape: &[usize]) -> Vec<i64> {
    std::iter::once(-1).chain(shape.iter().map(|&size| size as i64)).collect()
}

/// Dense layer over the last axis.
fn dense(
    graph: &mut Graph,
    layer: &Dense,
    path: &str,
    shape: &[usize],
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, Error> {
    let n_inputs = shape.last().copied().unwrap_or(1);
    let kernel = graph.floats(&[n_inputs, layer.units], weights.get(path, "kernel")?);
    let bias = graph.floats(&[layer.units], weights.get(path, "bias")?);
    let products = graph.node("MatMul", [x, &kernel]);
    let sums = graph.node("Add", [&products, &bias]);
    Ok(activation(graph, layer.activation, &sums))
}
