//! Noto Sans: text width and glyph outlines.
//!
//! Letters are set one after the other by their advance widths (no kerning, no ligatures, no right-to-left), which
//! suffices for Latin, Greek and Cyrillic axis labels; other letters show as the font's empty box
//! (of the accidentals the font has ♯ alone: pitch classes are spelled with sharps).

use std::sync::LazyLock;

use ttf_parser::{Face, OutlineBuilder};

/// Height of a capital letter, in font sizes (`OS/2.sCapHeight` / `unitsPerEm` of Noto Sans).
pub(super) const CAP_HEIGHT: f32 = 0.714;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

#[expect(clippy::expect_used, reason = "the fonts are compiled in, and a test parses both")]
fn face(weight: Weight) -> &'static Face<'static> {
    static REGULAR: LazyLock<Face<'static>> =
        LazyLock::new(|| Face::parse(notosans::REGULAR_TTF, 0).expect("a font"));
    static BOLD: LazyLock<Face<'static>> =
        LazyLock::new(|| Face::parse(notosans::BOLD_TTF, 0).expect("a font"));
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    }
}

/// Width of one line of text in picture units.
pub(super) fn width(text: &str, size: f32, weight: Weight) -> f32 {
    let face = face(weight);
    let advances =
        text.chars().filter_map(|c| face.glyph_hor_advance(face.glyph_index(c).unwrap_or_default()));
    advances.map(f32::from).sum::<f32>() * size / f32::from(face.units_per_em())
}

/// The text, or as much of both its ends as fits into `max_width` with an ellipsis between.
///
/// Labels and file names often share their beginnings and differ at the end.
pub(super) fn fit(text: &str, size: f32, weight: Weight, max_width: f32) -> String {
    if width(text, size, weight) <= max_width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| -> String {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
    };
    let fitting = (0..letters.len()).map(cut).take_while(|cut| width(cut, size, weight) <= max_width);
    fitting.last().unwrap_or_else(|| "…".to_owned())
}

/// Draws the letters of one line, starting at the origin on the baseline with y downwards, into `outline`.
pub(super) fn outline(text: &str, size: f32, weight: Weight, outline: &mut impl OutlineBuilder) {
    let face = face(weight);
    let scale = size / f32::from(face.units_per_em());
    let mut x = 0.0;
    for glyph in text.chars().map(|c| face.glyph_index(c).unwrap_or_default()) {
        face.outline_glyph(glyph, &mut Placed { outline, x, scale });
        x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
    }
}

/// Font units (y upwards) to picture units (y downwards) at a pen position.
struct Placed<'a, B> {
    outline: &'a mut B,
    x: f32,
    scale: f32,
}

impl<B> Placed<'_, B> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl<B: OutlineBuilder> OutlineBuilder for Placed<'_, B> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.outline.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.outline.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.outline.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.outline.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.outline.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_have_the_letters_that_plots_need() {
        for weight in [Weight::Regular, Weight::Bold] {
            for c in "AZaz09 .,:%−–…·×♯()/éßñЖω".chars() {
                assert!(face(weight).glyph_index(c).is_some(), "{weight:?} lacks {c}");
            }
            let cap_height = face(weight).capital_height().unwrap();
            let cap_height = f32::from(cap_height) / f32::from(face(weight).units_per_em());
            assert!((cap_height - CAP_HEIGHT).abs() < 1e-3, "{weight:?} {cap_height}");
        }
    }

    #[test]
    fn width_grows_with_text_and_size() {
        let once = width("disco", 12.0, Weight::Regular);
        assert!(once > 24.0 && once < 40.0, "{once}");
        assert!((width("discodisco", 12.0, Weight::Regular) - 2.0 * once).abs() < 1e-3);
        assert!((width("disco", 24.0, Weight::Regular) - 2.0 * once).abs() < 1e-3);
    }

    #[test]
    fn text_that_is_too_wide_keeps_both_ends_and_fits() {
        let long = "progressive instrumental post-rock";
        let fitted = fit(long, 12.0, Weight::Regular, 100.0);
        assert!(fitted.starts_with("progr") && fitted.contains('…') && fitted.ends_with("rock"), "{fitted}");
        assert!(width(&fitted, 12.0, Weight::Regular) <= 100.0);
        assert_eq!(fit("pop", 12.0, Weight::Regular, 100.0), "pop");
    }
}
