//! Activation functions in ONNX.

use cantus_nn::Activation;

use super::graph::{Attribute, Graph, Value};

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
