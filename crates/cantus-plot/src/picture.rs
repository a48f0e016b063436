//! A picture as a list of marks, independent of theme and file format.

use super::font;
use super::mark::{Ink, Mark, Text};

/// A drawing, to be encoded as SVG or PNG in a theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub(super) width: f32,
    pub(super) height: f32,
    /// Accessible title.
    pub(super) title: String,
    pub(super) marks: Vec<Mark>,
}

/// Height that the title and subtitle take at the top of every picture.
pub(super) const HEADER: f32 = 80.0;
/// Left edge of the titles, and smallest distance of all content from the border.
pub(super) const MARGIN: f32 = 24.0;

impl Picture {
    /// An empty picture with title and subtitle.
    pub(super) fn new(width: f32, height: f32, title: &str, subtitle: &str) -> Self {
        let room = width - 2.0 * MARGIN;
        let heading = Text::new(MARGIN, 33.0, "", 17.0).bold();
        let note = Text::new(MARGIN, 54.0, "", 12.5).ink(Ink::Muted);
        let mut picture = Picture { width, height, title: title.to_owned(), marks: Vec::new() };
        for (text, content) in [(heading, title), (note, subtitle)] {
            let fitted = font::fit(content, text.size, text.weight, room);
            picture.push(Mark::Text(Text { text: fitted, ..text }));
        }
        picture
    }

    pub(super) fn push(&mut self, mark: Mark) {
        self.marks.push(mark);
    }
}
