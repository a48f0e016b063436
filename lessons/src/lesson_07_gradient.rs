//! Lecture 7: backpropagation and gradient descent, by the chain rule.
//!
//! Run it with `cantus lesson 7`.

use crate::output::LessonOutput;
use cantus_nn::neuron::sigmoid;
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};

const X: f64 = 1.5;
const TARGET: f64 = 0.2;
const LEARNING_RATE: f64 = 8.0;

/// The error of one neuron with one weight: E = ½ (y - t)².
fn error(w: f64) -> f64 {
    0.5 * (sigmoid(w * X) - TARGET).powi(2)
}

/// The chain rule, factor by factor: ∂E/∂w = ∂E/∂y · ∂y/∂h · ∂h/∂w.
fn gradient(w: f64) -> f64 {
    let y = sigmoid(w * X);
    (y - TARGET) * (y * (1.0 - y)) * X
}

/// Central difference: the slope of a function from its values at a small distance on both sides.
fn central_difference(function: impl Fn(f64) -> f64, at: f64) -> f64 {
    (function(at + 1e-5) - function(at - 1e-5)) / 2e-5
}

/// One neuron and one weight; then two layers.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    out.say(format_args!(
        "A neuron with one input x = {X} and one weight w: y = sigmoid(w x). For this input its output shall be the"
    ));
    out.say(format_args!("target t = {TARGET}. The error E = ½ (y - t)² measures how far y is from t."));
    out.say("The gradient ∂E/∂w is the slope of E over w. By the chain rule it is a product:");
    out.say("∂E/∂w = ∂E/∂y · ∂y/∂h · ∂h/∂w = (y - t) · y (1 - y) · x");
    let mut w = 2.0;
    let difference = central_difference(error, w);
    out.result("∂E/∂w at w = 2 by the chain rule", gradient(w), "");
    out.result(
        "∂E/∂w at w = 2 by the difference (E(w + 0.00001) - E(w - 0.00001)) / 0.00002",
        difference,
        "",
    );

    out.say("Gradient descent moves w against the gradient, again and again: w ← w - η · ∂E/∂w, with the learning rate");
    out.say(format_args!("η = {LEARNING_RATE}. Errors are written with powers of ten: 2.40e-2 is 0.024."));
    let mut steps = vec![(w, error(w))];
    for _ in 0..25 {
        w -= LEARNING_RATE * gradient(w);
        steps.push((w, error(w)));
    }
    for (step, (w, error)) in steps.iter().enumerate() {
        out.say(format_args!("  Error: {error:.2e} at step {step}, w = {w:.4}"));
    }
    out.result("error before the first step", steps[0].1, "");
    out.result("error after 25 steps", error(w), "");
    out.result("output y after 25 steps, target 0.2", sigmoid(w * X), "");

    let curve: Vec<(f64, f64)> = (-300..=300).map(|i| f64::from(i) / 100.0).map(|w| (w, error(w))).collect();
    let series =
        [Series::new("error E(w)", Style::Line, &curve), Series::new("steps", Style::LineAndDots, &steps)];
    let (x, y) = (Axis::new("Weight w"), Axis::new("Error E").from_to(0.0, 0.35));
    let (title, subtitle) = ("Gradient descent", "25 steps from w = 2; learning rate 8");
    out.picture(
        "descent",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )?;
    two_layers(out);
    Ok(())
}

/// Backpropagation through two layers: the gradient at the second layer's net input is used for both weights.
fn two_layers(out: &mut LessonOutput<'_>) {
    let (w1, w2) = (0.6, -1.1);
    let forward = |w1: f64, w2: f64| (sigmoid(w1 * X), sigmoid(w2 * sigmoid(w1 * X)));
    out.say(format_args!(
        "Two layers of one neuron each: a = sigmoid(w1 x), y = sigmoid(w2 a), w1 = {w1}, w2 = {w2}."
    ));
    out.say(
        "Backpropagation begins at the output. δ2 = ∂E/∂h2 is used twice: for w2, and on the way back to w1.",
    );
    out.say("δ2 = (y - t) · y (1 - y)       ∂E/∂w2 = δ2 · a");
    out.say("δ1 = δ2 · w2 · a (1 - a)       ∂E/∂w1 = δ1 · x");
    let (a, y) = forward(w1, w2);
    let delta2 = (y - TARGET) * y * (1.0 - y);
    let delta1 = delta2 * w2 * a * (1.0 - a);
    let error = |w1: f64, w2: f64| 0.5 * (forward(w1, w2).1 - TARGET).powi(2);
    out.result("∂E/∂w2 by backpropagation", delta2 * a, "");
    out.result("∂E/∂w2 by the difference", central_difference(|w| error(w1, w), w2), "");
    out.result("∂E/∂w1 by backpropagation", delta1 * X, "");
    out.result("∂E/∂w1 by the difference", central_difference(|w| error(w, w2), w1), "");
}
