//! Lecture 16: a convolutional network that tells genres apart.
//!
//!     cargo run --release --example lesson_16_cnn

use std::ops::ControlFlow;

use cantus::Recipe;
use cantus::lesson::{Material, Music, Sheet};
use cantus::plot::{self, History, history};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::synth::Genre;
use cantus_nn::{Batching, Network, Training};

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// The lecture's network, and the kernels that it learns.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let material = Material::prepare(sheet, &MUSIC, &FeatureSpec::course())?;
    let recipe = Recipe::load("cnn")?;
    let architecture = recipe.architecture(material.n_frames, material.n_bins, material.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    sheet.say("MFCCs are an image of one channel, time by coefficient. Three times: convolve, pool, normalise; then a dense");
    sheet.say("layer and a softmax neuron for each label:");
    sheet.picture("network", &plot::network(&network.drawing()))?;
    sheet.result("weights", network.n_parameters() as f64, "");

    let optimizer = recipe.training.optimizer.with_learning_rate(1e-3);
    // Batches of 8, since batch normalisation needs some hundred steps to know what is usual.
    let batching = Batching::Mini(8);
    let training = Training { epochs: 15, batching, early_stopping: None, optimizer, ..recipe.training };
    let (train, validation) = (material.train.examples(), material.validation.examples());
    let record = network.fit(&train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
    let judged = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    sheet.say("After 15 epochs:");
    sheet.result("accuracy by guessing", 100.0 * material.chance(), "%");
    sheet.result("accuracy on tracks that it never heard", 100.0 * judged, "%");
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    sheet.picture(
        "history",
        &history(&History { accuracy, val_accuracy, loss, val_loss, best_epoch: None }),
    )?;
    sheet.say("Nobody told it what to look for. These are the kernels of its first layer:");
    if let Some((_, kernels)) = plot::kernels(&network).first() {
        sheet.picture("kernels", kernels)?;
    }
    Ok(())
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/16", &mut std::io::stdout()))
}
