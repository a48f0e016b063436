//! 2D convolution and pooling layers in ONNX.
//!
//! ONNX requires channels first, `cantus_nn` has them last: there is a transposition on either side, which runtimes remove
//! between two such layers.

use cantus_nn::layer::{AveragePool2D, Conv2D, MaxPool2D, Padding};

use super::ExportError;
use super::activation::activation;
use super::graph::{Attribute, Graph, Value};
use super::weights::Weights;

/// 2D convolution: the kernel `[height, width, channels, filters]` becomes ONNX's `[filters, channels, height, width]`.
pub(super) fn convolution(
    graph: &mut Graph,
    conv: &Conv2D,
    path: &str,
    shape: &[usize],
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, ExportError> {
    let ([height, width], filters) = (conv.kernel_size, conv.filters);
    let channels = shape.last().copied().unwrap_or(1);
    let values = weights.get(path, "kernel")?;
    let mut kernel = Vec::with_capacity(values.len());
    for filter in 0..filters {
        for channel in 0..channels {
            kernel.extend((0..height * width).map(|at| values[(at * channels + channel) * filters + filter]));
        }
    }
    let kernel = graph.floats(&[filters, channels, height, width], &kernel);
    let bias = graph.floats(&[filters], weights.get(path, "bias")?);
    let attributes = window_attributes(conv.kernel_size, conv.strides, conv.padding);
    let sums = channels_first(graph, x, |graph, x| graph.node_with("Conv", [x, &kernel, &bias], &attributes));
    Ok(activation(graph, conv.activation, &sums))
}

/// Maximum pooling.
pub(super) fn max_pool(graph: &mut Graph, pool: MaxPool2D, x: &Value) -> Value {
    let attributes = window_attributes(pool.pool_size, pool.strides.unwrap_or(pool.pool_size), pool.padding);
    channels_first(graph, x, |graph, x| graph.node_with("MaxPool", [x], &attributes))
}

/// Average pooling.
pub(super) fn average_pool(graph: &mut Graph, pool: AveragePool2D, x: &Value) -> Value {
    let attributes = window_attributes(pool.pool_size, pool.strides.unwrap_or(pool.pool_size), pool.padding);
    channels_first(graph, x, |graph, x| graph.node_with("AveragePool", [x], &attributes))
}

/// `[batch, height, width, channels]` for an operator that requires `[batch, channels, height, width]`, and back.
fn channels_first(graph: &mut Graph, x: &Value, operator: impl FnOnce(&mut Graph, &Value) -> Value) -> Value {
    let image = graph.transpose(x, &[0, 3, 1, 2]);
    let output = operator(graph, &image);
    graph.transpose(&output, &[0, 2, 3, 1])
}

/// Kernel, strides and padding: TensorFlow's "same" padding, which `cantus_nn` uses, is ONNX's SAME_UPPER.
fn window_attributes(
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
) -> [(&'static str, Attribute); 3] {
    let border = match padding {
        Padding::Valid => "VALID",
        Padding::Same => "SAME_UPPER",
    };
    [
        ("kernel_shape", Attribute::sizes(&size)),
        ("strides", Attribute::sizes(&strides)),
        ("auto_pad", Attribute::Text(border)),
    ]
}
