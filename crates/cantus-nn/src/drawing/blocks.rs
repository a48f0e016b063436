//! Block diagram of a large network: one block for each layer, from top to bottom, with its output shape.
//!
//! Shapes are drawn to a logarithmic scale, so that 13 coefficients are visible next to 1,690 numbers: a vector as a bar,
//! frames × features as a sheet (time to the right), height × width × channels as a box.

use super::labels;
use super::shape::{Anchor, Drawing, Font, Role, Shape};
use crate::network::Network;
use crate::summary::grouped;

/// Of the whole drawing.
const WIDTH: f64 = 640.0;
const MARGIN: f64 = 24.0;
/// Horizontal centre of the shapes.
const SHAPES_X: f64 = 82.0;
const CARD_X: f64 = 148.0;
const CARD_WIDTH: f64 = WIDTH - MARGIN - CARD_X;
const CARD_HEIGHT: f64 = 54.0;
const PITCH: f64 = 76.0;
/// Characters of the settings that fit next to the output shape.
const MAX_CHARS: usize = 44;

const TITLE: Font = Font { bold: true, ..Font::plain(14.0) };
const PLAIN: Font = Font::plain(14.0);
const SMALL: Font = Font::muted(12.0);

pub(super) fn draw(network: &Network) -> Drawing {
    let n_layers = network.model.layers.len() as f64;
    let height = 2.0 * MARGIN + PITCH * (n_layers + 1.0) + 8.0;
    let mut drawing = Drawing::new(WIDTH, height);
    let mut middle = MARGIN + CARD_HEIGHT / 2.0;
    input(&mut drawing, middle, network.input_shape());
    for (built, spec) in network.model.layers.iter().zip(&network.architecture.layers) {
        arrow(&mut drawing, middle + CARD_HEIGHT / 2.0);
        middle += PITCH;
        let family = family(built.kind);
        glyph(&mut drawing, middle, built.layer.output_shape(), family);
        if built.kind == "Residual" {
            skip_connection(&mut drawing, middle);
        }
        card(&mut drawing, middle, family);
        let (left, right) = (CARD_X + 22.0, CARD_X + CARD_WIDTH - 16.0);
        let settings = shortened(&labels::settings(spec));
        pair(&mut drawing, [left, middle], Anchor::Start, [(TITLE, built.kind), (SMALL, &settings)]);
        let shape = labels::shape(built.layer.output_shape());
        let weights = if built.n_weights() > 0 { parameters(built.n_weights()) } else { String::new() };
        pair(&mut drawing, [right, middle], Anchor::End, [(PLAIN, &shape), (SMALL, &weights)]);
    }
    let total = format!("{} in all", parameters(network.n_parameters()));
    drawing.text([WIDTH - MARGIN - 16.0, height - MARGIN], Anchor::End, SMALL, &total);
    drawing
}

/// Two lines, or one in the middle.
fn pair(
    drawing: &mut Drawing,
    [x, middle]: [f64; 2],
    anchor: Anchor,
    [(first, above), (second, below)]: [(Font, &str); 2],
) {
    if below.is_empty() {
        drawing.text([x, middle + 5.0], anchor, first, above);
    } else {
        drawing.text([x, middle - 5.0], anchor, first, above);
        drawing.text([x, middle + 14.0], anchor, second, below);
    }
}

fn parameters(n: usize) -> String {
    format!("{} parameter{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// The input: a shape without a card.
fn input(drawing: &mut Drawing, middle: f64, shape: &[usize]) {
    glyph(drawing, middle, shape, Role::Other);
    pair(drawing, [CARD_X + 22.0, middle], Anchor::Start, [(TITLE, "Input"), (SMALL, "")]);
    let right = CARD_X + CARD_WIDTH - 16.0;
    pair(drawing, [right, middle], Anchor::End, [(PLAIN, &labels::shape(shape)), (SMALL, "")]);
}

/// Layers of similar function have the same colour.
fn family(kind: &str) -> Role {
    match kind {
        "Dense" | "TimeDistributed" => Role::Dense,
        "Conv2D" | "Residual" => Role::Convolution,
        "SimpleRNN" | "LSTM" | "GRU" | "Bidirectional" | "MultiTimescaleLSTM" => Role::Recurrent,
        "BatchNormalization" | "LayerNormalization" => Role::Normalization,
        "Dropout" | "SpatialDropout" | "GaussianNoise" => Role::Stochastic,
        _ => Role::Other,
    }
}

fn card(drawing: &mut Drawing, middle: f64, family: Role) {
    let y = middle - CARD_HEIGHT / 2.0;
    let card =
        Shape::Rect { x: CARD_X, y, width: CARD_WIDTH, height: CARD_HEIGHT, radius: 8.0, role: Role::Card };
    drawing.push(card);
    let (x, y, height) = (CARD_X + 8.0, y + 9.0, CARD_HEIGHT - 18.0);
    drawing.push(Shape::Rect { x, y, width: 3.0, height, radius: 1.5, role: family });
}

/// From one card down to the next.
fn arrow(drawing: &mut Drawing, top: f64) {
    let x = CARD_X + CARD_WIDTH / 2.0;
    let (neck, tip) = (top + PITCH - CARD_HEIGHT - 11.0, top + PITCH - CARD_HEIGHT - 4.0);
    drawing.push(Shape::Line { from: [x, top + 4.0], to: [x, neck], width: 1.5, role: Role::Arrow });
    let points = vec![[x - 5.0, neck], [x + 5.0, neck], [x, tip]];
    drawing.push(Shape::Polygon { points, role: Role::Arrow, opacity: 1.0, outlined: false });
}

/// The skip connection around a card, from the arrow above it to the one below it.
fn skip_connection(drawing: &mut Drawing, middle: f64) {
    /// Of the turns.
    const RADIUS: f64 = 9.0;
    let (x, far) = (CARD_X + CARD_WIDTH / 2.0, CARD_X + CARD_WIDTH + 2.0);
    let (top, bottom) = (middle - PITCH / 2.0 - 2.0, middle + PITCH / 2.0 + 2.0);
    let straight = |from: [f64; 2], to: [f64; 2]| [from, to, to];
    let corner = [far + RADIUS, top];
    let foot = [far + RADIUS, bottom];
    let turns = vec![
        straight([x, top], [far, top]),
        [corner, corner, [far + RADIUS, top + RADIUS]],
        straight([far + RADIUS, top + RADIUS], [far + RADIUS, bottom - RADIUS]),
        [foot, foot, [far, bottom]],
        straight([far, bottom], [x, bottom]),
    ];
    let (role, note) = (Role::SkipConnection, String::new());
    drawing.push(Shape::Curve { start: [x, top], turns, width: 1.5, opacity: 1.0, role, note });
}

/// The drawn length of an axis.
fn length(n: usize) -> f64 {
    (5.6 * (n as f64 + 1.0).log2()).min(PITCH - 10.0)
}

/// The shape of one example's output.
fn glyph(drawing: &mut Drawing, middle: f64, shape: &[usize], family: Role) {
    let [width, height, depth] = match shape {
        [n] => [8.0, length(*n), 0.0],
        [frames, features] => [length(*frames), length(*features), 0.0],
        [height, width, channels] => [length(*width), length(*height), 0.5 * length(*channels)],
        _ => [length(shape.iter().product()), 8.0, 0.0],
    };
    // A box is seen from above and from the right: its depth extends up and to the right.
    let (left, top) = (SHAPES_X - (width + depth) / 2.0, middle - (height - depth) / 2.0);
    let (right, bottom) = (left + width, top + height);
    let mut face = |points: [[f64; 2]; 4], opacity: f64| {
        drawing.push(Shape::Polygon { points: points.to_vec(), role: family, opacity, outlined: true });
    };
    face([[left, top], [right, top], [right, bottom], [left, bottom]], 0.28);
    if depth > 0.0 {
        let (back, up) = (right + depth, top - depth);
        face([[left, top], [left + depth, up], [back, up], [right, top]], 0.14);
        face([[right, top], [back, up], [back, bottom - depth], [right, bottom]], 0.45);
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_CHARS - 1).chain(['…']).collect()
}
