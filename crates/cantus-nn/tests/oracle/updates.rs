//! Gradient clipping and weight updates: the formulas of Keras 3, elementwise.

use cantus_nn::{Clipping, Optimizer};

use super::number::Number;
use super::trainer::Weight;

/// Updates a weight at step `number`, counted from 1. Computed in f64; what is kept is rounded to `T`.
pub fn update<T: Number>(optimizer: Optimizer, number: u64, weight: &mut Weight<T>, gradient: &[f64]) {
    let [first, second] = &mut weight.slots;
    let slots = first.iter_mut().zip(second);
    for ((w, (a, b)), &g) in weight.values.iter_mut().zip(slots).zip(gradient) {
        let (new, kept) = moved(optimizer, number as f64, w.wide(), g, [a.wide(), b.wide()]);
        (*w, *a, *b) = (T::of(new), T::of(kept[0]), T::of(kept[1]));
    }
}

/// One number of a weight and its slots after a step along the gradient `g`.
fn moved(optimizer: Optimizer, number: f64, w: f64, g: f64, [a, b]: [f64; 2]) -> (f64, [f64; 2]) {
    match optimizer {
        Optimizer::Sgd(rule) => {
            let (rate, momentum) = (f64::from(rule.learning_rate), f64::from(rule.momentum));
            let velocity = momentum * a - rate * g;
            let step = match (rule.momentum != 0.0, rule.nesterov) {
                (false, _) => -rate * g,
                (true, false) => velocity,
                (true, true) => momentum * velocity - rate * g,
            };
            (w + step, [velocity, 0.0])
        }
        Optimizer::RmsProp(rule) => {
            let rho = rule.rho;
            let square = rho * a + (1.0 - rho) * g * g;
            let step = f64::from(rule.learning_rate) * g / (square + f64::from(rule.epsilon)).sqrt();
            let collected = f64::from(rule.momentum) * b + step;
            (w - collected, [square, collected])
        }
        Optimizer::Adam(rule) => {
            let settings = [rule.learning_rate.into(), rule.beta_1, rule.beta_2, rule.epsilon.into()];
            adam(settings, 0.0, number, w, g, [a, b])
        }
        Optimizer::AdamW(rule) => {
            let settings = [rule.learning_rate.into(), rule.beta_1, rule.beta_2, rule.epsilon.into()];
            adam(settings, f64::from(rule.weight_decay), number, w, g, [a, b])
        }
        other => panic!("unknown optimizer {other:?}"),
    }
}

fn adam(
    settings: [f64; 4],
    decay: f64,
    number: f64,
    w: f64,
    g: f64,
    [mean, square]: [f64; 2],
) -> (f64, [f64; 2]) {
    let [rate, beta_1, beta_2, epsilon] = settings;
    let mean = mean + (1.0 - beta_1) * (g - mean);
    let square = square + (1.0 - beta_2) * (g * g - square);
    let corrected = rate * (1.0 - beta_2.powf(number)).sqrt() / (1.0 - beta_1.powf(number));
    (w * (1.0 - rate * decay) - corrected * mean / (square.sqrt() + epsilon), [mean, square])
}

/// Clips gradients as Keras does by `clipvalue`, `clipnorm` and `global_clipnorm`.
pub fn clip(gradients: &mut [Vec<f64>], clipping: Option<Clipping>) {
    let length = |gradient: &[f64]| gradient.iter().map(|g| g * g).sum::<f64>();
    let shorten = |gradient: &mut Vec<f64>, limit: f32, squared: f64| {
        let scale = (f64::from(limit) / squared.sqrt()).min(1.0);
        gradient.iter_mut().for_each(|g| *g *= scale);
    };
    match clipping {
        None => {}
        Some(Clipping::Value(limit)) => {
            let limit = f64::from(limit);
            gradients.iter_mut().flatten().for_each(|g| *g = g.clamp(-limit, limit));
        }
        Some(Clipping::Norm(limit)) => gradients.iter_mut().for_each(|gradient| {
            let squared = length(gradient);
            shorten(gradient, limit, squared);
        }),
        Some(Clipping::GlobalNorm(limit)) => {
            let squared = gradients.iter().map(|gradient| length(gradient)).sum();
            gradients.iter_mut().for_each(|gradient| shorten(gradient, limit, squared));
        }
    }
}
