//! Lecture 8: backpropagation and gradient descent train a perceptron to add two numbers.
//!
//! Run it with `cantus lesson 8`.

use crate::{LessonOutput, random_pairs};
use cantus_nn::perceptron::Perceptron;
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};

const EPOCHS: usize = 50;
const LEARNING_RATE: f64 = 0.1;

/// A thousand random sums for training, and one to predict.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let pairs = random_pairs(1000, 0);
    let examples: Vec<_> = pairs.iter().map(|&[a, b]| ([a, b], [a + b])).collect();
    out.say("Training data: 1000 pairs of random numbers between 0 and 0.5; the target of each is its sum.");
    let [a, b] = pairs[0];
    out.say(format_args!("  the first example: inputs [{a:.4}, {b:.4}], target {:.4}", a + b));

    let mut perceptron = Perceptron::<2, 1>::new(&[5], 0);
    out.say("A perceptron of 2 inputs, 5 hidden neurons and 1 output, with random weights. Its output before training:");
    let [before] = perceptron.forward_propagate([0.3, 0.1]);
    out.result("0.3 + 0.1, before training", before, "");

    out.say("Training takes one example after another: forward propagation, backpropagation of the error, and one step");
    out.say("of gradient descent with a learning rate of 0.1. One pass through all examples is an epoch. The error of an");
    out.say("epoch is the mean of (target - output)² over its examples:");
    let errors = perceptron.train(&examples, EPOCHS, LEARNING_RATE);
    for (epoch, error) in errors.iter().enumerate() {
        out.say(format_args!("  Error: {error:.6} at epoch {}", epoch + 1));
    }
    out.result("mean squared error in the first epoch", errors[0], "");
    out.result("mean squared error in the last epoch", errors[EPOCHS - 1], "");
    let [after] = perceptron.forward_propagate([0.3, 0.1]);
    out.say("The output of the trained network for the same inputs, whose sum is 0.4:");
    out.result("0.3 + 0.1, after training", after, "");

    let points: Vec<_> = errors.iter().enumerate().map(|(i, &error)| ((i + 1) as f64, error)).collect();
    let series = [Series::new("", Style::LineAndDots, &points)];
    let (x, y) = (Axis::new("Epoch").whole(), Axis::new("Mean squared error (logarithmic)").logarithmic());
    let (title, subtitle) = ("The error falls from epoch to epoch", "1000 sums, learning rate 0.1");
    out.picture("error", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}
