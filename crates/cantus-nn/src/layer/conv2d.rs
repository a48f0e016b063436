//! Conv2D: small kernels that slide over an image.
//!
//! Forward, for the output at row p, column q, filter f, with strides s and t:
//!
//! h[p, q, f] = b[f] + Σ over i, j, c of x[s p + i, t q + j, c] · K[i, j, c, f], y = activation(h)
//!
//! Backward, with ∂E/∂h from the activation: every product above passes its gradient to both of its factors,
//!
//! - ∂E/∂K[i, j, c, f] = Σ over p, q of x[s p + i, t q + j, c] · ∂E/∂h[p, q, f]
//! - ∂E/∂x[s p + i, t q + j, c] += Σ over f of ∂E/∂h[p, q, f] · K[i, j, c, f]
//! - ∂E/∂b[f] = Σ over p, q of ∂E/∂h[p, q, f]
//!
//! All three are matrix products. Since channels come last, a window's row (its j and c) lies in one piece,
//! so that for fixed i and q the windows below each other are the rows of a matrix, without copying: their
//! products with K[i] add up to the outputs of column q. Where a window's row is too short for that to be
//! efficient (few channels), windows are copied into a matrix first.

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::window::{Axis, Padding, place};
use super::{Flow, Layer, Memory, Parameter, Pass, Site, Tape, Weights, split, split_mut};
use crate::activation::{Activation, add_bias_and_activate};
use crate::elementwise::add_rows;
use crate::error::Error;
use crate::init::Initializer;
use crate::matmul::{Matrix, Onto, matmul};
use crate::regularizer::Regularizer;

/// A convolution over an image.
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
    /// How many kernels.
    pub filters: usize,
    /// Height and width of each.
    pub kernel_size: [usize; 2],
    /// How far they move, down and to the right.
    #[serde(default = "Conv2D::default_strides")]
    pub strides: [usize; 2],
    /// What happens at the border.
    #[serde(default)]
    pub padding: Padding,
    /// What is made of the sums.
    #[serde(default)]
    pub activation: Activation,
    /// What the kernels begin with.
    #[serde(default = "Conv2D::default_kernel_initializer")]
    pub kernel_initializer: Initializer,
    /// A penalty on the kernels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
}

impl Conv2D {
    /// `filters` kernels of one size, otherwise as Keras has it by default.
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

    pub(crate) fn build(&self, input_shape: &[usize], site: Site<'_>) -> Result<Conv2DLayer, Error> {
        site.at_least_one("filters", self.filters)?;
        let size = ("kernel_size", self.kernel_size);
        let ([down, right], channels) = place(input_shape, size, self.strides, self.padding, site)?;
        let output_shape = [down.n_windows, right.n_windows, self.filters];
        let copies_windows = right.size * channels < SHORT;
        Ok(Conv2DLayer { description: self.clone(), down, right, channels, output_shape, copies_windows })
    }
}

/// From this length on, a window's row makes an efficient product.
const SHORT: usize = 24;

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

    /// How many numbers a window has …
    fn window_len(&self) -> usize {
        self.down.size * self.row_len()
    }

    /// … and one of its rows.
    fn row_len(&self) -> usize {
        self.right.size * self.channels
    }

    /// How many numbers a padded row of the input has.
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

    /// Copies one image into the middle of zeros, if there is padding at all.
    fn pad<'a>(&self, x: &'a [f32], padded: &'a mut [f32]) -> &'a [f32] {
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
    fn crop(&self, padded: &[f32], x: &mut [f32]) {
        let (row, inset) = (self.right.len * self.channels, self.right.before * self.channels);
        let rows = padded.chunks_exact(self.padded_row()).skip(self.down.before);
        rows.zip(x.chunks_exact_mut(row))
            .for_each(|(from, to)| to.copy_from_slice(&from[inset..inset + row]));
    }

    /// Where row i of window (p, q) begins in the padded image.
    fn start(&self, p: usize, q: usize, i: usize) -> usize {
        (p * self.down.stride + i) * self.padded_row() + q * self.right.stride * self.channels
    }

    /// Calls `visit(start in the padded image, start in the matrix)` for all rows of all windows, in the
    /// order of the matrix of windows.
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

    /// Products that together are the convolution: rows of windows that lie in one line, a run of `i`s, and
    /// the outputs they add to.
    fn products(&self) -> impl Iterator<Item = Product> {
        let (padded_row, channels, filters) = (self.padded_row(), self.channels, self.description.filters);
        // A window as wide as the image is one piece of it.
        let whole = self.row_len() == padded_row;
        let (n_rows, row_len) = if whole { (1, self.window_len()) } else { (self.down.size, self.row_len()) };
        let downwards = self.down.n_windows >= self.right.n_windows;
        let (lines, along) = if downwards { (self.right, self.down) } else { (self.down, self.right) };
        let (stride, y_stride) = if downwards {
            (self.down.stride * padded_row, self.right.n_windows * filters)
        } else {
            (self.right.stride * channels, filters)
        };
        (0..lines.n_windows).flat_map(move |line| {
            (0..n_rows).map(move |i| {
                let (p, q) = if downwards { (0, line) } else { (line, 0) };
                Product {
                    x_start: self.start(p, q, i),
                    x_stride: stride,
                    row_len,
                    y_start: (p * self.right.n_windows + q) * filters,
                    y_stride,
                    n: along.n_windows,
                    kernel: i * row_len * filters,
                    is_first: i == 0,
                }
            })
        })
    }

    /// ∂E/∂(padded x) of one image, onto zeros.
    fn spread(&self, dh: &[f32], derived: &[f32], padded: &mut [f32]) {
        let (row_len, filters) = (self.row_len(), self.description.filters);
        for i in 0..self.down.size {
            let transposed = &derived[i * row_len * filters..(i + 1) * row_len * filters]; // [filters, row_len]
            if self.down.n_windows >= self.right.n_windows {
                // Windows below each other do not overlap in row i.
                for q in 0..self.right.n_windows {
                    let stride = self.right.n_windows * filters;
                    let dh = Matrix::strided(&dh[q * filters..], self.down.n_windows, filters, stride);
                    let to = &mut padded[self.start(0, q, i)..];
                    let stride = self.down.stride * self.padded_row();
                    matmul(to, stride, dh, Matrix::new(transposed, filters, row_len), Onto::Sum);
                }
            } else {
                // Windows beside each other do not overlap at position j.
                for (p, j) in (0..self.down.n_windows).flat_map(|p| (0..self.right.size).map(move |j| (p, j)))
                {
                    let line = self.right.n_windows * filters;
                    let dh = Matrix::new(&dh[p * line..(p + 1) * line], self.right.n_windows, filters);
                    let kernel =
                        Matrix::strided(&transposed[j * self.channels..], filters, self.channels, row_len);
                    let to = &mut padded[self.start(p, 0, i) + j * self.channels..];
                    matmul(to, self.right.stride * self.channels, dh, kernel, Onto::Sum);
                }
            }
        }
    }
}

/// One of the products that a convolution consists of.
struct Product {
    x_start: usize,
    x_stride: usize,
    row_len: usize,
    y_start: usize,
    y_stride: usize,
    n: usize,
    kernel: usize,
    is_first: bool,
}

/// Copies rows of windows next to each other.
///
/// The rows are shorter than [`SHORT`], and so many that a call to copy each would take most of the time: a
/// fixed number of numbers is copied instead, and what is too much is overwritten by the next row.
fn copy_windows(layer: &Conv2DLayer, x: &[f32], windows: &mut [f32]) {
    match layer.row_len() {
        0..=4 => copy_rows::<4>(layer, x, windows),
        5..=8 => copy_rows::<8>(layer, x, windows),
        9..=16 => copy_rows::<16>(layer, x, windows),
        _ => copy_rows::<SHORT>(layer, x, windows),
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

/// Adds what is in windows to the places they were copied from.
#[multiversion(targets = "simd")]
fn add_windows(layer: &Conv2DLayer, windows: &[f32], x: &mut [f32]) {
    let len = layer.row_len();
    layer.for_each_window_row(|start, at| {
        for (from, to) in windows[at..at + len].iter().zip(&mut x[start..start + len]) {
            *to += *from;
        }
    });
}

impl Layer for Conv2DLayer {
    fn output_shape(&self) -> &[usize] {
        &self.output_shape
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

    fn memory(&self) -> Memory {
        let kept = self.description.activation.needs_net_input();
        let output_len = self.output_shape.iter().product();
        Memory {
            floats: if kept { output_len } else { 0 },
            scratch: 2 * self.padded_len() + self.windows_len(),
            ..Memory::default()
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

    fn forward(&self, pass: &Pass, weights: Weights<'_>, x: &[f32], y: &mut [f32], tape: Tape<'_>) {
        let Conv2D { filters, activation, .. } = self.description;
        let [kernel, bias] = split(weights.values, self.lens());
        let (padded, windows) = tape.scratch.split_at_mut(self.padded_len());
        let output_len = self.n_windows() * filters;
        for (row, (x, y)) in x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(output_len)).enumerate()
        {
            let x = self.pad(x, padded);
            if self.copies_windows {
                copy_windows(self, x, windows);
                let windows = Matrix::new(windows, self.n_windows(), self.window_len());
                matmul(y, filters, windows, Matrix::new(kernel, self.window_len(), filters), Onto::Fresh);
            } else {
                for product in self.products() {
                    let x =
                        Matrix::strided(&x[product.x_start..], product.n, product.row_len, product.x_stride);
                    let kernel = Matrix::new(&kernel[product.kernel..], product.row_len, filters);
                    let onto = if product.is_first { Onto::Fresh } else { Onto::Sum };
                    matmul(&mut y[product.y_start..], product.y_stride, x, kernel, onto);
                }
            }
            let kept = row * output_len..(row + 1) * output_len;
            add_bias_and_activate(
                y,
                bias,
                activation,
                activation.needs_net_input().then(|| &mut tape.floats[kept]),
            );
        }
        debug_assert_eq!(x.len(), pass.rows * self.input_len());
    }

    fn backward(
        &self,
        pass: &Pass,
        weights: Weights<'_>,
        flow: Flow<'_>,
        gradient: &mut [f32],
        tape: Tape<'_>,
    ) {
        let Conv2D { filters, activation, .. } = self.description;
        let [kernel, _] = split(weights.values, self.lens());
        let [d_kernel, d_bias] = split_mut(gradient, self.lens());
        let (padded, rest) = tape.scratch.split_at_mut(self.padded_len());
        let (d_padded, windows) = rest.split_at_mut(self.padded_len());
        let output_len = self.n_windows() * filters;
        if !pass.fused {
            activation.backward(flow.y, tape.floats, flow.dy, filters);
        }
        add_rows(d_bias, flow.dy);
        let mut dx = flow.dx;
        for (row, (x, dh)) in
            flow.x.chunks_exact(self.input_len()).zip(flow.dy.chunks_exact(output_len)).enumerate()
        {
            let x = self.pad(x, padded);
            let all = Matrix::new(dh, self.n_windows(), filters);
            if self.copies_windows {
                copy_windows(self, x, windows);
                let windows = Matrix::new(windows, self.n_windows(), self.window_len());
                matmul(d_kernel, filters, windows.transposed(), all, Onto::Sum);
            } else {
                for product in self.products() {
                    let x =
                        Matrix::strided(&x[product.x_start..], product.n, product.row_len, product.x_stride);
                    let dh = Matrix::strided(&dh[product.y_start..], product.n, filters, product.y_stride);
                    matmul(&mut d_kernel[product.kernel..], filters, x.transposed(), dh, Onto::Sum);
                }
            }
            let Some(dx) = &mut dx else { continue };
            let dx = &mut dx[row * self.input_len()..(row + 1) * self.input_len()];
            let to = if self.is_padded() { &mut *d_padded } else { &mut *dx };
            to.fill(0.0);
            if self.copies_windows {
                let kernel = Matrix::new(kernel, self.window_len(), filters).transposed();
                matmul(windows, self.window_len(), all, kernel, Onto::Fresh);
                add_windows(self, windows, to);
            } else {
                self.spread(dh, weights.derived, to);
            }
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

    /// The formula at the head of this file, word for word.
    fn naive(conv: &Conv2D, [height, width, channels]: [usize; 3], weights: &[f32], x: &[f32]) -> Vec<f32> {
        let site = Site { path: "", kind: "Conv2D" };
        let layer = conv.build(&[height, width, channels], site).unwrap();
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
