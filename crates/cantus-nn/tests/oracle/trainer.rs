//! The reference trainer: forward pass, loss, gradients and updates of a network, one thread, the whole batch at once.

use std::collections::HashMap;

use cantus_nn::{Architecture, Batching, Examples, Regularizer, Tensor, Training};
use cantus_random::{KeyedRng, key, text_key};

use super::layers::{Forward, Signal};
use super::losses::{append_loss, class_weight, target_values};
use super::number::Number;
use super::random::Random;
use super::roles::add_roles;
use super::tape::Tape;
use super::updates::{clip, update};

/// One tensor of a network in training.
pub struct Weight<T> {
    pub name: String,
    pub values: Vec<T>,
    pub regularizer: Regularizer,
    pub trainable: bool,
    /// Factor of the learning rate.
    pub rate: f32,
    /// The optimizer's slots of each number.
    pub slots: [Vec<T>; 2],
}

/// A network in training.
pub struct Trainer<'a, T> {
    architecture: &'a Architecture,
    pub weights: Vec<Weight<T>>,
    n_steps: u64,
    /// See [`Training::layer_rates`].
    layer_rates: Vec<f32>,
    /// See [`Tape::perturbation`]; differs by step.
    pub perturbation: Option<u64>,
    /// See [`Tape::nearest_kink`]; of all steps.
    pub nearest_kink: f64,
}

/// Loss and gradients of a step, before the update.
pub struct Found {
    /// Σ weight · loss over the examples, and the penalty of the regularisers once for each of them.
    pub loss: f64,
    /// For each weight the gradient that the optimizer follows; empty for weights that are not trained.
    pub gradients: Vec<Vec<f64>>,
}

impl<'a, T: Number> Trainer<'a, T> {
    pub fn new(architecture: &'a Architecture, tensors: &[Tensor]) -> Self {
        let mut roles = HashMap::new();
        for (i, layer) in architecture.layers.iter().enumerate() {
            add_roles(layer, &format!("layers.{i}"), &mut roles);
        }
        let weight = |tensor: &Tensor| {
            let (regularizer, trainable) =
                roles.get(&tensor.name).copied().unwrap_or((Regularizer::default(), true));
            let zeros = vec![T::default(); tensor.values.len()];
            Weight {
                name: tensor.name.clone(),
                values: tensor.values.iter().map(|&value| T::of(f64::from(value))).collect(),
                regularizer,
                trainable,
                rate: 1.0,
                slots: [zeros.clone(), zeros],
            }
        };
        let weights = tensors.iter().map(weight).collect();
        Self {
            architecture,
            weights,
            n_steps: 0,
            layer_rates: Vec::new(),
            perturbation: None,
            nearest_kink: f64::INFINITY,
        }
    }

    fn layer_rate(&self, index: usize) -> f32 {
        self.layer_rates.get(index).copied().unwrap_or(1.0)
    }

    /// Sets the factor of each layer's learning rate; a layer with 0 is neither trained nor penalised.
    fn set_layer_rates(&mut self, rates: &[f32]) {
        self.layer_rates = rates.to_vec();
        for index in 0..self.architecture.layers.len() {
            let (path, rate) = (format!("layers.{index}."), self.layer_rate(index));
            for weight in self.weights.iter_mut().filter(|weight| weight.name.starts_with(&path)) {
                weight.rate = rate;
                if rate == 0.0 {
                    weight.trainable = false;
                    weight.regularizer = Regularizer::default();
                }
            }
        }
    }

    /// Takes `inputs` through the network; the output, and the pass with everything in it.
    ///
    /// `place` is the key of the step's random numbers, and none in inference.
    fn forward<'n>(
        &self,
        inputs: Vec<T>,
        place: Option<u64>,
        nodes: &'n mut HashMap<String, usize>,
    ) -> (Signal, Forward<'n, T>) {
        let mut tape = Tape::default();
        tape.perturbation = self.perturbation.map(|seed| Random::new(key(seed, self.n_steps)));
        for weight in &self.weights {
            let values = weight.values.clone();
            let node = if weight.trainable { tape.weight(values) } else { tape.constant(values) };
            nodes.insert(weight.name.clone(), node);
        }
        let shape = &self.architecture.input_shape;
        let rows = inputs.len() / shape.iter().product::<usize>();
        let mut signal = Signal::new(tape.constant(inputs), rows, shape);
        let training = place.is_some();
        let mut forward =
            Forward { tape, weights: nodes, training, batch_statistics: training, moved: Vec::new() };
        for (i, layer) in self.architecture.layers.iter().enumerate() {
            let place = key(place.unwrap_or(0), i as u64);
            forward.batch_statistics = training && self.layer_rate(i) != 0.0;
            signal = forward.layer(layer, &format!("layers.{i}"), place, &signal);
        }
        (signal, forward)
    }

    /// The outputs for some inputs, in inference.
    pub fn predict(&mut self, inputs: &[f32]) -> Vec<f64> {
        let mut nodes = HashMap::new();
        let inputs = inputs.iter().map(|&x| T::of(f64::from(x))).collect();
        let (output, forward) = self.forward(inputs, None, &mut nodes);
        forward.tape.value(output.node).iter().map(|y| y.wide()).collect()
    }

    /// The mean loss of all examples in inference, with the penalty, and without weights of classes.
    pub fn evaluate(&mut self, examples: &dyn Examples, training: &Training) -> f64 {
        let all: Vec<usize> = (0..examples.len()).collect();
        let plain = Training { class_weights: Vec::new(), ..training.clone() };
        let mut nodes = HashMap::new();
        let (output, mut forward) = self.forward(self.inputs(examples, &all, 0), None, &mut nodes);
        let (targets, weights) = targets_and_weights(examples, &all, 0, &output, &plain);
        let loss = append_loss(&mut forward.tape, &output, plain.loss, &targets, &weights);
        forward.tape.value(loss)[0].wide() / examples.len() as f64 + self.penalty()
    }

    fn inputs(&self, examples: &dyn Examples, indices: &[usize], epoch: usize) -> Vec<T> {
        let mut input = vec![0.0; examples.input_len()];
        let mut inputs = Vec::new();
        for &index in indices {
            examples.write_input(index, epoch, &mut input);
            inputs.extend(input.iter().map(|&x| T::of(f64::from(x))));
        }
        inputs
    }

    /// l1 Σ|w| + l2 Σw² of all weights.
    fn penalty(&self) -> f64 {
        let of = |weight: &Weight<T>| {
            let Regularizer { l1, l2 } = weight.regularizer;
            let sum = |of: fn(f64) -> f64| weight.values.iter().map(|w| of(w.wide())).sum::<f64>();
            f64::from(l1) * sum(f64::abs) + f64::from(l2) * sum(|w| w * w)
        };
        self.weights.iter().map(of).sum()
    }

    /// Loss and gradients of some examples, and what batch normalisation makes of its moving statistics.
    pub fn gradients(
        &mut self,
        examples: &dyn Examples,
        indices: &[usize],
        epoch: usize,
        training: &Training,
    ) -> (Found, Vec<(String, Vec<T>)>) {
        let place = key(key(training.seed, text_key("layers in training")), self.n_steps + 1);
        let mut nodes = HashMap::new();
        let inputs = self.inputs(examples, indices, epoch);
        let (output, mut forward) = self.forward(inputs, Some(place), &mut nodes);
        let (targets, weights) = targets_and_weights(examples, indices, epoch, &output, training);
        let mean: Vec<f64> = weights.iter().map(|weight| weight / indices.len() as f64).collect();
        let loss = append_loss(&mut forward.tape, &output, training.loss, &targets, &mean);
        let mean_loss = forward.tape.value(loss)[0].wide();
        let (moved, tape) = (forward.moved, forward.tape);
        let by_node = tape.gradients(loss);
        self.nearest_kink = self.nearest_kink.min(tape.nearest_kink());
        let mut gradients = Vec::new();
        for weight in &self.weights {
            let gradient = if weight.trainable {
                let found = by_node[nodes[&weight.name]].as_deref();
                complete(weight, found, &mut self.nearest_kink)
            } else {
                Vec::new()
            };
            gradients.push(gradient);
        }
        clip(&mut gradients, training.clipping);
        (Found { loss: (mean_loss + self.penalty()) * indices.len() as f64, gradients }, moved)
    }

    /// Trains on some examples.
    pub fn step(
        &mut self,
        examples: &dyn Examples,
        indices: &[usize],
        epoch: usize,
        training: &Training,
    ) -> Found {
        let (found, moved) = self.gradients(examples, indices, epoch, training);
        self.n_steps += 1;
        for (weight, gradient) in self.weights.iter_mut().zip(&found.gradients) {
            if weight.trainable {
                let rate = training.optimizer.learning_rate() * weight.rate;
                update(training.optimizer.with_learning_rate(rate), self.n_steps, weight, gradient);
            }
        }
        for (name, values) in moved {
            let weight = self.weights.iter_mut().find(|weight| weight.name == name);
            weight.unwrap().values = values;
        }
        found
    }

    /// Trains with these settings; returns the loss of each epoch.
    pub fn fit(&mut self, examples: &dyn Examples, training: &Training) -> Vec<f64> {
        self.set_layer_rates(&training.layer_rates);
        let n = examples.len();
        let batch = match training.batching {
            Batching::Stochastic => 1,
            Batching::Full => n,
            Batching::Mini(size) => size.min(n),
        };
        let mut losses = Vec::new();
        for epoch in 0..training.epochs {
            let mut order: Vec<usize> = (0..n).collect();
            if training.shuffle {
                KeyedRng::new([training.seed, text_key("example order"), epoch as u64]).shuffle(&mut order);
            }
            let mut sum = 0.0;
            for indices in order.chunks(batch) {
                sum += self.step(examples, indices, epoch, training).loss;
            }
            losses.push(sum / n as f64);
        }
        losses
    }
}

/// The targets and weights of some examples.
fn targets_and_weights(
    examples: &dyn Examples,
    indices: &[usize],
    epoch: usize,
    output: &Signal,
    training: &Training,
) -> (Vec<f64>, Vec<f64>) {
    let (mut targets, mut weights) = (Vec::new(), Vec::new());
    for &index in indices {
        let target = examples.training_target(index, epoch);
        targets.extend(target_values(training.loss, target, output.len(), output.width()));
        weights.push(f64::from(examples.weight(index)) * class_weight(&training.class_weights, target));
    }
    (targets, weights)
}

/// The gradient of a weight with that of its penalty. A weight with an l1 penalty has a kink at 0.
fn complete<T: Number>(weight: &Weight<T>, found: Option<&[T]>, nearest_kink: &mut f64) -> Vec<f64> {
    let (l1, l2) = (f64::from(weight.regularizer.l1), f64::from(weight.regularizer.l2));
    let greatest = weight.values.iter().map(|w| w.wide().abs()).fold(0.0, f64::max);
    let of = |(i, w): (usize, &T)| {
        let w = w.wide();
        if l1 != 0.0 && w != 0.0 {
            *nearest_kink = nearest_kink.min(w.abs() / greatest);
        }
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        found.map_or(0.0, |found| found[i].wide()) + l1 * sign + 2.0 * l2 * w
    };
    weight.values.iter().enumerate().map(of).collect()
}
