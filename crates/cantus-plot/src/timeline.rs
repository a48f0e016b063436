//! Timeline: what a model hears as a recording goes on.
//!
//! A row for each label and a column for each window; the colour is the probability, and a stroke goes through the most
//! probable label of each, so that the answer can be followed like a melody; it rests where no label is probable enough.

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
/// Longer names are cut.
const LONGEST_LABEL: f32 = 170.0;
const RIGHT: f32 = 92.0;
const BAR_WIDTH: f32 = 12.0;
/// Columns that can be told apart; more windows are averaged in equal groups.
const MOST_COLUMNS: usize = 360;
/// All labels together; rows are no higher than [`HIGHEST_ROW`].
const HEIGHT: f32 = 360.0;
const HIGHEST_ROW: f32 = 44.0;

/// A stretch of time and the probability of each label in it.
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
    /// Index of the most probable label, the first of equals.
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
/// - `windows`: in the order of time, each with `[n_labels]` probabilities
///
/// `least` is the probability below which an answer is none, from 0 to 1.
pub fn timeline<Label: AsRef<str>>(
    labels: &[Label],
    windows: &[TimeSegment],
    least: f32,
    title: &str,
) -> Picture {
    let names: Vec<String> =
        labels.iter().map(|name| font::fit(name.as_ref(), LABEL, Weight::Regular, LONGEST_LABEL)).collect();
    let widest = names.iter().map(|name| font::width(name, LABEL, Weight::Regular)).fold(0.0, f32::max);
    let row = (HEIGHT / names.len().max(1) as f32).clamp(14.0, HIGHEST_ROW);
    let (left, height) = (52.0 + widest, row * names.len().max(1) as f32);
    let columns = columns(windows);
    let duration_s = columns.last().map_or(0.0, |column| column.end_s);
    let mut picture = Picture::new(
        WIDTH,
        HEADER + height + FOOTER,
        title,
        &subtitle(windows.len(), columns.len(), duration_s, least),
    );
    let rect = Rect { x: left, y: HEADER, width: WIDTH - left - RIGHT, height };
    let (unit, unit_s) = unit_of(duration_s);
    let panel = Panel {
        rect,
        x: Scale::linear(0.0, duration_s / unit_s, rect.x, rect.right()),
        y: Scale::linear(0.0, names.len() as f64, rect.y, rect.bottom()),
    };
    if columns.is_empty() || names.is_empty() {
        panel.draw_note(&mut picture, "nothing was heard");
        return picture;
    }
    for column in &columns {
        draw_column(&mut picture, &panel, column, unit_s);
    }
    draw_answers(&mut picture, &panel, &columns, least, unit_s);
    let rows = names.iter().enumerate().map(|(i, name)| (panel.y.at(i as f64 + 0.5), name.as_str()));
    draw_left_labels(&mut picture, &rect, rows, "Label");
    panel.draw_x_axis(&mut picture, &panel.x.ticks(10), Some(unit));
    draw_bar(&mut picture, &rect);
    picture
}

fn subtitle(n_windows: usize, n_columns: usize, duration_s: f64, least: f32) -> String {
    let windows = if n_windows == 1 { "window" } else { "windows" };
    let mut text = format!(
        "{n_windows} {windows} · {duration_s:.0} s · the stroke goes through the most probable label"
    );
    if least > 0.0 {
        text += &format!(", where it has {:.0} % or more", 100.0 * least);
    }
    if n_columns < n_windows {
        text += &format!(" · each column is the mean of {}", n_windows.div_ceil(n_columns));
    }
    text
}

/// Title and seconds of the unit in which a recording of this length is read most easily.
fn unit_of(duration_s: f64) -> (&'static str, f64) {
    match duration_s {
        ..600.0 => ("Time (s)", 1.0),
        ..14_400.0 => ("Time (min)", 60.0),
        _ => ("Time (h)", 3600.0),
    }
}

/// As many windows as can be shown, the others averaged with their neighbours.
fn columns(windows: &[TimeSegment]) -> Vec<TimeSegment> {
    let per_column = windows.len().div_ceil(MOST_COLUMNS).max(1);
    let mean = |group: &[TimeSegment]| TimeSegment {
        start_s: group[0].start_s,
        end_s: group[group.len() - 1].end_s,
        probabilities: (0..group[0].probabilities.len())
            .map(|label| {
                group.iter().map(|window| window.probabilities[label]).sum::<f32>() / group.len() as f32
            })
            .collect(),
    };
    windows.chunks(per_column).map(mean).collect()
}

fn draw_column(picture: &mut Picture, panel: &Panel, column: &TimeSegment, unit_s: f64) {
    let (x, right) = (panel.x.at(column.start_s / unit_s), panel.x.at(column.end_s / unit_s));
    for (label, &probability) in column.probabilities.iter().enumerate() {
        let (y, bottom) = (panel.y.at(label as f64), panel.y.at(label as f64 + 1.0));
        let rect = Rect { x, y, width: right - x, height: bottom - y };
        picture.push(Mark::Rect { rect, fill: Ink::Tint(probability) });
    }
}

/// Rules between the rows, and the stroke through the answers.
fn draw_answers(picture: &mut Picture, panel: &Panel, columns: &[TimeSegment], least: f32, unit_s: f64) {
    for label in 0..=columns[0].probabilities.len() {
        let y = panel.y.at(label as f64);
        picture.push(Mark::rule((panel.rect.x, y), (panel.rect.right(), y), 1.0, Ink::Grid));
    }
    let is_answer = |column: &TimeSegment| column.probabilities[column.most_probable()] >= least;
    for stretch in
        columns.chunk_by(|a, b| is_answer(a) == is_answer(b)).filter(|stretch| is_answer(&stretch[0]))
    {
        let corners = stretch.iter().flat_map(|column| {
            let y = column.most_probable() as f64 + 0.5;
            [panel.at(column.start_s / unit_s, y), panel.at(column.end_s / unit_s, y)]
        });
        picture.push(Mark::Line { points: corners.collect(), width: 2.0, ink: Ink::Second, dashed: false });
    }
}

/// What the colours mean.
fn draw_bar(picture: &mut Picture, rect: &Rect) {
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

    fn windows(n: usize) -> Vec<TimeSegment> {
        let window = |i: usize| TimeSegment {
            start_s: 3.0 * i as f64,
            end_s: 3.0 * (i + 1) as f64,
            probabilities: if i.is_multiple_of(2) { vec![1.0, 0.0] } else { vec![0.5, 0.5] },
        };
        (0..n).map(window).collect()
    }

    #[test]
    fn more_windows_than_can_be_shown_are_averaged_and_none_is_lost() {
        let columns = columns(&windows(2 * MOST_COLUMNS));
        assert_eq!(columns.len(), MOST_COLUMNS);
        assert_eq!(columns[7].probabilities, [0.75, 0.25]);
        assert_eq!((columns[0].start_s, columns[MOST_COLUMNS - 1].end_s), (0.0, 6.0 * MOST_COLUMNS as f64));
        let odd = super::columns(&windows(MOST_COLUMNS + 1));
        assert_eq!(odd.last().unwrap().end_s, 3.0 * (MOST_COLUMNS + 1) as f64);
    }

    #[test]
    fn time_is_told_in_the_unit_that_is_read_most_easily() {
        for (n, unit) in [(10, "Time (s)"), (1200, "Time (min)"), (12_000, "Time (h)")] {
            assert!(timeline(&["a", "b"], &windows(n), 0.0, "x").to_svg(Theme::Light).contains(unit));
        }
    }

    #[test]
    fn nothing_is_drawn_without_fuss() {
        timeline(&["a"], &[], 0.0, "x").to_svg(Theme::Dark);
        timeline::<&str>(&[], &[], 0.0, "x").to_svg(Theme::Dark);
    }

    #[test]
    fn the_stroke_rests_where_no_label_is_probable_enough() {
        let n_strokes = |least: f32| {
            let picture = timeline(&["a", "b"], &windows(6), least, "x");
            picture.marks.iter().filter(|mark| matches!(mark, Mark::Line { ink: Ink::Second, .. })).count()
        };
        assert_eq!((n_strokes(0.0), n_strokes(0.6)), (1, 3));
    }
}
