//! A convolution and its gradients as matrix products: of the windows themselves if their rows are long enough, otherwise of
//! copies of them.

use super::Conv2DLayer;
use super::image::{add_windows, copy_windows};
use crate::layer::Weights;
use crate::matmul::{Accumulate, Matrix, matmul};

impl Conv2DLayer {
    /// The outputs of one image, without bias.
    ///
    /// # Shapes
    /// - `x`: `[padded height, padded width, channels]`
    /// - `windows`: working space, `[n_windows, window_len]` if windows are copied
    /// - `y`: `[height', width', filters]`, overwritten
    pub(super) fn convolve(&self, x: &[f32], kernel: &[f32], windows: &mut [f32], y: &mut [f32]) {
        let (filters, window_len) = (self.description.filters, self.window_len());
        if self.copies_windows {
            copy_windows(self, x, windows);
            let windows = Matrix::new(windows, self.n_windows(), window_len);
            return matmul(
                y,
                filters,
                windows,
                Matrix::new(kernel, window_len, filters),
                Accumulate::Overwrite,
            );
        }
        for product in self.products() {
            let kernel = Matrix::new(&kernel[product.kernel..], product.row_len, filters);
            let accumulate = if product.is_first { Accumulate::Overwrite } else { Accumulate::Add };
            matmul(&mut y[product.y_start..], product.y_stride, product.windows(x), kernel, accumulate);
        }
    }

    /// Adds ∂E/∂K of one image.
    pub(super) fn add_kernel_gradient(
        &self,
        x: &[f32],
        dh: &[f32],
        windows: &mut [f32],
        d_kernel: &mut [f32],
    ) {
        let filters = self.description.filters;
        if self.copies_windows {
            copy_windows(self, x, windows);
            let windows = Matrix::new(windows, self.n_windows(), self.window_len()).transposed();
            return matmul(
                d_kernel,
                filters,
                windows,
                Matrix::new(dh, self.n_windows(), filters),
                Accumulate::Add,
            );
        }
        for product in self.products() {
            let dh = Matrix::strided(&dh[product.y_start..], product.n, filters, product.y_stride);
            matmul(
                &mut d_kernel[product.kernel..],
                filters,
                product.windows(x).transposed(),
                dh,
                Accumulate::Add,
            );
        }
    }

    /// Adds ∂E/∂(padded x) of one image.
    pub(super) fn add_image_gradient(
        &self,
        dh: &[f32],
        weights: Weights<'_>,
        windows: &mut [f32],
        dx: &mut [f32],
    ) {
        if !self.copies_windows {
            return self.add_image_gradient_uncopied(dh, weights.derived, dx);
        }
        let (filters, window_len) = (self.description.filters, self.window_len());
        let kernel = Matrix::new(weights.values, window_len, filters).transposed();
        let dh = Matrix::new(dh, self.n_windows(), filters);
        matmul(windows, window_len, dh, kernel, Accumulate::Overwrite);
        add_windows(self, windows, dx);
    }

    /// The products whose sum is the convolution: each of rows `i` of the windows of a line, with the outputs that they
    /// contribute to.
    fn products(&self) -> impl Iterator<Item = Product> {
        let (padded_row, channels, filters) = (self.padded_row(), self.channels, self.description.filters);
        // A window as wide as the image is contiguous.
        let whole = self.row_len() == padded_row;
        let (n_rows, row_len) = if whole { (1, self.window_len()) } else { (self.down.size, self.row_len()) };
        let line_len = self.right.n_windows * filters;
        // Lines as long as possible: windows below each other, or beside each other.
        let downwards = self.down.n_windows >= self.right.n_windows;
        let (down, right) = (self.down.n_windows, self.right.n_windows);
        let (n_lines, n) = if downwards { (right, down) } else { (down, right) };
        let (x_stride, y_stride) = if downwards {
            (self.down.stride * padded_row, line_len)
        } else {
            (self.right.stride * channels, filters)
        };
        (0..n_lines).flat_map(move |line| {
            let (p, q) = if downwards { (0, line) } else { (line, 0) };
            (0..n_rows).map(move |i| Product {
                x_start: self.start(p, q, i),
                x_stride,
                row_len,
                y_start: p * line_len + q * filters,
                y_stride,
                n,
                kernel: i * row_len * filters,
                is_first: i == 0,
            })
        })
    }

    /// [`Self::add_image_gradient`] without copies.
    fn add_image_gradient_uncopied(&self, dh: &[f32], derived: &[f32], padded: &mut [f32]) {
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
                    matmul(to, stride, dh, Matrix::new(transposed, filters, row_len), Accumulate::Add);
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
                    matmul(to, self.right.stride * self.channels, dh, kernel, Accumulate::Add);
                }
            }
        }
    }
}

/// One of the products of a convolution.
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

impl Product {
    /// The rows of windows in the padded image.
    fn windows<'x>(&self, x: &'x [f32]) -> Matrix<'x> {
        Matrix::strided(&x[self.x_start..], self.n, self.row_len, self.x_stride)
    }
}
