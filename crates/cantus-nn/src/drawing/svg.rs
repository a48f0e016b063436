//! What both pictures are made of: marks, text and the document around them.

use std::fmt::{self, Display, Write};

/// Colours by role, light and dark. Renderers that know no themes draw the light one.
const STYLE: &str = "\
.network { font-family: 'Noto Sans', 'Open Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif }
.network .surface { fill: #ffffff }
.network text { fill: #1c1f24 }
.network .muted { fill: #575d66 }
.network .card { fill: #f5f6f8; stroke: #e0e3e7 }
.network .flow { fill: #9aa0a8 }
.network .bypass { fill: none; stroke: #9aa0a8; stroke-width: 1.5 }
.network .neuron { fill: #ffffff; stroke: #9aa0a8 }
.network .positive { stroke: #0072b2 }
.network .negative { stroke: #d55e00 }
.network .glyph { fill-opacity: 0.3 }
.network .dense { fill: #0072b2; stroke: #0072b2 }
.network .convolution { fill: #d55e00; stroke: #d55e00 }
.network .recurrent { fill: #009e73; stroke: #009e73 }
.network .normalization { fill: #cc79a7; stroke: #cc79a7 }
.network .chance { fill: #e69f00; stroke: #e69f00 }
.network .other { fill: #868d96; stroke: #868d96 }
@media (prefers-color-scheme: dark) {
.network .surface { fill: #16181d }
.network text { fill: #eceef1 }
.network .muted { fill: #a6adb8 }
.network .card { fill: #1f2229; stroke: #333842 }
.network .flow { fill: #5c636e }
.network .bypass { stroke: #5c636e }
.network .neuron { fill: #16181d; stroke: #5c636e }
.network .positive { stroke: #56b4e9 }
.network .negative { stroke: #e69f00 }
.network .dense { fill: #56b4e9; stroke: #56b4e9 }
.network .convolution { fill: #ff8a3d; stroke: #ff8a3d }
.network .recurrent { fill: #2fc79b; stroke: #2fc79b }
}
";

/// A picture that grows mark by mark.
#[derive(Debug)]
pub(super) struct Svg {
    width: f64,
    height: f64,
    marks: String,
}

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An empty picture.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, marks: String::new() }
    }

    /// Adds marks that need no escaping.
    pub(super) fn push(&mut self, mark: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.marks.write_fmt(mark);
        self.marks.push('\n');
    }

    /// Adds one line of text; `style` is a list of attributes.
    pub(super) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, style: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (Number(x), Number(y), Escaped(text));
        self.push(format_args!(r#"<text x="{x}" y="{y}" text-anchor="{anchor}" {style}>{text}</text>"#));
    }

    /// The whole file.
    pub(super) fn document(&self, title: &str) -> String {
        let (width, height, title) = (Number(self.width), Number(self.height), Escaped(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"network\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"surface\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
            self.marks
        )
    }
}

/// At most two decimals: a hundredth of a pixel is enough.
pub(super) struct Number(pub(super) f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `+ 0.0` turns a negative zero into zero.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

/// Text for XML, its markup escaped.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
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
    fn markup_in_a_text_stays_a_text() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text([1.0, 2.001], Anchor::End, "", r#"<b a="1"> & co."#);
        assert_eq!(
            svg.marks,
            "<text x=\"1\" y=\"2\" text-anchor=\"end\" >&lt;b a=&quot;1&quot;&gt; &amp; co.</text>\n"
        );
    }
}
