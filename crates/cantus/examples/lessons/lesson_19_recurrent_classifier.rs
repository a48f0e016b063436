//! Lecture 19: a recurrent network that tells genres apart.
//!
//!     cargo run --release --example lesson_19_recurrent_classifier

use std::ops::ControlFlow;

use cantus::Recipe;
use cantus::lesson::{Material, Music, Sheet};
use cantus::plot::{self, History, history};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::synth::Genre;
use cantus_nn::{Network, Training};

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// Two LSTM layers over the frames of a segment.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let material = Material::prepare(sheet, &MUSIC, &FeatureSpec::course())?;
    let recipe = Recipe::load("lstm")?;
    let architecture = recipe.architecture(material.n_frames, material.n_bins, material.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    sheet.say("MFCCs are a sequence: 13 numbers at each of 130 steps. The first LSTM hands on all of its states, the second");
    sheet.say("only its last, and a dense layer judges that:");
    sheet.say(network.summary());
    sheet.picture("network", &plot::network(&network.drawing()))?;

    let optimizer = recipe.training.optimizer.with_learning_rate(2e-3);
    let training = Training { epochs: 20, early_stopping: None, optimizer, ..recipe.training };
    let (train, validation) = (material.train.examples(), material.validation.examples());
    let record = network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
    let learnt = network.evaluate(&train, training.loss)?.accuracy.unwrap_or(0.0);
    let judged = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    sheet.say("After 20 epochs:");
    sheet.result("accuracy by guessing", 100.0 * material.chance(), "%");
    sheet.result("accuracy on what it learnt from", 100.0 * learnt, "%");
    sheet.result("accuracy on tracks that it never heard", 100.0 * judged, "%");
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    sheet.picture("history", &history(&History { accuracy, val_accuracy, loss, val_loss, best_epoch: None }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/19", &mut std::io::stdout()))
}
