//! Diagram of a small network: neurons in columns, and the weighted connections between them.

use super::labels;
use super::shape::{Anchor, Drawing, Font, Role, Shape};
use crate::layer::LayerSpec;
use crate::network::Network;
use crate::sequential::BuiltLayer;

/// With more neurons in one layer, connections cannot be distinguished.
const MAX_NEURONS: usize = 16;

const COLUMN: f64 = 190.0;
const ROW: f64 = 46.0;
const RADIUS: f64 = 14.0;
/// Left of the first and right of the last column.
const MARGIN: f64 = 80.0;
/// Above the neurons, for labels.
const HEAD: f64 = 80.0;
/// Below the neurons, for the legend.
const FOOT: f64 = 54.0;

/// The neurons of one layer.
#[derive(Debug)]
pub(super) struct Column {
    n_neurons: usize,
    /// The layer that computes them; `None` for the inputs.
    built: Option<usize>,
    /// Name, number and activation, and layers without neurons that follow.
    labels: [String; 3],
}

/// The columns of a network, if it is small enough.
pub(super) fn columns(network: &Network) -> Option<Vec<Column>> {
    let n_inputs = network.model.input_len();
    let inputs = Column {
        n_neurons: n_inputs,
        built: None,
        labels: ["Input", &counted(n_inputs, "value"), ""].map(str::to_owned),
    };
    let mut columns = vec![inputs];
    let mut axes = network.input_shape().len();
    for (i, (built, spec)) in network.model.layers.iter().zip(&network.architecture.layers).enumerate() {
        match spec {
            LayerSpec::Dense(_) if axes == 1 => {
                let n_neurons = built.output_len();
                let neurons = counted(n_neurons, "neuron");
                let activation = labels::activation(spec).map_or(String::new(), |name| format!(", {name}"));
                let labels = [built.kind.to_owned(), neurons + &activation, String::new()];
                columns.push(Column { n_neurons, built: Some(i), labels });
            }
            LayerSpec::Flatten(_) | LayerSpec::Reshape(_) => {}
            LayerSpec::Activation(_) | LayerSpec::Dropout(_) | LayerSpec::GaussianNoise(_) => {
                let note = format!("{} {}", built.kind, labels::settings(spec));
                let notes = &mut columns.last_mut()?.labels[2];
                *notes = if notes.is_empty() { note } else { format!("{notes}, {note}") };
            }
            _ => return None,
        }
        axes = built.layer.output_shape().len();
    }
    (columns.len() > 1 && columns.iter().all(|column| column.n_neurons <= MAX_NEURONS)).then_some(columns)
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn draw(network: &Network, columns: &[Column]) -> Drawing {
    let most = columns.iter().map(|column| column.n_neurons).max().unwrap_or(1);
    let width = 2.0 * MARGIN + COLUMN * (columns.len() - 1) as f64;
    let height = HEAD + ROW * most as f64 + FOOT;
    let mut drawing = Drawing::new(width, height);
    let position = |column: usize, neuron: usize| {
        let above = (most - columns[column].n_neurons) as f64 / 2.0;
        [MARGIN + COLUMN * column as f64, HEAD + ROW * (above + neuron as f64 + 0.5)]
    };
    let weights_of = |column: &Column| {
        column.built.map(|built| Weights::new(&network.model.layers[built], &network.parameters[built]))
    };
    for (i, column) in columns.iter().enumerate() {
        if let Some(weights) = weights_of(column) {
            connections(&mut drawing, &weights, |from| position(i - 1, from), |to| position(i, to));
        }
    }
    for (i, column) in columns.iter().enumerate() {
        let weights = weights_of(column);
        let letter = if i == 0 { Some('x') } else { (i + 1 == columns.len()).then_some('y') };
        for neuron in 0..column.n_neurons {
            circle(&mut drawing, position(i, neuron), weights.as_ref(), neuron);
            if let Some(letter) = letter {
                name(&mut drawing, position(i, neuron), letter, neuron + 1);
            }
        }
        head(&mut drawing, position(i, 0)[0], &column.labels);
    }
    legend(&mut drawing, [width / 2.0, height - 22.0]);
    drawing
}

/// Kernel and bias of one layer.
struct Weights<'a> {
    path: &'a str,
    kernel: &'a [f32],
    bias: &'a [f32],
    /// The largest weight, drawn widest.
    largest: f32,
}

impl<'a> Weights<'a> {
    fn new(built: &'a BuiltLayer, values: &'a [f32]) -> Self {
        let [kernel, bias] = ["kernel", "bias"].map(|name| {
            let tensor = built.tensors.iter().find(|tensor| tensor.parameter.name == name);
            tensor.map_or(&[][..], |tensor| &values[tensor.range.clone()])
        });
        let largest = values.iter().map(|w| w.abs()).fold(f32::MIN_POSITIVE, f32::max);
        Self { path: &built.path, kernel, bias, largest }
    }

    /// Relative to the layer's largest weight, in [0, 1].
    fn size(&self, weight: f32) -> f64 {
        f64::from(weight.abs() / self.largest).min(1.0)
    }
}

fn sign(weight: f32) -> Role {
    if weight < 0.0 { Role::Negative } else { Role::Positive }
}

/// Larger weights last, so that they are on top.
fn connections(
    drawing: &mut Drawing,
    weights: &Weights<'_>,
    from: impl Fn(usize) -> [f64; 2],
    to: impl Fn(usize) -> [f64; 2],
) {
    let n_neurons = weights.bias.len().max(1);
    let mut order: Vec<usize> = (0..weights.kernel.len()).collect();
    order.sort_by(|&a, &b| weights.size(weights.kernel[a]).total_cmp(&weights.size(weights.kernel[b])));
    for at in order {
        let (i, j, weight) = (at / n_neurons, at % n_neurons, weights.kernel[at]);
        let (start, end) = (from(i), to(j));
        let (size, middle) = (weights.size(weight), (start[0] + end[0]) / 2.0);
        drawing.push(Shape::Curve {
            start,
            turns: vec![[[middle, start[1]], [middle, end[1]], end]],
            width: 0.6 + 3.4 * size,
            opacity: 0.25 + 0.7 * size,
            role: sign(weight),
            note: format!("{}.kernel[{i}, {j}] = {weight}", weights.path),
        });
    }
}

fn circle(drawing: &mut Drawing, centre: [f64; 2], weights: Option<&Weights<'_>>, neuron: usize) {
    let bias = weights.and_then(|weights| Some((weights, *weights.bias.get(neuron)?)));
    let (ring, size) = bias.map_or((Role::Neuron, 0.0), |(weights, bias)| {
        let size = weights.size(bias);
        (if size < 0.01 { Role::Neuron } else { sign(bias) }, size)
    });
    let note =
        bias.map_or(String::new(), |(weights, bias)| format!("{}.bias[{neuron}] = {bias}", weights.path));
    drawing.push(Shape::Circle { centre, radius: RADIUS, ring, ring_width: 1.5 + 2.5 * size, note });
}

/// x₁ for an input, y₁ for an output, inside its circle.
fn name(drawing: &mut Drawing, [x, y]: [f64; 2], letter: char, number: usize) {
    let font = Font { italic: true, ..Font::plain(12.0) };
    drawing.text([x, y + 4.0], Anchor::Middle, font, &format!("{letter}{}", subscript(number)));
}

/// The labels of a column.
fn head(drawing: &mut Drawing, x: f64, [name, numbers, notes]: &[String; 3]) {
    drawing.text([x, 32.0], Anchor::Middle, Font { bold: true, ..Font::plain(14.0) }, name);
    drawing.text([x, 50.0], Anchor::Middle, Font::muted(12.0), numbers);
    if !notes.is_empty() {
        drawing.text([x, 66.0], Anchor::Middle, Font::muted(11.0), notes);
    }
}

/// The legend of the colours.
fn legend(drawing: &mut Drawing, [middle, y]: [f64; 2]) {
    for (role, label, x) in [
        (Role::Negative, "negative weight", middle - 134.0),
        (Role::Positive, "positive weight", middle + 14.0),
    ] {
        let (from, to) = ([x, y - 4.0], [x + 22.0, y - 4.0]);
        drawing.push(Shape::Line { from, to, width: 3.0, role });
        drawing.text([x + 29.0, y], Anchor::Start, Font::muted(11.0), label);
    }
}

/// 12 as ₁₂
fn subscript(n: usize) -> String {
    n.to_string().chars().filter_map(|c| char::from_u32('₀' as u32 + c.to_digit(10)?)).collect()
}
