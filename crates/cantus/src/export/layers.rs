//! Network layers as ONNX operators, equal to `cantus_nn`'s layers in inference.
//!
//! Values keep the layout of `cantus_nn` between layers (channels last, time before features); operators that require
//! another one have a transposition on either side. The `match` on layers is exhaustive, so that a new layer does not
//! compile without an ONNX form.

use cantus_nn::layer::{BatchNormalization, Dense, LayerNormalization};
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

use super::graph::{Attribute, Graph, Value};
use super::{recurrent, statistics, windows};
use crate::Error;

/// A network's weights by name.
pub(super) struct Weights<'a>(&'a [Tensor]);

impl<'a> Weights<'a> {
    /// The values of a tensor.
    ///
    /// # Errors
    /// If the network has none of that name.
    pub(super) fn get(&self, path: &str, name: &str) -> Result<&'a [f32], Error> {
        let full_name = format!("{path}.{name}");
        let tensor = self.0.iter().find(|tensor| tensor.name == full_name);
        tensor
            .map(|tensor| &*tensor.values)
            .ok_or_else(|| Error::Export { reason: format!("the network has no weight {full_name}") })
    }
}

/// Adds a whole network to the graph: `[batch, input_shape...]` in, `[batch, output_shape...]` out.
pub(super) fn network(graph: &mut Graph, network: &Network, input: &Value) -> Result<Value, Error> {
    let Architecture { input_shape, layers } = network.architecture();
    let tensors = network.weights();
    chain(graph, layers, "layers", input_shape, &Weights(&tensors), input)
}

/// Adds layers in sequence; `path` is the prefix of their weights' names.
fn chain(
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
        LayerSpec::AveragePool2D(pool) => windows::average_pool(graph, *pool, x),
        LayerSpec::BatchNormalization(normalization) => {
            batch_normalization(graph, *normalization, path, weights, x)?
        }
        LayerSpec::Bidirectional(_)
        | LayerSpec::Gru(_)
        | LayerSpec::Lstm(_)
        | LayerSpec::MultiTimescaleLstm(_)
        | LayerSpec::SimpleRnn(_) => recurrent::layer(graph, spec, path, shape, weights, x)?,
        LayerSpec::Conv2D(conv) => windows::convolution(graph, conv, path, shape, weights, x)?,
        LayerSpec::Dense(layer) => dense(graph, layer, path, shape, weights, x)?,
        // Active in training only.
        LayerSpec::Dropout(_) | LayerSpec::GaussianNoise(_) | LayerSpec::SpatialDropout(_) => x.clone(),
        LayerSpec::Flatten(_) | LayerSpec::Reshape(_) => {
            graph.reshape(x, &batch_of(&spec.output_shape(shape)?))
        }
        LayerSpec::GlobalAveragePooling1D(_) => graph.mean(x, &[1], false),
        LayerSpec::GlobalAveragePooling2D(_) => graph.mean(x, &[1, 2], false),
        LayerSpec::LayerNormalization(normalization) => {
            layer_normalization(graph, *normalization, path, weights, x)?
        }
        LayerSpec::MaxPool2D(pool) => windows::max_pool(graph, *pool, x),
        LayerSpec::RandomFourierFeatures(features) => {
            statistics::random_features(graph, features, path, shape.iter().product(), weights, x)?
        }
        LayerSpec::Residual(residual) => {
            let change = chain(graph, &residual.layers, &format!("{path}.layers"), shape, weights, x)?;
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

/// `[batch, shape...]` with a symbolic batch axis.
fn batch_of(shape: &[usize]) -> Vec<i64> {
    std::iter::once(-1).chain(shape.iter().map(|&size| size as i64)).collect()
}

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

/// y = f(h)
pub(super) fn activation(graph: &mut Graph, activation: Activation, h: &Value) -> Value {
    match activation {
        Activation::Linear => h.clone(),
        Activation::Sigmoid => graph.node("Sigmoid", [h]),
        Activation::Tanh => graph.node("Tanh", [h]),
        Activation::Relu => graph.node("Relu", [h]),
        Activation::LeakyRelu => graph.node_with("LeakyRelu", [h], &[("alpha", Attribute::Float(0.2))]),
        Activation::Elu => graph.node_with("Elu", [h], &[("alpha", Attribute::Float(1.0))]),
        Activation::Gelu => gelu(graph, h),
        Activation::Silu => {
            let gate = graph.node("Sigmoid", [h]);
            graph.node("Mul", [h, &gate])
        }
        Activation::Softmax => graph.softmax(h),
    }
}

/// h Φ(h) = h (1 + erf(h / √2)) / 2; ONNX has a `Gelu` operator only from opset 20 on.
fn gelu(graph: &mut Graph, h: &Value) -> Value {
    let scaled = graph.times(h, std::f32::consts::FRAC_1_SQRT_2);
    let erf = graph.node("Erf", [&scaled]);
    let one = graph.number(1.0);
    let sum = graph.node("Add", [&erf, &one]);
    let share = graph.times(&sum, 0.5);
    graph.node("Mul", [h, &share])
}

/// Batch normalisation in inference: a scale and a shift per channel, from the moving statistics.
fn batch_normalization(
    graph: &mut Graph,
    normalization: BatchNormalization,
    path: &str,
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, Error> {
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

fn layer_normalization(
    graph: &mut Graph,
    normalization: LayerNormalization,
    path: &str,
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, Error> {
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
