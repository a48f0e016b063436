//! Lecture 8: backpropagation and gradient descent at work: a perceptron learns to add.
//!
//!     cargo run --example lesson_08_learn_to_add

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_nn::perceptron::Perceptron;

/// A thousand sums to learn from, and one to ask for.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    // Multiples of two irrational numbers without their whole part: spread evenly, and the same in every run.
    let half = |i: usize, step: f64| (i as f64 * step).fract() / 2.0;
    let numbers = (1..=1000).map(|i| [half(i, 2f64.sqrt()), half(i, 3f64.sqrt())]);
    let sums: Vec<_> = numbers.map(|[a, b]| ([a, b], [a + b])).collect();

    let mut perceptron = Perceptron::<2, 1>::new(&[5], 0);
    sheet.say("A perceptron of 2 inputs, 5 hidden neurons and 1 output has never seen a sum.");
    let [before] = perceptron.forward_propagate([0.3, 0.1]);
    sheet.result("0.3 + 0.1, before", before, "");

    sheet.say("It is shown 1000 sums 50 times. After each it goes back through its layers, asks of every weight how");
    sheet.say("much of the error is its doing, and moves it a little the other way.");
    let errors = perceptron.train(&sums, 50, 0.1);
    sheet.result("mean squared error in the first epoch", errors[0], "");
    sheet.result("mean squared error in the last epoch", errors[49], "");
    let [answer] = perceptron.forward_propagate([0.3, 0.1]);
    sheet.result("0.3 + 0.1, after", answer, "");

    let points: Vec<_> = errors.iter().enumerate().map(|(i, &error)| ((i + 1) as f64, error)).collect();
    let series = [Series::new("", Style::LineAndDots, &points)];
    let (x, y) = (Axis::new("Epoch").whole(), Axis::new("Mean squared error").logarithmic());
    let (title, subtitle) = ("Learning to add", "1000 sums, learning rate 0.1");
    sheet.picture("error", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/08", &mut std::io::stdout()))
}
