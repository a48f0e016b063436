//! Lecture 6: the multilayer perceptron, forward propagation.
//!
//! Run it with `cantus lesson 6`.

use crate::output::LessonOutput;

use cantus_nn::layer::Dense;
use cantus_nn::perceptron::Perceptron;
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

/// A perceptron with random weights: its output before training.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let mut perceptron = Perceptron::<3, 2>::new(&[3, 5], 0);
    out.say("A multilayer perceptron of 3 inputs, hidden layers of 3 and 5 neurons, and 2 outputs. Every neuron has a");
    out.say("weight for each neuron of the layer before; all are drawn at random between 0 and 1.");
    let n_weights: usize = perceptron.weights().iter().flatten().map(Vec::len).sum();
    out.result("number of weights = 3·3 + 3·5 + 5·2", n_weights as f64, "");

    out.say("Forward propagation computes layer after layer: net inputs, sigmoid, next layer.");
    for inputs in [[0.2, 0.7, 0.4], [0.9, 0.1, 0.5]] {
        for (j, y) in perceptron.forward_propagate(inputs).iter().enumerate() {
            out.result(&format!("output {} for the inputs {inputs:?}", j + 1), *y, "");
        }
    }
    out.say("The outputs mean nothing, since the network is not trained. Both pairs are alike and above 0.5: positive");
    out.say("weights and positive inputs give positive net inputs, and the sigmoid of a positive number is above 0.5.");
    out.say("The thicker a line in the picture, the larger its weight.");
    out.picture("network", &cantus_plot::network(&as_network(&perceptron)?.drawing()))
}

/// The same weights in the library's network, which has a method that draws it.
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
