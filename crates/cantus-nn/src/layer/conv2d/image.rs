//! The input of a convolution: padding, and windows as the rows of a matrix.

use cantus_simd::multiversion;

use super::{Conv2DLayer, MIN_ROW};

impl Conv2DLayer {
    /// Copies one image into zeros, if there is padding.
    pub(super) fn pad<'a>(&self, x: &'a [f32], padded: &'a mut [f32]) -> &'a [f32] {
        if !self.is_padded() {
            return x;
        }
        padded.fill(0.0);
        let (row, inset) = (self.right.len * self.channels, self.right.before * self.channels);
        let rows = padded.chunks_exact_mut(self.padded_row()).skip(self.down.before);
        rows.zip(x.chunks_exact(row)).for_each(|(to, from)| to[inset..inset + row].copy_from_slice(from));
        padded
    }

    /// The inverse of [`Self::pad`].
    pub(super) fn crop(&self, padded: &[f32], x: &mut [f32]) {
        let (row, inset) = (self.right.len * self.channels, self.right.before * self.channels);
        let rows = padded.chunks_exact(self.padded_row()).skip(self.down.before);
        rows.zip(x.chunks_exact_mut(row))
            .for_each(|(from, to)| to.copy_from_slice(&from[inset..inset + row]));
    }

    /// The start of row i of window (p, q) in the padded image.
    pub(super) fn start(&self, p: usize, q: usize, i: usize) -> usize {
        (p * self.down.stride + i) * self.padded_row() + q * self.right.stride * self.channels
    }

    /// Calls `visit(start in the padded image, start in the matrix)` for all rows of the windows, in the order of the
    /// matrix of windows.
    #[inline(always)]
    fn for_each_window_row(&self, mut visit: impl FnMut(usize, usize)) {
        let mut at = 0;
        for p in 0..self.down.n_windows {
            for q in 0..self.right.n_windows {
                for i in 0..self.down.size {
                    visit(self.start(p, q, i), at);
                    at += self.row_len();
                }
            }
        }
    }
}

/// Copies the windows next to each other.
///
/// The rows are shorter than [`MIN_ROW`] and many, so that a call to copy each would take most of the time. A fixed number of
/// elements is copied instead, and the excess is overwritten by the next row.
pub(super) fn copy_windows(layer: &Conv2DLayer, x: &[f32], windows: &mut [f32]) {
    match layer.row_len() {
        0..=4 => copy_rows::<4>(layer, x, windows),
        5..=8 => copy_rows::<8>(layer, x, windows),
        9..=16 => copy_rows::<16>(layer, x, windows),
        _ => copy_rows::<MIN_ROW>(layer, x, windows),
    }
}

fn copy_rows<const N: usize>(layer: &Conv2DLayer, x: &[f32], windows: &mut [f32]) {
    let len = layer.row_len();
    layer.for_each_window_row(|start, at| {
        match (x[start..].first_chunk::<N>(), windows[at..].first_chunk_mut::<N>()) {
            (Some(from), Some(to)) => *to = *from,
            _ => windows[at..at + len].copy_from_slice(&x[start..start + len]),
        }
    });
}

/// Adds all windows to the positions that they were copied from.
#[multiversion]
pub(super) fn add_windows(layer: &Conv2DLayer, windows: &[f32], x: &mut [f32]) {
    let len = layer.row_len();
    layer.for_each_window_row(|start, at| {
        for (from, to) in windows[at..at + len].iter().zip(&mut x[start..start + len]) {
            *to += *from;
        }
    });
}
