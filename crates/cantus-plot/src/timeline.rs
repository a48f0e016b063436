//! Timeline: probabilities of labels over time.
//!
//! A row for each label and a column for each segment; the colour is the probability. A line marks the most probable label
//! of each segment, unless its probability is below a minimum.

use super::{
    Picture, font,
    font::Weight,
    mark::{Ink, Mark, Rect, Text},
    panel::{LABEL, Panel, draw_left_labels},
    picture::HEADER,
    scale::Scale,
};

const WIDTH: f32 = 960.0;
const FOOTER: f32 = 56.0;
/// Longer names are truncated.
const MAX_LABEL_WIDTH: f32 = 170.0;
const RIGHT: f32 = 92.0;
const BAR_WIDTH: f32 = 12.0;
/// Largest number of columns; more segments are averaged in groups of equal size.
const MAX_COLUMNS: usize = 360;
/// Height of all rows; a row is at most [`MAX_ROW_HEIGHT`] high.
const HEIGHT: f32 = 360.0;
const MAX_ROW_HEIGHT: f32 = 44.0;

/// A time interval and the probability of each label in it.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSegment {
    /// Start in seconds.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
    /// `[n_labels]`, each in 0..=1.
    pub probabilities: Vec<f32>,
}

impl TimeSegment {
    /// Index of the most probable label; the first of equal ones.
    fn most_probable(&self) -> usize {
        let probabilities = &self.probabilities;
        (1..probabilities.len())
            .fold(0, |best, label| if probabilities[label] > probabilities[best] { label } else { best })
    }
}

/// Draws probabilities of labels over time.
///
/// # Shapes
/// - `labels`: `[n_labels]`
/// - `segments`: ascending in time, each with `[n_labels]` probabilities
///
/// The line is drawn where the highest probability is at least `min_probability`, in 0..=1.
#[must_use]
pub fn timeline<Label: AsRef<str>>(
    labels: &[Label],
    segments: &[TimeSegment],
    min_probability: f32,
    title: &str,
) -> Picture {
    let names: Vec<String> =
        labels.iter().map(|name| font::fit(name.as_ref(), LABEL, Weight::Regular, MAX_LABEL_WIDTH)).collect();
    let widest = names.iter().map(|name| font::width(name, LABEL, Weight::Regular)).fold(0.0, f32::max);
    let row = (HEIGHT / names.len().max(1) as f32).clamp(14.0, MAX_ROW_HEIGHT);
    let (left, height) = (52.0 + widest, row * names.len().max(1) as f32);
    let columns = columns(segments);
    let duration_s = columns.last().map_or(0.0, |column| column.end_s);
    let mut picture = Picture::new(
        WIDTH,
        HEADER + height + FOOTER,
        title,
        &subtitle(segments.len(), columns.len(), duration_s, min_probability),
    );
    let rect = Rect { x: left, y: HEADER, width: WIDTH - left - RIGHT, height };
    let (unit, unit_s) = unit_of(duration_s);
    let panel = Panel {
        rect,
        x: Scale::linear(0.0, duration_s / unit_s, rect.x, rect.right()),
        y: Scale::linear(0.0, names.len() as f64, rect.y, rect.bottom()),
    };
    if columns.is_empty() || names.is_empty() {
        panel.draw_note(&mut picture, "no segments");
        return picture;
    }
    for column in &columns {
        draw_column(&mut picture, &panel, column, unit_s);
    }
    draw_predictions(&mut picture, &panel, &columns, min_probability, unit_s);
    let rows = names.iter().enumerate().map(|(i, name)| (panel.y.at(i as f64 + 0.5), name.as_str()));
    draw_left_labels(&mut picture, &rect, rows, "Label");
    panel.draw_x_axis(&mut picture, &panel.x.ticks(10), Some(unit));
    draw_colour_bar(&mut picture, &rect);
    picture
}

fn subtitle(n_segments: usize, n_columns: usize, duration_s: f64, min_probability: f32) -> String {
    let segments = if n_segments == 1 { "window" } else { "segments" };
    let mut text = format!(
        "{n_segments} {segments} · {duration_s:.0} s · the stroke goes through the most probable label"
    );
    if min_probability > 0.0 {
        text += &format!(", where it has {:.0} % or more", 100.0 * min_probability);
    }
    if n_columns < n_segments {
        text += &format!(" · each column is the mean of {}", n_segments.div_ceil(n_columns));
    }
    text
}

/// Title and seconds of a suitable time unit for this duration.
fn unit_of(duration_s: f64) -> (&'static str, f64) {
    match duration_s {
        ..600.0 => ("Time (s)", 1.0),
        ..14_400.0 => ("Time (min)", 60.0),
        _ => ("Time (h)", 3600.0),
    }
}

/// At most [`MAX_COLUMNS`] segments; more are averaged in groups.
fn columns(segments: &[TimeSegment]) -> Vec<TimeSegment> {
    let per_column = segments.len().div_ceil(MAX_COLUMNS).max(1);
    let mean = |group: &[TimeSegment]| TimeSegment {
        start_s: group[0].start_s,
        end_s: group[group.len() - 1].end_s,
        probabilities: (0..group[0].probabilities.len())
            .map(|label| {
                group.iter().map(|window| window.probabilities[label]).sum::<f32>() / group.len() as f32
            })
            .collect(),
    };
    segments.chunks(per_column).map(mean).collect()
}

fn draw_column(picture: &mut Picture, panel: &Panel, column: &TimeSegment, unit_s: f64) {
    let (x, right) = (panel.x.at(column.start_s / unit_s), panel.x.at(column.end_s / unit_s));
    for (label, &probability) in column.probabilities.iter().enumerate() {
        let (y, bottom) = (panel.y.at(label as f64), panel.y.at(label as f64 + 1.0));
        let rect = Rect { x, y, width: right - x, height: bottom - y };
        picture.push(Mark::Rect { rect, fill: Ink::Tint(probability) });
    }
}

/// Grid lines between the rows, and the line through the most probable labels.
fn draw_predictions(
    picture: &mut Picture,
    panel: &Panel,
    columns: &[TimeSegment],
    min_probability: f32,
    unit_s: f64,
) {
    for label in 0..=columns[0].probabilities.len() {
        let y = panel.y.at(label as f64);
        picture.push(Mark::rule((panel.rect.x, y), (panel.rect.right(), y), 1.0, Ink::Grid));
    }
    let is_predicted = |column: &TimeSegment| column.probabilities[column.most_probable()] >= min_probability;
    for run in columns.chunk_by(|a, b| is_predicted(a) == is_predicted(b)).filter(|run| is_predicted(&run[0]))
    {
        let corners = run.iter().flat_map(|column| {
            let y = column.most_probable() as f64 + 0.5;
            [panel.at(column.start_s / unit_s, y), panel.at(column.end_s / unit_s, y)]
        });
        picture.push(Mark::Line { points: corners.collect(), width: 2.0, ink: Ink::Second, dashed: false });
    }
}

/// Colour bar: probability from 0 to 100 %.
fn draw_colour_bar(picture: &mut Picture, rect: &Rect) {
    const STEPS: usize = 48;
    let x = rect.right() + 16.0;
    let height = rect.height.min(180.0);
    let step = height / STEPS as f32;
    for i in 0..STEPS {
        let rect = Rect { x, y: rect.y + i as f32 * step, width: BAR_WIDTH, height: step + 0.5 };
        picture.push(Mark::Rect { rect, fill: Ink::Tint(1.0 - (i as f32 + 0.5) / STEPS as f32) });
    }
    for (share, label) in [(0.0, "100 %"), (1.0, "0 %")] {
        let text = Text::new(x + BAR_WIDTH + 6.0, rect.y + share * height, label, LABEL);
        picture.push(Mark::Text(text.ink(Ink::Muted).middle()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    fn segments(n: usize) -> Vec<TimeSegment> {
        let window = |i: usize| TimeSegment {
            start_s: 3.0 * i as f64,
            end_s: 3.0 * (i + 1) as f64,
            probabilities: if i.is_multiple_of(2) { vec![1.0, 0.0] } else { vec![0.5, 0.5] },
        };
        (0..n).map(window).collect()
    }

    #[test]
    fn more_segments_than_can_be_shown_are_averaged_and_none_is_lost() {
        let columns = columns(&segments(2 * MAX_COLUMNS));
        assert_eq!(columns.len(), MAX_COLUMNS);
        assert_eq!(columns[7].probabilities, [0.75, 0.25]);
        assert_eq!((columns[0].start_s, columns[MAX_COLUMNS - 1].end_s), (0.0, 6.0 * MAX_COLUMNS as f64));
        let odd = super::columns(&segments(MAX_COLUMNS + 1));
        assert_eq!(odd.last().unwrap().end_s, 3.0 * (MAX_COLUMNS + 1) as f64);
    }

    #[test]
    fn the_time_unit_depends_on_the_duration() {
        for (n, unit) in [(10, "Time (s)"), (1200, "Time (min)"), (12_000, "Time (h)")] {
            assert!(timeline(&["a", "b"], &segments(n), 0.0, "x").to_svg(Theme::Light).contains(unit));
        }
    }

    #[test]
    fn no_segments_are_drawn_without_panic() {
        let _ = timeline(&["a"], &[], 0.0, "x").to_svg(Theme::Dark);
        let _ = timeline::<&str>(&[], &[], 0.0, "x").to_svg(Theme::Dark);
    }

    #[test]
    fn the_line_is_interrupted_where_no_label_is_probable_enough() {
        let n_strokes = |min_probability: f32| {
            let picture = timeline(&["a", "b"], &segments(6), min_probability, "x");
            picture.marks.iter().filter(|mark| matches!(mark, Mark::Line { ink: Ink::Second, .. })).count()
        };
        assert_eq!((n_strokes(0.0), n_strokes(0.6)), (1, 3));
    }
}
