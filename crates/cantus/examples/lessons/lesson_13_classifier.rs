//! Lecture 13: a perceptron that tells genres apart, and what it learns by heart.
//!
//!     cargo run --example lesson_13_classifier

use std::ops::ControlFlow;

use cantus::Recipe;
use cantus::lesson::{Material, Music, Sheet};
use cantus::plot::{self, History, history};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::synth::Genre;
use cantus_nn::{Activation, Network, Training};

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// The lecture's network on composed music.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let material = Material::prepare(sheet, &MUSIC, &FeatureSpec::course())?;
    let recipe = Recipe::load("mlp")?;
    let architecture = recipe.architecture(material.n_frames, material.n_bins, material.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    sheet.say("Three hidden layers, each ReLU (max(0, h), whose slope does not vanish as the sigmoid's does), and one");
    sheet.say("softmax neuron for each label, whose outputs are probabilities:");
    sheet.say(network.summary());
    sheet.picture("network", &plot::network(&network.drawing()))?;
    let functions = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::LeakyRelu];
    sheet.picture("activations", &plot::activations(&functions)?)?;

    let training = Training { epochs: 40, early_stopping: None, ..recipe.training };
    let (train, validation) = (material.train.examples(), material.validation.examples());
    let record = network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
    let learnt = network.evaluate(&train, training.loss)?.accuracy.unwrap_or(0.0);
    let judged = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    sheet.say("After 40 epochs with Adam, in batches of 32:");
    sheet.result("accuracy by guessing", 100.0 * material.chance(), "%");
    sheet.result("accuracy on what it learnt from", 100.0 * learnt, "%");
    sheet.result("accuracy on tracks that it never heard", 100.0 * judged, "%");
    sheet.say(
        "It knows its own tracks by heart, and others much less well: it overfits. The next lesson helps.",
    );
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    let picture = history(&History { accuracy, val_accuracy, loss, val_loss, best_epoch: None });
    sheet.picture("history", &picture)
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/13", &mut std::io::stdout()))
}
