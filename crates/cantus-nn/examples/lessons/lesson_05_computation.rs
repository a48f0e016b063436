//! Lecture 5: computation in a network, by hand and by the library.
//!
//!     cargo run --example lesson_05_computation

use cantus::lesson::Sheet;
use cantus::plot;
use cantus_nn::layer::Dense;
use cantus_nn::neuron::sigmoid;
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

/// One layer: every neuron a weighted sum of all inputs, then the sigmoid.
fn layer<const N: usize, const M: usize>(inputs: [f64; N], weights: [[f64; M]; N]) -> [f64; M] {
    std::array::from_fn(|j| sigmoid((0..N).map(|i| inputs[i] * weights[i][j]).sum()))
}

/// Two inputs, a hidden layer of three neurons, one output.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let x = [0.8, 1.0];
    let w1 = [[1.2, 0.7, 1.0], [2.0, 0.6, 1.8]];
    let w2 = [[1.0], [0.9], [1.5]];
    sheet.say("Signals go from left to right. h = x W, a = f(h), and the activations of one layer are");
    sheet.say("the inputs of the next.");
    let hidden = layer(x, w1);
    for (j, a) in hidden.iter().enumerate() {
        sheet.result(&format!("activation of hidden neuron {}", j + 1), *a, "");
    }
    let [y] = layer(hidden, w2);
    sheet.result("output by hand", y, "");

    sheet.say("The library computes the same for layers of any size, here in single precision:");
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
    sheet.result("output of the library", output, "");
    sheet.picture("network", &plot::network(&network.drawing()))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/05", &mut std::io::stdout()))
}
