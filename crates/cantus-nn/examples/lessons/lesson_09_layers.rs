//! Lecture 9: the same with layers, as one does it every day.
//!
//!     cargo run --example lesson_09_layers

use std::ops::ControlFlow;

use cantus::lesson::Sheet;
use cantus::plot::{History, history};
use cantus_nn::layer::Dense;
use cantus_nn::optimizer::Sgd;
use cantus_nn::{Activation, Architecture, InMemory, LayerSpec, Loss, Network, Optimizer, Training};

/// Describe, build, fit, evaluate, predict.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let half = |i: usize, step: f64| ((i as f64 * step).fract() / 2.0) as f32;
    let numbers: Vec<[f32; 2]> = (1..=5000).map(|i| [half(i, 2f64.sqrt()), half(i, 3f64.sqrt())]).collect();
    let sums: Vec<f32> = numbers.iter().map(|[a, b]| a + b).collect();
    let (inputs, n_train) = (numbers.concat(), 3500);
    let train = InMemory::values(&inputs[..2 * n_train], &sums[..n_train], 1);
    let test = InMemory::values(&inputs[2 * n_train..], &sums[n_train..], 1);

    let layers = [5, 1].map(|units| LayerSpec::Dense(Dense::new(units, Activation::Sigmoid)));
    let mut network = Network::new(&Architecture { input_shape: vec![2], layers: layers.to_vec() }, 0)?;
    sheet.say("The same task, the same network, but described as data and trained in batches of 32:");
    sheet.say(network.summary());
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.1, ..Sgd::default() });
    let training = Training { epochs: 100, loss: Loss::MeanSquaredError, optimizer, ..Training::default() };
    let record = network.fit(&train, Some(&test), &training, |_| ControlFlow::Continue(()))?;

    sheet.say("3500 sums to learn from, 1500 others to be judged by, 100 epochs:");
    sheet.result("loss on what was learnt", network.evaluate(&train, training.loss)?.loss, "");
    sheet.result("loss on new sums", network.evaluate(&test, training.loss)?.loss, "");
    let answers = network.predict(&[0.1, 0.2, 0.2, 0.2])?;
    sheet.result("0.1 + 0.2", f64::from(answers[0]), "");
    sheet.result("0.2 + 0.2", f64::from(answers[1]), "");
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    sheet.picture("history", &history(&History { loss, val_loss, ..History::default() }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/09", &mut std::io::stdout()))
}
