//! MaxPool2D: the greatest number in each window.
//!
//! Forward: y[p, q, c] = max over the window of x[·, ·, c]; padding never wins.
//! Backward: the gradient goes to the winner alone, ∂E/∂x[winner, c] += ∂E/∂y[p, q, c]. Its place within the
//! window is kept as one byte for each output; of equals, the first wins.

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::window::{Axis, Padding, place};
use super::{Flow, Layer, Memory, Pass, Site, Tape, Weights};
use crate::error::Error;

/// The greatest number in each window, channel by channel.
///
/// # Shapes
/// - input `[height, width, channels]`, output `[height', width', channels]`
///
/// # Reference
/// Equals `keras.layers.MaxPooling2D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2D {
    /// Height and width of a window; at most 256 positions.
    #[serde(default = "default_pool_size")]
    pub pool_size: [usize; 2],
    /// How far windows move; by default as far as they are large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<[usize; 2]>,
    /// What happens at the border.
    #[serde(default)]
    pub padding: Padding,
}

pub(super) fn default_pool_size() -> [usize; 2] {
    [2, 2]
}

impl MaxPool2D {
    pub(crate) fn build(self, input_shape: &[usize], site: Site<'_>) -> Result<MaxPool2DLayer, Error> {
        let strides = self.strides.unwrap_or(self.pool_size);
        let ([down, right], channels) =
            place(input_shape, ("pool_size", self.pool_size), strides, self.padding, site)?;
        if down.size * right.size > 256 {
            return Err(site.setting(
                "pool_size",
                format!("{:?}", self.pool_size),
                "of at most 256 positions",
            ));
        }
        Ok(MaxPool2DLayer {
            down,
            right,
            channels,
            output_shape: [down.n_windows, right.n_windows, channels],
        })
    }
}

/// A [`MaxPool2D`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct MaxPool2DLayer {
    down: Axis,
    right: Axis,
    channels: usize,
    output_shape: [usize; 3],
}

impl MaxPool2DLayer {
    fn input_len(&self) -> usize {
        self.down.len * self.right.len * self.channels
    }

    fn output_len(&self) -> usize {
        self.output_shape.iter().product()
    }

    /// Of the input.
    fn row_len(&self) -> usize {
        self.right.len * self.channels
    }

    /// Calls `visit(start in the input, place in the window)` for each position of the window (p, q) inside
    /// the image.
    #[inline(always)]
    fn for_each_position(&self, p: usize, q: usize, mut visit: impl FnMut(usize, u8)) {
        let ((rows, first_i), (columns, first_j)) = (self.down.inside(p), self.right.inside(q));
        for (row, i) in rows.zip(first_i..) {
            for (column, j) in columns.clone().zip(first_j..) {
                visit((row * self.right.len + column) * self.channels, (i * self.right.size + j) as u8);
            }
        }
    }

    /// Calls `visit(p, q, start in the output)` for each window.
    #[inline(always)]
    fn for_each_window(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for p in 0..self.down.n_windows {
            for q in 0..self.right.n_windows {
                visit(p, q, (p * self.right.n_windows + q) * self.channels);
            }
        }
    }
}

/// The greatest of each window alone, for answers, after which nobody asks for the winners.
#[multiversion(targets = "simd")]
fn pool_alone(layer: &MaxPool2DLayer, x: &[f32], y: &mut [f32], best: &mut [f32]) {
    let (channels, row_len) = (layer.channels, layer.row_len());
    for p in 0..layer.down.n_windows {
        for (n, row) in layer.down.inside(p).0.enumerate() {
            let x = &x[row * row_len..(row + 1) * row_len];
            if n == 0 { best.copy_from_slice(x) } else { outdo(best, x) }
        }
        for q in 0..layer.right.n_windows {
            let out = (p * layer.right.n_windows + q) * channels;
            let y = &mut y[out..out + channels];
            for (n, column) in layer.right.inside(q).0.enumerate() {
                let best = &best[column * channels..(column + 1) * channels];
                if n == 0 { y.copy_from_slice(best) } else { outdo(y, best) }
            }
        }
    }
}

/// What is greater takes the place of what was the best so far.
#[inline(always)]
fn outdo(best: &mut [f32], x: &[f32]) {
    best.iter_mut().zip(x).for_each(|(best, &x)| *best = if x > *best { x } else { *best });
}

/// Row by row of windows: first the greatest of each column of the window, over the whole width at once, then
/// of those. Places are counted in f32, so that numbers and places are compared in vectors of one width.
#[multiversion(targets = "simd")]
fn pool(
    layer: &MaxPool2DLayer,
    x: &[f32],
    y: &mut [f32],
    winners: &mut [u8],
    best: &mut [f32],
    at: &mut [f32],
    place: &mut [f32],
) {
    let (channels, row_len) = (layer.channels, layer.row_len());
    for p in 0..layer.down.n_windows {
        let (rows, first_i) = layer.down.inside(p);
        for (row, i) in rows.zip(first_i..) {
            let (x, place) = (&x[row * row_len..(row + 1) * row_len], (i * layer.right.size) as f32);
            if i == first_i {
                best.copy_from_slice(x);
                at.fill(place);
            } else {
                challenge(best, at, x, place);
            }
        }
        for q in 0..layer.right.n_windows {
            let out = (p * layer.right.n_windows + q) * channels;
            let (y, winners) = (&mut y[out..out + channels], &mut winners[out..out + channels]);
            let (columns, first_j) = layer.right.inside(q);
            for (column, j) in columns.zip(first_j..) {
                let column = column * channels..(column + 1) * channels;
                if j == first_j {
                    y.copy_from_slice(&best[column.clone()]);
                    place.iter_mut().zip(&at[column]).for_each(|(place, at)| *place = at + j as f32);
                } else {
                    challenge_from(y, place, &best[column.clone()], &at[column], j as f32);
                }
            }
            winners.iter_mut().zip(&*place).for_each(|(winner, place)| *winner = to_byte(*place));
        }
    }
}

/// A whole number below 256; 2²³ leaves it in the lowest bits. (A cast looks for numbers that do not fit, one by
/// one.)
#[inline(always)]
fn to_byte(place: f32) -> u8 {
    (place + 8_388_608.0).to_bits() as u8
}

/// What is greater than the best so far takes its place.
#[inline(always)]
fn challenge(best: &mut [f32], at: &mut [f32], x: &[f32], place: f32) {
    for ((best, at), &x) in best.iter_mut().zip(at).zip(x) {
        let wins = x > *best;
        *best = if wins { x } else { *best };
        *at = if wins { place } else { *at };
    }
}

/// The same where each challenger has a place of its own; of equals, the one in the higher row wins.
#[inline(always)]
fn challenge_from(best: &mut [f32], winners: &mut [f32], x: &[f32], at: &[f32], j: f32) {
    for ((best, winner), (&x, &at)) in best.iter_mut().zip(winners).zip(x.iter().zip(at)) {
        let place = at + j;
        let wins = (x > *best) | ((x == *best) & (place < *winner));
        *best = if wins { x } else { *best };
        *winner = if wins { place } else { *winner };
    }
}

/// How many channels are rewarded at a time.
const LANES: usize = 16;

#[multiversion(targets = "simd")]
fn unpool(layer: &MaxPool2DLayer, winners: &[u8], dy: &[f32], dx: &mut [f32]) {
    let channels = layer.channels;
    dx.fill(0.0);
    layer.for_each_window(|p, q, out| {
        let (dy, winners) = (&dy[out..out + channels], &winners[out..out + channels]);
        let (dys, dy_rest) = dy.as_chunks::<LANES>();
        let (lanes, rest) = winners.as_chunks::<LANES>();
        for (i, (winners, dy)) in lanes.iter().zip(dys).enumerate() {
            let winners = winners.map(u32::from);
            layer.for_each_position(p, q, |start, place| {
                if let Some(dx) = dx[start + i * LANES..].first_chunk_mut::<LANES>() {
                    reward(dx, &winners, dy, place.into());
                }
            });
        }
        let done = channels - rest.len();
        for (c, (&winner, dy)) in (done..).zip(rest.iter().zip(dy_rest)) {
            layer.for_each_position(p, q, |start, place| {
                dx[start + c] += if winner == place { *dy } else { 0.0 };
            });
        }
    });
}

/// The winners at `place` get the gradient.
#[inline(always)]
fn reward(dx: &mut [f32; LANES], winners: &[u32; LANES], dy: &[f32; LANES], place: u32) {
    for ((dx, &winner), &dy) in dx.iter_mut().zip(winners).zip(dy) {
        *dx += if winner == place { dy } else { 0.0 };
    }
}

impl Layer for MaxPool2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn memory(&self) -> Memory {
        // In scratch: the greatest of a row of columns, their places; the places of one window's winners.
        let scratch = 2 * self.row_len() + self.channels;
        Memory { bytes: self.output_len(), scratch, ..Memory::default() }
    }

    fn selects(&self) -> bool {
        true
    }

    fn forward(&self, pass: &Pass, _: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        let (best, rest) = tape.scratch.split_at_mut(self.row_len());
        if !pass.training {
            let images = x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(self.output_len()));
            return images.for_each(|(x, y)| pool_alone(self, x, y, best));
        }
        let (at, place) = rest.split_at_mut(self.row_len());
        let place = &mut place[..self.channels];
        let outputs =
            y.chunks_exact_mut(self.output_len()).zip(tape.bytes.chunks_exact_mut(self.output_len()));
        for (x, (y, winners)) in x.chunks_exact(self.input_len()).zip(outputs) {
            pool(self, x, y, winners, best, at, place);
        }
    }

    fn backward(&self, _: &Pass, _: Weights<'_>, flow: Flow<'_>, _: &mut [f32], tape: Tape<'_>) {
        let Some(dx) = flow.dx else { return };
        let outputs = flow.dy.chunks_exact(self.output_len()).zip(tape.bytes.chunks_exact(self.output_len()));
        for (dx, (dy, winners)) in dx.chunks_exact_mut(self.input_len()).zip(outputs) {
            unpool(self, winners, dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward, run_training};

    fn pools() -> Vec<MaxPool2D> {
        let mut all = Vec::new();
        for (pool_size, strides) in
            [([2, 2], None), ([3, 3], Some([2, 2])), ([2, 3], Some([1, 2])), ([1, 2], Some([3, 1]))]
        {
            all.extend([Padding::Valid, Padding::Same].map(|padding| MaxPool2D {
                pool_size,
                strides,
                padding,
            }));
        }
        all
    }

    #[test]
    fn every_output_is_the_maximum_of_its_window() {
        for (pool, channels) in pools().into_iter().flat_map(|pool| [(pool, 3), (pool, 21)]) {
            let (height, width) = (7, 6);
            let x = noise(height * width * channels, 1);
            let layer = pool.build(&[height, width, channels], Site { path: "", kind: "" }).unwrap();
            let mut expected = Vec::new();
            for (p, q) in
                (0..layer.down.n_windows).flat_map(|p| (0..layer.right.n_windows).map(move |q| (p, q)))
            {
                for c in 0..channels {
                    let window = layer
                        .down
                        .inside(p)
                        .0
                        .flat_map(|row| layer.right.inside(q).0.map(move |column| (row, column)));
                    expected.push(
                        window
                            .map(|(row, column)| x[(row * width + column) * channels + c])
                            .fold(f32::MIN, f32::max),
                    );
                }
            }
            // With the winners noted and without.
            for run in [run_training, run_forward] {
                let found = run(&LayerSpec::MaxPool2D(pool), &[height, width, channels], &[], &x);
                assert_close(&found, &expected, 0.0);
            }
        }
    }

    #[test]
    fn gradients_equal_central_differences() {
        // The noise of few positions has no two numbers in a window within the difference's step.
        for pool in pools() {
            gradients_match_differences(&LayerSpec::MaxPool2D(pool), &[4, 4, 1], 1);
        }
    }

    #[test]
    fn of_equals_the_first_row_by_row_wins() {
        let pool = MaxPool2D { pool_size: [2, 2], strides: None, padding: Padding::Valid };
        let layer = pool.build(&[2, 4, 1], Site { path: "", kind: "" }).unwrap();
        let (mut y, mut winners) = ([0.0; 2], [9; 2]);
        let x = [0.0, 1.0, 3.0, 0.0, 1.0, 0.0, 0.0, 3.0];
        super::pool(&layer, &x, &mut y, &mut winners, &mut [0.0; 4], &mut [0.0; 4], &mut [0.0]);
        assert_eq!((y, winners), ([1.0, 3.0], [1, 0]));
    }

    #[test]
    fn the_gradient_of_many_channels_goes_where_that_of_one_goes() {
        let pool = MaxPool2D { pool_size: [3, 3], strides: Some([2, 2]), padding: Padding::Same };
        let (one, many) = ([5, 5, 1], [5, 5, 19]);
        let [one, many] = [one, many].map(|shape| pool.build(&shape, Site { path: "", kind: "" }).unwrap());
        let x = noise(25 * 19, 4);
        let (mut y, mut winners) = (vec![0.0; 9 * 19], vec![0; 9 * 19]);
        let (mut best, mut at) = ([0.0; 5 * 19], [0.0; 5 * 19]);
        super::pool(&many, &x, &mut y, &mut winners, &mut best, &mut at, &mut [0.0; 19]);
        let (dy, mut dx) = (noise(9 * 19, 5), vec![0.0; 25 * 19]);
        unpool(&many, &winners, &dy, &mut dx);
        let channel =
            |values: &[f32], c: usize| values.iter().skip(c).step_by(19).copied().collect::<Vec<_>>();
        for c in 0..19 {
            let (mut y, mut winners, mut alone) = (vec![0.0; 9], vec![0; 9], vec![0.0; 25]);
            super::pool(
                &one,
                &channel(&x, c),
                &mut y,
                &mut winners,
                &mut [0.0; 5],
                &mut [0.0; 5],
                &mut [0.0],
            );
            unpool(&one, &winners, &channel(&dy, c), &mut alone);
            assert_close(&channel(&dx, c), &alone, 0.0);
        }
    }
}
