//! The shapes of a drawing.
//!
//! Coordinates are CSS pixels, x to the right, y downwards. Colours are given as roles; the writer of a format assigns colours
//! to them, such as [`Drawing::to_svg`].

/// A drawing of a network: shapes from bottom to top.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Of the page.
    pub width: f64,
    /// Of the page.
    pub height: f64,
    /// The title, for screen readers.
    pub title: String,
    /// The shapes.
    pub shapes: Vec<Shape>,
}

/// The role of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The background of a layer's card.
    Card,
    /// Arrows between layers.
    Arrow,
    /// The skip connection of a residual block.
    SkipConnection,
    /// The ring of a neuron without a bias.
    Neuron,
    /// A positive weight.
    Positive,
    /// A negative weight.
    Negative,
    /// Dense layers.
    Dense,
    /// Convolutions.
    Convolution,
    /// Recurrent layers.
    Recurrent,
    /// Normalising layers.
    Normalization,
    /// Layers that are random in training.
    Stochastic,
    /// All other layers.
    Other,
}

/// The alignment of a text relative to its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Starts at the position.
    Start,
    /// Centred at the position.
    Middle,
    /// Ends at the position.
    End,
}

/// One shape.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names of SVG")]
pub enum Shape {
    /// Filled; `radius` rounds its corners.
    Rect { x: f64, y: f64, width: f64, height: f64, radius: f64, role: Role },
    /// Filled, and outlined in the same colour without opacity.
    Polygon { points: Vec<[f64; 2]>, role: Role, opacity: f64, outlined: bool },
    /// Straight.
    Line { from: [f64; 2], to: [f64; 2], width: f64, role: Role },
    /// Cubic Bézier curves one after another, each by its two control points and its end; `note` is the tooltip.
    Curve { start: [f64; 2], turns: Vec<[[f64; 2]; 3]>, width: f64, opacity: f64, role: Role, note: String },
    /// A ring filled with the colour of the page.
    Circle { centre: [f64; 2], radius: f64, ring: Role, ring_width: f64, note: String },
    /// One line, its anchor on the baseline.
    Text { at: [f64; 2], anchor: Anchor, size: f64, bold: bool, italic: bool, muted: bool, text: String },
}

/// The font of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) muted: bool,
}

impl Font {
    pub(super) const fn plain(size: f64) -> Self {
        Self { size, bold: false, italic: false, muted: false }
    }

    pub(super) const fn muted(size: f64) -> Self {
        Self { muted: true, ..Self::plain(size) }
    }
}

impl Drawing {
    /// An empty page.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, title: String::new(), shapes: Vec::new() }
    }

    pub(super) fn push(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    /// Adds one line of text.
    pub(super) fn text(&mut self, at: [f64; 2], anchor: Anchor, font: Font, text: &str) {
        let Font { size, bold, italic, muted } = font;
        self.push(Shape::Text { at, anchor, size, bold, italic, muted, text: text.to_owned() });
    }
}
