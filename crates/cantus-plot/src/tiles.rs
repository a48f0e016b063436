//! Small matrices side by side, for example the kernels of a convolution.
//!
//! Diverging colours: one for positive and one for negative values, scaled by the largest absolute value of all tiles; zero
//! has the page colour. Cells that are large enough show their number.

use super::{
    Picture, font,
    font::Weight,
    mark::{Anchor, Ink, Mark, Rect, Text},
    panel::LABEL,
    picture::{HEADER, MARGIN},
};

/// A matrix with a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile<'a> {
    /// Label above the tile; may be empty.
    pub name: &'a str,
    /// Number of columns.
    pub n_columns: usize,
    /// `[n_rows, n_columns]`, row-major from the top.
    pub values: &'a [f32],
}

impl Tile<'_> {
    fn n_rows(&self) -> usize {
        self.values.len().checked_div(self.n_columns).unwrap_or(0)
    }
}

const WIDTH: f32 = 960.0;
const GAP: f32 = 18.0;
/// Height of a tile's name.
const NAME: f32 = 20.0;
/// Height that all tiles should fit in.
const PAGE: f32 = 620.0;
const LARGEST_CELL: f32 = 48.0;
const SMALLEST_CELL: f32 = 2.0;
/// From this size on, a cell holds its number.
const CELL_WITH_NUMBER: f32 = 26.0;

/// Draws the tiles in lines from the left, as large as a page allows.
#[must_use]
pub fn tiles(title: &str, subtitle: &str, tiles: &[Tile<'_>]) -> Picture {
    let grid = Grid::of(tiles);
    let n_lines = tiles.len().div_ceil(grid.per_line);
    let height = HEADER + n_lines as f32 * grid.pitch().1 + MARGIN - GAP;
    let mut picture = Picture::new(WIDTH, height.max(HEADER + 80.0), title, subtitle);
    let largest = tiles.iter().flat_map(|tile| tile.values).filter(|v| v.is_finite());
    let largest = largest.fold(0f32, |largest, v| largest.max(v.abs()));
    for (i, tile) in tiles.iter().enumerate() {
        let (column, line) = (i % grid.per_line, i / grid.per_line);
        let x = MARGIN + column as f32 * grid.pitch().0;
        let y = HEADER + line as f32 * grid.pitch().1;
        draw_tile(&mut picture, tile, &grid, x, y, largest);
    }
    if tiles.is_empty() {
        let text = Text::new(WIDTH / 2.0, picture.height / 2.0, "nothing to draw", 13.0).ink(Ink::Muted);
        picture.push(Mark::Text(text.anchor(Anchor::Middle)));
    } else {
        draw_colour_bar(&mut picture, largest);
    }
    picture
}

/// Equal places for all tiles.
struct Grid {
    cell: f32,
    n_columns: usize,
    n_rows: usize,
    per_line: usize,
    /// Height of the names, if any tile has one.
    name: f32,
}

impl Grid {
    /// With the largest cells that keep all tiles on a page.
    fn of(tiles: &[Tile<'_>]) -> Self {
        let n_columns = tiles.iter().map(|tile| tile.n_columns).max().unwrap_or(1).max(1);
        let n_rows = tiles.iter().map(Tile::n_rows).max().unwrap_or(1).max(1);
        let name = if tiles.iter().any(|tile| !tile.name.is_empty()) { NAME } else { 0.0 };
        let mut grid = Grid { cell: LARGEST_CELL, n_columns, n_rows, per_line: 1, name };
        loop {
            grid.per_line = (((WIDTH - 2.0 * MARGIN + GAP) / grid.pitch().0) as usize).max(1);
            let fits = grid.pitch().0 - GAP <= WIDTH - 2.0 * MARGIN
                && tiles.len().div_ceil(grid.per_line) as f32 * grid.pitch().1 <= PAGE;
            if fits || grid.cell <= SMALLEST_CELL {
                return grid;
            }
            grid.cell -= 1.0;
        }
    }

    /// From one tile to the next, to the right and down.
    fn pitch(&self) -> (f32, f32) {
        let (width, height) = (self.n_columns as f32 * self.cell, self.n_rows as f32 * self.cell);
        (width + GAP, self.name + height + GAP)
    }
}

fn draw_tile(picture: &mut Picture, tile: &Tile<'_>, grid: &Grid, x: f32, y: f32, largest: f32) {
    let room = grid.n_columns as f32 * grid.cell + GAP / 2.0;
    let name = font::fit(tile.name, 11.5, Weight::Regular, room);
    picture.push(Mark::Text(Text::new(x, y + 12.0, name, 11.5).ink(Ink::Muted)));
    let (y, cell) = (y + grid.name, grid.cell);
    let (width, height) = (tile.n_columns as f32 * cell, tile.n_rows() as f32 * cell);
    let gap = if cell >= 8.0 { 1.0 } else { 0.0 };
    let frame = Rect { x: x - 1.0, y: y - 1.0, width: width + 2.0 - gap, height: height + 2.0 - gap };
    picture.push(Mark::Rect { rect: frame, fill: Ink::Frame });
    for (i, &value) in tile.values.iter().take(tile.n_rows() * tile.n_columns).enumerate() {
        let (column, row) = ((i % tile.n_columns) as f32, (i / tile.n_columns) as f32);
        let share = if largest > 0.0 && value.is_finite() { value / largest } else { 0.0 };
        let rect = Rect { x: x + column * cell, y: y + row * cell, width: cell - gap, height: cell - gap };
        picture.push(Mark::Rect { rect, fill: Ink::Signed(share) });
        if cell >= CELL_WITH_NUMBER {
            let (x, y) = rect.centre();
            let text =
                Text::new(x, y, number(value, largest), (cell * 0.32).min(14.0)).ink(Ink::OnSigned(share));
            picture.push(Mark::Text(text.anchor(Anchor::Middle).middle()));
        }
    }
}

/// As short as fits into a cell, with a precision relative to the largest value.
fn number(value: f32, largest: f32) -> String {
    let decimals = match largest {
        _ if value == value.round() && value.abs() < 1000.0 => 0,
        ..1.0 => 2,
        // Quarters, as averages of four are, would be rounded to something else.
        ..10.0 if value * 4.0 == (value * 4.0).round() && value * 2.0 != (value * 2.0).round() => 2,
        ..10.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() {
        "0".to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// Colour bar, right-aligned with the title.
fn draw_colour_bar(picture: &mut Picture, largest: f32) {
    const N_STEPS: usize = 32;
    const STEP: f32 = 4.0;
    let end = super::scale::label(f64::from(largest), f64::from(largest) / 100.0);
    let right = WIDTH - MARGIN - font::width(&end, LABEL, Weight::Regular) - 8.0;
    let left = right - N_STEPS as f32 * STEP;
    let bar = Rect { x: left - 1.0, y: 21.0, width: N_STEPS as f32 * STEP + 2.0, height: 14.0 };
    picture.push(Mark::Rect { rect: bar, fill: Ink::Frame });
    for i in 0..N_STEPS {
        let share = 2.0 * (i as f32 + 0.5) / N_STEPS as f32 - 1.0;
        let x = left + i as f32 * STEP;
        // Overlapping to the right, so that no seam shows between the steps.
        let rect = Rect { x, y: 22.0, width: right - x, height: 12.0 };
        picture.push(Mark::Rect { rect, fill: Ink::Signed(share) });
    }
    let low = Text::new(left - 8.0, 28.0, format!("−{end}"), LABEL).anchor(Anchor::End);
    for text in [low, Text::new(right + 8.0, 28.0, end, LABEL)] {
        picture.push(Mark::Text(text.ink(Ink::Muted).middle()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn zero_has_the_page_colour_and_the_largest_value_the_full_colour() {
        for theme in [Theme::Light, Theme::Dark] {
            assert_eq!(theme.colour(Ink::Signed(0.0)), theme.colour(Ink::Surface));
            assert_eq!(theme.colour(Ink::Signed(1.0)), theme.colour(Ink::First));
            assert_eq!(theme.colour(Ink::Signed(-1.0)), theme.colour(Ink::Second));
        }
        let picture = tiles("Kernel", "", &[Tile { name: "", n_columns: 2, values: &[0.0, 0.5, -2.0, 2.0] }]);
        let fills: Vec<Ink> = picture
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Rect { fill: fill @ Ink::Signed(_), .. } => Some(*fill),
                _ => None,
            })
            .take(4)
            .collect();
        assert_eq!(fills, [0.0, 0.25, -1.0, 1.0].map(Ink::Signed));
    }

    #[test]
    fn a_thousand_kernels_fit_on_a_page_and_one_kernel_is_small() {
        let values = [0.5; 9];
        let kernel = Tile { name: "", n_columns: 3, values: &values };
        for n in [1, 32, 1024] {
            let picture = tiles("Kernels", "", &vec![kernel; n]);
            assert!(picture.height < 760.0, "{n}: {}", picture.height);
        }
    }

    #[test]
    fn numbers_in_cells_are_short() {
        let numbers = |values: [f32; 4], largest| values.map(|value| number(value, largest));
        assert_eq!(numbers([1.0, -1.0, 0.26, -0.04], 2.0), ["1", "−1", "0.3", "0"]);
        assert_eq!(numbers([1.25, -0.75, 0.5, 1.2], 3.0), ["1.25", "−0.75", "0.5", "1.2"]);
        assert_eq!(numbers([0.0, -0.15, 0.004, 0.1], 0.15), ["0", "−0.15", "0", "0.10"]);
        assert_eq!(numbers([255.0, 12.6, -0.2, 0.0], 255.0), ["255", "13", "0", "0"]);
    }

    #[test]
    fn no_tiles_and_non_finite_values_are_drawn_without_panic() {
        let _ = tiles("", "", &[]).to_svg(Theme::Dark);
        for values in [&[][..], &[f32::NAN, f32::INFINITY], &[0.0; 3]] {
            for n_columns in [0, 1, 2] {
                let _ = tiles("x", "", &[Tile { name: "x", n_columns, values }]).to_svg(Theme::Light);
            }
        }
    }
}
