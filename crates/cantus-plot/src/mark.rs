//! Marks of a picture: rectangles, lines, areas, dots, text and images.
//!
//! Coordinates are picture units (CSS pixels), x to the right, y downwards. Colours are roles ([`Ink`]) that a theme
//! maps to RGB when the picture is encoded.

use super::font::{self, Weight};

/// The colour of a mark by its role.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ink {
    /// The page.
    Surface,
    /// Titles and values.
    Text,
    /// Axis labels and notes.
    Muted,
    /// Grid lines.
    Grid,
    /// Axis lines.
    Frame,
    /// First series.
    First,
    /// Second series.
    Second,
    /// Any series, counted from 0: `First`, `Second`, and on; after the last the colours begin again.
    Series(usize),
    /// A share in 0..=1 between the surface and the strongest colour.
    Tint(f32),
    /// Text that is readable on `Tint` of the same share.
    OnTint(f32),
    /// From the second series' colour at -1 over the page at 0 to the first's at 1.
    Signed(f32),
    /// Text that is readable on `Signed` of the same share.
    OnSigned(f32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text; `x`, `y` is the anchor on the baseline, and `angle` turns the text clockwise about it, in degrees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub x: f32,
    pub y: f32,
    pub text: String,
    pub size: f32,
    pub weight: Weight,
    pub anchor: Anchor,
    pub angle: f32,
    pub ink: Ink,
}

impl Text {
    /// Regular text that starts at `x` on the baseline `y`.
    pub fn new(x: f32, y: f32, text: impl Into<String>, size: f32) -> Self {
        let (weight, anchor) = (Weight::Regular, Anchor::Start);
        Text { x, y, text: text.into(), size, weight, anchor, angle: 0.0, ink: Ink::Text }
    }

    pub fn bold(self) -> Self {
        Text { weight: Weight::Bold, ..self }
    }

    pub fn anchor(self, anchor: Anchor) -> Self {
        Text { anchor, ..self }
    }

    pub fn angle(self, angle: f32) -> Self {
        Text { angle, ..self }
    }

    pub fn ink(self, ink: Ink) -> Self {
        Text { ink, ..self }
    }

    /// Moves the text so that its capitals are centred where its baseline was.
    pub fn middle(self) -> Self {
        let drop = font::CAP_HEIGHT * self.size / 2.0;
        let angle = self.angle.to_radians();
        Text { x: self.x - drop * angle.sin(), y: self.y + drop * angle.cos(), ..self }
    }
}

/// A raster picture, row-major from the top left, stretched over a rectangle without smoothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Image {
    pub columns: usize,
    pub rows: usize,
    /// RGBA, not premultiplied.
    pub pixels: Vec<[u8; 4]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Rect {
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    pub fn centre(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Rect { rect: Rect, fill: Ink },
    Line { points: Vec<(f32, f32)>, width: f32, ink: Ink, dashed: bool },
    Area { points: Vec<(f32, f32)>, fill: Ink, opacity: f32 },
    Dot { x: f32, y: f32, radius: f32, fill: Ink },
    Text(Text),
    Image { rect: Rect, image: Image },
}

impl Mark {
    /// A solid straight line.
    pub fn rule(from: (f32, f32), to: (f32, f32), width: f32, ink: Ink) -> Self {
        Mark::Line { points: vec![from, to], width, ink, dashed: false }
    }
}
