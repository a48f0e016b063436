//! A drawing as a list of marks, and its conversion to SVG and PNG.

use std::path::{Path, PathBuf};

use super::{
    Theme,
    mark::{Ink, Mark, Text},
    raster, svg,
};

/// A drawing without colours or format yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub(super) width: f32,
    pub(super) height: f32,
    /// What a screen reader says of the picture.
    pub(super) title: String,
    pub(super) marks: Vec<Mark>,
}

/// Why a picture could not be converted to the bytes of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file name ends neither in `.png` nor in `.svg`.
    #[error("{}: a picture is saved as .png or .svg; name the file accordingly", path.display())]
    UnknownExtension {
        /// The file that was asked for.
        path: PathBuf,
    },
}

/// Height that the title and subtitle take at the top of every picture.
pub(super) const HEADER: f32 = 80.0;
/// Left edge of the titles, and the least distance of anything from the border.
pub(super) const MARGIN: f32 = 24.0;

impl Picture {
    /// A sheet with its title and subtitle.
    pub(super) fn new(width: f32, height: f32, title: &str, subtitle: &str) -> Self {
        let room = width - 2.0 * MARGIN;
        let heading = Text::new(MARGIN, 33.0, "", 17.0).bold();
        let note = Text::new(MARGIN, 54.0, "", 12.5).ink(Ink::Muted);
        let mut picture = Picture { width, height, title: title.to_owned(), marks: Vec::new() };
        for (text, content) in [(heading, title), (note, subtitle)] {
            let fitted = super::font::fit(content, text.size, text.weight, room);
            picture.push(Mark::Text(Text { text: fitted, ..text }));
        }
        picture
    }

    pub(super) fn push(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// The picture as an SVG document; its text stays text, set in Noto Sans or the nearest sans-serif of the viewer.
    pub fn to_svg(&self, theme: Theme) -> String {
        svg::document(self, theme)
    }

    /// The picture as a PNG file, anti-aliased, two pixels to a picture unit.
    pub fn to_png(&self, theme: Theme) -> Vec<u8> {
        raster::png(self, theme)
    }

    /// The bytes of a file of this name: PNG or SVG, by its extension (in any case).
    ///
    /// # Errors
    /// If the extension is neither `png` nor `svg`.
    pub fn encode(&self, path: &Path, theme: Theme) -> Result<Vec<u8>, PictureError> {
        let extension = path.extension().map(|e| e.to_ascii_lowercase());
        match extension.as_ref().and_then(|e| e.to_str()) {
            Some("png") => Ok(self.to_png(theme)),
            Some("svg") => Ok(self.to_svg(theme).into_bytes()),
            _ => Err(PictureError::UnknownExtension { path: path.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Picture {
        Picture::new(200.0, 100.0, "Rock & <roll>", "it's only")
    }

    #[test]
    fn the_extension_chooses_the_format() {
        let encode = |name: &str| sheet().encode(Path::new(name), Theme::Light);
        assert_eq!(encode("a.png").unwrap(), sheet().to_png(Theme::Light));
        assert_eq!(encode("b.SVG").unwrap(), sheet().to_svg(Theme::Light).into_bytes());
        assert_eq!(
            encode("x.gif").unwrap_err().to_string(),
            "x.gif: a picture is saved as .png or .svg; name the file accordingly"
        );
    }
}
