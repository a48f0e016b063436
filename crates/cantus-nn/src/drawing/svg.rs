//! SVG output of a drawing, with colours for the reader's light or dark theme.

use std::fmt::{self, Display, Write};

use super::shape::{Anchor, Drawing, Role, Shape};

/// Colours by role, light and dark. Renderers without themes use the light one.
const STYLE: &str = "\
.network { font-family: 'Noto Sans', 'Open Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif }
.network .surface { fill: #ffffff }
.network text { fill: #1c1f24 }
.network .muted { fill: #575d66 }
.network .card { fill: #f5f6f8; stroke: #e0e3e7 }
.network .flow { fill: #9aa0a8; stroke: #9aa0a8 }
.network .bypass { fill: none; stroke: #9aa0a8 }
.network .neuron { fill: #ffffff; stroke: #9aa0a8 }
.network .positive { stroke: #0072b2 }
.network .negative { stroke: #d55e00 }
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
.network .flow { fill: #5c636e; stroke: #5c636e }
.network .bypass { stroke: #5c636e }
.network .neuron { fill: #16181d; stroke: #5c636e }
.network .positive { stroke: #56b4e9 }
.network .negative { stroke: #e69f00 }
.network .dense { fill: #56b4e9; stroke: #56b4e9 }
.network .convolution { fill: #ff8a3d; stroke: #ff8a3d }
.network .recurrent { fill: #2fc79b; stroke: #2fc79b }
}
";

impl Drawing {
    /// The drawing as the text of an SVG file.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (width, height, title) = (Number(self.width), Number(self.height), Escaped(&self.title));
        let shapes: String = self.shapes.iter().map(element).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"network\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"surface\" width=\"{width}\" height=\"{height}\"/>\n{shapes}</svg>\n",
        )
    }
}

/// One shape as a line of SVG.
fn element(shape: &Shape) -> String {
    match shape {
        Shape::Rect { x, y, width, height, radius, role } => {
            let (class, [x, y, width, height, radius]) =
                (class(*role), [x, y, width, height, radius].map(|v| Number(*v)));
            let stroke = if *role == Role::Card { "" } else { r#" style="stroke:none""# };
            format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"{stroke}/>\n"
            )
        }
        Shape::Polygon { points, role, opacity, outlined } => {
            let points = points.iter().map(|&point| pair(point)).collect::<Vec<_>>().join(" ");
            let (class, stroke) = (class(*role), if *outlined { "" } else { ";stroke:none" });
            format!(
                "<polygon class=\"{class}\" points=\"{points}\" style=\"fill-opacity:{opacity}{stroke}\" stroke-linejoin=\"round\"/>\n"
            )
        }
        Shape::Line { from: [x1, y1], to: [x2, y2], width, role } => {
            let [x1, y1, x2, y2, width] = [x1, y1, x2, y2, width].map(|v| Number(*v));
            let class = class(*role);
            format!(
                "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke-width=\"{width}\"/>\n"
            )
        }
        Shape::Curve { start, turns, width, opacity, role, note } => {
            let turn = |[a, b, end]: &[[f64; 2]; 3]| format!("C{} {} {}", pair(*a), pair(*b), pair(*end));
            let path = turns.iter().map(turn).collect::<String>();
            let (class, width, opacity) = (class(*role), Number(*width), Number(*opacity));
            format!(
                "<path class=\"{class}\" fill=\"none\" d=\"M{}{path}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\">{}</path>\n",
                pair(*start),
                title(note),
            )
        }
        Shape::Circle { centre: [x, y], radius, ring, ring_width, note } => {
            let [x, y, radius, ring_width] = [x, y, radius, ring_width].map(|v| Number(*v));
            let class = if *ring == Role::Neuron { "" } else { class(*ring) };
            let title = title(note);
            format!(
                "<circle class=\"neuron {class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" stroke-width=\"{ring_width}\">{title}</circle>\n"
            )
        }
        Shape::Text { at: [x, y], anchor, size, bold, italic, muted, text } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let [x, y, size] = [x, y, size].map(|v| Number(*v));
            let weight = if *bold { r#" font-weight="600""# } else { "" };
            let style = if *italic { r#" font-style="italic""# } else { "" };
            let class = if *muted { r#" class="muted""# } else { "" };
            let text = Escaped(text);
            format!(
                "<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\"{weight}{style}>{text}</text>\n"
            )
        }
    }
}

fn class(role: Role) -> &'static str {
    match role {
        Role::Card => "card",
        Role::Arrow => "flow",
        Role::SkipConnection => "bypass",
        Role::Neuron => "neuron",
        Role::Positive => "positive",
        Role::Negative => "negative",
        Role::Dense => "dense",
        Role::Convolution => "convolution",
        Role::Recurrent => "recurrent",
        Role::Normalization => "normalization",
        Role::Stochastic => "chance",
        Role::Other => "other",
    }
}

fn pair([x, y]: [f64; 2]) -> String {
    format!("{},{}", Number(x), Number(y))
}

/// The tooltip of a shape.
fn title(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!("<title>{}</title>", Escaped(note)) }
}

/// At most two decimals: a hundredth of a pixel is enough.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `+ 0.0` turns a negative zero into zero.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

/// Text for XML, its markup escaped.
struct Escaped<'a>(&'a str);

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
    use super::super::shape::Font;
    use super::*;

    #[test]
    fn markup_in_a_text_stays_a_text() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text([1.0, 2.001], Anchor::End, Font::plain(12.0), r#"<b a="1"> & co."#);
        let expected = "<text x=\"1\" y=\"2\" text-anchor=\"end\" font-size=\"12\">&lt;b a=&quot;1&quot;&gt; &amp; co.</text>\n";
        assert_eq!(element(&drawing.shapes[0]), expected);
    }
}
