//! Plot panels: frame, grid, axes with titles, lines, legends.

use std::borrow::Cow;

use super::{
    Picture, font,
    font::Weight,
    mark::{Anchor, Ink, Mark, Rect, Text},
    scale::{Scale, Tick},
};

/// Size of axis numbers and of axis titles.
pub(super) const LABEL: f32 = 12.0;

pub(super) struct Panel {
    pub rect: Rect,
    pub x: Scale,
    pub y: Scale,
}

impl Panel {
    pub fn at(&self, x: f64, y: f64) -> (f32, f32) {
        (self.x.at(x), self.y.at(y))
    }

    /// Horizontal grid lines with their numbers on the left, and the axis title turned beside them.
    pub fn draw_y_axis(&self, picture: &mut Picture, ticks: &[Tick], title: &str) {
        for tick in ticks {
            let y = self.y.at(tick.value);
            picture.push(Mark::rule((self.rect.x, y), (self.rect.right(), y), 1.0, Ink::Grid));
        }
        draw_left_labels(
            picture,
            &self.rect,
            ticks.iter().map(|t| (self.y.at(t.value), t.label.as_str())),
            title,
        );
    }

    /// Ticks below the panel, with numbers and title unless the panel below has the same.
    pub fn draw_x_axis(&self, picture: &mut Picture, ticks: &[Tick], title: Option<&str>) {
        let bottom = self.rect.bottom();
        picture.push(Mark::rule((self.rect.x, bottom), (self.rect.right(), bottom), 1.0, Ink::Frame));
        for tick in ticks {
            let x = self.x.at(tick.value);
            picture.push(Mark::rule((x, bottom), (x, bottom + 4.0), 1.0, Ink::Frame));
            if title.is_some() {
                let text = Text::new(x, bottom + 18.0, tick.label.as_str(), LABEL).ink(Ink::Muted);
                picture.push(Mark::Text(text.anchor(Anchor::Middle)));
            }
        }
        if let Some(title) = title {
            let text = Text::new(self.rect.centre().0, bottom + 38.0, title, LABEL);
            picture.push(Mark::Text(text.anchor(Anchor::Middle)));
        }
    }

    /// A line through the finite values, broken at the others; points are marked if requested, and where a value stands
    /// alone, since a line of one point cannot be seen.
    pub fn draw_line(&self, picture: &mut Picture, points: &[(f64, f64)], ink: Ink, dots: bool) {
        for run in points.split(|(_, y)| !y.is_finite()) {
            let run: Vec<_> = run.iter().map(|&(x, y)| self.at(x, y)).collect();
            if dots || run.len() == 1 {
                for &(x, y) in &run {
                    picture.push(Mark::Dot { x, y, radius: 2.5, fill: ink });
                }
            }
            if run.len() > 1 {
                picture.push(Mark::Line { points: run, width: 1.8, ink, dashed: false });
            }
        }
    }

    /// A note in the middle of an empty panel.
    pub fn draw_note(&self, picture: &mut Picture, note: &str) {
        let (x, y) = self.rect.centre();
        let text = Text::new(x, y, note, 13.0).ink(Ink::Muted).anchor(Anchor::Middle);
        picture.push(Mark::Text(text.middle()));
    }
}

/// Labels at the left of a panel, and the axis title, turned, left of them.
pub(super) fn draw_left_labels<'a>(
    picture: &mut Picture,
    rect: &Rect,
    labels: impl Iterator<Item = (f32, &'a str)>,
    title: &str,
) {
    for (y, label) in labels {
        let text = Text::new(rect.x - 8.0, y, label, LABEL).ink(Ink::Muted).anchor(Anchor::End);
        picture.push(Mark::Text(text.middle()));
    }
    let text = Text::new(22.0, rect.centre().1, title, LABEL).anchor(Anchor::Middle).angle(-90.0);
    picture.push(Mark::Text(text.middle()));
}

/// A coloured line or dot, and its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LegendEntry<'a> {
    pub name: Cow<'a, str>,
    pub ink: Ink,
    pub dashed: bool,
    dot: bool,
}

impl<'a> LegendEntry<'a> {
    pub fn new(name: &'a str, ink: Ink, dashed: bool) -> Self {
        LegendEntry { name: Cow::Borrowed(name), ink, dashed, dot: false }
    }

    /// The same with a dot in place of the stroke, as the series is drawn.
    pub fn with_dot(self) -> Self {
        LegendEntry { dot: true, ..self }
    }

    /// The same with at most this width of its name.
    pub fn cut_to(self, width: f32) -> Self {
        LegendEntry { name: font::fit(&self.name, LABEL, Weight::Regular, width).into(), ..self }
    }

    fn width(&self) -> f32 {
        font::width(&self.name, LABEL, Weight::Regular)
    }

    /// The stroke ends at `x`, and the name begins after it.
    fn draw(&self, picture: &mut Picture, x: f32, y: f32) {
        if self.dot {
            picture.push(Mark::Dot { x: x - STROKE / 2.0, y, radius: 5.0, fill: self.ink });
        } else {
            let points = vec![(x - STROKE, y), (x, y)];
            picture.push(Mark::Line { points, width: 2.0, ink: self.ink, dashed: self.dashed });
        }
        picture.push(Mark::Text(Text::new(x + BEFORE_NAME, y, self.name.as_ref(), LABEL).middle()));
    }
}

const STROKE: f32 = 22.0;
const BEFORE_NAME: f32 = 7.0;
const BETWEEN_ENTRIES: f32 = 18.0;

/// Legend in one line, right-aligned with the title.
pub(super) fn draw_legend(picture: &mut Picture, entries: &[LegendEntry<'_>]) {
    let mut x = picture.width - super::picture::MARGIN - legend_width(entries.iter());
    for entry in entries {
        entry.draw(picture, x + STROKE, 28.0);
        x += STROKE + BEFORE_NAME + entry.width() + BETWEEN_ENTRIES;
    }
}

/// Width of a legend in one line.
pub(super) fn legend_width<'a>(entries: impl Iterator<Item = &'a LegendEntry<'a>>) -> f32 {
    let widths = entries.map(|entry| STROKE + BEFORE_NAME + entry.width());
    widths.reduce(|sum, width| sum + BETWEEN_ENTRIES + width).unwrap_or(0.0)
}

/// The same one below the other, from the given corner.
pub(super) fn draw_legend_column(picture: &mut Picture, x: f32, y: f32, entries: &[LegendEntry<'_>]) {
    for (i, entry) in entries.iter().enumerate() {
        entry.draw(picture, x + STROKE, y + 8.0 + 19.0 * i as f32);
    }
}
