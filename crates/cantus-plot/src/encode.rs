//! Encodes a picture as SVG or PNG.

use std::path::{Path, PathBuf};

use super::{Picture, Theme, raster, svg};

/// Why a picture cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file name ends neither in `.png` nor in `.svg`.
    #[error("{}: a picture is saved as .png or .svg; name the file accordingly", path.display())]
    UnknownExtension {
        /// The file name.
        path: PathBuf,
    },
}

impl Picture {
    /// The picture as an SVG document; its text is not converted to paths and is set in Noto Sans or the viewer's sans-serif.
    #[must_use]
    pub fn to_svg(&self, theme: Theme) -> String {
        svg::document(self, theme)
    }

    /// The picture as a PNG file, anti-aliased, two pixels per picture unit.
    #[must_use]
    pub fn to_png(&self, theme: Theme) -> Vec<u8> {
        raster::png(self, theme)
    }

    /// The bytes of a PNG or SVG file; the extension of the file name selects the format, in upper or lower case.
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
    fn the_extension_selects_the_format() {
        let encode = |name: &str| sheet().encode(Path::new(name), Theme::Light);
        assert_eq!(encode("a.png").unwrap(), sheet().to_png(Theme::Light));
        assert_eq!(encode("b.SVG").unwrap(), sheet().to_svg(Theme::Light).into_bytes());
        assert_eq!(
            encode("x.gif").unwrap_err().to_string(),
            "x.gif: a picture is saved as .png or .svg; name the file accordingly"
        );
    }
}
