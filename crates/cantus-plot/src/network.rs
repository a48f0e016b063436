//! Network diagrams: by neurons, or one block for each layer.
//!
//! The layout comes from [`Network::drawing`](cantus_nn::Network::drawing); this module converts its shapes to marks.

use cantus_nn::drawing::{Anchor as Side, Drawing, Role, Shape};

use super::{
    Picture,
    mark::{Anchor, Ink, Mark, Rect, Text},
};

/// Number of line segments that approximate a curve.
const PIECES: usize = 24;

/// The drawing as a picture.
#[must_use]
pub fn network(drawing: &Drawing) -> Picture {
    let (width, height) = (drawing.width as f32, drawing.height as f32);
    let mut picture = Picture { width, height, title: drawing.title.clone(), marks: Vec::new() };
    for shape in &drawing.shapes {
        draw(&mut picture, shape);
    }
    picture
}

fn draw(picture: &mut Picture, shape: &Shape) {
    match shape {
        Shape::Rect { x, y, width, height, role, .. } => {
            let [x, y, width, height] = [x, y, width, height].map(|v| *v as f32);
            picture.push(Mark::Rect { rect: Rect { x, y, width, height }, fill: ink(*role, 1.0) });
        }
        Shape::Polygon { points, role, opacity, outlined } => {
            let mut points: Vec<_> = points.iter().map(|&point| place(point)).collect();
            let fill = ink(*role, 1.0);
            picture.push(Mark::Area { points: points.clone(), fill, opacity: *opacity as f32 });
            if *outlined {
                points.extend(points.first().copied());
                picture.push(Mark::Line { points, width: 1.0, ink: fill, dashed: false });
            }
        }
        Shape::Line { from, to, width, role } => {
            picture.push(Mark::rule(place(*from), place(*to), *width as f32, ink(*role, 1.0)));
        }
        Shape::Curve { start, turns, role, width, opacity, .. } => {
            let (points, ink) = (flattened(*start, turns), ink(*role, *opacity as f32));
            picture.push(Mark::Line { points, width: *width as f32, ink, dashed: false });
        }
        Shape::Circle { centre, radius, ring, ring_width, .. } => {
            let ((x, y), radius, half) = (place(*centre), *radius as f32, *ring_width as f32 / 2.0);
            picture.push(Mark::Dot { x, y, radius: radius + half, fill: ink(*ring, 1.0) });
            picture.push(Mark::Dot { x, y, radius: radius - half, fill: Ink::Surface });
        }
        Shape::Text { at, anchor, size, bold, muted, text, .. } => {
            let (x, y) = place(*at);
            let anchor = match anchor {
                Side::Start => Anchor::Start,
                Side::Middle => Anchor::Middle,
                Side::End => Anchor::End,
            };
            let ink = if *muted { Ink::Muted } else { Ink::Text };
            let text = Text::new(x, y, plain(text), *size as f32).anchor(anchor).ink(ink);
            picture.push(Mark::Text(if *bold { text.bold() } else { text }));
        }
    }
}

/// Without lowered digits, which the font does not have: x₁ becomes x1.
fn plain(text: &str) -> String {
    let digit = |c: char| match u32::from(c).checked_sub(u32::from('₀')) {
        Some(digit @ 0..=9) => char::from_digit(digit, 10).unwrap_or(c),
        _ => c,
    };
    text.chars().map(digit).collect()
}

fn place([x, y]: [f64; 2]) -> (f32, f32) {
    (x as f32, y as f32)
}

/// The colour of a role; the fainter ones are mixed with the page.
fn ink(role: Role, opacity: f32) -> Ink {
    match role {
        Role::Positive => Ink::Signed(opacity),
        Role::Negative => Ink::Signed(-opacity),
        Role::Card => Ink::Grid,
        Role::Arrow | Role::SkipConnection | Role::Neuron => Ink::Frame,
        Role::Dense => Ink::Series(0),
        Role::Convolution => Ink::Series(1),
        Role::Recurrent => Ink::Series(2),
        Role::Normalization => Ink::Series(3),
        Role::Stochastic => Ink::Series(4),
        Role::Other => Ink::Muted,
    }
}

/// Approximates Bézier curves by line segments.
fn flattened(start: [f64; 2], turns: &[[[f64; 2]; 3]]) -> Vec<(f32, f32)> {
    let mut points = vec![place(start)];
    let mut from = start;
    for &[a, b, to] in turns {
        for i in 1..=PIECES {
            let t = i as f64 / PIECES as f64;
            let s = 1.0 - t;
            let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
            let at = |axis: usize| -> f64 {
                weights.iter().zip([from, a, b, to]).map(|(w, point)| w * point[axis]).sum()
            };
            points.push(place([at(0), at(1)]));
        }
        from = to;
    }
    points
}

#[cfg(test)]
mod tests {
    use cantus_nn::layer::Dense;
    use cantus_nn::{Activation, Architecture, LayerSpec, Network};

    use super::*;
    use crate::Theme;

    #[test]
    fn a_curve_ends_where_it_should_and_passes_its_middle() {
        let points = flattened([0.0, 0.0], &[[[5.0, 0.0], [5.0, 10.0], [10.0, 10.0]]]);
        assert_eq!((points[0], points[PIECES]), ((0.0, 0.0), (10.0, 10.0)));
        assert_eq!(points[PIECES / 2], (5.0, 5.0));
    }

    #[test]
    fn the_font_has_every_letter_that_is_drawn() {
        assert_eq!(plain("x₁₂ × y₀"), "x12 × y0");
    }

    #[test]
    fn every_neuron_and_every_connection_is_there() {
        let layers = [5, 2].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
        let architecture = Architecture { input_shape: vec![3], layers: layers.to_vec() };
        let picture = network(&Network::new(&architecture, 1).unwrap().drawing());
        let count = |what: fn(&Mark) -> bool| picture.marks.iter().filter(|mark| what(mark)).count();
        assert_eq!(count(|mark| matches!(mark, Mark::Dot { fill: Ink::Surface, .. })), 3 + 5 + 2);
        let curve = |mark: &Mark| matches!(mark, Mark::Line { points, .. } if points.len() == PIECES + 1);
        assert_eq!(count(curve), 3 * 5 + 5 * 2);
        assert!(picture.to_png(Theme::Dark).len() > 1000);
    }
}
