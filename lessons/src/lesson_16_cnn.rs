//! Lecture 16: a convolutional network that classifies genres.
//!
//! Run it with `cantus lesson 16`.

use std::ops::ControlFlow;

use crate::data::{LessonData, Music};
use crate::output::LessonOutput;
use cantus::Recipe;
use cantus_nn::{Batching, Network, Training};
use cantus_plot::{History, history};
use cantus_synth::Genre;

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// The lecture's network, its accuracy, its prediction for one segment, and its trained kernels.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let recipe = Recipe::load("cnn")?;
    let data = LessonData::prepare(out, &MUSIC, &recipe)?;
    let architecture = recipe.architecture(data.n_frames, data.n_bins, data.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    out.say("MFCCs as an image of one channel, [time, coefficient, 1]. Three times: convolution, max pooling, batch");
    out.say("normalisation; then a dense layer with dropout, and a softmax neuron for each label:");
    out.say(network.summary());
    out.picture("network", &cantus_plot::network(&network.drawing()))?;
    let perceptron = Recipe::load("mlp")?.architecture(data.n_frames, data.n_bins, data.labels.len());
    out.say("Its kernels are small and used at every position, so it has far fewer weights than the perceptron of lesson 13:");
    out.result("weights of the convolutional network", network.n_parameters() as f64, "");
    out.result("weights of the perceptron", Network::new(&perceptron, 0)?.n_parameters() as f64, "");

    // Batches of 8, since batch normalisation needs some hundred steps until its running mean and variance have converged.
    let optimizer = recipe.training.optimizer.with_learning_rate(1e-3);
    let training = Training { epochs: 15, batching: Batching::Mini(8), optimizer, ..recipe.training };
    let (train, validation) = (data.train.examples(), data.validation.examples());
    let record = network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
    let own = network.evaluate(&train, training.loss)?.accuracy.unwrap_or(0.0);
    let other = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    out.say("The lecture trains for 30 epochs with Adam, learning rate 0.0001, on about 6000 segments in batches of 32 (recipe");
    out.say("cnn). With the few segments here, these settings would give too few steps; hence batches of 8, learning rate");
    out.say("0.001, and 15 epochs:");
    out.result("accuracy by guessing", 100.0 * data.chance_level(), "%");
    out.trained("accuracy on the tracks that it was trained on", 100.0 * own, "%");
    out.trained("accuracy on other tracks", 100.0 * other, "%");
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    let picture = history(&History { accuracy, val_accuracy, loss, val_loss, ..Default::default() });
    out.trained_picture("history", &picture)?;
    out.say("As at the end of the lecture, the prediction for segment 100 of the others: the most probable label.");
    data.predict_one(out, &network, 100)?;
    out.say(
        "The 32 kernels of the first layer, 3 × 3 weights each, after training from random initial values:",
    );
    if let Some((_, kernels)) = cantus_plot::kernels(&network).first() {
        out.trained_picture("kernels", kernels)?;
    }
    Ok(())
}
