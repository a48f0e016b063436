//! MaxPool2D: the maximum of each window.
//!
//! Forward: y[p, q, c] = max over the window of x[·, ·, c], without padding.
//! Backward: ∂E/∂x[m, c] += ∂E/∂y[p, q, c], where m is the first position of the window, row by row, that equals the output; to
//! search it again is faster than to store it. A window with NaN has NaN as its maximum and in its gradient.

use std::array::from_mut;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::window::{Padding, PoolWindows, default_pool_size};
use super::{BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Weights};
use crate::error::Error;

/// The maximum of each window, for each channel.
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
    /// Distance of windows; by default their size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strides: Option<[usize; 2]>,
    /// The padding at the borders.
    #[serde(default)]
    pub padding: Padding,
}

impl MaxPool2D {
    pub(crate) fn build(self, input_shape: &[usize], id: LayerId<'_>) -> Result<MaxPool2DLayer, Error> {
        let windows = PoolWindows::new(input_shape, self.pool_size, self.strides, self.padding, id)?;
        Ok(MaxPool2DLayer { output_shape: windows.output_shape(), windows })
    }
}

/// A [`MaxPool2D`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct MaxPool2DLayer {
    windows: PoolWindows,
    output_shape: [usize; 3],
}

/// For each row of windows: first the maximum of each column, over the whole width at once, then of the columns.
#[multiversion(targets = "simd")]
fn max_pool(windows: &PoolWindows, x: &[f32], y: &mut [f32], max: &mut [f32]) {
    let (channels, row_len) = (windows.channels, windows.row_len());
    for p in 0..windows.down.n_windows {
        for (n, row) in windows.down.inside(p).0.enumerate() {
            let x = &x[row * row_len..(row + 1) * row_len];
            if n == 0 { max.copy_from_slice(x) } else { elementwise_max(max, x) }
        }
        for q in 0..windows.right.n_windows {
            let out = (p * windows.right.n_windows + q) * channels;
            let y = &mut y[out..out + channels];
            for (n, column) in windows.right.inside(q).0.enumerate() {
                let max = &max[column * channels..(column + 1) * channels];
                if n == 0 { y.copy_from_slice(max) } else { elementwise_max(y, max) }
            }
        }
    }
}

/// Replaces elements of `max` by larger ones or NaN; NaN stays.
#[inline(always)]
fn elementwise_max(max: &mut [f32], x: &[f32]) {
    max.iter_mut().zip(x).for_each(|(max, &x)| *max = if (x > *max) | x.is_nan() { x } else { *max });
}

/// Channels processed at a time.
const LANES: usize = 16;

#[multiversion(targets = "simd")]
fn max_pool_backward(windows: &PoolWindows, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let channels = windows.channels;
    dx.fill(0.0);
    let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels)).enumerate();
    for (window, (y, dy)) in outputs {
        let (p, q) = (window / windows.right.n_windows, window % windows.right.n_windows);
        let ((ys, y_rest), (dys, dy_rest)) = (y.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
        for (i, (y, dy)) in ys.iter().zip(dys).enumerate() {
            let mut remaining = *dy;
            windows.for_each_position(p, q, |start| {
                let at = start + i * LANES;
                if let (Some(x), Some(dx)) = (x[at..].first_chunk(), dx[at..].first_chunk_mut()) {
                    route_gradient::<LANES>(x, y, &mut remaining, dx);
                }
            });
            let first = first_position(windows, p, q) + i * LANES;
            if let Some(dx) = dx[first..].first_chunk_mut() {
                propagate_nan(&remaining, dx);
            }
        }
        let done = channels - y_rest.len();
        for (c, (y, dy)) in (done..).zip(y_rest.iter().zip(dy_rest)) {
            let mut remaining = [*dy];
            windows.for_each_position(p, q, |start| {
                route_gradient(&[x[start + c]], &[*y], &mut remaining, from_mut(&mut dx[start + c]));
            });
            propagate_nan(&remaining, from_mut(&mut dx[first_position(windows, p, q) + c]));
        }
    }
}

/// The first position of the window (p, q) in the input.
#[inline(always)]
fn first_position(windows: &PoolWindows, p: usize, q: usize) -> usize {
    (windows.down.inside(p).0.start * windows.right.len + windows.right.inside(q).0.start) * windows.channels
}

/// Adds NaN where a gradient was not routed to any position: its maximum or the gradient itself is NaN.
#[inline(always)]
fn propagate_nan<const N: usize>(remaining: &[f32; N], dx: &mut [f32; N]) {
    for (remaining, dx) in remaining.iter().zip(dx) {
        *dx += if *remaining == 0.0 { 0.0 } else { f32::NAN };
    }
}

/// Routes the gradient to the first position that equals the maximum; then nothing remains of it.
#[inline(always)]
fn route_gradient<const N: usize>(x: &[f32; N], y: &[f32; N], remaining: &mut [f32; N], dx: &mut [f32; N]) {
    for i in 0..N {
        // Arithmetic instead of a branch: a masked store would delay the next load.
        let routed = if x[i] == y[i] { remaining[i] } else { 0.0 };
        dx[i] += routed;
        remaining[i] -= routed;
    }
}

impl Layer for MaxPool2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::BOTH
    }

    /// In scratch: the maximum of each column in a row of windows.
    fn buffer_sizes(&self) -> BufferSizes {
        BufferSizes { scratch: self.windows.row_len(), ..BufferSizes::default() }
    }

    fn selects(&self) -> bool {
        true
    }

    fn forward(&self, _: &BatchContext, _: Weights<'_>, x: &[f32], y: &mut [f32], cache: ForwardCache<'_>) {
        let images =
            x.chunks_exact(self.windows.input_len()).zip(y.chunks_exact_mut(self.windows.output_len()));
        images.for_each(|(x, y)| max_pool(&self.windows, x, y, cache.scratch));
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
        let inputs =
            io.x.chunks_exact(self.windows.input_len()).zip(dx.chunks_exact_mut(self.windows.input_len()));
        let outputs =
            io.y.chunks_exact(self.windows.output_len()).zip(io.dy.chunks_exact(self.windows.output_len()));
        inputs.zip(outputs).for_each(|((x, dx), (y, dy))| max_pool_backward(&self.windows, x, y, dy, dx));
    }

    fn is_fixed(&self) -> bool {
        true
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
            let layer = pool.build(&[height, width, channels], LayerId { path: "", kind: "" }).unwrap();
            let mut expected = Vec::new();
            for (p, q) in (0..layer.windows.down.n_windows)
                .flat_map(|p| (0..layer.windows.right.n_windows).map(move |q| (p, q)))
            {
                for c in 0..channels {
                    let window = layer
                        .windows
                        .down
                        .inside(p)
                        .0
                        .flat_map(|row| layer.windows.right.inside(q).0.map(move |column| (row, column)));
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
    fn of_equal_maxima_the_first_gets_the_gradient() {
        let pool = MaxPool2D { pool_size: [2, 2], strides: None, padding: Padding::Valid };
        let layer = pool.build(&[2, 4, 1], LayerId { path: "", kind: "" }).unwrap();
        let x = [0.0, 1.0, 3.0, 0.0, 1.0, 0.0, 0.0, 3.0];
        let (mut y, mut dx) = ([f32::NAN; 2], [f32::NAN; 8]);
        max_pool(&layer.windows, &x, &mut y, &mut [0.0; 4]);
        assert_eq!(y, [1.0, 3.0]);
        max_pool_backward(&layer.windows, &x, &y, &[5.0, 7.0], &mut dx);
        assert_eq!(dx, [0.0, 5.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn nan_passes_forward_and_backward() {
        let pool = MaxPool2D { pool_size: [2, 2], strides: None, padding: Padding::Valid };
        for channels in [1, 17] {
            let layer = pool.build(&[2, 2, channels], LayerId { path: "", kind: "" }).unwrap();
            for position in 0..4 {
                let mut x = noise(4 * channels, 1);
                x[position * channels] = f32::NAN;
                let (mut y, mut dx) = (vec![0.0; channels], vec![0.0; 4 * channels]);
                max_pool(&layer.windows, &x, &mut y, &mut vec![0.0; 2 * channels]);
                assert!(y[0].is_nan() && y[1..].iter().all(|y| y.is_finite()), "{y:?}");
                max_pool_backward(&layer.windows, &x, &y, &vec![1.0; channels], &mut dx);
                let n_nan = |c: usize| (0..4).filter(|at| dx[at * channels + c].is_nan()).count();
                assert_eq!(n_nan(0), 1);
                assert!((1..channels).all(|c| n_nan(c) == 0));
            }
        }
    }

    #[test]
    fn many_channels_have_the_gradients_of_one() {
        let pool = MaxPool2D { pool_size: [3, 3], strides: Some([2, 2]), padding: Padding::Same };
        let (one, many) = ([5, 5, 1], [5, 5, 19]);
        let [one, many] =
            [one, many].map(|shape| pool.build(&shape, LayerId { path: "", kind: "" }).unwrap());
        let (x, dy) = (noise(25 * 19, 4), noise(9 * 19, 5));
        let (mut y, mut dx) = (vec![f32::NAN; 9 * 19], vec![f32::NAN; 25 * 19]);
        max_pool(&many.windows, &x, &mut y, &mut [0.0; 5 * 19]);
        max_pool_backward(&many.windows, &x, &y, &dy, &mut dx);
        let channel =
            |values: &[f32], c: usize| values.iter().skip(c).step_by(19).copied().collect::<Vec<_>>();
        for c in 0..19 {
            let mut alone = vec![f32::NAN; 25];
            max_pool_backward(&one.windows, &channel(&x, c), &channel(&y, c), &channel(&dy, c), &mut alone);
            assert_close(&channel(&dx, c), &alone, 0.0);
        }
    }
}
