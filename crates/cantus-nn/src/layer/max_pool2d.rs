//! MaxPool2D: the maximum of each window.
//!
//! Forward: y[p, q, c] = max over the window of x[·, ·, c], without padding.
//! Backward: ∂E/∂x[m, c] += ∂E/∂y[p, q, c], where m is the first position of the window, row by row, that equals the output; to
//! search it again is faster than to store it. A window with NaN has NaN as its maximum and in its gradient.

use cantus_simd::multiversion;
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
#[multiversion]
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

#[multiversion]
fn max_pool_backward(windows: &PoolWindows, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    let channels = windows.channels;
    let mut outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
    for p in 0..windows.down.n_windows {
        for (q, (y, dy)) in (0..windows.right.n_windows).zip(&mut outputs) {
            let ((ys, y_rest), (dys, dy_rest)) = (y.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
            for (i, (y, dy)) in ys.iter().zip(dys).enumerate() {
                route_gradient(windows, [p, q, i * LANES], x, y, dy, dx);
            }
            for (c, (y, dy)) in (ys.len() * LANES..).zip(y_rest.iter().zip(dy_rest)) {
                route_gradient(windows, [p, q, c], x, &[*y], &[*dy], dx);
            }
        }
    }
}

/// Adds the gradients `dy` of `N` channels of the window (p, q), from channel `first` on: each to the first position that equals
/// the maximum.
///
/// Where none does, the maximum is NaN; then NaN is added at the first position unless the gradient is 0.
#[inline(always)]
fn route_gradient<const N: usize>(
    windows: &PoolWindows,
    [p, q, first]: [usize; 3],
    x: &[f32],
    y: &[f32; N],
    dy: &[f32; N],
    dx: &mut [f32],
) {
    let (channels, row_len) = (windows.channels, windows.row_len());
    let (rows, columns) = (windows.down.inside(p).0, windows.right.inside(q).0);
    let first_position = rows.start * row_len + columns.start * channels + first;
    // All bits of a channel until its position is found, then none: a branch or a difference would delay the next position.
    let mut open = [u32::MAX; N];
    for row in rows {
        let range = row * row_len + columns.start * channels + first..row * row_len + columns.end * channels;
        for (x, dx) in x[range.clone()].chunks(channels).zip(dx[range].chunks_mut(channels)) {
            if let (Some(x), Some(dx)) = (x.first_chunk::<N>(), dx.first_chunk_mut::<N>()) {
                for c in 0..N {
                    let found = if x[c] == y[c] { open[c] } else { 0 };
                    dx[c] += f32::from_bits(dy[c].to_bits() & found);
                    open[c] &= !found;
                }
            }
        }
    }
    if let Some(dx) = dx[first_position..].first_chunk_mut::<N>() {
        for c in 0..N {
            dx[c] += if open[c] != 0 && dy[c] != 0.0 { f32::NAN } else { 0.0 };
        }
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
