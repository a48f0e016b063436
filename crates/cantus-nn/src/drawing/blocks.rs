//! Large networks: one block for each layer, from top to bottom, and beside it the shape of what comes out.
//!
//! The shapes are drawn to a logarithmic scale, so that 13 coefficients can be seen beside 1,690 numbers: a list of numbers as a bar,
//! frames × features as a sheet (time runs to the right), height × width × channels as a box.

use super::svg::{Anchor, Number, Svg};
use super::words;
use crate::network::Network;
use crate::summary::grouped;

/// Of the whole picture.
const WIDTH: f64 = 640.0;
const MARGIN: f64 = 24.0;
/// The middle of the shapes.
const SHAPES: f64 = 82.0;
const CARD_X: f64 = 148.0;
const CARD_WIDTH: f64 = WIDTH - MARGIN - CARD_X;
const CARD_HEIGHT: f64 = 54.0;
const PITCH: f64 = 76.0;
/// How many letters of the settings fit beside the output's shape.
const MOST_LETTERS: usize = 44;

const TITLE: &str = r#"font-size="14" font-weight="600""#;
const PLAIN: &str = r#"font-size="14""#;
const SMALL: &str = r#"class="muted" font-size="12""#;

pub(super) fn draw(network: &Network) -> Svg {
    let n_layers = network.chain.links.len() as f64;
    let height = 2.0 * MARGIN + PITCH * (n_layers + 1.0) + 8.0;
    let mut svg = Svg::new(WIDTH, height);
    let mut middle = MARGIN + CARD_HEIGHT / 2.0;
    input(&mut svg, middle, network.input_shape());
    for (link, spec) in network.chain.links.iter().zip(&network.architecture.layers) {
        arrow(&mut svg, middle + CARD_HEIGHT / 2.0);
        middle += PITCH;
        let family = family(link.kind);
        glyph(&mut svg, middle, link.layer.output_shape(), family);
        if link.kind == "Residual" {
            bypass(&mut svg, middle);
        }
        card(&mut svg, middle, family);
        let (left, right) = (CARD_X + 22.0, CARD_X + CARD_WIDTH - 16.0);
        let settings = shortened(&words::settings(spec));
        pair(&mut svg, [left, middle], Anchor::Start, [(TITLE, link.kind), (SMALL, &settings)]);
        let shape = words::shape(link.layer.output_shape());
        let weights = if link.n_weights() > 0 { parameters(link.n_weights()) } else { String::new() };
        pair(&mut svg, [right, middle], Anchor::End, [(PLAIN, &shape), (SMALL, &weights)]);
    }
    let total = format!("{} in all", parameters(network.n_parameters()));
    svg.text([WIDTH - MARGIN - 16.0, height - MARGIN], Anchor::End, SMALL, &total);
    svg
}

/// Two lines, or one in the middle.
fn pair(
    svg: &mut Svg,
    [x, middle]: [f64; 2],
    anchor: Anchor,
    [(first, above), (second, below)]: [(&str, &str); 2],
) {
    if below.is_empty() {
        svg.text([x, middle + 5.0], anchor, first, above);
    } else {
        svg.text([x, middle - 5.0], anchor, first, above);
        svg.text([x, middle + 14.0], anchor, second, below);
    }
}

fn parameters(n: usize) -> String {
    format!("{} parameter{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// The input has a shape, but no card: nothing happens there.
fn input(svg: &mut Svg, middle: f64, shape: &[usize]) {
    glyph(svg, middle, shape, "other");
    pair(svg, [CARD_X + 22.0, middle], Anchor::Start, [(TITLE, "Input"), (SMALL, "")]);
    let right = CARD_X + CARD_WIDTH - 16.0;
    pair(svg, [right, middle], Anchor::End, [(PLAIN, &words::shape(shape)), (SMALL, "")]);
}

/// Layers that do alike have one colour.
fn family(kind: &str) -> &'static str {
    match kind {
        "Dense" | "TimeDistributed" => "dense",
        "Conv2D" | "Residual" => "convolution",
        "SimpleRNN" | "LSTM" | "GRU" | "Bidirectional" | "MultiTimescaleLSTM" => "recurrent",
        "BatchNormalization" | "LayerNormalization" => "normalization",
        "Dropout" | "SpatialDropout" | "GaussianNoise" => "chance",
        _ => "other",
    }
}

fn card(svg: &mut Svg, middle: f64, family: &str) {
    let top = Number(middle - CARD_HEIGHT / 2.0);
    svg.push(format_args!(
        r#"<rect class="card" x="{CARD_X}" y="{top}" width="{CARD_WIDTH}" height="{CARD_HEIGHT}" rx="8"/>"#
    ));
    let (x, top) = (CARD_X + 8.0, Number(middle - CARD_HEIGHT / 2.0 + 9.0));
    let height = CARD_HEIGHT - 18.0;
    svg.push(format_args!(
        r#"<rect class="{family}" x="{x}" y="{top}" width="3" height="{height}" rx="1.5" stroke="none"/>"#
    ));
}

/// From one card down to the next.
fn arrow(svg: &mut Svg, top: f64) {
    let x = CARD_X + CARD_WIDTH / 2.0;
    let bottom = top + PITCH - CARD_HEIGHT;
    let (left, right, line) = (Number(x - 5.0), Number(x + 5.0), Number(x - 0.75));
    let (from, to, neck) = (Number(top + 4.0), Number(bottom - 4.0), Number(bottom - 11.0));
    let length = Number(PITCH - CARD_HEIGHT - 14.0);
    svg.push(format_args!(r#"<rect class="flow" x="{line}" y="{from}" width="1.5" height="{length}"/>"#));
    svg.push(format_args!(
        r#"<polygon class="flow" points="{left},{neck} {right},{neck} {},{to}"/>"#,
        Number(x)
    ));
}

/// The way past a card, from the arrow above it to the one below it.
fn bypass(svg: &mut Svg, middle: f64) {
    let (x, right) = (CARD_X + CARD_WIDTH / 2.0, CARD_WIDTH / 2.0 + 2.0);
    let (top, down) = (Number(middle - PITCH / 2.0 - 2.0), Number(PITCH - 14.0));
    svg.push(format_args!(
        r#"<path class="bypass" d="M{x} {top}h{right}q9 0 9 9v{down}q0 9 -9 9h-{right}"/>"#
    ));
}

/// How long an axis is drawn.
fn length(n: usize) -> f64 {
    (5.6 * (n as f64 + 1.0).log2()).min(PITCH - 10.0)
}

/// The shape of one example's output.
fn glyph(svg: &mut Svg, middle: f64, shape: &[usize], family: &str) {
    let [width, height, depth] = match shape {
        [n] => [8.0, length(*n), 0.0],
        [frames, features] => [length(*frames), length(*features), 0.0],
        [height, width, channels] => [length(*width), length(*height), 0.5 * length(*channels)],
        _ => [length(shape.iter().product()), 8.0, 0.0],
    };
    // A box is seen from the right and from above: its depth leads up and to the right.
    let (left, top) = (SHAPES - (width + depth) / 2.0, middle - (height - depth) / 2.0);
    let (right, bottom) = (left + width, top + height);
    let mut face = |points: [[f64; 2]; 4], opacity: f64| {
        let points = points.map(|[x, y]| format!("{},{}", Number(x), Number(y))).join(" ");
        svg.push(format_args!(
            r#"<polygon class="glyph {family}" points="{points}" style="fill-opacity:{opacity}" stroke-linejoin="round"/>"#
        ));
    };
    face([[left, top], [right, top], [right, bottom], [left, bottom]], 0.28);
    if depth > 0.0 {
        let (back, up) = (right + depth, top - depth);
        face([[left, top], [left + depth, up], [back, up], [right, top]], 0.14);
        face([[right, top], [back, up], [back, bottom - depth], [right, bottom]], 0.45);
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_LETTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_LETTERS - 1).chain(['…']).collect()
}
