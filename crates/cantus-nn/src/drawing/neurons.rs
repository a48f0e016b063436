//! Small networks: neurons in columns, connections between them.

use super::svg::{Anchor, Escaped, Number, Svg};
use super::words;
use crate::chain::Link;
use crate::layer::LayerSpec;
use crate::network::Network;

/// From more neurons in one layer on, connections can no longer be told apart.
const MOST_NEURONS: usize = 16;

const COLUMN: f64 = 190.0;
const ROW: f64 = 46.0;
const RADIUS: f64 = 14.0;
/// Beside the first and the last column.
const MARGIN: f64 = 80.0;
/// Above the neurons, for words.
const HEAD: f64 = 80.0;
/// Below the neurons, for the legend.
const FOOT: f64 = 54.0;

/// The neurons of one layer.
#[derive(Debug)]
pub(super) struct Column {
    n_neurons: usize,
    /// Which layer computes them; none for the inputs.
    link: Option<usize>,
    /// Name, number and activation, what follows.
    words: [String; 3],
}

/// The columns of a network that is small enough to be drawn so.
pub(super) fn columns(network: &Network) -> Option<Vec<Column>> {
    let n_inputs = network.chain.input_len();
    let inputs = Column {
        n_neurons: n_inputs,
        link: None,
        words: ["Input", &counted(n_inputs, "value"), ""].map(str::to_owned),
    };
    let mut columns = vec![inputs];
    let mut axes = network.input_shape().len();
    for (i, (link, spec)) in network.chain.links.iter().zip(&network.architecture.layers).enumerate() {
        match spec {
            LayerSpec::Dense(_) if axes == 1 => {
                let n_neurons = link.output_len();
                let neurons = counted(n_neurons, "neuron");
                let activation = words::activation(spec).map_or(String::new(), |name| format!(", {name}"));
                let words = [link.kind.to_owned(), neurons + &activation, String::new()];
                columns.push(Column { n_neurons, link: Some(i), words });
            }
            LayerSpec::Flatten(_) | LayerSpec::Reshape(_) => {}
            LayerSpec::Activation(_) | LayerSpec::Dropout(_) | LayerSpec::GaussianNoise(_) => {
                let note = format!("{} {}", link.kind, words::settings(spec));
                let notes = &mut columns.last_mut()?.words[2];
                *notes = if notes.is_empty() { note } else { format!("{notes}, {note}") };
            }
            _ => return None,
        }
        axes = link.layer.output_shape().len();
    }
    (columns.len() > 1 && columns.iter().all(|column| column.n_neurons <= MOST_NEURONS)).then_some(columns)
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn draw(network: &Network, columns: &[Column]) -> Svg {
    let most = columns.iter().map(|column| column.n_neurons).max().unwrap_or(1);
    let width = 2.0 * MARGIN + COLUMN * (columns.len() - 1) as f64;
    let height = HEAD + ROW * most as f64 + FOOT;
    let mut svg = Svg::new(width, height);
    let place = |column: usize, neuron: usize| {
        let above = (most - columns[column].n_neurons) as f64 / 2.0;
        [MARGIN + COLUMN * column as f64, HEAD + ROW * (above + neuron as f64 + 0.5)]
    };
    let weights_of = |column: &Column| {
        column.link.map(|link| Weights::new(&network.chain.links[link], &network.parameters[link]))
    };
    for (i, column) in columns.iter().enumerate() {
        if let Some(weights) = weights_of(column) {
            connections(&mut svg, &weights, |from| place(i - 1, from), |to| place(i, to));
        }
    }
    for (i, column) in columns.iter().enumerate() {
        let weights = weights_of(column);
        let letter = if i == 0 { Some('x') } else { (i + 1 == columns.len()).then_some('y') };
        for neuron in 0..column.n_neurons {
            circle(&mut svg, place(i, neuron), weights.as_ref(), neuron);
            if let Some(letter) = letter {
                name(&mut svg, place(i, neuron), letter, neuron + 1);
            }
        }
        head(&mut svg, place(i, 0)[0], &column.words);
    }
    legend(&mut svg, [width / 2.0, height - 22.0]);
    svg
}

/// Kernel and bias of one layer.
struct Weights<'a> {
    path: &'a str,
    kernel: &'a [f32],
    bias: &'a [f32],
    /// What counts as wide.
    largest: f32,
}

impl<'a> Weights<'a> {
    fn new(link: &'a Link, values: &'a [f32]) -> Self {
        let [kernel, bias] = ["kernel", "bias"].map(|name| {
            let tensor = link.tensors.iter().find(|tensor| tensor.parameter.name == name);
            tensor.map_or(&[][..], |tensor| &values[tensor.range.clone()])
        });
        let finite = values.iter().map(|w| w.abs()).filter(|w| w.is_finite());
        Self { path: &link.path, kernel, bias, largest: finite.fold(f32::MIN_POSITIVE, f32::max) }
    }

    /// From 0 for nothing to 1 for the layer's largest weight.
    fn size(&self, weight: f32) -> f64 {
        if weight.is_nan() { 0.0 } else { f64::from(weight.abs() / self.largest).min(1.0) }
    }
}

fn sign(weight: f32) -> &'static str {
    if weight < 0.0 { "negative" } else { "positive" }
}

/// The heavier ones last, so that they lie on top.
fn connections(
    svg: &mut Svg,
    weights: &Weights<'_>,
    from: impl Fn(usize) -> [f64; 2],
    to: impl Fn(usize) -> [f64; 2],
) {
    let n_neurons = weights.bias.len().max(1);
    let mut order: Vec<usize> = (0..weights.kernel.len()).collect();
    order.sort_by(|&a, &b| weights.size(weights.kernel[a]).total_cmp(&weights.size(weights.kernel[b])));
    svg.push(format_args!("<g fill=\"none\">"));
    for at in order {
        let (i, j, weight) = (at / n_neurons, at % n_neurons, weights.kernel[at]);
        let ([x1, y1], [x2, y2]) = (from(i), to(j));
        let (size, middle) = (weights.size(weight), Number((x1 + x2) / 2.0));
        let (wide, opacity) = (Number(0.6 + 3.4 * size), Number(0.25 + 0.7 * size));
        let (x1, y1, x2, y2) = (Number(x1), Number(y1), Number(x2), Number(y2));
        svg.push(format_args!(
            r#"<path class="{}" d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}" stroke-width="{wide}" stroke-opacity="{opacity}"><title>{}.kernel[{i}, {j}] = {weight}</title></path>"#,
            sign(weight),
            Escaped(weights.path),
        ));
    }
    svg.push(format_args!("</g>"));
}

fn circle(svg: &mut Svg, [x, y]: [f64; 2], weights: Option<&Weights<'_>>, neuron: usize) {
    let bias = weights.and_then(|weights| Some((weights, *weights.bias.get(neuron)?)));
    let (class, size) = bias.map_or(("", 0.0), |(weights, bias)| {
        let size = weights.size(bias);
        (if size < 0.01 { "" } else { sign(bias) }, size)
    });
    let title = bias.map_or(String::new(), |(weights, bias)| {
        format!("<title>{}.bias[{neuron}] = {bias}</title>", Escaped(weights.path))
    });
    let (x, y, ring) = (Number(x), Number(y), Number(1.5 + 2.5 * size));
    svg.push(format_args!(
        r#"<circle class="neuron {class}" cx="{x}" cy="{y}" r="{RADIUS}" stroke-width="{ring}">{title}</circle>"#
    ));
}

/// x₁ for an input, y₁ for an output, inside its circle.
fn name(svg: &mut Svg, [x, y]: [f64; 2], letter: char, number: usize) {
    let style = r#"font-size="12" font-style="italic""#;
    svg.text([x, y + 4.0], Anchor::Middle, style, &format!("{letter}{}", subscript(number)));
}

/// What the column is.
fn head(svg: &mut Svg, x: f64, [name, numbers, notes]: &[String; 3]) {
    svg.text([x, 32.0], Anchor::Middle, r#"font-size="14" font-weight="600""#, name);
    svg.text([x, 50.0], Anchor::Middle, r#"class="muted" font-size="12""#, numbers);
    if !notes.is_empty() {
        svg.text([x, 66.0], Anchor::Middle, r#"class="muted" font-size="11""#, notes);
    }
}

/// What the colours say.
fn legend(svg: &mut Svg, [middle, y]: [f64; 2]) {
    let line = Number(y - 4.0);
    for (sign, words, x) in
        [("negative", "negative weight", middle - 134.0), ("positive", "positive weight", middle + 14.0)]
    {
        let (from, to) = (Number(x), Number(x + 22.0));
        svg.push(format_args!(
            r#"<line class="{sign}" x1="{from}" y1="{line}" x2="{to}" y2="{line}" stroke-width="3"/>"#
        ));
        svg.text([x + 29.0, y], Anchor::Start, r#"class="muted" font-size="11""#, words);
    }
}

/// 12 as ₁₂
fn subscript(n: usize) -> String {
    n.to_string().chars().filter_map(|c| char::from_u32('₀' as u32 + c.to_digit(10)?)).collect()
}
