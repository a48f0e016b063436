//! Trains networks to add two numbers: a perceptron as in the eighth lecture, and layers as in the ninth.
//!
//!     cargo run --release -p cantus-nn --example learn_to_add

#![expect(clippy::print_stdout, reason = "the output of an example")]

use std::ops::ControlFlow;

use cantus_nn::layer::Dense;
use cantus_nn::optimizer::Sgd;
use cantus_nn::perceptron::Perceptron;
use cantus_nn::{Activation, Architecture, Error, InMemory, LayerSpec, Loss, Network, Optimizer, Training};

fn main() -> Result<(), Error> {
    by_hand();
    with_layers()
}

/// The i-th of many evenly distributed pairs in [0, 0.5): the fractional parts of multiples of irrational numbers.
fn pair(i: usize) -> [f64; 2] {
    [2.0_f64.sqrt(), 3.0_f64.sqrt()].map(|root| (i as f64 * root).fract() / 2.0)
}

/// 1,000 items, 50 epochs, one item at a time.
fn by_hand() {
    let items: Vec<_> = (0..1000).map(pair).map(|[a, b]| ([a, b], [a + b])).collect();
    let mut perceptron = Perceptron::<2, 1>::new(&[5], 0);
    let errors = perceptron.train(&items, 50, 0.1);
    for (epoch, error) in errors.iter().enumerate().step_by(7) {
        println!("Error: {error:.6} at epoch {epoch}");
    }
    let [sum] = perceptron.forward_propagate([0.3, 0.1]);
    println!("Our network believes that 0.3 + 0.1 is equal to {sum:.4}\n");
}

/// 5,000 items, 70 % of them for training; 100 epochs, 32 items at a time.
fn with_layers() -> Result<(), Error> {
    let items: Vec<_> = (0..5000).map(pair).collect();
    let inputs: Vec<f32> = items.iter().flatten().map(|&x| x as f32).collect();
    let sums: Vec<f32> = items.iter().map(|[a, b]| (a + b) as f32).collect();
    let train = InMemory::values(&inputs[..7000], &sums[..3500], 1);
    let test = InMemory::values(&inputs[7000..], &sums[3500..], 1);

    let layers = [5, 1].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    let architecture = Architecture { input_shape: vec![2], layers: layers.to_vec() };
    let mut network = Network::new(&architecture, 0)?;
    let training = Training {
        epochs: 100,
        loss: Loss::MeanSquaredError,
        optimizer: Optimizer::Sgd(Sgd { learning_rate: 0.1, ..Sgd::default() }),
        ..Training::default()
    };
    network.fit(&train, None, &training, |_| ControlFlow::Continue(()))?;

    println!("{}", network.summary());
    println!("Mean squared error of the test items: {:.6}", network.evaluate(&test, training.loss)?.loss);
    let data = [0.1, 0.2, 0.2, 0.2];
    for (pair, sum) in data.chunks(2).zip(network.predict(&data)?) {
        println!("{} + {} = {sum:.4}", pair[0], pair[1]);
    }
    Ok(())
}
