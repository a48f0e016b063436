//! Lecture 5: computation in a network, step by step and by the library.
//!
//! Run it with `cantus lesson 5`.

use crate::output::LessonOutput;

use cantus_nn::layer::Dense;
use cantus_nn::neuron::sigmoid;
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

/// The net inputs of a layer, h = x W: for each neuron the sum of all inputs times their weights.
fn net_inputs<const N: usize, const M: usize>(inputs: [f64; N], weights: [[f64; M]; N]) -> [f64; M] {
    std::array::from_fn(|j| (0..N).map(|i| inputs[i] * weights[i][j]).sum())
}

/// Two inputs, a hidden layer of three neurons, an output layer of one.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let x = [0.8, 1.0];
    let w1 = [[1.2, 0.7, 1.0], [2.0, 0.6, 1.8]];
    let w2 = [[1.0], [0.9], [1.5]];
    out.say("A network of 2 inputs, a hidden layer of 3 neurons and an output layer of 1 neuron.");
    out.say(format_args!("  inputs x: {x:?}"));
    out.say("  weights W1 of the hidden layer, a row for each input and a column for each neuron:");
    w1.iter().for_each(|row| out.say(format_args!("    {row:?}")));
    out.say(format_args!("  weights W2 of the output layer, one for each hidden neuron: {:?}", w2.concat()));
    out.say("A layer computes its net inputs h = x W, then its activations a = sigmoid(h), which are the inputs of the");
    out.say("next layer. The hidden layer:");
    let h = net_inputs(x, w1);
    let a = h.map(sigmoid);
    for j in 0..3 {
        let name = format!("net input of hidden neuron {} = 0.8·{:?} + 1·{:?}", j + 1, w1[0][j], w1[1][j]);
        out.result(&name, h[j], "");
        out.result(&format!("activation of hidden neuron {}", j + 1), a[j], "");
    }
    out.say("The output layer, whose inputs are the three activations:");
    let [h_out] = net_inputs(a, w2);
    out.result("net input of the output neuron", h_out, "");
    out.result("output y, step by step", sigmoid(h_out), "");

    let layers = [3, 1].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    let mut network = Network::new(&Architecture { input_shape: vec![2], layers: layers.to_vec() }, 0)?;
    let tensor = |name: &str, shape: [usize; 2], values: Vec<f64>| {
        let values = values.into_iter().map(|w| w as f32).collect();
        Tensor { name: name.to_owned(), shape: shape.to_vec(), values }
    };
    network.set_weights(&[
        tensor("layers.0.kernel", [2, 3], w1.concat()),
        tensor("layers.1.kernel", [3, 1], w2.concat()),
    ])?;
    let output = f64::from(network.predict(&x.map(|x| x as f32))?[0]);
    out.say("The library's network with the same inputs and weights, computed with 32-bit numbers instead of 64-bit. It has a");
    out.say("bias for each neuron, a number that is added to the net input; here all four are 0, so that 9 weights and 4");
    out.say("biases are its 13 parameters.");
    out.result("output y of the library", output, "");
    out.result("difference between the two outputs", (output - sigmoid(h_out)).abs(), "");
    out.say("The thicker a line in the picture, the larger its weight.");
    out.picture("network", &cantus_plot::network(&network.drawing()))
}
