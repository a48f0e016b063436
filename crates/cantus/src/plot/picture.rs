//! A finished drawing, and the three ways out of it: SVG text, PNG bytes, a file.

use std::io;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

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

/// Why a picture could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file name ends neither in `.png` nor in `.svg`.
    #[error("{}: a picture is saved as .png or .svg; name the file accordingly", path.display())]
    UnknownExtension {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file could not be written.
    #[error("{}: cannot write the picture: {source}", path.display())]
    Write {
        /// The file that was asked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
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

    /// Writes the picture as PNG or SVG, by the extension of `path`, to a temporary name that is then renamed.
    ///
    /// # Errors
    /// If the extension is neither `png` nor `svg` (in any case), or the file cannot be written.
    pub fn save(&self, path: &Path, theme: Theme) -> Result<(), PictureError> {
        let extension = path.extension().map(|e| e.to_ascii_lowercase());
        let bytes = match extension.as_ref().and_then(|e| e.to_str()) {
            Some("png") => self.to_png(theme),
            Some("svg") => self.to_svg(theme).into_bytes(),
            _ => return Err(PictureError::UnknownExtension { path: path.to_owned() }),
        };
        atomic_file::write(path, &bytes)
            .map_err(|source| PictureError::Write { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sheet() -> Picture {
        Picture::new(200.0, 100.0, "Rock & <roll>", "it's only")
    }

    #[test]
    fn a_saved_picture_is_whole_and_alone_in_its_folder() {
        let folder = std::env::temp_dir().join(format!("cantus-picture-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["a.png", "b.SVG"] {
            sheet().save(&folder.join(name), Theme::Light).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a.png", "b.SVG"]);
        assert_eq!(fs::read(folder.join("a.png")).unwrap(), sheet().to_png(Theme::Light));
        assert_eq!(fs::read_to_string(folder.join("b.SVG")).unwrap(), sheet().to_svg(Theme::Light));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_unknown_extension_and_an_unwritable_folder_are_told_apart() {
        let unknown = sheet().save(Path::new("x.gif"), Theme::Light).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "x.gif: a picture is saved as .png or .svg; name the file accordingly"
        );
        let unwritable = sheet().save(Path::new("/no/such/folder/x.png"), Theme::Light).unwrap_err();
        assert!(matches!(unwritable, PictureError::Write { .. }), "{unwritable}");
    }
}
