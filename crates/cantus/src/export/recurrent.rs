//! Recurrent layers as ONNX's `RNN`, `LSTM` and `GRU`.
//!
//! ONNX requires time as the first axis, weights as rows (one for each gate and unit), and separate biases for input and
//! state; its gate order is i, o, f, g (here: i, f, g, o) and z, r, g (the same here).

use cantus_nn::LayerSpec;
use cantus_nn::layer::{Gru, Lstm, MultiTimescaleLstm, SimpleRnn};

use super::ExportError;
use super::graph::{Attribute, Graph, Value};
use super::weights::Weights;

/// The ONNX parameters of a recurrent layer.
struct Cell {
    op: &'static str,
    units: usize,
    return_sequences: bool,
    /// For each gate in ONNX's order, its index in `cantus_nn`'s order.
    gates: &'static [usize],
    /// Whether it has a separate bias for the state.
    two_biases: bool,
}

impl Cell {
    fn of(spec: &LayerSpec) -> Option<Self> {
        let cell = |op, units, return_sequences, gates| Self {
            op,
            units,
            return_sequences,
            gates,
            two_biases: op == "GRU",
        };
        Some(match spec {
            LayerSpec::SimpleRnn(SimpleRnn { units, return_sequences }) => {
                cell("RNN", *units, *return_sequences, &[0])
            }
            LayerSpec::Lstm(Lstm { units, return_sequences, .. }) => {
                cell("LSTM", *units, *return_sequences, &[0, 3, 1, 2])
            }
            LayerSpec::MultiTimescaleLstm(MultiTimescaleLstm { units, time_scales, return_sequences }) => {
                cell("LSTM", units * time_scales.len(), *return_sequences, &[0, 3, 1, 2])
            }
            LayerSpec::Gru(Gru { units, return_sequences, .. }) => {
                cell("GRU", *units, *return_sequences, &[0, 1, 2])
            }
            _ => return None,
        })
    }

    /// `[n_rows, gates · units]` becomes `[gates · units, n_rows]`, gates in ONNX's order.
    fn rows(&self, values: &[f32]) -> Vec<f32> {
        let width = self.gates.len() * self.units;
        let columns = self.gates.iter().flat_map(|gate| gate * self.units..(gate + 1) * self.units);
        columns.flat_map(|column| values.iter().skip(column).step_by(width).copied()).collect()
    }

    /// Bias of the input, then of the state.
    fn biases(&self, values: &[f32]) -> Vec<f32> {
        let width = self.gates.len() * self.units;
        let (of_input, of_state) = values.split_at(width);
        let mut biases = self.rows(of_input);
        biases.extend(if self.two_biases { self.rows(of_state) } else { vec![0.0; width] });
        biases
    }
}

/// Adds a recurrent layer, in one direction or in both.
pub(super) fn layer(
    graph: &mut Graph,
    spec: &LayerSpec,
    path: &str,
    shape: &[usize],
    weights: &Weights<'_>,
    x: &Value,
) -> Result<Value, ExportError> {
    let (inner, prefixes): (&LayerSpec, &[&str]) = match spec {
        LayerSpec::Bidirectional(both) => (&both.layer, &["forward.", "backward."]),
        one => (one, &[""]),
    };
    let Some(cell) = Cell::of(inner) else {
        return Err(ExportError::NotRecurrent { path: path.to_owned(), layer: inner.kind() });
    };
    let n_inputs = shape.last().copied().unwrap_or(1);
    let (mut kernels, mut recurrent, mut biases) = (Vec::new(), Vec::new(), Vec::new());
    for prefix in prefixes {
        kernels.extend(cell.rows(weights.get(path, &format!("{prefix}kernel"))?));
        recurrent.extend(cell.rows(weights.get(path, &format!("{prefix}recurrent_kernel"))?));
        biases.extend(cell.biases(weights.get(path, &format!("{prefix}bias"))?));
    }
    let (directions, width) = (prefixes.len(), cell.gates.len() * cell.units);
    let kernels = graph.floats(&[directions, width, n_inputs], &kernels);
    let recurrent = graph.floats(&[directions, width, cell.units], &recurrent);
    let biases = graph.floats(&[directions, 2 * width], &biases);
    let sequence = graph.transpose(x, &[1, 0, 2]);
    let inputs = [&sequence, &kernels, &recurrent, &biases];
    let attributes = attributes(&cell, directions);
    let output_width = (directions * cell.units) as i64;
    Ok(if cell.return_sequences {
        let states = graph.node_output(cell.op, inputs, &attributes, 0); // [time, directions, batch, units]
        let states = graph.transpose(&states, &[2, 0, 1, 3]);
        graph.reshape(&states, &[0, 0, output_width])
    } else {
        let last = graph.node_output(cell.op, inputs, &attributes, 1); // [directions, batch, units]
        let last = graph.transpose(&last, &[1, 0, 2]);
        graph.reshape(&last, &[0, output_width])
    })
}

fn attributes(cell: &Cell, directions: usize) -> Vec<(&'static str, Attribute)> {
    let direction = if directions == 2 { "bidirectional" } else { "forward" };
    let mut attributes =
        vec![("hidden_size", Attribute::Int(cell.units as i64)), ("direction", Attribute::Text(direction))];
    if cell.op == "RNN" {
        attributes.push(("activations", Attribute::Texts(vec!["Tanh"; directions])));
    }
    if cell.two_biases {
        // The reset gate is applied after the recurrent product, as in `cantus_nn`.
        attributes.push(("linear_before_reset", Attribute::Int(1)));
    }
    attributes
}
