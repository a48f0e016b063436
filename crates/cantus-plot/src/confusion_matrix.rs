//! Confusion matrix: counts by true and predicted class.
//!
//! Rows are true classes and columns predicted ones, as in scikit-learn's `confusion_matrix`. Cells hold counts; the
//! colour is the share of the row, so that it does not depend on the frequency of the class.

use super::{
    Picture, font,
    font::Weight,
    mark::{Anchor, Ink, Mark, Rect, Text},
    panel::{LABEL, draw_left_labels},
    picture::{HEADER, MARGIN},
};

/// Longer class names are truncated.
const MAX_LABEL_WIDTH: f32 = 170.0;
const BAR_WIDTH: f32 = 12.0;

/// Counts of `unit` (such as "tracks" or "segments") by true and predicted class.
///
/// # Shapes
/// - `labels`: `[n_classes]`
/// - `counts`: `[n_classes][n_classes]`, `counts[true][predicted]`; a missing count is drawn as 0
pub fn confusion_matrix<Label: AsRef<str>, Row: AsRef<[usize]>>(
    labels: &[Label],
    counts: &[Row],
    unit: &str,
) -> Picture {
    let n = labels.len();
    let count = |row: usize, column: usize| -> usize {
        counts.get(row).and_then(|r| r.as_ref().get(column)).copied().unwrap_or(0)
    };
    let cell = cell_size(n);
    let names: Vec<String> =
        labels.iter().map(|l| font::fit(l.as_ref(), LABEL, Weight::Regular, MAX_LABEL_WIDTH)).collect();
    let widest = names.iter().map(|name| font::width(name, LABEL, Weight::Regular)).fold(0.0, f32::max);
    let turned = widest > cell - 6.0;
    let side = cell * n as f32;
    let left = 52.0 + widest;
    let below = if turned { widest * 0.71 + 22.0 } else { 24.0 };
    let width = (left + side + 24.0 + BAR_WIDTH + 44.0 + MARGIN).max(400.0);
    let height = HEADER + side.max(80.0) + below + 34.0;

    let mut picture = Picture::new(width, height, "Confusion matrix", &subtitle(n, &count, unit));
    let rect = Rect { x: left, y: HEADER, width: side, height: side };
    if n == 0 {
        let text = Text::new(width / 2.0, height / 2.0, "no classes", 13.0).ink(Ink::Muted);
        picture.push(Mark::Text(text.anchor(Anchor::Middle)));
        return picture;
    }
    draw_cells(&mut picture, &rect, cell, n, &count);
    let shown = (16.0 / cell).ceil().max(1.0) as usize;
    let rows = names.iter().enumerate().step_by(shown);
    let rows = rows.map(|(i, name)| (rect.y + (i as f32 + 0.5) * cell, name.as_str()));
    draw_left_labels(&mut picture, &rect, rows, "True class");
    draw_column_labels(&mut picture, &rect, cell, &names, shown, turned);
    let text = Text::new(rect.centre().0, height - 14.0, "Predicted class", LABEL);
    picture.push(Mark::Text(text.anchor(Anchor::Middle)));
    draw_colour_bar(&mut picture, &rect);
    picture
}

/// Cell size in picture units; falls with the number of classes so that the matrix fits on one page.
fn cell_size(n_classes: usize) -> f32 {
    let page = if n_classes <= 10 { 560.0 } else { 760.0 };
    (page / n_classes.max(1) as f32).min(76.0)
}

fn subtitle(n: usize, count: &impl Fn(usize, usize) -> usize, unit: &str) -> String {
    let total: usize = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| count(i, j)).sum();
    let right: usize = (0..n).map(|i| count(i, i)).sum();
    match total {
        0 => format!("no {unit} were judged"),
        _ => format!("accuracy {:.1} % · {right} of {total} {unit}", 100.0 * right as f64 / total as f64),
    }
}

fn draw_cells(
    picture: &mut Picture,
    rect: &Rect,
    cell: f32,
    n: usize,
    count: &impl Fn(usize, usize) -> usize,
) {
    let gap = if cell >= 12.0 { 1.0 } else { 0.0 };
    let frame = Rect { x: rect.x - gap, y: rect.y - gap, width: rect.width + gap, height: rect.height + gap };
    picture.push(Mark::Rect { rect: frame, fill: Ink::Grid });
    for row in 0..n {
        let of_row: usize = (0..n).map(|column| count(row, column)).sum();
        for column in 0..n {
            let share = count(row, column) as f32 / of_row.max(1) as f32;
            let (x, y) = (rect.x + column as f32 * cell, rect.y + row as f32 * cell);
            let place = Rect { x, y, width: cell - gap, height: cell - gap };
            picture.push(Mark::Rect { rect: place, fill: Ink::Tint(share) });
            draw_count(picture, &place, count(row, column), share);
        }
    }
}

/// The count, and under it the share of the row where there is room for both.
fn draw_count(picture: &mut Picture, place: &Rect, count: usize, share: f32) {
    let (x, y) = place.centre();
    let label = count.to_string();
    let size = (place.height * 0.34).min(15.0);
    if size < 6.0 || font::width(&label, size, Weight::Regular) > place.width - 2.0 {
        return;
    }
    let both = place.height >= 46.0 && count > 0;
    let ink = if count == 0 { Ink::Muted } else { Ink::OnTint(share) };
    let text = Text::new(x, if both { y - 7.0 } else { y }, label, size).anchor(Anchor::Middle).ink(ink);
    picture.push(Mark::Text(text.middle()));
    if both {
        let percent = format!("{:.0} %", 100.0 * share);
        let text = Text::new(x, y + 11.0, percent, 10.5).anchor(Anchor::Middle).ink(ink);
        picture.push(Mark::Text(text.middle()));
    }
}

fn draw_column_labels(
    picture: &mut Picture,
    rect: &Rect,
    cell: f32,
    names: &[String],
    shown: usize,
    turned: bool,
) {
    for (i, name) in names.iter().enumerate().step_by(shown) {
        let x = rect.x + (i as f32 + 0.5) * cell;
        let text = Text::new(x, rect.bottom() + 12.0, name.as_str(), LABEL).ink(Ink::Muted);
        let text = match turned {
            true => text.anchor(Anchor::End).angle(-45.0),
            false => text.anchor(Anchor::Middle),
        };
        picture.push(Mark::Text(text.middle()));
    }
}

/// Colour bar: share of the row from 0 to 100 %.
fn draw_colour_bar(picture: &mut Picture, rect: &Rect) {
    const N_STEPS: usize = 64;
    let height = rect.height.min(240.0);
    let bar = Rect { x: rect.right() + 24.0, y: rect.y, width: BAR_WIDTH, height };
    let step = height / N_STEPS as f32;
    picture.push(Mark::Rect {
        rect: Rect { x: bar.x - 1.0, y: bar.y - 1.0, width: bar.width + 2.0, height: height + 2.0 },
        fill: Ink::Grid,
    });
    for i in 0..N_STEPS {
        let share = 1.0 - (i as f32 + 0.5) / N_STEPS as f32;
        // Overlapping downwards, so that no seam shows between the steps.
        let y = bar.y + i as f32 * step;
        let place = Rect { y, height: bar.bottom() - y, ..bar };
        picture.push(Mark::Rect { rect: place, fill: Ink::Tint(share) });
    }
    for (y, label) in [(bar.y, "100 %"), (bar.centre().1, "50 %"), (bar.bottom(), "0 %")] {
        let text = Text::new(bar.right() + 7.0, y, label, 11.0).ink(Ink::Muted);
        picture.push(Mark::Text(text.middle()));
    }
    if height >= 120.0 {
        let text = Text::new(bar.x + 1.0, bar.bottom() + 18.0, "of row", 11.0).ink(Ink::Muted);
        picture.push(Mark::Text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    fn texts(picture: &Picture) -> Vec<&str> {
        let texts = picture.marks.iter().filter_map(|mark| match mark {
            Mark::Text(text) => Some(text.text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn the_subtitle_counts_the_diagonal() {
        let picture = confusion_matrix(&["blues", "rock"], &[[8, 2], [1, 9]], "tracks");
        assert!(texts(&picture).contains(&"accuracy 85.0 % · 17 of 20 tracks"));
    }

    #[test]
    fn shares_are_of_the_row() {
        let picture = confusion_matrix(&["blues", "rock"], &[[8, 2], [0, 0]], "tracks");
        let texts = texts(&picture);
        assert!(texts.contains(&"80 %") && texts.contains(&"20 %"), "{texts:?}");
        assert_eq!(texts.iter().filter(|t| **t == "0").count(), 2, "a class without a track has zeros");
    }

    #[test]
    fn no_classes_and_ragged_counts_are_drawn() {
        let empty = confusion_matrix::<&str, Vec<usize>>(&[], &[], "tracks");
        assert!(texts(&empty).contains(&"no classes"));
        let ragged = confusion_matrix(&["a", "b"], &[vec![3]], "tracks");
        assert!(texts(&ragged).contains(&"accuracy 100.0 % · 3 of 3 tracks"));
    }

    #[test]
    fn a_thousand_classes_still_fit_on_a_page() {
        let labels: Vec<String> = (0..1000).map(|i| format!("genre {i}")).collect();
        let picture = confusion_matrix(&labels, &vec![vec![1; 1000]; 1000], "tracks");
        assert!(picture.width < 1100.0 && picture.height < 1100.0, "{} × {}", picture.width, picture.height);
        assert!(picture.to_svg(Theme::Light).ends_with("</svg>\n"));
    }
}
