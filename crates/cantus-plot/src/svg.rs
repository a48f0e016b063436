//! SVG 1.1 encoder.

use std::fmt::{self, Write};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Picture, Theme,
    font::Weight,
    mark::{Anchor, Image, Ink, Mark, Rect, Text},
    raster,
};

const FONTS: &str = "'Noto Sans', 'Open Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif";

#[expect(clippy::expect_used, reason = "a String takes whatever is written to it")]
pub(super) fn document(picture: &Picture, theme: Theme) -> String {
    let mut out = String::new();
    write_document(&mut out, picture, theme).expect("memory");
    out
}

fn write_document(out: &mut String, picture: &Picture, theme: Theme) -> fmt::Result {
    let (width, height) = (Number(picture.width), Number(picture.height));
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-family="{FONTS}">"#,
    )?;
    writeln!(out, "<title>{}</title>", Escaped(&picture.title))?;
    writeln!(out, r#"<rect width="{width}" height="{height}" fill="{}"/>"#, Hex(theme, Ink::Surface))?;
    for mark in &picture.marks {
        write_mark(out, mark, theme)?;
    }
    out.write_str("</svg>\n")
}

fn write_mark(out: &mut String, mark: &Mark, theme: Theme) -> fmt::Result {
    match mark {
        Mark::Rect { rect, fill } => {
            writeln!(out, r#"<rect {} fill="{}"/>"#, Place(rect), Hex(theme, *fill))
        }
        Mark::Line { points, width, ink, dashed } => {
            let dash = if *dashed { r#" stroke-dasharray="4 3""# } else { "" };
            writeln!(
                out,
                r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"{dash}/>"#,
                Points(points),
                Hex(theme, *ink),
                Number(*width),
            )
        }
        Mark::Area { points, fill, opacity } => writeln!(
            out,
            r#"<polygon points="{}" fill="{}" fill-opacity="{}"/>"#,
            Points(points),
            Hex(theme, *fill),
            Number(*opacity),
        ),
        Mark::Dot { x, y, radius, fill } => writeln!(
            out,
            r#"<circle cx="{}" cy="{}" r="{}" fill="{}"/>"#,
            Number(*x),
            Number(*y),
            Number(*radius),
            Hex(theme, *fill),
        ),
        Mark::Text(text) => write_text(out, text, theme),
        Mark::Image { rect, image } => write_image(out, rect, image),
    }
}

fn write_text(out: &mut String, text: &Text, theme: Theme) -> fmt::Result {
    let (x, y) = (Number(text.x), Number(text.y));
    write!(out, r#"<text x="{x}" y="{y}" font-size="{}""#, Number(text.size))?;
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.write_str(r#" text-anchor="middle""#)?,
        Anchor::End => out.write_str(r#" text-anchor="end""#)?,
    }
    if text.weight == Weight::Bold {
        out.write_str(r#" font-weight="bold""#)?;
    }
    if text.angle != 0.0 {
        write!(out, r#" transform="rotate({} {x} {y})""#, Number(text.angle))?;
    }
    writeln!(out, r#" fill="{}">{}</text>"#, Hex(theme, text.ink), Escaped(&text.text))
}

/// One embedded PNG, however many cells it has, linked as SVG 1.1 does (`xlink:href`), which every viewer reads.
fn write_image(out: &mut String, rect: &Rect, image: &Image) -> fmt::Result {
    let Some(png) = raster::image_png(image) else { return Ok(()) };
    let data = BASE64_STANDARD.encode(png);
    writeln!(
        out,
        r#"<image {} preserveAspectRatio="none" style="image-rendering:pixelated" xlink:href="data:image/png;base64,{data}"/>"#,
        Place(rect),
    )
}

/// At most two decimals: a hundredth of a pixel is enough.
struct Number(f32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `+ 0.0` turns a negative zero into zero.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

struct Hex(Theme, Ink);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0.colour(self.1);
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

struct Place<'a>(&'a Rect);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, width, height] = [self.0.x, self.0.y, self.0.width, self.0.height].map(Number);
        write!(f, r#"x="{x}" y="{y}" width="{width}" height="{height}""#)
    }
}

struct Points<'a>(&'a [(f32, f32)]);

impl fmt::Display for Points<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(x, y)) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{},{}", Number(x), Number(y))?;
        }
        Ok(())
    }
}

/// Text for XML: markup escaped, and characters that XML 1.0 forbids replaced, since a folder name may hold any.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c if c.is_control() => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_the_document() {
        let svg = Picture::new(300.0, 80.0, "R&B <script>\u{0}\u{b}", "").to_svg(Theme::Light);
        assert!(svg.contains("<title>R&amp;B &lt;script&gt;\u{fffd}\u{fffd}</title>"), "{svg}");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(Number(1.0 / 3.0).to_string(), "0.33");
        assert_eq!(Number(-0.001).to_string(), "0");
        assert_eq!(Number(12.0).to_string(), "12");
    }

    #[test]
    fn an_image_is_one_element() {
        let mut picture = Picture::new(100.0, 100.0, "", "");
        let rect = Rect { x: 0.0, y: 0.0, width: 50.0, height: 50.0 };
        let image = Image { columns: 30, rows: 20, pixels: vec![[1, 2, 3, 255]; 600] };
        picture.push(Mark::Image { rect, image });
        let svg = picture.to_svg(Theme::Dark);
        assert_eq!(svg.matches("<image").count(), 1);
        assert_eq!(svg.matches("<rect").count(), 1, "the background alone");
    }
}
