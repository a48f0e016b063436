//! Lecture 6: the multilayer perceptron, forward.
//!
//!     cargo run --example lesson_06_forward

use cantus::lesson::Sheet;
use cantus::plot;
use cantus_nn::layer::Dense;
use cantus_nn::perceptron::Perceptron;
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

/// A perceptron of random weights: it computes, but knows nothing yet.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let mut perceptron = Perceptron::<3, 2>::new(&[3, 5], 0);
    let inputs = [0.2, 0.7, 0.4];
    sheet.say("A perceptron of 3 inputs, hidden layers of 3 and 5 neurons, and 2 outputs. Its weights are");
    sheet.say("random numbers between 0 and 1, so what it answers means nothing yet:");
    sheet.say(format_args!("  inputs {inputs:?}"));
    for (j, y) in perceptron.forward_propagate(inputs).iter().enumerate() {
        sheet.result(&format!("output {}", j + 1), *y, "");
    }
    let other = perceptron.forward_propagate([0.9, 0.1, 0.5]);
    sheet.say("Other inputs change little: random weights in [0, 1) all push the same way.");
    sheet.result("output 1 for other inputs", other[0], "");

    let n_weights: usize = perceptron.weights().iter().flatten().map(Vec::len).sum();
    sheet.result("weights to be learnt", n_weights as f64, "");
    sheet.picture("network", &plot::network(&as_network(&perceptron)?.drawing()))
}

/// The same weights in the library's network, which knows how to draw itself.
fn as_network(perceptron: &Perceptron<3, 2>) -> Result<Network, cantus_nn::Error> {
    let layers = [3, 5, 2].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    let mut network = Network::new(&Architecture { input_shape: vec![3], layers: layers.to_vec() }, 0)?;
    let kernels = perceptron.weights().iter().enumerate().map(|(n, weights)| Tensor {
        name: format!("layers.{n}.kernel"),
        shape: vec![weights.len(), weights[0].len()],
        values: weights.iter().flatten().map(|w| *w as f32).collect(),
    });
    network.set_weights(&kernels.collect::<Vec<_>>())?;
    Ok(network)
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/06", &mut std::io::stdout()))
}
