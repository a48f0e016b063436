//! Draws one series of a line chart in its style.

use super::{Series, Style};
use crate::Picture;
use crate::mark::{Ink, Mark, Rect};
use crate::panel::{LegendEntry, Panel};
use crate::trace::{contains, visible_lines};

/// Series with at most this many points have large dots.
const FEW_DOTS: usize = 5;

pub(super) fn draw_series(
    picture: &mut Picture,
    panel: &Panel,
    series: &Series<'_>,
    entry: &LegendEntry<'_>,
) {
    let points: Vec<(f32, f32)> = series.points.iter().map(|&(x, y)| panel.at(x, y)).collect();
    match series.style {
        Style::Line | Style::Dashes => draw_lines(picture, panel, &points, entry, 1.8),
        Style::Reference => draw_lines(picture, panel, &points, entry, 1.2),
        Style::LineAndDots => {
            draw_lines(picture, panel, &points, entry, 1.8);
            draw_dots(picture, panel, &points, entry.ink);
        }
        Style::Arrows => draw_arrows(picture, &points, entry),
        Style::Steps => draw_lines(picture, panel, &steps(&points), entry, 1.8),
        Style::Dots if points.len() <= FEW_DOTS => {
            for &(x, y) in points.iter().filter(|&&point| contains(&panel.rect, point)) {
                // A ring in the page's colour separates the dot from a line beneath it.
                picture.push(Mark::Dot { x, y, radius: 7.0, fill: Ink::Surface });
                picture.push(Mark::Dot { x, y, radius: 5.0, fill: entry.ink });
            }
        }
        Style::Dots => draw_dots(picture, panel, &points, entry.ink),
        Style::Stems => {
            for &(x, y) in &points {
                let stem = [(x, base(panel)), (x, y)];
                draw_lines(picture, panel, &stem, entry, 1.2);
            }
            draw_dots(picture, panel, &points, entry.ink);
        }
        Style::Bars(width) => draw_bars(picture, panel, series.points, width, entry.ink),
    }
}

/// Position of the base of bars and stems: zero, or the nearer end of an axis without zero.
fn base(panel: &Panel) -> f32 {
    let zero = panel.y.at(0.0);
    if zero.is_finite() { zero.clamp(panel.rect.y, panel.rect.bottom()) } else { panel.rect.bottom() }
}

fn draw_lines(
    picture: &mut Picture,
    panel: &Panel,
    points: &[(f32, f32)],
    entry: &LegendEntry<'_>,
    width: f32,
) {
    for points in visible_lines(points, &panel.rect) {
        picture.push(Mark::Line { points, width, ink: entry.ink, dashed: entry.dashed });
    }
}

fn draw_dots(picture: &mut Picture, panel: &Panel, points: &[(f32, f32)], ink: Ink) {
    let radius = if points.len() > 400 { 1.2 } else { 2.5 };
    for &(x, y) in points.iter().filter(|&&point| contains(&panel.rect, point)) {
        picture.push(Mark::Dot { x, y, radius, fill: ink });
    }
}

/// Length and half width of the head of an arrow, in picture units.
const ARROW_HEAD: (f32, f32) = (14.0, 5.5);

/// Arrows are not clipped.
fn draw_arrows(picture: &mut Picture, points: &[(f32, f32)], entry: &LegendEntry<'_>) {
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if !(length > 0.0 && length.is_finite()) {
            continue;
        }
        let (dx, dy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
        let head = ARROW_HEAD.0.min(length);
        let neck = (to.0 - head * dx, to.1 - head * dy);
        let side = |half: f32| (neck.0 - half * dy, neck.1 + half * dx);
        // The line ends at the base of the head, so that the tip is sharp.
        let (points, dashed) = (vec![from, neck], entry.dashed);
        picture.push(Mark::Line { points, width: 2.4, ink: entry.ink, dashed });
        let points = vec![to, side(ARROW_HEAD.1), side(-ARROW_HEAD.1)];
        picture.push(Mark::Area { points, fill: entry.ink, opacity: 1.0 });
    }
}

fn draw_bars(picture: &mut Picture, panel: &Panel, points: &[(f64, f64)], width: f64, ink: Ink) {
    let base = base(panel);
    let rect = &panel.rect;
    for &(x, y) in points {
        let left = panel.x.at(x - width / 2.0).max(rect.x);
        let right = panel.x.at(x + width / 2.0).min(rect.right());
        let top = panel.y.at(y).clamp(rect.y, rect.bottom());
        if !(left < right && top.is_finite()) {
            continue;
        }
        // A thin gap separates neighbours.
        let gap = if right - left > 4.0 { 0.5 } else { 0.0 };
        let (x, width) = (left + gap, right - left - 2.0 * gap);
        let bar = Rect { x, y: top.min(base), width, height: (base - top).abs() };
        picture.push(Mark::Rect { rect: bar, fill: ink });
    }
}

/// Corners of a step function through the points.
fn steps(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    let mut out: Vec<(f32, f32)> = Vec::with_capacity(2 * points.len());
    for (i, &(x, y)) in points.iter().enumerate() {
        if i > 0 {
            out.push((x, points[i - 1].1));
        }
        out.push((x, y));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_level_until_the_next_point() {
        assert_eq!(steps(&[(0.0, 1.0), (2.0, 3.0)]), [(0.0, 1.0), (2.0, 1.0), (2.0, 3.0)]);
    }
}
