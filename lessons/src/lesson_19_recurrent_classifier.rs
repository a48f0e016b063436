//! Lecture 19: a recurrent network that classifies genres.
//!
//! Run it with `cantus lesson 19`.

use std::ops::ControlFlow;

use crate::data::{LessonData, Music};
use crate::output::LessonOutput;
use cantus::Recipe;
use cantus_nn::{Network, Training};
use cantus_plot::{History, history};
use cantus_synth::Genre;

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// A network of two LSTM layers, its accuracy, and its prediction for one segment.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let recipe = Recipe::load("lstm")?;
    let data = LessonData::prepare(out, &MUSIC, &recipe)?;
    let architecture = recipe.architecture(data.n_frames, data.n_bins, data.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    out.say("MFCCs as a sequence: 130 steps of 13 numbers. The first LSTM outputs the state after every step (sequence to");
    out.say("sequence), the second its last state only (sequence to vector), which a dense layer and a softmax layer classify:");
    out.say(network.summary());
    out.picture("network", &cantus_plot::network(&network.drawing()))?;
    out.say("The lecture's notebook ends without a result: it writes the dropout layer keras.layers.dropout, with a small d.");
    out.say("Keras has no such layer, only Dropout, so Python stops with an AttributeError while it builds the network.");

    let optimizer = recipe.training.optimizer.with_learning_rate(2e-3);
    let training = Training { epochs: 20, optimizer, ..recipe.training };
    let (train, validation) = (data.train.examples(), data.validation.examples());
    let record = network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
    let own = network.evaluate(&train, training.loss)?.accuracy.unwrap_or(0.0);
    let other = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    out.say("Its settings are 30 epochs of Adam with learning rate 0.0001 in batches of 32, on about 6000 segments (the recipe");
    out.say(
        "lstm). With the few segments here, they would give too few steps; hence learning rate 0.002 and 20",
    );
    out.say("epochs:");
    out.result("accuracy by guessing", 100.0 * data.chance_level(), "%");
    out.trained("accuracy on the tracks that it was trained on", 100.0 * own, "%");
    out.trained("accuracy on other tracks", 100.0 * other, "%");
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    let picture = history(&History { accuracy, val_accuracy, loss, val_loss, ..Default::default() });
    out.trained_picture("history", &picture)?;
    out.say("The prediction for segment 100 of the others: the most probable label.");
    data.predict_one(out, &network, 100)
}
