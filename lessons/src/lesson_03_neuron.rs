//! Lecture 3: one artificial neuron.
//!
//! Run it with `cantus lesson 3`.

use crate::output::LessonOutput;
use cantus_nn::neuron::{activate, sigmoid};
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};

/// The net input: the sum of the inputs, each multiplied by its weight.
fn net_input<const N: usize>(inputs: [f64; N], weights: [f64; N]) -> f64 {
    inputs.iter().zip(weights).map(|(x, w)| x * w).sum()
}

/// Net input and activation of a neuron, and the effect of its weights.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let (x, w) = ([0.5, 0.3, 0.2], [0.4, 0.7, 0.2]);
    out.say("A neuron computes one output y from its inputs x, in two steps.");
    out.say(format_args!("  inputs x: {x:?}"));
    out.say(format_args!("  weights w, one for each input: {w:?}"));
    out.say("Step 1, the net input h: each input is multiplied by its weight, and the products are added.");
    let h = net_input(x, w);
    out.result("net input h = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", h, "");
    out.say("Step 2, the activation y: the sigmoid function maps the net input, any number, into the range 0 to 1.");
    out.result("activation y = 1 / (1 + e^-h)", activate(x, w), "");

    let other = [0.4, -0.7, 0.2];
    out.say("The weights decide what a neuron computes. With a negative second weight, the second input lowers y:");
    out.result(&format!("net input with the weights {other:?}"), net_input(x, other), "");
    out.result(&format!("activation with the weights {other:?}"), activate(x, other), "");

    let curve: Vec<(f64, f64)> = (-60..=60).map(|i| f64::from(i) / 10.0).map(|h| (h, sigmoid(h))).collect();
    let here = [(h, sigmoid(h))];
    let guides = [(-6.0, sigmoid(h)), (h, sigmoid(h)), (h, 0.0)];
    let name = format!("the neuron: h = {h:.2}, y = {:.2}", sigmoid(h));
    let series = [
        Series::new("", Style::Reference, &guides),
        Series::new("sigmoid", Style::Line, &curve),
        Series::new(&name, Style::Dots, &here),
    ];
    let (x, y) = (Axis::new("Net input h").from_to(-6.0, 6.0), Axis::new("Activation y").from_to(0.0, 1.0));
    let (title, subtitle) = ("The sigmoid", "any net input gives an activation between 0 and 1");
    out.picture("sigmoid", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}
