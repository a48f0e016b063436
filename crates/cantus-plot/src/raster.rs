//! PNG encoder: rasterises marks with tiny-skia.

use std::collections::HashMap;

use tiny_skia::{
    Color, ColorU8, FillRule, FilterQuality, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Stroke,
    StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use super::{
    Picture, Theme, font,
    mark::{Anchor, Image, Ink, Mark, Rect, Text},
};

/// Pixels per picture unit, for high-resolution screens and print.
const PIXELS_PER_UNIT: f32 = 2.0;

#[expect(
    clippy::expect_used,
    reason = "every picture has a size of 1 to a few thousand units, set by its function"
)]
pub(super) fn png(picture: &Picture, theme: Theme) -> Vec<u8> {
    let size = |units: f32| (units * PIXELS_PER_UNIT).ceil() as u32;
    let mut pixmap = Pixmap::new(size(picture.width), size(picture.height)).expect("a size above zero");
    pixmap.fill(colour(theme, Ink::Surface));
    for mark in &picture.marks {
        draw(&mut pixmap, mark, theme);
    }
    pixmap.encode_png().expect("memory")
}

/// A small image as a PNG of its own, one pixel per cell; `None` if it has no cells, or their number is not width times height.
///
/// If it has at most 256 colours, as heat maps do, the PNG is indexed, which is a third of the size.
pub(super) fn image_png(image: &Image) -> Option<Vec<u8>> {
    let pixmap = pixmap_of(image)?;
    match indexed(&image.pixels) {
        Some((palette, numbers)) => indexed_png(image, &palette, &numbers),
        None => pixmap.encode_png().ok(),
    }
}

/// The colours of an image, and the number of each pixel's colour; `None` for more than a byte can count.
fn indexed(pixels: &[[u8; 4]]) -> Option<(Vec<[u8; 4]>, Vec<u8>)> {
    let mut palette = Vec::new();
    let mut known = HashMap::new();
    let mut numbers = Vec::with_capacity(pixels.len());
    for &pixel in pixels {
        let next = known.len();
        let number = *known.entry(pixel).or_insert(next);
        if number == palette.len() {
            palette.push(pixel);
        }
        numbers.push(u8::try_from(number).ok()?);
    }
    Some((palette, numbers))
}

fn indexed_png(image: &Image, palette: &[[u8; 4]], numbers: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (u32::try_from(image.columns).ok()?, u32::try_from(image.rows).ok()?);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect::<Vec<u8>>());
    encoder.set_trns(palette.iter().map(|[_, _, _, alpha]| *alpha).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(numbers).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

fn draw(pixmap: &mut Pixmap, mark: &Mark, theme: Theme) {
    match mark {
        Mark::Rect { rect, fill } => {
            fill_path(pixmap, rect_path(rect), paint(theme, *fill, 1.0), to_pixels());
        }
        Mark::Line { points, width, ink, dashed } => {
            let dash = if *dashed { StrokeDash::new(vec![4.0, 3.0], 0.0) } else { None };
            let stroke = Stroke { width: *width, line_join: LineJoin::Round, dash, ..Stroke::default() };
            if let Some(path) = polyline(points, false) {
                pixmap.stroke_path(&path, &paint(theme, *ink, 1.0), &stroke, to_pixels(), None);
            }
        }
        Mark::Area { points, fill, opacity } => {
            fill_path(pixmap, polyline(points, true), paint(theme, *fill, *opacity), to_pixels());
        }
        Mark::Dot { x, y, radius, fill } => {
            let path = PathBuilder::from_circle(*x, *y, *radius);
            fill_path(pixmap, path, paint(theme, *fill, 1.0), to_pixels());
        }
        Mark::Text(text) => {
            let place = Transform::from_rotate(text.angle).post_translate(text.x, text.y);
            fill_path(pixmap, letters(text), paint(theme, text.ink, 1.0), place.post_concat(to_pixels()));
        }
        Mark::Image { rect, image } => draw_image(pixmap, rect, image),
    }
}

fn to_pixels() -> Transform {
    Transform::from_scale(PIXELS_PER_UNIT, PIXELS_PER_UNIT)
}

fn fill_path(pixmap: &mut Pixmap, path: Option<Path>, paint: Paint<'_>, transform: Transform) {
    if let Some(path) = path {
        pixmap.fill_path(&path, &paint, FillRule::Winding, transform, None);
    }
}

fn rect_path(rect: &Rect) -> Option<Path> {
    tiny_skia::Rect::from_xywh(rect.x, rect.y, rect.width, rect.height).map(PathBuilder::from_rect)
}

fn polyline(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let (&(x, y), rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(x, y);
    rest.iter().for_each(|&(x, y)| path.line_to(x, y));
    if closed {
        path.close();
    }
    path.finish()
}

fn letters(text: &Text) -> Option<Path> {
    let width = font::width(&text.text, text.size, text.weight);
    let start = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let mut path = Letters(PathBuilder::new());
    font::outline(&text.text, text.size, text.weight, &mut path);
    path.0.finish()?.transform(Transform::from_translate(start, 0.0))
}

fn draw_image(pixmap: &mut Pixmap, rect: &Rect, image: &Image) {
    let Some(cells) = pixmap_of(image) else { return };
    let scale = (rect.width / image.columns as f32, rect.height / image.rows as f32);
    let place =
        Transform::from_scale(scale.0, scale.1).post_translate(rect.x, rect.y).post_concat(to_pixels());
    let paint = PixmapPaint { quality: FilterQuality::Nearest, ..PixmapPaint::default() };
    pixmap.draw_pixmap(0, 0, cells.as_ref(), &paint, place, None);
}

fn pixmap_of(image: &Image) -> Option<Pixmap> {
    let (columns, rows) = (u32::try_from(image.columns).ok()?, u32::try_from(image.rows).ok()?);
    let mut pixmap = Pixmap::new(columns, rows)?;
    if pixmap.pixels().len() != image.pixels.len() {
        return None;
    }
    for (pixel, &[r, g, b, a]) in pixmap.pixels_mut().iter_mut().zip(&image.pixels) {
        *pixel = ColorU8::from_rgba(r, g, b, a).premultiply();
    }
    Some(pixmap)
}

fn colour(theme: Theme, ink: Ink) -> Color {
    let [r, g, b] = theme.colour(ink);
    Color::from_rgba8(r, g, b, 255)
}

fn paint(theme: Theme, ink: Ink, opacity: f32) -> Paint<'static> {
    let mut colour = colour(theme, ink);
    colour.apply_opacity(opacity);
    let mut paint = Paint::default();
    paint.set_color(colour);
    paint
}

/// A font's outline as tiny-skia's path.
struct Letters(PathBuilder);

impl OutlineBuilder for Letters {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Picture {
        Picture { width: 20.0, height: 10.0, title: String::new(), marks: Vec::new() }
    }

    fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let pixmap = Pixmap::decode_png(&picture.to_png(Theme::Light)).unwrap();
        let colour = pixmap.pixel(x, y).unwrap();
        [colour.red(), colour.green(), colour.blue()]
    }

    #[test]
    fn a_unit_is_two_pixels() {
        let mut picture = sheet();
        let rect = Rect { x: 5.0, y: 2.0, width: 5.0, height: 5.0 };
        picture.push(Mark::Rect { rect, fill: Ink::First });
        assert_eq!(pixel(&picture, 10, 4), [0x00, 0x72, 0xb2]);
        assert_eq!(pixel(&picture, 19, 13), [0x00, 0x72, 0xb2]);
        assert_eq!(pixel(&picture, 9, 4), [0xff, 0xff, 0xff]);
        assert_eq!(pixel(&picture, 20, 4), [0xff, 0xff, 0xff]);
    }

    #[test]
    fn an_image_keeps_its_orientation_and_its_hard_edges() {
        let mut picture = sheet();
        let pixels = vec![[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]];
        let rect = Rect { x: 0.0, y: 0.0, width: 20.0, height: 10.0 };
        picture.push(Mark::Image { rect, image: Image { columns: 2, rows: 2, pixels } });
        assert_eq!(pixel(&picture, 19, 9), [255, 0, 0]);
        assert_eq!(pixel(&picture, 20, 9), [0, 255, 0]);
        assert_eq!(pixel(&picture, 19, 10), [0, 0, 255]);
        assert_eq!(pixel(&picture, 20, 10), [255, 255, 255], "transparent shows the page");
    }

    #[test]
    fn indexed_and_true_colour_images_keep_their_colours() {
        for n_colours in [1, 3, 256, 257, 600] {
            let colour = |i: u32| [i as u8, (i / 256) as u8, 7, 255];
            let pixels: Vec<[u8; 4]> = (0..600).map(|i| colour(i % n_colours)).collect();
            let png = image_png(&Image { columns: 30, rows: 20, pixels: pixels.clone() }).unwrap();
            let read = Pixmap::decode_png(&png).unwrap();
            let found: Vec<[u8; 4]> =
                read.pixels().iter().map(|p| [p.red(), p.green(), p.blue(), p.alpha()]).collect();
            assert_eq!(found, pixels, "{n_colours} colours");
        }
        let blank = Image { columns: 2, rows: 1, pixels: vec![[0; 4], [9, 9, 9, 255]] };
        assert_eq!(Pixmap::decode_png(&image_png(&blank).unwrap()).unwrap().pixels()[0].alpha(), 0);
    }

    #[test]
    fn coordinates_that_are_not_numbers_are_left_out() {
        let mut picture = sheet();
        let points = vec![(f32::NAN, 1.0), (f32::INFINITY, 2.0)];
        picture.push(Mark::Line { points: points.clone(), width: 1.0, ink: Ink::First, dashed: true });
        picture.push(Mark::Area { points, fill: Ink::First, opacity: 0.5 });
        picture.push(Mark::Text(Text::new(f32::NAN, 0.0, "x", 10.0)));
        assert_eq!(pixel(&picture, 3, 3), [255, 255, 255]);
    }
}
