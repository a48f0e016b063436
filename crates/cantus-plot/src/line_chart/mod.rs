//! Line charts: series of points on linear or logarithmic axes.
//!
//! Each series has its own [`Style`] and an entry in the legend.

mod series_marks;

use self::series_marks::draw_series;
use super::{
    Picture, font,
    font::Weight,
    mark::{Ink, Rect},
    panel::{LABEL, LegendEntry, Panel, draw_legend, draw_legend_column, legend_width},
    picture::{HEADER, MARGIN},
    scale::Scale,
    theme::N_SERIES,
};

/// A chart: series and axes.
///
/// ```
/// use cantus_plot::{Axis, LineChart, Series, Style, Theme, line_chart};
///
/// let curve = [(0.0, 0.0), (0.1, 0.7), (1.0, 1.0)];
/// let chance = [(0.0, 0.0), (1.0, 1.0)];
/// let series = [Series::new("rock", Style::Steps, &curve), Series::new("chance", Style::Reference, &chance)];
/// let (x, y) = (Axis::new("False positive rate"), Axis::new("True positive rate"));
/// let (x, y) = (x.from_to(0.0, 1.0), y.from_to(0.0, 1.0));
/// let chart = LineChart { title: "ROC", subtitle: "50 tracks", x, y, series: &series, square: true };
/// let svg = line_chart(&chart).to_svg(Theme::Light);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LineChart<'a> {
    /// Heading of the picture.
    pub title: &'a str,
    /// Line below the title.
    pub subtitle: &'a str,
    /// The x axis.
    pub x: Axis<'a>,
    /// The y axis.
    pub y: Axis<'a>,
    /// Series, drawn in this order.
    pub series: &'a [Series<'a>],
    /// Whether width and height are equal, for axes of the same quantity; otherwise the ratio is about 2:1.
    pub square: bool,
}

/// The name and range of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Axis<'a> {
    /// Quantity and unit, for example "Frequency (Hz)".
    pub title: &'a str,
    /// Its ends; where absent, those of all values (and zero, if bars stand on it).
    pub limits: Option<(f64, f64)>,
    /// Whether the axis is logarithmic; values that are not positive leave a gap.
    pub logarithmic: bool,
    /// Whether ticks are whole numbers only, as for epochs.
    pub whole: bool,
}

impl<'a> Axis<'a> {
    /// A linear axis over all values.
    #[must_use]
    pub fn new(title: &'a str) -> Self {
        Axis { title, ..Axis::default() }
    }

    /// The same axis with the range `low` to `high`; points beyond are clipped.
    #[must_use]
    pub fn from_to(self, low: f64, high: f64) -> Self {
        Axis { limits: Some((low, high)), ..self }
    }

    /// The same axis, logarithmic.
    #[must_use]
    pub fn logarithmic(self) -> Self {
        Axis { logarithmic: true, ..self }
    }

    /// The same axis, labelled with whole numbers.
    #[must_use]
    pub fn whole(self) -> Self {
        Axis { whole: true, ..self }
    }
}

/// One named series of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a> {
    /// Name in the legend; empty for no entry.
    pub name: &'a str,
    /// How it is drawn.
    pub style: Style,
    /// `(x, y)`; one that is not finite leaves a gap.
    pub points: &'a [(f64, f64)],
}

impl<'a> Series<'a> {
    /// A series of these points.
    #[must_use]
    pub fn new(name: &'a str, style: Style, points: &'a [(f64, f64)]) -> Self {
        Series { name, style, points }
    }
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Style {
    /// Straight lines from point to point.
    #[default]
    Line,
    /// The same, dashed: for a series that partly lies on another.
    Dashes,
    /// Lines, and a dot at each point: for few points, of which each was measured.
    LineAndDots,
    /// An arrow from each point to the next: vectors.
    Arrows,
    /// Level from each point to the next, then straight up or down: ROC curves, held samples.
    Steps,
    /// Dots alone.
    Dots,
    /// A line from zero up to each point, and a dot on it: samples, the amplitudes of partials.
    Stems,
    /// A bar from zero to each point, this wide in units of the x axis: histograms, reliability.
    Bars(f64),
    /// Dashed and grey, for a reference such as chance level. Does not use a series colour.
    Reference,
}

const WIDTH: f32 = 960.0;
const LEFT: f32 = 84.0;
const FOOTER: f32 = 56.0;
const PANEL_HEIGHT: f32 = 300.0;
/// Side of a square chart.
const SIDE: f32 = 480.0;
/// Longer names are truncated.
const LONGEST_NAME: f32 = 190.0;

/// Draws the chart.
///
/// Series are coloured in their order; from the seventh on the colours come again, dashed. A legend of up to four names
/// stands beside the title; a longer one in a column at the right.
#[must_use]
pub fn line_chart(chart: &LineChart<'_>) -> Picture {
    let entries = legend(chart.series);
    let column = legend_column(chart, &entries);
    let (width, height) = match chart.square {
        true => (LEFT + SIDE + MARGIN + column, SIDE),
        false => (WIDTH, PANEL_HEIGHT),
    };
    let mut picture = Picture::new(width, HEADER + height + FOOTER, chart.title, chart.subtitle);
    let rect = Rect { x: LEFT, y: HEADER, width: width - LEFT - MARGIN - column, height };
    let panel = panel(chart, rect);
    let ticks = |axis: &Axis<'_>, scale: &Scale, n| match axis.whole {
        true => scale.integer_ticks(n),
        false => scale.ticks(n),
    };
    panel.draw_y_axis(&mut picture, &ticks(&chart.y, &panel.y, 6), chart.y.title);
    for (series, entry) in chart.series.iter().zip(&entries) {
        draw_series(&mut picture, &panel, series, entry);
    }
    if !chart.series.iter().any(|s| s.points.iter().any(|(x, y)| x.is_finite() && y.is_finite())) {
        panel.draw_note(&mut picture, "nothing to draw");
    }
    panel.draw_x_axis(&mut picture, &ticks(&chart.x, &panel.x, 10), Some(chart.x.title));
    let named: Vec<LegendEntry<'_>> = entries.iter().filter(|e| !e.name.is_empty()).cloned().collect();
    match column > 0.0 {
        true => draw_legend_column(&mut picture, rect.right() + 24.0, rect.y, &named),
        false => draw_legend(&mut picture, &named),
    }
    picture
}

/// A colour for each series that is not a reference; the second round of colours is dashed.
fn legend<'a>(series: &[Series<'a>]) -> Vec<LegendEntry<'a>> {
    let mut n_coloured = 0;
    let entries = series.iter().map(|series| {
        if series.style == Style::Reference {
            return LegendEntry::new(series.name, Ink::Muted, true);
        }
        n_coloured += 1;
        let i = n_coloured - 1;
        let dashed = series.style == Style::Dashes || i / N_SERIES % 2 == 1;
        let entry = LegendEntry::new(series.name, Ink::Series(i), dashed).cut_to(LONGEST_NAME);
        if series.style == Style::Dots { entry.with_dot() } else { entry }
    });
    entries.collect()
}

/// Width of the legend where it stands at the right: if it is long, or would run into the title.
fn legend_column(chart: &LineChart<'_>, entries: &[LegendEntry<'_>]) -> f32 {
    let named = entries.iter().filter(|e| !e.name.is_empty());
    let names = named.clone().map(|e| font::width(&e.name, LABEL, Weight::Regular));
    let width = if chart.square { LEFT + SIDE + MARGIN } else { WIDTH };
    let title = font::width(chart.title, 17.0, Weight::Bold);
    let in_line = legend_width(named.clone());
    if named.count() <= 4 && MARGIN + title + 40.0 + in_line + MARGIN <= width {
        return 0.0;
    }
    names.fold(0.0, f32::max) + 24.0 + 29.0
}

fn panel(chart: &LineChart<'_>, rect: Rect) -> Panel {
    let bars = chart.series.iter().filter_map(|s| match s.style {
        Style::Bars(width) => Some(width / 2.0),
        _ => None,
    });
    let half_bar = bars.fold(0.0, f64::max);
    let on_zero = chart.series.iter().any(|s| matches!(s.style, Style::Bars(_) | Style::Stems));
    let points = || chart.series.iter().flat_map(|s| s.points.iter().copied());
    let x = limits(&chart.x, points().map(|p| p.0), half_bar);
    let zero = on_zero.then_some(0.0);
    let y = limits(&chart.y, points().map(|p| p.1).chain(zero), 0.0);
    // A line at the very edge is half hidden by the frame.
    let (low, high) = if chart.y.limits.is_some() { y } else { widened(y, &chart.y, on_zero) };
    let scale = |axis: &Axis<'_>| if axis.logarithmic { Scale::logarithmic } else { Scale::linear };
    Panel {
        rect,
        x: scale(&chart.x)(x.0, x.1, rect.x, rect.right()),
        y: scale(&chart.y)(low, high, rect.bottom(), rect.y),
    }
}

/// Range of an axis: the given one, or that of the values that it can show.
fn limits(axis: &Axis<'_>, values: impl Iterator<Item = f64>, margin: f64) -> (f64, f64) {
    if let Some(limits) = axis.limits {
        return limits;
    }
    let placed = values.filter(|v| v.is_finite() && (!axis.logarithmic || *v > 0.0));
    let (low, high) = placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    match (low <= high, axis.logarithmic) {
        (false, true) => (1.0, 10.0),
        (false, false) => (0.0, 1.0),
        (true, true) if low == high => (low / 2.0, high * 2.0),
        (true, true) => (low, high),
        (true, false) => (low - margin, high + margin),
    }
}

/// A twentieth more at either end, but not below the zero that bars stand on.
fn widened((low, high): (f64, f64), axis: &Axis<'_>, on_zero: bool) -> (f64, f64) {
    if axis.logarithmic {
        let factor = (high / low).powf(0.05);
        return (low / factor, high * factor);
    }
    let more = 0.05 * (high - low);
    (if on_zero && low == 0.0 { low } else { low - more }, high + more)
}

#[cfg(test)]
mod tests;
