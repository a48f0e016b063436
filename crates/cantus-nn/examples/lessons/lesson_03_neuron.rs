//! Lecture 3: one artificial neuron.
//!
//!     cargo run --example lesson_03_neuron

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_nn::neuron::{activate, sigmoid};

/// What a neuron computes, and what its weights decide.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let (inputs, weights) = ([0.5, 0.3, 0.2], [0.4, 0.7, 0.2]);
    sheet.say(format_args!("A neuron has inputs {inputs:?} and a weight for each: {weights:?}."));
    sheet.say("First it adds up what comes in, each input as heavy as its weight says:");
    let h: f64 = inputs.iter().zip(weights).map(|(x, w)| x * w).sum();
    sheet.result("net input h = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", h, "");
    sheet.say("Then it squeezes the sum between 0 and 1 with the sigmoid, y = 1 / (1 + e^-h):");
    sheet.result("activation y", activate(inputs, weights), "");

    sheet.say("All that it knows is in the weights. The same inputs, but the second counts against:");
    sheet.result("activation with weight -0.7", activate(inputs, [0.4, -0.7, 0.2]), "");

    let curve: Vec<(f64, f64)> = (-60..=60).map(|i| f64::from(i) / 10.0).map(|h| (h, sigmoid(h))).collect();
    let here = [(h, sigmoid(h))];
    let series = [Series::new("sigmoid", Style::Line, &curve), Series::new("our neuron", Style::Dots, &here)];
    let (x, y) = (Axis::new("Net input h"), Axis::new("Activation y").from_to(0.0, 1.0));
    let (title, subtitle) = ("The sigmoid", "whatever comes in, what goes out is between 0 and 1");
    sheet
        .picture("sigmoid", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/03", &mut std::io::stdout()))
}
