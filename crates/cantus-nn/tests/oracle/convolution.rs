//! Convolution of images, one product after another, and where windows lie on an axis (also for pooling).

use cantus_nn::layer::Padding;

use super::number::Number;
use super::tape::dot;

/// Windows on one axis of an image, by TensorFlow's rule.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Of the image.
    pub len: usize,
    pub size: usize,
    pub stride: usize,
    /// How far the first window begins before the image.
    pub before: usize,
    /// How many windows there are.
    pub n: usize,
}

impl Windows {
    pub fn new(len: usize, size: usize, stride: usize, padding: Padding) -> Self {
        if padding == Padding::Valid {
            return Self { len, size, stride, before: 0, n: (len - size) / stride + 1 };
        }
        let n = len.div_ceil(stride);
        let reach = (n - 1) * stride + size;
        Self { len, size, stride, before: reach.saturating_sub(len) / 2, n }
    }

    /// Where position `i` of window `p` lies in the image, if it does.
    pub fn at(&self, p: usize, i: usize) -> Option<usize> {
        (p * self.stride + i).checked_sub(self.before).filter(|&at| at < self.len)
    }
}

/// y[p, q, f] = Σ over i, j, c of x[at(p, i), at(q, j), c] K[i, j, c, f]; beyond the image x is 0.
#[derive(Debug, Clone, Copy)]
pub struct Convolution {
    pub down: Windows,
    pub right: Windows,
    pub channels: usize,
    pub filters: usize,
}

impl Convolution {
    fn input_len(&self) -> usize {
        self.down.len * self.right.len * self.channels
    }

    fn output_len(&self) -> usize {
        self.down.n * self.right.n * self.filters
    }

    /// Calls `visit(start in the image, start in the kernel, start in the output)` for each pair of a window and a
    /// position in it that lies inside the image.
    fn for_each_position(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Self { down, right, channels, filters } = *self;
        for (p, q) in (0..down.n).flat_map(|p| (0..right.n).map(move |q| (p, q))) {
            for (i, j) in (0..down.size).flat_map(|i| (0..right.size).map(move |j| (i, j))) {
                if let (Some(row), Some(column)) = (down.at(p, i), right.at(q, j)) {
                    visit(
                        (row * right.len + column) * channels,
                        (i * right.size + j) * channels * filters,
                        (p * right.n + q) * filters,
                    );
                }
            }
        }
    }

    pub fn forward<T: Number>(&self, x: &[T], kernel: &[T]) -> Vec<T> {
        let (c, f) = (self.channels, self.filters);
        let mut y = vec![T::default(); x.len() / self.input_len() * self.output_len()];
        for (x, y) in x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(self.output_len())) {
            self.for_each_position(|at, k, out| {
                let y = &mut y[out..out + f];
                for (&x, kernel) in x[at..at + c].iter().zip(kernel[k..k + c * f].chunks_exact(f)) {
                    y.iter_mut().zip(kernel).for_each(|(y, &kernel)| *y += x * kernel);
                }
            });
        }
        y
    }

    pub fn add_image_gradient<T: Number>(&self, dy: &[T], kernel: &[T], dx: &mut [T]) {
        let (c, f) = (self.channels, self.filters);
        for (dx, dy) in dx.chunks_exact_mut(self.input_len()).zip(dy.chunks_exact(self.output_len())) {
            self.for_each_position(|at, k, out| {
                let dx = dx[at..at + c].iter_mut().zip(kernel[k..k + c * f].chunks_exact(f));
                dx.for_each(|(dx, kernel)| *dx += dot(&dy[out..out + f], kernel));
            });
        }
    }

    pub fn add_kernel_gradient<T: Number>(&self, dy: &[T], x: &[T], d_kernel: &mut [T]) {
        let (c, f) = (self.channels, self.filters);
        for (x, dy) in x.chunks_exact(self.input_len()).zip(dy.chunks_exact(self.output_len())) {
            self.for_each_position(|at, k, out| {
                let rows = x[at..at + c].iter().zip(d_kernel[k..k + c * f].chunks_exact_mut(f));
                for (&x, d_kernel) in rows {
                    d_kernel.iter_mut().zip(&dy[out..out + f]).for_each(|(d, &dy)| *d += x * dy);
                }
            });
        }
    }
}
