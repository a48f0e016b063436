//! Lecture 13: a multilayer perceptron that classifies genres, and the three kinds of batching.
//!
//! Run it with `cantus lesson 13`.

use std::ops::ControlFlow;

use crate::{LessonData, LessonOutput, Music, Part};
use cantus::Recipe;
use cantus_nn::optimizer::Sgd;
use cantus_nn::{Activation, Architecture, Batching, Network, Optimizer, Training};
use cantus_plot::{Axis, History, LineChart, Series, Style, history, line_chart};
use cantus_synth::Genre;

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// The lecture's network, trained with the lecture's settings on composed music.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let recipe = Recipe::load("mlp")?;
    let data = LessonData::prepare(out, &MUSIC, &recipe)?;
    let architecture = recipe.architecture(data.n_frames, data.n_bins, data.labels.len());
    let mut network = Network::new(&architecture, 0)?;
    out.say("Three hidden layers with ReLU, max(0, h), whose slope is 1 where it is not 0 (the sigmoid's is at most 1/4, and");
    out.say("a gradient is multiplied by the slope of every layer), and a softmax neuron for each label, whose outputs are");
    out.say("probabilities:");
    out.say(network.summary());
    out.picture("network", &cantus_plot::network(&network.drawing()))?;
    let functions = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::LeakyRelu];
    out.picture("activations", &cantus_plot::activations(&functions)?)?;

    let training = &recipe.training;
    let (train, validation) = (data.train.examples(), data.validation.examples());
    let record = network.fit(&train, Some(&validation), training, |_| ControlFlow::Continue(()))?;
    let own = network.evaluate(&train, training.loss)?.accuracy.unwrap_or(0.0);
    let other = network.evaluate(&validation, training.loss)?.accuracy.unwrap_or(0.0);
    out.say("The lecture's settings, the recipe mlp: 50 epochs of Adam, learning rate 0.001, batches of 32, features not");
    out.say("normalised. Accuracy is the share of segments whose most probable label is the right one:");
    out.result("accuracy by guessing", 100.0 * data.chance_level(), "%");
    out.trained("accuracy on the tracks that it was trained on", 100.0 * own, "%");
    out.trained("accuracy on other tracks", 100.0 * other, "%");
    out.say("It overfits: accuracy on other tracks is much lower (the lecture: 96 % and 63 %). Lesson 14 has remedies.");
    let (accuracy, val_accuracy) = (&record.accuracy, &record.val_accuracy);
    let (loss, val_loss) = (&record.loss, &record.val_loss);
    let picture = history(&History { accuracy, val_accuracy, loss, val_loss, ..Default::default() });
    out.trained_picture("history", &picture)?;
    batching(out, &data, &architecture, training)
}

/// How exact the gradient of a batch is, and the loss after the same number of epochs with each kind of batching.
fn batching(
    out: &mut LessonOutput<'_>,
    data: &LessonData,
    architecture: &Architecture,
    training: &Training,
) -> Result<(), cantus::Error> {
    const EPOCHS: usize = 6;
    let n = data.train.classes.len();
    out.say("Three kinds of batching: a step follows the gradient of one segment (stochastic), of some (mini), of all (full).");
    out.say("The more segments, the nearer its direction is to the gradient of all of them (cosine of the angle between them,");
    out.say("1 for the same direction), the more memory a step takes, and the fewer steps there are in an epoch. In 6 epochs:");
    let exact = gradient(architecture, &data.train, training)?;
    let mut curves = Vec::new();
    for (name, batching, size) in [
        ("stochastic", Batching::Stochastic, 1),
        ("mini", Batching::Mini(32), 32.min(n)),
        ("full", Batching::Full, n),
    ] {
        let mut network = Network::new(architecture, 0)?;
        let training = Training { epochs: EPOCHS, batching, ..training.clone() };
        let record = network.fit(&data.train.examples(), None, &training, |_| ControlFlow::Continue(()))?;
        out.result(&format!("{name} batches, segments in a step"), size as f64, "");
        out.result(&format!("{name} batches, steps"), (EPOCHS * n.div_ceil(size)) as f64, "");
        let cosine = mean_cosine(architecture, data, &training, size, &exact)?;
        out.result(&format!("{name} batches, cosine to the gradient of all segments"), cosine, "");
        let last = record.loss.last().map_or(f64::NAN, |loss| *loss);
        out.trained(&format!("{name} batches, training loss in epoch {EPOCHS}"), last, "");
        let points: Vec<_> =
            record.loss.iter().enumerate().map(|(i, loss)| ((i + 1) as f64, *loss)).collect();
        curves.push((name, points));
    }
    let series: Vec<_> =
        curves.iter().map(|(name, points)| Series::new(name, Style::LineAndDots, points)).collect();
    let (x, y) = (Axis::new("Epoch").whole(), Axis::new("Training loss (logarithmic)").logarithmic());
    let (title, subtitle) = ("Three kinds of batching", "the same network, optimizer and learning rate");
    out.trained_picture(
        "batching",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

/// The mean over four batches of the cosine between a batch's gradient and the exact one.
fn mean_cosine(
    architecture: &Architecture,
    data: &LessonData,
    training: &Training,
    size: usize,
    exact: &[f32],
) -> Result<f64, cantus::Error> {
    const N_DRAWS: usize = 4;
    let n = data.train.classes.len();
    let mut sum = 0.0;
    for draw in 0..N_DRAWS {
        // Spread over all tracks, which come in order; one starting point for each draw.
        let places = (0..size).map(|i| (i * n / size + draw * n / N_DRAWS + draw) % n);
        let gradient = gradient(architecture, &data.train.subset(places), training)?;
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        sum += dot(&gradient, exact) / (dot(&gradient, &gradient) * dot(exact, exact)).sqrt();
    }
    Ok(sum / N_DRAWS as f64)
}

/// ∂E/∂w for all weights of the fresh network: what one step of gradient descent with learning rate 1 subtracts.
fn gradient(
    architecture: &Architecture,
    part: &Part,
    training: &Training,
) -> Result<Vec<f32>, cantus::Error> {
    let mut network = Network::new(architecture, 0)?;
    let values = |network: &Network| {
        network.weights().into_iter().flat_map(|tensor| tensor.values).collect::<Vec<_>>()
    };
    let before = values(&network);
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 1.0, ..Sgd::default() });
    let training = Training { epochs: 1, batching: Batching::Full, optimizer, ..training.clone() };
    network.fit(&part.examples(), None, &training, |_| ControlFlow::Continue(()))?;
    Ok(before.iter().zip(values(&network)).map(|(before, after)| before - after).collect())
}
