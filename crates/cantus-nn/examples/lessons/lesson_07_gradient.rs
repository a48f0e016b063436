//! Lecture 7: backpropagation and gradient descent, the idea.
//!
//!     cargo run --example lesson_07_gradient

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_nn::neuron::sigmoid;

const X: f64 = 1.5;
const TARGET: f64 = 0.2;

/// How wrong one neuron with one weight is: E = ½ (y - t)².
fn error(w: f64) -> f64 {
    0.5 * (sigmoid(w * X) - TARGET).powi(2)
}

/// The chain rule, factor by factor: ∂E/∂w = ∂E/∂y · ∂y/∂h · ∂h/∂w.
fn gradient(w: f64) -> f64 {
    let y = sigmoid(w * X);
    (y - TARGET) * (y * (1.0 - y)) * X
}

/// One weight, walked downhill.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    sheet.say(format_args!(
        "A neuron with one weight w shall answer {TARGET} to {X}. How wrong it is depends on w alone:"
    ));
    sheet.say("E = ½ (y - t)². The chain rule tells how E changes with w, one factor for each step:");
    sheet.say("∂E/∂w = (y - t) · y (1 - y) · x.");
    let mut w = 2.0;
    let slope = (error(w + 1e-5) - error(w - 1e-5)) / 2e-5;
    sheet.result("gradient at w = 2 by the chain rule", gradient(w), "");
    sheet.result("gradient at w = 2 by trying out both sides", slope, "");

    sheet.say("Gradient descent takes a step against the gradient, then another: w ← w - 8 · ∂E/∂w.");
    let mut steps = vec![(w, error(w))];
    for _ in 0..25 {
        w -= 8.0 * gradient(w);
        steps.push((w, error(w)));
    }
    sheet.result("error at the start", steps[0].1, "");
    sheet.result("error after 25 steps", error(w), "");
    sheet.result("answer after 25 steps", sigmoid(w * X), "");

    let curve: Vec<(f64, f64)> = (-300..=300).map(|i| f64::from(i) / 100.0).map(|w| (w, error(w))).collect();
    let series =
        [Series::new("error", Style::Line, &curve), Series::new("steps", Style::LineAndDots, &steps)];
    let (x, y) = (Axis::new("Weight w"), Axis::new("Error E").from_to(0.0, 0.35));
    let (title, subtitle) = ("Gradient descent", "each step is as long as the slope is steep");
    sheet
        .picture("descent", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/07", &mut std::io::stdout()))
}
