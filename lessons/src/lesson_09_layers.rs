//! Lecture 9: the same network with a library of layers: build, compile, fit, evaluate, predict.
//!
//! Run it with `cantus lesson 9`.

use std::ops::ControlFlow;

use crate::{LessonOutput, random_pairs, train_test_split};
use cantus_nn::layer::Dense;
use cantus_nn::optimizer::Sgd;
use cantus_nn::{Activation, Architecture, InMemory, LayerSpec, Loss, Network, Optimizer, Training};
use cantus_plot::{History, history};

const N_SPLITS: u64 = 5;

/// Inputs `[n, 2]` and targets `[n, 1]`, in the library's format.
struct Sums {
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Sums {
    fn new(pairs: &[[f64; 2]]) -> Self {
        let inputs = pairs.iter().flatten().map(|&x| x as f32).collect();
        Self { inputs, targets: pairs.iter().map(|[a, b]| (a + b) as f32).collect() }
    }

    /// The first `n` examples.
    fn first(mut self, n: usize) -> Self {
        self.inputs.truncate(2 * n);
        self.targets.truncate(n);
        self
    }

    fn examples(&self) -> InMemory<'_> {
        InMemory::values(&self.inputs, &self.targets, 1)
    }
}

/// Describe, build, fit, evaluate, predict; then five random splits, with many examples and with few.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    out.say("Data: 5000 pairs of random numbers between 0 and 0.5, each with its sum as target. A random split puts 70 %");
    out.say("into the training part and 30 % into the test part, which is used for evaluation alone.");
    let (train, test) = split(0);
    out.result("examples in the training part", train.targets.len() as f64, "");
    out.result("examples in the test part", test.targets.len() as f64, "");

    let mut network = network()?;
    out.say("The network of lesson 8, described as a list of layers. Dense means fully connected; a parameter is a weight");
    out.say("or a bias, which is added to each net input. None stands for any number of examples:");
    out.say(network.summary());
    let training = training(100);
    out.say("Stochastic gradient descent (SGD) moves the weights after every batch of 32 examples, against their mean");
    out.say("gradient; learning rate 0.1, 100 epochs. The loss is the mean squared error (MSE):");
    let (train, test) = (train.examples(), test.examples());
    let record = network.fit(&train, Some(&test), &training, |_| ControlFlow::Continue(()))?;
    for epoch in (1..=100).filter(|epoch| *epoch == 1 || epoch % 10 == 0) {
        let (loss, val_loss) = (record.loss[epoch - 1], record.val_loss[epoch - 1]);
        out.say(format_args!("  Epoch {epoch}/100: training loss ≈ {loss:.6}, test loss ≈ {val_loss:.6}"));
    }
    out.say("Evaluation of the trained network:");
    out.trained("loss of the training part", network.evaluate(&train, training.loss)?.loss, "");
    out.trained("loss of the test part", network.evaluate(&test, training.loss)?.loss, "");
    out.say("Predictions for two sums; 0.3 and 0.4 are right:");
    let predictions = network.predict(&[0.1, 0.2, 0.2, 0.2])?;
    out.trained("0.1 + 0.2", f64::from(predictions[0]), "");
    out.trained("0.2 + 0.2", f64::from(predictions[1]), "");
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    out.picture("history", &history(&History { loss, val_loss, ..History::default() }))?;
    generalisation(out)
}

/// Training and test loss of five random splits, with the whole training part and with ten examples of it.
fn generalisation(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    out.say("A network fits the examples that it is trained on, so the test loss is expected to be the higher one. Each");
    out.say("line is another random split:");
    for (n_train, epochs, what) in [(3500, 100, "3500 examples"), (10, 11_000, "10 examples")] {
        let mut losses = [0.0; 2];
        for seed in 1..=N_SPLITS {
            let (train, test) = split(seed);
            let train = train.first(n_train);
            let (mut network, training) = (network()?, training(epochs));
            network.fit(&train.examples(), None, &training, |_| ControlFlow::Continue(()))?;
            let own = network.evaluate(&train.examples(), training.loss)?.loss;
            let other = network.evaluate(&test.examples(), training.loss)?.loss;
            out.say(format_args!(
                "  trained with {what}, split {seed}: training loss ≈ {own:.6}, test loss ≈ {other:.6}"
            ));
            losses = [losses[0] + own, losses[1] + other];
        }
        out.trained(&format!("mean test loss / mean training loss, {what}"), losses[1] / losses[0], "");
    }
    out.say("3500 examples are many for 21 parameters: the two losses are nearly equal, and either can be higher. With 10");
    out.say(
        "examples and as many steps the test loss is far higher, which is a sign of overfitting (lesson 14).",
    );
    Ok(())
}

/// The training part and the test part of a random split of random sums.
fn split(seed: u64) -> (Sums, Sums) {
    let (train, test) = train_test_split(random_pairs(5000, seed), 0.3, seed);
    (Sums::new(&train), Sums::new(&test))
}

/// A network of 2 inputs, 5 hidden neurons and 1 output, untrained.
fn network() -> Result<Network, cantus_nn::Error> {
    let layers = [5, 1].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    Network::new(&Architecture { input_shape: vec![2], layers: layers.to_vec() }, 0)
}

fn training(epochs: usize) -> Training {
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.1, ..Sgd::default() });
    // With so few weights, synchronising threads after every batch would cost more than they save.
    Training { epochs, loss: Loss::MeanSquaredError, optimizer, n_threads: 1, ..Training::default() }
}
