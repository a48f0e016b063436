//! Layers of images `[height, width, channels]`: convolution and pooling.

use cantus_nn::layer::{Conv2D, Padding};

use super::convolution::{Convolution, Windows};
use super::layers::{Forward, Signal};
use super::number::Number;
use super::tape::{NOWHERE, Node};

impl<T: Number> Forward<'_, T> {
    pub fn conv2d(&mut self, layer: &Conv2D, path: &str, x: &Signal) -> Signal {
        let [down, right] = windows(x, layer.kernel_size, layer.strides, layer.padding);
        let convolution = Convolution { down, right, channels: x.width(), filters: layer.filters };
        let (kernel, bias) = (self.weight(path, "kernel"), self.weight(path, "bias"));
        let sums = self.tape.convolve(x.node, kernel, convolution);
        let net = self.tape.add_row(sums, bias);
        self.activate(x, net, &[down.n, right.n, layer.filters], layer.activation)
    }

    pub fn max_pool(
        &mut self,
        x: &Signal,
        size: [usize; 2],
        strides: Option<[usize; 2]>,
        padding: Padding,
    ) -> Signal {
        let axes = windows(x, size, strides.unwrap_or(size), padding);
        let runs = self.window_runs(x, axes, f64::NEG_INFINITY);
        let node = self.tape.maximum(runs, size[0] * size[1]);
        Signal::new(node, x.rows, &[axes[0].n, axes[1].n, x.width()])
    }

    /// The mean over the positions of a window that lie inside the image.
    pub fn average_pool(
        &mut self,
        x: &Signal,
        size: [usize; 2],
        strides: Option<[usize; 2]>,
        padding: Padding,
    ) -> Signal {
        let axes = windows(x, size, strides.unwrap_or(size), padding);
        let runs = self.window_runs(x, axes, 0.0);
        let sums = self.tape.sums_of_runs(runs, size[0] * size[1]);
        let inside = |axis: &Windows, p: usize| (0..axis.size).filter_map(|i| axis.at(p, i)).count() as f64;
        let [down, right] = &axes;
        let shape = [down.n, right.n, x.width()];
        let n = shape.iter().product::<usize>();
        let share = |i: usize| {
            let (p, q) = (i % n / x.width() / right.n, i / x.width() % right.n);
            T::of(1.0 / (inside(down, p) * inside(right, q)))
        };
        let shares = self.tape.constant((0..x.rows * n).map(share).collect());
        Signal::new(self.tape.multiply(sums, shares), x.rows, &shape)
    }

    /// Every window of every channel as a run of numbers, `[examples, p, q, channels, window]`.
    fn window_runs(&mut self, x: &Signal, [down, right]: [Windows; 2], missing: f64) -> Node {
        let (channels, window, image) = (x.width(), down.size * right.size, x.len());
        let n = x.rows * down.n * right.n * channels * window;
        self.tape.gather(x.node, n, missing, |at| {
            let (i, j, c) = (at % window / right.size, at % right.size, at / window % channels);
            let windows = at / window / channels;
            let (example, p, q) = (windows / right.n / down.n, windows / right.n % down.n, windows % right.n);
            match (down.at(p, i), right.at(q, j)) {
                (Some(row), Some(column)) => example * image + (row * right.len + column) * channels + c,
                _ => NOWHERE,
            }
        })
    }

    /// The mean of every channel over all positions.
    pub fn mean_of_positions(&mut self, x: &Signal) -> Signal {
        let (channels, len) = (x.width(), x.len());
        let positions = len / channels;
        let runs = self.tape.gather(x.node, x.rows * len, 0.0, |i| {
            let (example, c, position) = (i / len, i % len / positions, i % positions);
            example * len + position * channels + c
        });
        Signal::new(self.tape.means_of_runs(runs, positions), x.rows, &[channels])
    }
}

fn windows(x: &Signal, size: [usize; 2], strides: [usize; 2], padding: Padding) -> [Windows; 2] {
    [0, 1].map(|axis| Windows::new(x.shape[axis], size[axis], strides[axis], padding))
}
