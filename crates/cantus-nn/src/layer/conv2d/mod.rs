//! Conv2D: two-dimensional convolution.
//!
//! Forward, for the output at row p, column q, filter f, with strides s and t:
//!
//! h[p, q, f] = b[f] + Σ over i, j, c of x[s p + i, t q + j, c] · K[i, j, c, f], y = activation(h)
//!
//! Backward, with ∂E/∂h from the activation:
//!
//! - ∂E/∂K[i, j, c, f] = Σ over p, q of x[s p + i, t q + j, c] · ∂E/∂h[p, q, f]
//! - ∂E/∂x[s p + i, t q + j, c] += Σ over f of ∂E/∂h[p, q, f] · K[i, j, c, f]
//! - ∂E/∂b[f] = Σ over p, q of ∂E/∂h[p, q, f]
//!
//! All three are matrix products. Since channels are the last axis, a row of a window (its j and c) is contiguous, so that for
//! fixed i and q the windows below each other are the rows of a strided matrix, without copying: their products with K[i] are
//! summed to the outputs of column q. If the rows of windows are too short for efficient products (few channels), windows are
//! copied into a matrix first.

mod image;
mod product;

use serde::{Deserialize, Serialize};

use super::window::{Axis, Padding, window_axes};
use super::{
    BackwardReads, BatchContext, BufferSizes, ForwardCache, GradientIo, Layer, LayerId, Parameter, Weights,
    split, split_mut,
};
use crate::activation::{Activation, add_bias_and_activate};
use crate::elementwise::add_rows;
use crate::error::Error;
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;

/// A two-dimensional convolution.
///
/// # Shapes
/// - input `[height, width, channels]`, output `[height', width', filters]`
/// - weights: `kernel [kernel_size.0, kernel_size.1, channels, filters]`, `bias [filters]`
///
/// # Reference
/// Equals `keras.layers.Conv2D`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2D {
    /// Number of kernels.
    pub filters: usize,
    /// Height and width of each.
    pub kernel_size: [usize; 2],
    /// Vertical and horizontal distance of windows.
    #[serde(default = "Conv2D::default_strides")]
    pub strides: [usize; 2],
    /// The padding at the borders.
    #[serde(default)]
    pub padding: Padding,
    /// The activation.
    #[serde(default)]
    pub activation: Activation,
    /// The initialiser of the kernels.
    #[serde(default = "Conv2D::default_kernel_initializer")]
    pub kernel_initializer: Initializer,
    /// A penalty on the kernels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
}

impl Conv2D {
    /// `filters` kernels of one size, otherwise with Keras's defaults.
    #[must_use]
    pub fn new(filters: usize, kernel_size: [usize; 2], activation: Activation) -> Self {
        Self {
            filters,
            kernel_size,
            strides: Self::default_strides(),
            padding: Padding::default(),
            activation,
            kernel_initializer: Self::default_kernel_initializer(),
            kernel_regularizer: None,
        }
    }

    fn default_strides() -> [usize; 2] {
        [1, 1]
    }

    fn default_kernel_initializer() -> Initializer {
        Initializer::GlorotUniform
    }

    pub(crate) fn build(&self, input_shape: &[usize], id: LayerId<'_>) -> Result<Conv2DLayer, Error> {
        id.at_least_one("filters", self.filters)?;
        let size = ("kernel_size", self.kernel_size);
        let ([down, right], channels) = window_axes(input_shape, size, self.strides, self.padding, id)?;
        let output_shape = [down.n_windows, right.n_windows, self.filters];
        let copies_windows = right.size * channels < MIN_ROW;
        Ok(Conv2DLayer { description: self.clone(), down, right, channels, output_shape, copies_windows })
    }
}

/// Length from which on a row of a window makes an efficient product.
const MIN_ROW: usize = 24;

/// A [`Conv2D`] layer for one input shape.
#[derive(Debug)]
pub(crate) struct Conv2DLayer {
    description: Conv2D,
    down: Axis,
    right: Axis,
    channels: usize,
    output_shape: [usize; 3],
    /// Whether windows are copied into a matrix.
    copies_windows: bool,
}

impl Conv2DLayer {
    /// Lengths of kernel and bias.
    fn lens(&self) -> [usize; 2] {
        [self.window_len() * self.description.filters, self.description.filters]
    }

    fn input_len(&self) -> usize {
        self.down.len * self.right.len * self.channels
    }

    /// Of the whole output, for one filter.
    fn n_windows(&self) -> usize {
        self.down.n_windows * self.right.n_windows
    }

    /// Length of a window …
    fn window_len(&self) -> usize {
        self.down.size * self.row_len()
    }

    /// … and of one of its rows.
    fn row_len(&self) -> usize {
        self.right.size * self.channels
    }

    /// Length of a padded row of the input.
    fn padded_row(&self) -> usize {
        self.right.padded() * self.channels
    }

    fn is_padded(&self) -> bool {
        self.down.padded() > self.down.len || self.right.padded() > self.right.len
    }

    fn padded_len(&self) -> usize {
        if self.is_padded() { self.down.padded() * self.padded_row() } else { 0 }
    }

    fn windows_len(&self) -> usize {
        if self.copies_windows { self.n_windows() * self.window_len() } else { 0 }
    }
}

impl Layer for Conv2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    fn backward_reads(&self) -> BackwardReads {
        BackwardReads::INPUT
    }

    fn parameters(&self) -> Vec<Parameter> {
        let Conv2D { filters, kernel_size: [height, width], kernel_initializer, kernel_regularizer, .. } =
            self.description;
        let shape = [height, width, self.channels, filters];
        vec![
            Parameter::new("kernel", &shape, kernel_initializer).regularized(kernel_regularizer),
            Parameter::new("bias", &[filters], Initializer::Zeros),
        ]
    }

    fn buffer_sizes(&self) -> BufferSizes {
        let kept = self.description.activation.needs_net_input();
        let output_len = self.output_shape.iter().product();
        BufferSizes {
            cached: if kept { output_len } else { 0 },
            scratch: 2 * self.padded_len() + self.windows_len(),
            ..BufferSizes::default()
        }
    }

    fn n_derived(&self) -> usize {
        self.lens()[0]
    }

    /// Each row of the kernel transposed: `[height, filters, width · channels]`.
    fn derive(&self, weights: &[f32], derived: &mut [f32]) {
        let (row_len, filters) = (self.row_len(), self.description.filters);
        let rows = weights[..self.lens()[0]].chunks_exact(row_len * filters);
        for (from, to) in rows.zip(derived.chunks_exact_mut(row_len * filters)) {
            super::transpose(from, row_len, filters, to);
        }
    }

    fn forward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        x: &[f32],
        y: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (filters, activation) =
            (self.description.filters, context.activation(self.description.activation));
        let [kernel, bias] = split(weights.values, self.lens());
        let (padded, windows) = cache.scratch.split_at_mut(self.padded_len());
        let output_len = self.n_windows() * filters;
        for (row, (x, y)) in x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(output_len)).enumerate()
        {
            let kept = row * output_len..(row + 1) * output_len;
            let kept = activation.needs_net_input().then(|| &mut cache.cached[kept]);
            self.convolve(self.pad(x, padded), kernel, windows, y);
            add_bias_and_activate(y, bias, activation, kept);
        }
        debug_assert_eq!(x.len(), context.rows * self.input_len());
    }

    fn backward(
        &self,
        context: &BatchContext,
        weights: Weights<'_>,
        io: GradientIo<'_>,
        gradient: &mut [f32],
        cache: ForwardCache<'_>,
    ) {
        let (filters, activation) =
            (self.description.filters, context.activation(self.description.activation));
        let [d_kernel, d_bias] = split_mut(gradient, self.lens());
        let (padded, rest) = cache.scratch.split_at_mut(self.padded_len());
        let (d_padded, windows) = rest.split_at_mut(self.padded_len());
        let output_len = self.n_windows() * filters;
        activation.backward(io.y, cache.cached, io.dy, filters);
        add_rows(d_bias, io.dy);
        let mut dx = io.dx;
        for (row, (x, dh)) in
            io.x.chunks_exact(self.input_len()).zip(io.dy.chunks_exact(output_len)).enumerate()
        {
            self.add_kernel_gradient(self.pad(x, padded), dh, windows, d_kernel);
            let Some(dx) = &mut dx else { continue };
            let dx = &mut dx[row * self.input_len()..(row + 1) * self.input_len()];
            let to = if self.is_padded() { &mut *d_padded } else { &mut *dx };
            to.fill(0.0);
            self.add_image_gradient(dh, weights, windows, to);
            if self.is_padded() {
                self.crop(d_padded, dx);
            }
        }
    }

    fn last_activation(&self) -> Activation {
        self.description.activation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerSpec;
    use crate::testing::{assert_close, gradients_match_differences, noise, run_forward};

    /// The formula at the head of this file.
    fn naive(conv: &Conv2D, [height, width, channels]: [usize; 3], weights: &[f32], x: &[f32]) -> Vec<f32> {
        let id = LayerId { path: "", kind: "Conv2D" };
        let layer = conv.build(&[height, width, channels], id).unwrap();
        let ([m, n], [s, t]) = (conv.kernel_size, conv.strides);
        let (kernel, bias) = weights.split_at(m * n * channels * conv.filters);
        let mut y = Vec::new();
        for (p, q) in (0..layer.down.n_windows).flat_map(|p| (0..layer.right.n_windows).map(move |q| (p, q)))
        {
            for f in 0..conv.filters {
                let mut h = bias[f];
                for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    let (row, column) = (s * p + i, t * q + j);
                    let inside =
                        row.checked_sub(layer.down.before).zip(column.checked_sub(layer.right.before));
                    if let Some((row, column)) =
                        inside.filter(|&(row, column)| row < height && column < width)
                    {
                        for c in 0..channels {
                            h += x[(row * width + column) * channels + c]
                                * kernel[((i * n + j) * channels + c) * conv.filters + f];
                        }
                    }
                }
                y.push(h.max(0.0));
            }
        }
        y
    }

    fn convolutions() -> Vec<([usize; 3], Conv2D)> {
        let mut all = Vec::new();
        for shape in [[7, 5, 1], [5, 8, 2], [6, 5, 13], [5, 9, 12], [4, 2, 13]] {
            for (kernel_size, strides) in
                [([3, 3], [1, 1]), ([2, 2], [2, 1]), ([3, 2], [1, 2]), ([1, 1], [1, 1]), ([2, 2], [3, 3])]
            {
                for padding in [Padding::Valid, Padding::Same] {
                    if padding == Padding::Same || (shape[0] >= kernel_size[0] && shape[1] >= kernel_size[1])
                    {
                        all.push((
                            shape,
                            Conv2D { strides, padding, ..Conv2D::new(3, kernel_size, Activation::Relu) },
                        ));
                    }
                }
            }
        }
        all
    }

    #[test]
    fn convolutions_of_all_kinds_equal_the_definition() {
        for (shape, conv) in convolutions() {
            let x = noise(2 * shape.iter().product::<usize>(), 1);
            let weights = noise(conv.kernel_size.iter().product::<usize>() * shape[2] * 3 + 3, 2);
            let expected: Vec<f32> =
                x.chunks(x.len() / 2).flat_map(|x| naive(&conv, shape, &weights, x)).collect();
            assert_close(&run_forward(&LayerSpec::Conv2D(conv), &shape, &weights, &x), &expected, 1e-5);
        }
    }

    #[test]
    fn gradients_equal_central_differences_for_all_kinds() {
        for (shape, conv) in convolutions() {
            let smooth = Conv2D { activation: Activation::Tanh, ..conv };
            gradients_match_differences(&LayerSpec::Conv2D(smooth), &shape, 2);
        }
        let gelu = Conv2D::new(2, [2, 2], Activation::Gelu);
        gradients_match_differences(&LayerSpec::Conv2D(gelu), &[3, 3, 2], 2);
    }
}
