//! Heat maps of features over time: spectrogram, mel spectrogram, MFCC, chroma, CQT, tempogram.
//!
//! Time on the x axis and bins upwards, as in librosa's `specshow`; `rows` has the labels of the bins. The colour map is magma
//! (van der Walt & Smith 2015), which is perceptually uniform and suitable for colour-blind readers.

use super::{
    Picture, Rows, font,
    mark::{Anchor, Image, Ink, Mark, Rect, Text},
    panel::{LABEL, Panel, draw_left_labels},
    picture::{HEADER, MARGIN},
    rows::Layout,
    scale::Scale,
};

/// A matrix of features and its axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatMap<'a> {
    /// Heading of the picture.
    pub title: &'a str,
    /// Feature values `[n_frames, n_bins]`, row-major; one that is not finite is left blank.
    pub values: &'a [f32],
    /// Bins per frame.
    pub n_bins: usize,
    /// Time from one frame to the next: `hop_length / sample_rate`.
    pub frame_s: f64,
    /// What the bins are.
    pub rows: Rows<'a>,
    /// Unit of the values, such as "dB"; may be empty.
    pub unit: &'a str,
    /// Range of values of the colour map.
    pub range: ColourRange,
}

/// Range of values of the colour map of a [`HeatMap`]; values outside are clipped.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ColourRange {
    /// From the smallest to the largest value.
    #[default]
    Full,
    /// Each bin's own mean and standard deviation over time, as far as two standard deviations to either side. For
    /// MFCCs, whose first coefficients are much larger than the others.
    Standardised,
    /// A given range, so that several pictures are comparable.
    Fixed(f64, f64),
}

const WIDTH: f32 = 960.0;
const HEIGHT: f32 = 420.0;
const LEFT: f32 = 84.0;
const RIGHT: f32 = 92.0;
const FOOTER: f32 = 56.0;
const GRADIENT: colorous::Gradient = colorous::MAGMA;
/// An indexed PNG has 256 colours, of which one is transparent; true colour would triple the size of the file.
const N_COLOURS: usize = 255;
/// Largest numbers of cells, one per pixel; more are averaged.
const MAX_COLUMNS: usize = ((WIDTH - LEFT - RIGHT) * 2.0) as usize;
const MAX_ROWS: usize = ((HEIGHT - HEADER - FOOTER) * 2.0) as usize;

/// Draws a feature over time, with a colour bar.
///
/// More frames or bins than the picture has pixels are averaged in equal groups (of the values as given: of dB, if they
/// are dB). An incomplete last frame is left out.
#[must_use]
pub fn heat_map(map: &HeatMap<'_>) -> Picture {
    if map.range == ColourRange::Standardised {
        let values = standardised(map.values, map.n_bins);
        return draw(&HeatMap { values: &values, unit: "standard deviations", ..*map });
    }
    draw(map)
}

fn draw(map: &HeatMap<'_>) -> Picture {
    let n_frames = map.values.len().checked_div(map.n_bins).unwrap_or(0);
    let (low, high) = colour_limits(map);
    let mut picture = Picture::new(WIDTH, HEIGHT, map.title, &subtitle(map, n_frames));
    let rect = Rect { x: LEFT, y: HEADER, width: WIDTH - LEFT - RIGHT, height: HEIGHT - HEADER - FOOTER };
    let duration_s = n_frames as f64 * map.frame_s;
    let layout = Layout::new(&map.rows, map.n_bins, MAX_ROWS);
    let x = Scale::linear(0.0, duration_s, rect.x, rect.right());
    let panel = Panel { rect, x, y: layout.scale(rect.bottom(), rect.y) };
    if n_frames == 0 {
        panel.draw_note(&mut picture, "nothing to draw");
        return picture;
    }
    picture.push(Mark::Image { rect, image: image(map, &layout, n_frames, low, high) });
    panel.draw_x_axis(&mut picture, &panel.x.ticks(10), Some("Time (s)"));
    let labels = layout.ticks.iter().map(|t| (panel.y.at(t.value), t.label.as_str()));
    draw_left_labels(&mut picture, &rect, labels, layout.title);
    for tick in &layout.ticks {
        let y = panel.y.at(tick.value);
        picture.push(Mark::rule((rect.x - 4.0, y), (rect.x, y), 1.0, Ink::Frame));
    }
    draw_colour_bar(&mut picture, &rect, low, high, map.unit);
    picture
}

fn subtitle(map: &HeatMap<'_>, n_frames: usize) -> String {
    let mut text = format!("{n_frames} frames × {} bins", map.n_bins);
    if map.range == ColourRange::Standardised {
        text += " · each bin about its own mean, in its standard deviations";
    }
    text
}

fn colour_limits(map: &HeatMap<'_>) -> (f64, f64) {
    let (low, high) = match map.range {
        ColourRange::Fixed(low, high) => (low, high),
        ColourRange::Full => {
            let values = map.values.iter().filter(|v| v.is_finite());
            let limits = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
            (f64::from(limits.0), f64::from(limits.1))
        }
        ColourRange::Standardised => (-2.0, 2.0),
    };
    match (low.is_finite(), high.is_finite()) {
        (true, true) if low < high => (low, high),
        (true, true) => (low, low + 1.0),
        _ => (0.0, 1.0),
    }
}

/// Each bin standardised by the mean and standard deviation of its finite values; a constant bin is 0.
fn standardised(values: &[f32], n_bins: usize) -> Vec<f32> {
    let mut out = values.to_vec();
    for bin in 0..n_bins {
        let finite =
            || values.iter().skip(bin).step_by(n_bins).map(|&v| f64::from(v)).filter(|v| v.is_finite());
        let n = finite().count() as f64;
        let mean = finite().sum::<f64>() / n;
        let deviation = (finite().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
        for value in out.iter_mut().skip(bin).step_by(n_bins).filter(|v| v.is_finite()) {
            *value = ((f64::from(*value) - mean) * scale) as f32;
        }
    }
    out
}

fn image(map: &HeatMap<'_>, layout: &Layout<'_>, n_frames: usize, low: f64, high: f64) -> Image {
    let per_column = n_frames.div_ceil(MAX_COLUMNS);
    let (columns, rows) = (n_frames.div_ceil(per_column), layout.bins.len());
    let mut pixels = Vec::with_capacity(columns * rows);
    for bins in layout.bins.iter().rev() {
        for column in 0..columns {
            let frames = column * per_column..((column + 1) * per_column).min(n_frames);
            let cells = frames.flat_map(|frame| &map.values[frame * map.n_bins..][bins.clone()]);
            pixels.push(colour(mean(cells), low, high));
        }
    }
    Image { columns, rows, pixels }
}

fn mean<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), &v| (sum + f64::from(v), n + 1));
    sum / f64::from(n)
}

fn colour(value: f64, low: f64, high: f64) -> [u8; 4] {
    if !value.is_finite() {
        return [0; 4];
    }
    let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
    let step = if share.is_finite() { (share * (N_COLOURS - 1) as f64).round() as usize } else { 0 };
    let colour = GRADIENT.eval_rational(step, N_COLOURS);
    [colour.r, colour.g, colour.b, 255]
}

fn draw_colour_bar(picture: &mut Picture, rect: &Rect, low: f64, high: f64, unit: &str) {
    let bar = Rect { x: rect.right() + 18.0, width: 14.0, ..*rect };
    let pixels = (0..256).rev().map(|i| colour(f64::from(i), 0.0, 255.0)).collect();
    picture.push(Mark::Image { rect: bar, image: Image { columns: 1, rows: 256, pixels } });
    let scale = Scale::linear(low, high, bar.bottom(), bar.y);
    let mut widest = 0.0f32;
    for tick in scale.ticks(6) {
        let y = scale.at(tick.value);
        widest = widest.max(font::width(&tick.label, LABEL, font::Weight::Regular));
        picture.push(Mark::rule((bar.right(), y), (bar.right() + 4.0, y), 1.0, Ink::Frame));
        picture.push(Mark::Text(Text::new(bar.right() + 8.0, y, tick.label, LABEL).ink(Ink::Muted).middle()));
    }
    let x = (bar.right() + 8.0 + widest + 14.0).min(picture.width - MARGIN / 2.0);
    let text = Text::new(x, bar.centre().1, unit, LABEL).anchor(Anchor::Middle).angle(-90.0);
    picture.push(Mark::Text(text.middle()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<'a>(values: &'a [f32], n_bins: usize) -> HeatMap<'a> {
        let (rows, range) = (Rows::Numbered("Bin"), ColourRange::Full);
        HeatMap { title: "Test", values, n_bins, frame_s: 0.1, rows, unit: "dB", range }
    }

    fn image_of(picture: &Picture) -> Option<&Image> {
        picture.marks.iter().find_map(|mark| match mark {
            Mark::Image { image, .. } => Some(image),
            _ => None,
        })
    }

    #[test]
    fn bin_0_is_below_and_frame_0_at_the_left() {
        let picture = heat_map(&map(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 2));
        let image = image_of(&picture).unwrap();
        assert_eq!((image.columns, image.rows), (3, 2));
        assert_eq!(image.pixels[3], [0, 0, 4, 255], "magma's darkest, lower left");
        assert_eq!(image.pixels[2], [252, 253, 191, 255], "magma's lightest, upper right");
    }

    #[test]
    fn a_value_that_is_not_finite_is_blank() {
        let picture = heat_map(&map(&[0.0, f32::NAN, 1.0, 0.5], 2));
        assert_eq!(image_of(&picture).unwrap().pixels[0], [0; 4]);
    }

    #[test]
    fn a_long_recording_is_averaged_to_the_resolution() {
        let values: Vec<f32> = (0..100_000).map(|i| (i % 2) as f32).collect();
        let image = image_of(&heat_map(&map(&values, 1))).unwrap().clone();
        assert!(image.columns <= MAX_COLUMNS && image.columns > MAX_COLUMNS / 2, "{}", image.columns);
        assert_eq!(image.pixels.len(), image.columns);
    }

    #[test]
    fn standardising_gives_every_bin_mean_0_and_deviation_1() {
        let values = [-500.0, 1.0, 7.0, -490.0, 3.0, 7.0, f32::NAN, 1.0, 7.0, -510.0, 3.0, 7.0];
        let found = standardised(&values, 3);
        assert!(found[6].is_nan());
        let root = 1.5f32.sqrt();
        let expected = [0.0, -1.0, 0.0, root, 1.0, 0.0, 0.0, -1.0, 0.0, -root, 1.0, 0.0];
        for (i, (found, expected)) in found.iter().zip(expected).enumerate().filter(|(i, _)| *i != 6) {
            assert!((found - expected).abs() < 1e-6, "{i}: {found} {expected}");
        }
    }

    #[test]
    fn empty_constant_and_non_finite_values_are_drawn_without_panic() {
        for (values, n_bins) in [(&[][..], 13), (&[], 0), (&[1.0; 4], 2), (&[f32::NAN; 4], 2), (&[1.0; 3], 0)]
        {
            let _ = heat_map(&map(values, n_bins));
            for range in
                [ColourRange::Fixed(f64::NAN, 1.0), ColourRange::Fixed(1.0, 0.0), ColourRange::Standardised]
            {
                let _ = heat_map(&HeatMap { range, ..map(values, n_bins) });
            }
            let hz = [0.0, 100.0];
            for rows in [Rows::Hertz(&hz), Rows::LogHertz(&hz), Rows::Pitches(&hz), Rows::Tempo(&hz)] {
                let _ = heat_map(&HeatMap { rows, ..map(values, n_bins) });
            }
        }
    }
}
