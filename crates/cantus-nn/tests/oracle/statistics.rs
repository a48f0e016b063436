//! Layers of means and variances: both normalisations, and statistics over time.

use cantus_nn::layer::{BatchNormalization, LayerNormalization, StatisticsPooling1D};

use super::function::Function;
use super::layers::{Forward, Signal};
use super::number::Number;
use super::tape::Node;

impl<T: Number> Forward<'_, T> {
    /// y = γ (x - μ) / √(σ² + ε) + β, with mean and variance of each channel over all examples and positions in
    /// training, and with the moving ones in inference.
    pub fn batch_normalization(&mut self, layer: &BatchNormalization, path: &str, x: &Signal) -> Signal {
        let width = x.width();
        let [moving_mean, moving_variance] =
            ["moving_mean", "moving_variance"].map(|name| self.weight(path, name));
        let (mean, variance) = if self.batch_statistics {
            let mean = self.tape.mean_of_rows(x.node, width);
            let means = self.tape.repeat_row(mean, x.node);
            let apart = self.tape.subtract(x.node, means);
            let squares = self.tape.multiply(apart, apart);
            let variance = self.tape.mean_of_rows(squares, width);
            self.follow(path, "moving_mean", layer.momentum, mean);
            self.follow(path, "moving_variance", layer.momentum, variance);
            (mean, variance)
        } else {
            (moving_mean, moving_variance)
        };
        let means = self.tape.repeat_row(mean, x.node);
        let apart = self.tape.subtract(x.node, means);
        let scale = self.tape.inverse_root(variance, f64::from(layer.epsilon));
        let normal = self.tape.multiply_rows(apart, scale);
        let scaled = self.tape.multiply_rows(normal, self.weight(path, "gamma"));
        let node = self.tape.add_row(scaled, self.weight(path, "beta"));
        Signal::new(node, x.rows, &x.shape)
    }

    /// m ← momentum · m + (1 - momentum) · new
    fn follow(&mut self, path: &str, name: &str, momentum: f64, new: Node) {
        let old = self.tape.value(self.weight(path, name));
        let both = old.iter().zip(self.tape.value(new));
        let moved =
            both.map(|(old, new)| T::of(momentum * old.wide() + (1.0 - momentum) * new.wide())).collect();
        self.moved.push((format!("{path}.{name}"), moved));
    }

    /// The same formula over the numbers of each row (the last axis).
    pub fn layer_normalization(&mut self, layer: &LayerNormalization, path: &str, x: &Signal) -> Signal {
        let width = x.width();
        let (apart, variance) = self.runs_apart(x.node, width);
        let scale = self.tape.inverse_root(variance, f64::from(layer.epsilon));
        let scale = self.tape.repeat_each(scale, width);
        let normal = self.tape.multiply(apart, scale);
        let scaled = self.tape.multiply_rows(normal, self.weight(path, "gamma"));
        let node = self.tape.add_row(scaled, self.weight(path, "beta"));
        Signal::new(node, x.rows, &x.shape)
    }

    /// How far numbers are from the mean of their run of `len`, and the variance of each run.
    fn runs_apart(&mut self, x: Node, len: usize) -> (Node, Node) {
        let mean = self.tape.means_of_runs(x, len);
        let means = self.tape.repeat_each(mean, len);
        let apart = self.tape.subtract(x, means);
        let squares = self.tape.multiply(apart, apart);
        (apart, self.tape.means_of_runs(squares, len))
    }

    /// For each channel its mean, its deviation, and for each scale the deviation of the difference between the means
    /// of neighbouring intervals.
    pub fn statistics(&mut self, layer: &StatisticsPooling1D, x: &Signal) -> Signal {
        let [time, channels] = x.shape[..] else { panic!("no sequence: {:?}", x.shape) };
        let (rows, n) = (x.rows, x.rows * channels);
        // Place of time t of run r, one run for each channel of each example.
        let index = move |run: usize, t: usize| (run / channels * time + t) * channels + run % channels;
        let by_channel = self.tape.gather(x.node, n * time, 0.0, |i| index(i / time, i % time));
        let mean = self.tape.means_of_runs(by_channel, time);
        let (_, variance) = self.runs_apart(by_channel, time);
        let mut parts = vec![mean, self.deviation(layer, variance)];
        for &scale in &layer.scales {
            let n_differences = time + 1 - 2 * scale;
            // Stretches of `scale` steps, `later` steps after each t.
            let mut mean_of = |later: usize| {
                let intervals = self.tape.gather(x.node, n * n_differences * scale, 0.0, |i| {
                    let (run, t) = (i / scale / n_differences, i / scale % n_differences);
                    index(run, t + later + i % scale)
                });
                self.tape.means_of_runs(intervals, scale)
            };
            let (earlier, later) = (mean_of(0), mean_of(scale));
            let differences = self.tape.subtract(later, earlier);
            let (_, variance) = self.runs_apart(differences, n_differences);
            parts.push(self.deviation(layer, variance));
        }
        // From [statistics, examples, channels] to [examples, channels, statistics].
        let (all, n_parts) = (self.tape.concat(&parts), parts.len());
        let node = self.tape.gather(all, n * n_parts, 0.0, |i| i % n_parts * n + i / n_parts);
        Signal::new(node, rows, &[channels, n_parts])
    }

    /// √(σ² + ε), or its logarithm.
    fn deviation(&mut self, layer: &StatisticsPooling1D, variance: Node) -> Node {
        let shifted = self.tape.map(variance, Function::Shift(f64::from(layer.epsilon)));
        if layer.logarithm {
            let logarithm = self.tape.map(shifted, Function::Ln);
            self.tape.map(logarithm, Function::Scale(0.5))
        } else {
            self.tape.map(shifted, Function::Sqrt)
        }
    }
}
