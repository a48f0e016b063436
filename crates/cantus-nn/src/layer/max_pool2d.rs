//! MaxPool2D: the greatest number in each window.
//!
//! Forward: y[p, q, c] = max over the window of x[·, ·, c]; padding never wins.
//! Backward: the gradient goes to the winner alone, ∂E/∂x[winner, c] += ∂E/∂y[p, q, c]. That is the first, row by row,
//! that equals the output; to look for it again takes less time than to remember it. A window with NaN has NaN for its
//! maximum, and for its gradient.

use std::array::from_mut;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::window::{Axis, Padding, place};
use super::{BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, Site, Weights};
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
    /// Height and width of a window.
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

    /// Calls `visit(start in the input)` for each position of the window (p, q) inside the image, row by row.
    #[inline(always)]
    fn for_each_position(&self, p: usize, q: usize, mut visit: impl FnMut(usize)) {
        let (rows, columns) = (self.down.inside(p).0, self.right.inside(q).0);
        for row in rows {
            for column in columns.clone() {
                visit((row * self.right.len + column) * self.channels);
            }
        }
    }
}

/// Row by row of windows: first the greatest of each column of the window, over the whole width at once, then of those.
#[multiversion(targets = "simd")]
fn pool(layer: &MaxPool2DLayer, x: &[f32], y: &mut [f32], best: &mut [f32]) {
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

/// What is greater, or NaN, takes the place of what was the best so far; NaN stays.
#[inline(always)]
fn outdo(best: &mut [f32], x: &[f32]) {
    best.iter_mut().zip(x).for_each(|(best, &x)| *best = if (x > *best) | x.is_nan() { x } else { *best });
}

/// How many channels are rewarded at a time.
const LANES: usize = 16;

#[multiversion(targets = "simd")]
fn unpool(layer: &MaxPool2DLayer, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let channels = layer.channels;
    dx.fill(0.0);
    let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels)).enumerate();
    for (window, (y, dy)) in outputs {
        let (p, q) = (window / layer.right.n_windows, window % layer.right.n_windows);
        let ((ys, y_rest), (dys, dy_rest)) = (y.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
        for (i, (y, dy)) in ys.iter().zip(dys).enumerate() {
            let mut left = *dy;
            layer.for_each_position(p, q, |start| {
                let at = start + i * LANES;
                if let (Some(x), Some(dx)) = (x[at..].first_chunk(), dx[at..].first_chunk_mut()) {
                    reward::<LANES>(x, y, &mut left, dx);
                }
            });
            let first = first_position(layer, p, q) + i * LANES;
            if let Some(dx) = dx[first..].first_chunk_mut() {
                pass_nan_on(&left, dx);
            }
        }
        let done = channels - y_rest.len();
        for (c, (y, dy)) in (done..).zip(y_rest.iter().zip(dy_rest)) {
            let mut left = [*dy];
            layer.for_each_position(p, q, |start| {
                reward(&[x[start + c]], &[*y], &mut left, from_mut(&mut dx[start + c]));
            });
            pass_nan_on(&left, from_mut(&mut dx[first_position(layer, p, q) + c]));
        }
    }
}

/// Where the first position of the window (p, q) lies in the input.
#[inline(always)]
fn first_position(layer: &MaxPool2DLayer, p: usize, q: usize) -> usize {
    (layer.down.inside(p).0.start * layer.right.len + layer.right.inside(q).0.start) * layer.channels
}

/// A gradient that nothing in its window took: NaN equals nothing, so the maximum or the gradient is NaN.
#[inline(always)]
fn pass_nan_on<const N: usize>(left: &[f32; N], dx: &mut [f32; N]) {
    for (left, dx) in left.iter().zip(dx) {
        *dx += if *left == 0.0 { 0.0 } else { f32::NAN };
    }
}

/// The first that equals the greatest gets the gradient, of which nothing is left then.
#[inline(always)]
fn reward<const N: usize>(x: &[f32; N], y: &[f32; N], left: &mut [f32; N], dx: &mut [f32; N]) {
    for i in 0..N {
        // Arithmetic in place of a choice: a store of some lanes only would hold up the next load.
        let share = if x[i] == y[i] { left[i] } else { 0.0 };
        dx[i] += share;
        left[i] -= share;
    }
}

impl Layer for MaxPool2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::BOTH
    }

    /// In scratch: the greatest of a row of columns.
    fn buffer_sizes(&self) -> BufferSizes {
        BufferSizes { scratch: self.row_len(), ..BufferSizes::default() }
    }

    fn selects(&self) -> bool {
        true
    }

    fn forward(&self, _: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], cache: ForwardCache<'_>) {
        let images = x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(self.output_len()));
        images.for_each(|(x, y)| pool(self, x, y, cache.scratch));
    }

    fn backward(
        &self,
        _: &BatchContext,
        _: Weights<'_>,
        io: GradientIo<'_>,
        _: &mut [f32],
        _: ForwardCache<'_>,
    ) {
        let Some(dx) = io.dx else { return };
        let inputs = io.x.chunks_exact(self.input_len()).zip(dx.chunks_exact_mut(self.input_len()));
        let outputs = io.y.chunks_exact(self.output_len()).zip(io.dy.chunks_exact(self.output_len()));
        inputs.zip(outputs).for_each(|((x, dx), (y, dy))| unpool(self, x, y, dy, dx));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

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
            let found = run_forward(&LayerSpec::MaxPool2D(pool), &[height, width, channels], &[], &x);
            assert_close(&found, &expected, 0.0);
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
        let x = [0.0, 1.0, 3.0, 0.0, 1.0, 0.0, 0.0, 3.0];
        let (mut y, mut dx) = ([f32::NAN; 2], [f32::NAN; 8]);
        super::pool(&layer, &x, &mut y, &mut [0.0; 4]);
        assert_eq!(y, [1.0, 3.0]);
        unpool(&layer, &x, &y, &[5.0, 7.0], &mut dx);
        assert_eq!(dx, [0.0, 5.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn nan_passes_through_both_ways() {
        let pool = MaxPool2D { pool_size: [2, 2], strides: None, padding: Padding::Valid };
        for channels in [1, 17] {
            let layer = pool.build(&[2, 2, channels], Site { path: "", kind: "" }).unwrap();
            for place in 0..4 {
                let mut x = noise(4 * channels, 1);
                x[place * channels] = f32::NAN;
                let (mut y, mut dx) = (vec![0.0; channels], vec![0.0; 4 * channels]);
                super::pool(&layer, &x, &mut y, &mut vec![0.0; 2 * channels]);
                assert!(y[0].is_nan() && y[1..].iter().all(|y| y.is_finite()), "{y:?}");
                unpool(&layer, &x, &y, &vec![1.0; channels], &mut dx);
                let n_nan = |c: usize| (0..4).filter(|at| dx[at * channels + c].is_nan()).count();
                assert_eq!(n_nan(0), 1);
                assert!((1..channels).all(|c| n_nan(c) == 0));
            }
        }
    }

    #[test]
    fn the_gradient_of_many_channels_goes_where_that_of_one_goes() {
        let pool = MaxPool2D { pool_size: [3, 3], strides: Some([2, 2]), padding: Padding::Same };
        let (one, many) = ([5, 5, 1], [5, 5, 19]);
        let [one, many] = [one, many].map(|shape| pool.build(&shape, Site { path: "", kind: "" }).unwrap());
        let (x, dy) = (noise(25 * 19, 4), noise(9 * 19, 5));
        let (mut y, mut dx) = (vec![f32::NAN; 9 * 19], vec![f32::NAN; 25 * 19]);
        super::pool(&many, &x, &mut y, &mut [0.0; 5 * 19]);
        unpool(&many, &x, &y, &dy, &mut dx);
        let channel =
            |values: &[f32], c: usize| values.iter().skip(c).step_by(19).copied().collect::<Vec<_>>();
        for c in 0..19 {
            let mut alone = vec![f32::NAN; 25];
            unpool(&one, &channel(&x, c), &channel(&y, c), &channel(&dy, c), &mut alone);
            assert_close(&channel(&dx, c), &alone, 0.0);
        }
    }
}
