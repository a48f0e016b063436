//! Several series on a common x axis, each in its own panel.
//!
//! For series that would cover each other in a [`line_chart`](super::line_chart()), such as several gates that are all 0 or 1.

use super::{
    Picture, font,
    font::Weight,
    mark::{Anchor, Ink, Mark, Rect, Text},
    panel::{LABEL, Panel},
    picture::{HEADER, MARGIN},
    scale::Scale,
};

/// One series and the range of its strip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strip<'a> {
    /// Label at the left of the strip.
    pub name: &'a str,
    /// One value for each step, from step 0.
    pub values: &'a [f64],
    /// Values at the lower and the upper edge of the strip; both are labelled.
    pub limits: (f64, f64),
}

const WIDTH: f32 = 960.0;
const LEFT: f32 = 230.0;
const STRIP_HEIGHT: f32 = 46.0;
const GAP: f32 = 16.0;
const FOOTER: f32 = 56.0;

/// Draws the strips below each other, the first on top.
///
/// Every value is held until the next step. The last strip carries the x axis, whose title is `x_title`.
#[must_use]
pub fn strips(title: &str, subtitle: &str, x_title: &str, strips: &[Strip<'_>]) -> Picture {
    let height = HEADER + strips.len().max(1) as f32 * (STRIP_HEIGHT + GAP) - GAP + FOOTER;
    let mut picture = Picture::new(WIDTH, height, title, subtitle);
    let n_steps = strips.iter().map(|strip| strip.values.len()).max().unwrap_or(0);
    let x = Scale::linear(0.0, n_steps.max(1) as f64, LEFT, WIDTH - MARGIN);
    for (i, strip) in strips.iter().enumerate() {
        let top = HEADER + i as f32 * (STRIP_HEIGHT + GAP);
        let rect = Rect { x: LEFT, y: top, width: WIDTH - MARGIN - LEFT, height: STRIP_HEIGHT };
        let y = Scale::linear(strip.limits.0, strip.limits.1, rect.bottom(), rect.y);
        let panel = Panel { rect, x, y };
        draw_strip(&mut picture, &panel, strip, i);
        let is_last = i + 1 == strips.len();
        panel.draw_x_axis(&mut picture, &x.integer_ticks(10), is_last.then_some(x_title));
    }
    picture
}

fn draw_strip(picture: &mut Picture, panel: &Panel, strip: &Strip<'_>, i: usize) {
    let ticks =
        [strip.limits.0, 0.0, strip.limits.1].map(|value| (value, format!("{value}").replace('-', "−")));
    for (value, label) in &ticks {
        let y = panel.y.at(*value);
        picture.push(Mark::rule((panel.rect.x, y), (panel.rect.right(), y), 1.0, Ink::Grid));
        let text = Text::new(panel.rect.x - 8.0, y, label.as_str(), 10.0).ink(Ink::Muted).anchor(Anchor::End);
        picture.push(Mark::Text(text.middle()));
    }
    let name = font::fit(strip.name, LABEL, Weight::Regular, LEFT - MARGIN - 40.0);
    picture.push(Mark::Text(Text::new(MARGIN, panel.rect.centre().1, name, LABEL).middle()));
    let held = strip.values.iter().enumerate().flat_map(|(t, &v)| [(t as f64, v), (t as f64 + 1.0, v)]);
    panel.draw_line(picture, &held.collect::<Vec<_>>(), Ink::Series(i), false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strip_has_its_name_and_room_of_its_own() {
        let values = [0.0, 1.0, 1.0];
        let strip = |name| Strip { name, values: &values, limits: (0.0, 1.0) };
        let picture = strips("Gates", "", "Step", &[strip("forget"), strip("input")]);
        let y_of = |wanted: &str| {
            picture.marks.iter().find_map(|mark| match mark {
                Mark::Text(text) if text.text == wanted => Some(text.y),
                _ => None,
            })
        };
        assert_eq!(y_of("input").unwrap() - y_of("forget").unwrap(), STRIP_HEIGHT + GAP);
        let lines = |wanted| {
            let is_line = |mark: &&Mark| matches!(mark, Mark::Line { ink, .. } if *ink == wanted);
            picture.marks.iter().filter(is_line).count()
        };
        assert_eq!((lines(Ink::Series(0)), lines(Ink::Series(1))), (1, 1));
    }

    #[test]
    fn a_value_is_held_until_the_next_step() {
        let strip = Strip { name: "c", values: &[0.0, 1.0], limits: (0.0, 1.0) };
        let picture = strips("", "", "Step", &[strip]);
        let points = picture.marks.iter().find_map(|mark| match mark {
            Mark::Line { points, ink: Ink::Series(0), .. } => Some(points.clone()),
            _ => None,
        });
        let (bottom, middle) = (HEADER + STRIP_HEIGHT, LEFT + (WIDTH - MARGIN - LEFT) / 2.0);
        let expected = [(LEFT, bottom), (middle, bottom), (middle, HEADER), (WIDTH - MARGIN, HEADER)];
        assert_eq!(points.unwrap(), expected);
    }
}
