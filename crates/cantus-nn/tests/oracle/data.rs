//! Examples with targets of every kind, drawn at random.

use cantus_nn::{Examples, Loss, Target};

use super::random::Random;

/// The target of one example.
#[derive(Debug, Clone)]
pub enum OwnedTarget {
    Class(usize),
    Mixed(usize, usize, f32),
    Values(Vec<f32>),
    MixedValues(Vec<f32>, Vec<f32>, f32),
}

/// Examples in memory.
#[derive(Debug, Clone)]
pub struct Data {
    pub input_len: usize,
    pub inputs: Vec<f32>,
    pub targets: Vec<OwnedTarget>,
    /// The weight of each example.
    pub weights: Vec<f32>,
}

impl Data {
    /// `n` examples with inputs of about deviation 1, and targets that fit the loss and outputs of this shape.
    pub fn draw(random: &mut Random, n: usize, input_len: usize, loss: Loss, output: &[usize]) -> Self {
        let inputs = (0..n * input_len).map(|_| random.normal() as f32).collect();
        let (n_outputs, n_classes) = (output.iter().product::<usize>(), output[output.len() - 1]);
        let weighted = random.bernoulli(0.3);
        let mut weights = vec![1.0; n];
        if weighted {
            weights.fill_with(|| (0.25 + 1.5 * random.unit()) as f32);
        }
        let mixes = random.bernoulli(0.2);
        let takes_classes = match loss {
            Loss::SparseCategoricalCrossentropy => true,
            Loss::CategoricalCrossentropy { .. } => n_outputs == n_classes && random.bernoulli(0.5),
            _ => false,
        };
        let targets = (0..n).map(|_| {
            let share = random.unit() as f32;
            if takes_classes {
                let (first, second) = (random.below(n_classes), random.below(n_classes));
                return if mixes {
                    OwnedTarget::Mixed(first, second, share)
                } else {
                    OwnedTarget::Class(first)
                };
            }
            let first = values(random, loss, n_outputs, n_classes);
            if mixes {
                OwnedTarget::MixedValues(first, values(random, loss, n_outputs, n_classes), share)
            } else {
                OwnedTarget::Values(first)
            }
        });
        Self { input_len, targets: targets.collect(), inputs, weights }
    }

    /// The first `n` examples.
    pub fn first(&self, n: usize) -> Self {
        let mut few = self.clone();
        few.inputs.truncate(n * self.input_len);
        few.targets.truncate(n);
        few.weights.truncate(n);
        few
    }
}

/// A target value for each output: distributions over classes, labels of 0 and 1, or any numbers.
fn values(random: &mut Random, loss: Loss, n_outputs: usize, n_classes: usize) -> Vec<f32> {
    match loss {
        Loss::CategoricalCrossentropy { .. } => {
            let mut all = Vec::with_capacity(n_outputs);
            for _ in 0..n_outputs / n_classes {
                let row: Vec<f64> = (0..n_classes).map(|_| random.unit().powi(2)).collect();
                let sum: f64 = row.iter().sum();
                all.extend(row.into_iter().map(|t| (t / sum.max(1e-3)) as f32));
            }
            all
        }
        Loss::BinaryCrossentropy { .. } => (0..n_outputs).map(|_| random.below(2) as f32).collect(),
        _ => (0..n_outputs).map(|_| random.normal() as f32).collect(),
    }
}

impl Examples for Data {
    fn len(&self) -> usize {
        self.targets.len()
    }

    fn input_len(&self) -> usize {
        self.input_len
    }

    fn write_input(&self, index: usize, _epoch: usize, input: &mut [f32]) {
        input.copy_from_slice(&self.inputs[index * self.input_len..][..self.input_len]);
    }

    fn varies_by_epoch(&self) -> bool {
        false
    }

    fn target(&self, index: usize) -> Target<'_> {
        match &self.targets[index] {
            OwnedTarget::Class(class) => Target::Class(*class),
            OwnedTarget::Mixed(first, second, share) => Target::Mixed(*first, *second, *share),
            OwnedTarget::Values(values) => Target::Values(values),
            OwnedTarget::MixedValues(first, second, share) => Target::MixedValues(first, second, *share),
        }
    }

    fn weight(&self, index: usize) -> f32 {
        self.weights[index]
    }
}
