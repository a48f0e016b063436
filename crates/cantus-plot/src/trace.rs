//! Clips lines to a rectangle and reduces them to the resolution of the picture.

use super::mark::Rect;

/// Columns that a picture unit is divided into: one per pixel of a PNG.
const COLUMNS_PER_UNIT: f32 = 2.0;

type Point = (f32, f32);

/// Straight lines through `points`, cut at the edges of `rect` and broken at points that are not finite.
///
/// Where more than four points fall into one column of pixels, its first, lowest, highest and last stand for all, which
/// covers the same pixels; so a spectrum of a million bins is still a small file.
pub(super) fn visible_lines(points: &[Point], rect: &Rect) -> Vec<Vec<Point>> {
    let finite = points.split(|(x, y)| !x.is_finite() || !y.is_finite());
    finite.flat_map(|run| cut(&thinned(run), rect)).collect()
}

pub(super) fn contains(rect: &Rect, (x, y): Point) -> bool {
    // Half a pixel of slack: a value at the end of an axis lies on the edge.
    let slack = 0.25;
    x >= rect.x - slack && x <= rect.right() + slack && y >= rect.y - slack && y <= rect.bottom() + slack
}

fn thinned(points: &[Point]) -> Vec<Point> {
    let column = |p: &Point| (p.0 * COLUMNS_PER_UNIT).floor();
    let mut out = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        if group.len() <= 4 {
            out.extend(group);
            continue;
        }
        let by_height = |&a: &usize, &b: &usize| group[a].1.total_cmp(&group[b].1);
        let lowest = (0..group.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..group.len()).max_by(by_height).unwrap_or(0);
        let mut kept = [0, lowest, highest, group.len() - 1];
        kept.sort_unstable();
        out.extend(kept.map(|i| group[i]));
    }
    out
}

/// The parts of a line inside the rectangle.
fn cut(points: &[Point], rect: &Rect) -> Vec<Vec<Point>> {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = cut_segment(pair[0], pair[1], rect) else { continue };
        match lines.last_mut() {
            Some(line) if line.last() == Some(&from) => line.push(to),
            _ => lines.push(vec![from, to]),
        }
    }
    lines
}

/// Liang & Barsky 1984: the share of the segment at which it enters and leaves.
fn cut_segment(from: Point, to: Point, rect: &Rect) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0f32, 1f32);
    let edges = [
        (-dx, from.0 - rect.x),
        (dx, rect.right() - from.0),
        (-dy, from.1 - rect.y),
        (dy, rect.bottom() - from.1),
    ];
    for (step, room) in edges {
        if step == 0.0 && room < 0.0 {
            return None;
        }
        let share = room / step;
        if step < 0.0 {
            enter = enter.max(share);
        } else if step > 0.0 {
            leave = leave.min(share);
        }
    }
    let at = |share: f32| (from.0 + share * dx, from.1 + share * dy);
    let start = if enter == 0.0 { from } else { at(enter) };
    let end = if leave == 1.0 { to } else { at(leave) };
    (enter <= leave).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECT: Rect = Rect { x: 0.0, y: 0.0, width: 100.0, height: 50.0 };

    #[test]
    fn a_line_is_cut_at_the_edges_and_continued_inside() {
        let lines = visible_lines(&[(-50.0, 25.0), (50.0, 25.0), (60.0, 75.0), (70.0, 25.0)], &RECT);
        let expected = [vec![(0.0, 25.0), (50.0, 25.0), (55.0, 50.0)], vec![(65.0, 50.0), (70.0, 25.0)]];
        assert_eq!(lines, expected);
        assert!(visible_lines(&[(-5.0, -5.0), (50.0, -1.0)], &RECT).is_empty());
    }

    #[test]
    fn a_missing_value_breaks_the_line() {
        let points = [(1.0, 1.0), (2.0, 2.0), (3.0, f32::NAN), (4.0, 4.0), (5.0, 5.0)];
        assert_eq!(visible_lines(&points, &RECT).len(), 2);
    }

    #[test]
    fn a_million_points_keep_their_peaks_and_become_few() {
        let mut points: Vec<_> = (0..1_000_000).map(|i| (i as f32 / 1e4, 25.0)).collect();
        points[314_159].1 = 3.0;
        points[271_828].1 = 47.0;
        let lines = visible_lines(&points, &RECT);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].len() <= 4 * 201, "{}", lines[0].len());
        for peak in [3.0, 47.0] {
            assert!(lines[0].iter().any(|p| p.1 == peak), "{peak}");
        }
    }
}
