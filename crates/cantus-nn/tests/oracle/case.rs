//! One network, trained by the engine and by the reference, and the comparison of both.

use std::ops::ControlFlow;

use cantus_nn::optimizer::Sgd;
use cantus_nn::{Batching, Network, Optimizer, Tensor, Training};

use super::compare::Comparison;
use super::data::Data;
use super::fixed;
use super::generate;
use super::number::{Number, distance, norm};
use super::plan::Plan;
use super::random::Random;
use super::trainer::Trainer;

/// A learning rate so large that the initial weights vanish beside it: the weights after one step are the gradient, to
/// the last bit but one. A power of two, so that the product is exact.
const GRADIENT_RATE: f32 = 65_536.0;

/// How often the reference runs in f32.
const N_ROUNDED: u64 = 3;

/// A network with its initial weights and examples.
pub struct Case {
    pub name: &'static str,
    pub plan: Plan,
    pub initial_weights: Vec<Tensor>,
    pub data: Data,
    /// Factors of the layers' learning rates, for every third network.
    pub layer_rates: Option<Vec<f32>>,
}

/// What one run of a trainer shows.
struct Run {
    losses: Vec<f64>,
    /// For each tensor how far it moved.
    moves: Vec<Vec<f64>>,
    nearest_kink: f64,
}

/// The network of a number, by its name: the fixed ones first, then random ones.
pub fn plan(number: u64) -> (&'static str, Plan) {
    fixed::plan(number).unwrap_or_else(|| ("random", generate::plan(number)))
}

impl Case {
    pub fn new(number: u64) -> Self {
        let (name, plan) = plan(number);
        let network = Network::new(&plan.architecture, number).unwrap();
        let mut random = Random::new(number ^ 0xDA7A);
        let mut initial_weights = network.weights();
        initial_weights.iter_mut().for_each(|tensor| perturb(tensor, &mut random));
        let input_len = network.input_shape().iter().product();
        let data = Data::draw(&mut random, plan.n_examples, input_len, plan.loss, network.output_shape());
        let layer_rates =
            number.is_multiple_of(3).then(|| layer_rates(number, plan.architecture.layers.len()));
        Self { name, plan, initial_weights, data, layer_rates }
    }

    fn network(&self) -> Network {
        Network::with_weights(&self.plan.architecture, &self.initial_weights).unwrap()
    }

    fn trainer<T: Number>(&self) -> Trainer<'_, T> {
        Trainer::new(&self.plan.architecture, &self.initial_weights)
    }

    /// The same network in f32, with initial weights that are moved by one rounding and functions that are as wrong as
    /// the engine's may be, another way in each of the runs.
    fn nudged(&self, run: u64) -> Trainer<'_, f32> {
        let mut trainer = self.trainer();
        let mut random = Random::new(run);
        for weight in trainer.weights.iter_mut().flat_map(|weight| &mut weight.values) {
            let by = [-1.0, 0.0, 1.0][random.below(3)];
            *weight += by * *weight * f32::EPSILON / 2.0;
        }
        trainer.perturbation = Some(run);
        trainer
    }

    /// All comparisons.
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut all = self.outputs();
        let one_step = Training {
            epochs: 1,
            shuffle: false,
            batching: Batching::Full,
            ..self.plan.training(Optimizer::Sgd(Sgd { learning_rate: GRADIENT_RATE, ..Sgd::default() }))
        };
        let batch = self.data.first(self.plan.batch.min(self.plan.n_examples));
        all.extend(self.training("gradient", &batch, &one_step));
        all.extend(self.training("descent", &self.data, &self.plan.training(self.plan.sgd)));
        all.extend(self.training("adaptive", &self.data, &self.plan.training(self.plan.adaptive)));
        if let Some(layer_rates) = &self.layer_rates {
            let training =
                Training { layer_rates: layer_rates.clone(), ..self.plan.training(self.plan.adaptive) };
            all.extend(self.training("fine-tuning", &self.data, &training));
        }
        all
    }

    /// Outputs for all examples and for the first alone, and their loss.
    fn outputs(&self) -> Vec<Comparison> {
        let network = self.network();
        let mut reference = self.trainer::<f64>();
        let inputs = &self.data.inputs;
        let training = self.plan.training(self.plan.sgd);
        let exact = reference.predict(inputs);
        let exact_loss = [reference.evaluate(&self.data, &training)];
        let rounded: Vec<_> = (0..N_ROUNDED)
            .map(|run| {
                let mut trainer = self.nudged(run);
                (trainer.predict(inputs), [trainer.evaluate(&self.data, &training)])
            })
            .collect();
        let one = exact.len() / self.plan.n_examples;
        let compare = |what: &str, found: &[f64], exact: &[f64], own: Vec<&[f64]>| Comparison {
            what: what.to_owned(),
            apart: distance(found, exact),
            own: own.into_iter().map(|own| distance(own, exact)).fold(0.0, f64::max),
            size: norm(exact),
            size_of_all: norm(exact),
            size_of_weights: 0.0,
            nearest_kink: f64::INFINITY,
        };
        let loss = network.evaluate(&self.data, self.plan.loss).unwrap().loss;
        let all = wide(&network.predict(inputs).unwrap());
        let first = wide(&network.predict(&inputs[..self.data.input_len]).unwrap());
        let own = || rounded.iter();
        vec![
            compare("outputs", &all, &exact, own().map(|(own, _)| &own[..]).collect()),
            compare("output for one", &first, &exact[..one], own().map(|(own, _)| &own[..one]).collect()),
            compare("loss of evaluation", &[loss], &exact_loss, own().map(|(_, own)| &own[..]).collect()),
        ]
    }

    /// A training: losses of all epochs, and how far each tensor has moved at its end.
    fn training(&self, what: &str, data: &Data, training: &Training) -> Vec<Comparison> {
        let mut network = self.network();
        let history = network.fit(data, None, training, |_| ControlFlow::Continue(())).unwrap();
        let ends: Vec<Vec<f64>> = network.weights().iter().map(|tensor| wide(&tensor.values)).collect();
        let engine = Run { losses: history.loss, moves: self.moves(ends), nearest_kink: f64::INFINITY };
        let reference = self.run(self.trainer::<f64>(), data, training);
        let rounded: Vec<Run> =
            (0..N_ROUNDED).map(|run| self.run(self.nudged(run), data, training)).collect();
        let own = |of: &dyn Fn(&Run) -> f64| rounded.iter().map(of).fold(0.0, f64::max);
        let size_of_all = norm(&reference.moves.iter().map(|move_| norm(move_)).collect::<Vec<_>>());
        let losses = norm(&reference.losses);
        let mut all = vec![Comparison {
            what: format!("{what}: losses"),
            apart: distance(&engine.losses, &reference.losses),
            own: own(&|run| distance(&run.losses, &reference.losses)),
            size: losses,
            size_of_all: losses,
            size_of_weights: 0.0,
            nearest_kink: reference.nearest_kink,
        }];
        let farthest = farthest_by_rounding(training, data);
        for (i, tensor) in self.initial_weights.iter().enumerate() {
            let exact = &reference.moves[i];
            // Where the gradient is 0 but for rounding, what the engine may do is what is right.
            let by_rounding =
                |found: f64, exact: f64| exact.abs() < 1e-9 * size_of_all && found.abs() <= farthest;
            let found = engine.moves[i].iter().zip(exact);
            let found: Vec<f64> =
                found.map(|(&found, &exact)| if by_rounding(found, exact) { exact } else { found }).collect();
            if is_frozen(tensor, training) {
                all.push(Comparison::unchanged(format!("{what}: {}", tensor.name), norm(&engine.moves[i])));
                continue;
            }
            all.push(Comparison {
                what: format!("{what}: {}", tensor.name),
                apart: distance(&found, exact),
                own: own(&|run| distance(&run.moves[i], exact)),
                size: norm(exact),
                // Moving statistics are no gradients, and not of their size.
                size_of_all: if tensor.name.contains(".moving_") { norm(exact) } else { size_of_all },
                size_of_weights: norm(&wide(&tensor.values)),
                nearest_kink: reference.nearest_kink,
            });
        }
        all
    }

    fn run<T: Number>(&self, mut trainer: Trainer<'_, T>, data: &Data, training: &Training) -> Run {
        let losses = trainer.fit(data, training);
        let ends = trainer.weights.iter().map(|weight| weight.values.iter().map(|w| w.wide()).collect());
        let moves = self.moves(ends.collect());
        Run { losses, moves, nearest_kink: trainer.nearest_kink }
    }

    fn moves(&self, ends: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let of = |(tensor, end): (&Tensor, Vec<f64>)| {
            tensor.values.iter().zip(end).map(|(&first, last)| last - f64::from(first)).collect()
        };
        self.initial_weights.iter().zip(ends).map(of).collect()
    }
}

/// Factors of the learning rates of `n` layers: the first layers frozen, or any; the last one is trained.
fn layer_rates(number: u64, n: usize) -> Vec<f32> {
    let mut random = Random::new(number ^ 0xF12E);
    let n_frozen = if random.bernoulli(0.5) { random.below(n) } else { 0 };
    let mut rate = |layer: usize| match layer {
        _ if layer < n_frozen => 0.0,
        _ if layer + 1 == n => 1.0,
        _ => random.pick(&[0.0, 0.25, 1.0]),
    };
    (0..n).map(&mut rate).collect()
}

/// Whether a tensor is of a layer whose learning rate has the factor 0.
fn is_frozen(tensor: &Tensor, training: &Training) -> bool {
    let layer = tensor.name.split('.').nth(1).unwrap().parse::<usize>().unwrap();
    training.layer_rates.get(layer) == Some(&0.0)
}

/// How far a training can move a weight whose gradient is 0 but for rounding: a learning rate in each step, if the optimizer divides the
/// gradient by its own size.
fn farthest_by_rounding(training: &Training, data: &Data) -> f64 {
    if let Optimizer::Sgd(_) = training.optimizer {
        return 0.0;
    }
    let steps = training.epochs * data.targets.len();
    f64::from(training.optimizer.learning_rate()) * steps as f64
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Moves initial weights that are 0 or 1 away from there, where mistakes would not show, and limits the frequencies of
/// random features, of which some are so high that their cosines are lost to rounding.
fn perturb(tensor: &mut Tensor, random: &mut Random) {
    let name = tensor.name.rsplit('.').next().unwrap();
    for value in &mut tensor.values {
        match name {
            "bias" | "beta" | "gamma" | "moving_mean" => *value += (0.2 * random.normal()) as f32,
            "moving_variance" => *value = (0.5 + random.unit()) as f32,
            _ => *value = value.clamp(-6.0, 6.0),
        }
    }
}
