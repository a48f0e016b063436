//! The output of a lesson: text, named numbers, and pictures in a folder.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use cantus_audio::atomic_file;

use cantus::Error;
use cantus_plot::{Picture, Theme};

/// Receives the text, the numbers and the pictures of a lesson.
///
/// ```
/// use cantus_lessons::LessonOutput;
///
/// let mut words = Vec::new();
/// let mut out = LessonOutput::new("lesson-03", &mut words);
/// out.say("A neuron computes a weighted sum of its inputs.");
/// out.result("its net input", 0.45, "");
/// assert_eq!(out.number("its net input"), Some(0.45));
/// assert!(String::from_utf8(words)?.ends_with("  its net input: 0.45\n"));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
pub struct LessonOutput<'a> {
    folder: PathBuf,
    data: Option<PathBuf>,
    theme: Theme,
    extension: &'static str,
    words: &'a mut dyn Write,
    numbers: Vec<(String, f64)>,
}

impl<'a> LessonOutput<'a> {
    /// Text is written to `words`, pictures into `folder`, which is created when the first one is saved.
    pub fn new(folder: impl Into<PathBuf>, words: &'a mut dyn Write) -> Self {
        let (theme, extension) = (Theme::Light, "svg");
        Self { folder: folder.into(), data: None, theme, extension, words, numbers: Vec::new() }
    }

    /// The same output, with the user's folder of label folders as training data, for lessons that support it.
    #[must_use]
    pub fn with_data(self, data: Option<PathBuf>) -> Self {
        Self { data, ..self }
    }

    /// The same output with pictures in these colours.
    #[must_use]
    pub fn with_theme(self, theme: Theme) -> Self {
        Self { theme, ..self }
    }

    /// The same output with pictures as PNG instead of SVG.
    #[must_use]
    pub fn with_png(self) -> Self {
        Self { extension: "png", ..self }
    }

    /// Folder for files of the lesson.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's own recordings, one folder for each label.
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Prints a line, or several. A closed pipe (`| head`) is no error.
    pub fn say(&mut self, text: impl Display) {
        let _ = writeln!(self.words, "{text}");
    }

    /// Prints a number that the lesson computed, and stores it under its name.
    pub fn result(&mut self, name: &str, value: f64, unit: &str) {
        let space = if unit.is_empty() { "" } else { " " };
        self.say(format_args!("  {name}: {}{space}{unit}", short(value)));
        self.numbers.push((name.to_owned(), value));
    }

    /// Prints a number that results from training, marked with ≈, and stores it under its name.
    ///
    /// Training amplifies the rounding of different instruction sets, so on another processor such a number can differ in its
    /// leading digits; the check of the book compares it with a wide tolerance (`tests/binary/book`).
    pub fn trained(&mut self, name: &str, value: f64, unit: &str) {
        let space = if unit.is_empty() { "" } else { " " };
        self.say(format_args!("  {name}: ≈ {}{space}{unit}", short(value)));
        self.numbers.push((name.to_owned(), value));
    }

    /// A stored number, by its name; the last one with that name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Saves a picture in the folder and prints its file name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn picture(&mut self, name: &str, picture: &Picture) -> Result<(), Error> {
        self.save(name, picture)?;
        let extension = self.extension;
        self.say(format_args!("  → {name}.{extension}"));
        Ok(())
    }

    /// Saves a picture that shows trained numbers, and marks it with ≈; see [`LessonOutput::trained`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn trained_picture(&mut self, name: &str, picture: &Picture) -> Result<(), Error> {
        self.save(name, picture)?;
        let extension = self.extension;
        self.say(format_args!("  → {name}.{extension} ≈"));
        Ok(())
    }

    fn save(&self, name: &str, picture: &Picture) -> Result<(), Error> {
        std::fs::create_dir_all(&self.folder).map_err(io_error(&self.folder))?;
        let path = self.folder.join(format!("{name}.{}", self.extension));
        atomic_file::write(&path, &picture.encode(&path, self.theme)?).map_err(io_error(&path))
    }
}

/// An error of the operating system, with its path.
fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    |source| Error::Io { path: path.to_owned(), source }
}

/// Four significant digits, without trailing zeros.
fn short(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = usize::try_from(3 - magnitude).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (-1.0 / 3.0, "-0.3333"),
            (0.000_123_456, "0.0001235"),
            (123_456.0, "123456"),
            (98.0, "98"),
            (1e-7, "1.00e-7"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(value), expected);
        }
    }

    #[test]
    fn a_picture_is_saved_in_the_folder_and_named_in_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let mut words = Vec::new();
        let mut out = LessonOutput::new(folder.path().join("08"), &mut words);
        out.picture("wave", &cantus_plot::waveform(&[0.0, 1.0], 2, "Wave")).unwrap();
        assert!(folder.path().join("08/wave.svg").is_file());
        assert!(String::from_utf8(words).unwrap().contains("wave.svg"));
    }

    #[test]
    fn results_of_training_are_marked_as_approximate() {
        let folder = tempfile::tempdir().unwrap();
        let mut words = Vec::new();
        let mut out = LessonOutput::new(folder.path(), &mut words);
        out.trained("accuracy", 72.5, "%");
        out.trained_picture("history", &cantus_plot::waveform(&[0.0, 1.0], 2, "Wave")).unwrap();
        assert_eq!(out.number("accuracy"), Some(72.5));
        assert_eq!(String::from_utf8(words).unwrap(), "  accuracy: ≈ 72.5 %\n  → history.svg ≈\n");
    }
}
