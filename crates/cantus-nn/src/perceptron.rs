//! The multilayer perceptron, with backpropagation and gradient descent written by hand.
//!
//! [Neurons](crate::neuron) are arranged in layers, and each is connected to every neuron of the layer before. The weight of the
//! connection from neuron i to neuron j of the next layer is `W[i][j]`; there are no biases. With a the activations of one
//! layer, a' those of the next and s the sigmoid:
//!
//! - **forward**: h'ⱼ = Σᵢ aᵢ Wᵢⱼ, a'ⱼ = s(h'ⱼ), from the inputs layer by layer to the outputs.
//! - **error**: E = ½ Σ (y - t)², of for outputs y and targets t.
//! - **backward**: the derivative of E by each weight, by the chain rule from the outputs back to the inputs. It starts with
//!   ∂E/∂y = y - t and has three steps for each layer:
//!   - δⱼ = ∂E/∂h'ⱼ = ∂E/∂a'ⱼ · s'(h'ⱼ), where s'(h') = a' (1 - a') needs only the activation;
//!   - ∂E/∂Wᵢⱼ = aᵢ δⱼ, since ∂h'ⱼ/∂Wᵢⱼ = aᵢ;
//!   - ∂E/∂aᵢ = Σⱼ Wᵢⱼ δⱼ, since aᵢ affects E through every neuron of the next layer; the input of the same steps for the layer before.
//! - **descent**: every weight takes a small step against its gradient, W ← W - learning rate · ∂E/∂W.
//!
//! This is the plain, slow version, one example at a time, for study. [`Network`](crate::Network) does the same for batches
//! and for other layers; continue with `layer/dense.rs`.
//!
//! # Reference
//! Rumelhart, Hinton & Williams, Learning representations by back-propagating errors, 1986.

use cantus_random::KeyedRng;

use crate::neuron::sigmoid;
use crate::rng_streams;

/// The weights between two layers: `[from][to]`.
type Matrix = Vec<Vec<f64>>;

/// Layers of sigmoid neurons without biases; trained example by example.
///
/// ```
/// use cantus_nn::perceptron::Perceptron;
///
/// let half = [[0.1, 0.2], [0.3, 0.1], [0.2, 0.4], [0.4, 0.1]];
/// let sums = half.map(|[a, b]| ([a, b], [a + b]));
/// let mut perceptron = Perceptron::<2, 1>::new(&[5], 0);
/// let errors = perceptron.train(&sums, 1000, 0.1);
/// assert!(errors[999] < errors[0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Perceptron<const INPUTS: usize, const OUTPUTS: usize> {
    weights: Vec<Matrix>,
    /// ∂E/∂W of the last example.
    gradients: Vec<Matrix>,
    /// Of every layer, the inputs being the first.
    activations: Vec<Vec<f64>>,
}

impl<const INPUTS: usize, const OUTPUTS: usize> Perceptron<INPUTS, OUTPUTS> {
    /// A perceptron with hidden layers of these widths, and random weights in [0, 1); the same seed gives the same weights.
    #[must_use]
    pub fn new(hidden: &[usize], seed: u64) -> Self {
        let mut rng = KeyedRng::new([seed, rng_streams::PERCEPTRON]);
        Self::with_weights(hidden, |_, _, _| rng.uniform())
    }

    /// A perceptron whose weight from neuron `i` of layer `n` to neuron `j` of the next is `weight(n, i, j)`.
    #[must_use]
    pub fn with_weights(hidden: &[usize], mut weight: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let widths = [&[INPUTS], hidden, &[OUTPUTS]].concat();
        let mut weights = Vec::new();
        for (n, pair) in widths.windows(2).enumerate() {
            let row = |i| (0..pair[1]).map(|j| weight(n, i, j)).collect();
            weights.push((0..pair[0]).map(row).collect());
        }
        Self {
            gradients: weights.clone(),
            weights,
            activations: widths.iter().map(|&width| vec![0.0; width]).collect(),
        }
    }

    /// Between each two layers: `weights()[n][i][j]` leads from neuron i of layer n to neuron j of the next.
    #[must_use]
    pub fn weights(&self) -> &[Vec<Vec<f64>>] {
        &self.weights
    }

    /// The outputs for these inputs; stores all activations for [`Self::back_propagate`].
    pub fn forward_propagate(&mut self, inputs: [f64; INPUTS]) -> [f64; OUTPUTS] {
        self.activations[0] = inputs.to_vec();
        for (n, weights) in self.weights.iter().enumerate() {
            for j in 0..self.activations[n + 1].len() {
                let mut h = 0.0;
                for (activation, row) in self.activations[n].iter().zip(weights) {
                    h += activation * row[j];
                }
                self.activations[n + 1][j] = sigmoid(h);
            }
        }
        let outputs = &self.activations[self.weights.len()];
        std::array::from_fn(|j| outputs[j])
    }

    /// Computes ∂E/∂W of all weights, for the last example of [`Self::forward_propagate`], from `error` = ∂E/∂y.
    ///
    /// Returns ∂E/∂x, the gradient for a layer before the inputs.
    pub fn back_propagate(&mut self, error: [f64; OUTPUTS]) -> [f64; INPUTS] {
        let mut error = error.to_vec();
        for n in (0..self.weights.len()).rev() {
            let activated = self.activations[n + 1].iter().zip(&error);
            let delta: Vec<f64> = activated.map(|(a, error)| error * a * (1.0 - a)).collect();
            for (i, activation) in self.activations[n].iter().enumerate() {
                for (j, delta) in delta.iter().enumerate() {
                    self.gradients[n][i][j] = activation * delta;
                }
            }
            let through = |row: &Vec<f64>| row.iter().zip(&delta).map(|(w, delta)| w * delta).sum();
            error = self.weights[n].iter().map(through).collect();
        }
        std::array::from_fn(|i| error[i])
    }

    /// Updates every weight by one step against its gradient.
    pub fn gradient_descent(&mut self, learning_rate: f64) {
        let weights = self.weights.iter_mut().flatten().flatten();
        for (weight, gradient) in weights.zip(self.gradients.iter().flatten().flatten()) {
            *weight -= learning_rate * gradient;
        }
    }

    /// Trains for `epochs` passes over all examples (inputs, targets), one example at a time.
    ///
    /// Returns the mean squared error of each epoch.
    pub fn train(
        &mut self,
        examples: &[([f64; INPUTS], [f64; OUTPUTS])],
        epochs: usize,
        learning_rate: f64,
    ) -> Vec<f64> {
        let mut errors = Vec::with_capacity(epochs);
        for _ in 0..epochs {
            let mut sum = 0.0;
            for &(inputs, targets) in examples {
                let outputs = self.forward_propagate(inputs);
                let error = std::array::from_fn(|j| outputs[j] - targets[j]);
                self.back_propagate(error);
                self.gradient_descent(learning_rate);
                sum += error.iter().map(|e| e * e).sum::<f64>() / OUTPUTS as f64;
            }
            errors.push(sum / examples.len() as f64);
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` pairs of numbers in [0, 0.5), and their sums.
    fn sums(n: usize, seed: u64) -> Vec<([f64; 2], [f64; 1])> {
        let mut rng = KeyedRng::new([seed, 1000]);
        let mut half = || rng.uniform() / 2.0;
        (0..n).map(|_| [half(), half()]).map(|[a, b]| ([a, b], [a + b])).collect()
    }

    /// The lecture: 1,000 items, 50 epochs, learning rate 0.1. "Our network believes that 0.3 + 0.1 is equal to …"
    #[test]
    fn it_learns_to_add_two_numbers_as_in_the_lecture() {
        for seed in 0..5 {
            let mut perceptron = Perceptron::<2, 1>::new(&[5], seed);
            let errors = perceptron.train(&sums(1000, seed), 50, 0.1);
            let [sum] = perceptron.forward_propagate([0.3, 0.1]);
            assert!((sum - 0.4).abs() < 0.02, "seed {seed}: 0.3 + 0.1 = {sum}");
            // The sums themselves have a variance of 1/24.
            assert!(errors[49] < 0.05 / 24.0, "seed {seed}: {errors:?}");
        }
    }

    /// `tests/reference/perceptron.py` (NumPy 2.4.6): the lecture's class with these weights and these items. Both compute in
    /// double precision and add in a different order, so 50,000 steps may differ by 1e-9.
    #[test]
    fn training_equals_the_lectures_python() {
        let weight = |n, i, j| ((3 * n + 5 * i + 7 * j) % 11) as f64 / 11.0;
        let mut perceptron = Perceptron::<2, 1>::with_weights(&[5], weight);
        let number = |i: usize| ((i * 37) % 101) as f64 / 202.0;
        let items: Vec<_> = (0..1000).map(|i| [number(i), number(3 * i + 50)]).collect();
        let items: Vec<_> = items.into_iter().map(|[a, b]| ([a, b], [a + b])).collect();
        let errors = perceptron.train(&items, 50, 0.1);
        let [sum] = perceptron.forward_propagate([0.3, 0.1]);
        let numpy = [0.043_035_623_328_848_12, 0.000_498_339_431_007_272_6, 0.398_398_663_144_330_1];
        for (ours, numpy) in [errors[0], errors[49], sum].into_iter().zip(numpy) {
            assert!((ours - numpy).abs() < 1e-9, "{ours}, NumPy has {numpy}");
        }
    }

    /// In double precision a central difference over ±1e-5 is good to about 1e-10.
    #[test]
    fn gradients_equal_central_differences() {
        let (inputs, targets) = ([0.9, -0.4, 0.2], [0.1, 0.8]);
        let mut perceptron = Perceptron::<3, 2>::new(&[3, 5], 7);
        let energy = |perceptron: &mut Perceptron<3, 2>, inputs| {
            let outputs = perceptron.forward_propagate(inputs);
            outputs.iter().zip(targets).map(|(y, t)| (y - t) * (y - t) / 2.0).sum::<f64>()
        };
        let outputs = perceptron.forward_propagate(inputs);
        let d_inputs = perceptron.back_propagate(std::array::from_fn(|j| outputs[j] - targets[j]));
        for (n, matrix) in perceptron.gradients.clone().iter().enumerate() {
            for (i, row) in matrix.iter().enumerate() {
                for (j, gradient) in row.iter().enumerate() {
                    let moved_by = |step| {
                        let mut moved = perceptron.clone();
                        moved.weights[n][i][j] += step;
                        energy(&mut moved, inputs)
                    };
                    let slope = (moved_by(1e-5) - moved_by(-1e-5)) / 2e-5;
                    assert!((gradient - slope).abs() < 1e-9, "weight {n} {i} {j}: {gradient}, slope {slope}");
                }
            }
        }
        for (i, gradient) in d_inputs.into_iter().enumerate() {
            let mut moved_by = |step| {
                let mut inputs = inputs;
                inputs[i] += step;
                energy(&mut perceptron, inputs)
            };
            let slope = (moved_by(1e-5) - moved_by(-1e-5)) / 2e-5;
            assert!((gradient - slope).abs() < 1e-9, "input {i}: {gradient}, slope {slope}");
        }
    }

    #[test]
    fn layers_without_neurons_and_empty_training_sets_do_not_panic() {
        let mut perceptron = Perceptron::<2, 1>::new(&[0], 0);
        assert_eq!(perceptron.forward_propagate([1.0, 2.0]), [0.5]);
        assert!(perceptron.train(&[], 2, 0.1).iter().all(|error| error.is_nan()));
    }
}
