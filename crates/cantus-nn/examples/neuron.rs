//! One artificial neuron, as in the third lecture.
//!
//!     cargo run -p cantus-nn --example neuron

#![expect(clippy::print_stdout, reason = "the output of an example")]

use cantus_nn::neuron::{activate, sigmoid};

fn main() {
    let inputs = [0.5, 0.3, 0.2];
    let weights = [0.4, 0.7, 0.2];
    println!("inputs {inputs:?}, weights {weights:?}");
    println!("output {}\n", activate(inputs, weights));

    println!("The sigmoid, from -6 to 6:");
    for h in -6..=6 {
        let y = sigmoid(f64::from(h));
        println!("{h:3}  {y:.4}  {}", "█".repeat((40.0 * y).round() as usize));
    }
}
