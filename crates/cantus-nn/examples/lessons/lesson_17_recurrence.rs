//! Lecture 17: recurrence: a network that remembers its last answer.
//!
//!     cargo run --example lesson_17_recurrence

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_nn::layer::SimpleRnn;
use cantus_nn::{Architecture, LayerSpec, Network, Tensor};

const W: f64 = 0.8;
const R: f64 = 0.9;
const N_STEPS: usize = 30;

/// One unit: at every step it sees the new input and its own last state, h' = tanh(x W + h R).
fn states(sequence: &[f64]) -> Vec<f64> {
    let step = |h: &mut f64, x: &f64| {
        *h = (x * W + *h * R).tanh();
        Some(*h)
    };
    sequence.iter().scan(0.0, step).collect()
}

/// A sequence through one recurrent unit, and how long it remembers.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let sequence: Vec<f64> = (0..N_STEPS).map(|t| (t as f64 * 0.7).sin()).collect();
    let by_hand = states(&sequence);
    sheet
        .say("A recurrent unit takes a sequence one value at a time, and carries a state from step to step:");
    for (t, h) in by_hand.iter().take(3).enumerate() {
        sheet.result(&format!("state after step {}", t + 1), *h, "");
    }

    let layer = LayerSpec::SimpleRnn(SimpleRnn { units: 1, return_sequences: true });
    let mut network = Network::new(&Architecture { input_shape: vec![N_STEPS, 1], layers: vec![layer] }, 0)?;
    let tensor = |name: &str, value: f64| Tensor {
        name: format!("layers.0.{name}"),
        shape: vec![1, 1],
        values: vec![value as f32],
    };
    network.set_weights(&[tensor("kernel", W), tensor("recurrent_kernel", R)])?;
    let inputs: Vec<f32> = sequence.iter().map(|x| *x as f32).collect();
    let found = network.predict(&inputs)?;
    let difference = found.iter().zip(&by_hand).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    sheet.result("largest difference from the library's layer", difference, "");

    sheet.say("How much does the first input still count later on? Move it a little and look at all states:");
    let mut moved = sequence.clone();
    moved[0] += 1e-6;
    let influence: Vec<f64> =
        states(&moved).iter().zip(&by_hand).map(|(a, b)| ((a - b) / 1e-6).abs()).collect();
    sheet.result("influence on the first state", influence[0], "");
    sheet.result("influence ten steps later", influence[10], "");
    sheet.say("At each step it shrinks by R (1 - h²), which is below 1. The gradient that flows back shrinks as fast, and");
    sheet.say("so a plain recurrent network hardly learns what lies far back: the vanishing gradient.");
    let points: Vec<_> = influence.iter().enumerate().map(|(t, &i)| (t as f64, i)).collect();
    let series = [Series::new("", Style::LineAndDots, &points)];
    let (x, y) = (Axis::new("Steps later").whole(), Axis::new("Influence of the first input").logarithmic());
    let (title, subtitle) = ("A plain recurrent unit forgets", "∂h / ∂x of the first step");
    sheet.picture(
        "influence",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/17", &mut std::io::stdout()))
}
