//! Lecture 14: overfitting, and the lecture's remedies, each measured.
//!
//! Run it with `cantus lesson 14`.

use std::ops::ControlFlow;

use crate::data::{LessonData, Music};
use crate::output::LessonOutput;
use cantus::Recipe;
use cantus_audio::augment::{
    AudioAugmentation, AugmentSpec, noise::Noise, pitch_shift::PitchShift, time_stretch::TimeStretch,
};
use cantus_nn::layer::{Dense, Dropout, Flatten};
use cantus_nn::{
    Activation, Architecture, EarlyStopping, LayerSpec, Network, Progress, Regularizer, Training,
};
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_synth::Genre;

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 6, n_validation: 10, duration_s: 9.0 };
/// Segments in a batch.
const BATCH: usize = 32;

/// A training with one remedy or none; everything else is as in the lecture.
#[derive(Clone, Copy)]
struct Variant {
    name: &'static str,
    units: &'static [usize],
    dropout: f32,
    l1: f32,
    l2: f32,
    augment: bool,
    patience: Option<usize>,
}

const PLAIN: Variant = Variant {
    name: "no remedy",
    units: &[512, 256, 64],
    dropout: 0.0,
    l1: 0.0,
    l2: 0.0,
    augment: false,
    patience: None,
};
/// The strengths of dropout and L2 are the lecture's; it names none for L1.
const VARIANTS: [Variant; 8] = [
    PLAIN,
    Variant { name: "simpler network", units: &[32], ..PLAIN },
    Variant { name: "augmentation", augment: true, ..PLAIN },
    Variant { name: "dropout", dropout: 0.3, ..PLAIN },
    Variant { name: "L1", l1: 1e-4, ..PLAIN },
    Variant { name: "L2", l2: 1e-3, ..PLAIN },
    Variant { name: "L2 and dropout", l2: 1e-3, dropout: 0.3, ..PLAIN },
    Variant { name: "early stopping", patience: Some(5), ..PLAIN },
];

/// The same music, once without and then with each remedy.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    // Normalised: otherwise training on few segments is so uneven that the effect of most remedies is not visible.
    let recipe = Recipe { normalize: true, ..Recipe::load("mlp")? };
    let data = LessonData::prepare_with_copies(out, &MUSIC, &recipe, &augmentation())?;
    out.say("The loss of a segment is -ln p, where p is the predicted probability of the right label: 0 for p = 1,");
    out.say("ln 5 = 1.61 if five labels have equal probabilities. The gap is the mean loss on other tracks less the mean loss");
    out.say("on the tracks that it was trained on. A gap of 0 means that it performs equally well on other music; the");
    out.say(
        "larger the gap, the more it overfits. Both losses are measured after training, without dropout:",
    );
    let mut results = Vec::new();
    for variant in VARIANTS {
        let result = variant.train(&data, &recipe.training)?;
        let gap = result.curve.last().map_or(f64::NAN, |(_, gap)| *gap);
        out.say(format_args!("{}:", variant.name));
        out.trained(
            &format!("  accuracy on its own tracks, {}", variant.name),
            100.0 * result.own_accuracy,
            "%",
        );
        out.trained(
            &format!("  accuracy on other tracks, {}", variant.name),
            100.0 * result.other_accuracy,
            "%",
        );
        out.trained(&format!("  gap, {}", variant.name), gap, "");
        results.push((variant.name, gap, result));
    }
    let narrower = results.iter().filter(|(_, gap, _)| *gap < results[0].1).map(|(name, ..)| *name);
    out.say("Smaller gap than without a remedy:");
    out.say(format_args!("  ≈ \"{}\"", narrower.collect::<Vec<_>>().join(", ")));
    out.say("L1, the sum of |w|, has a gradient of equal size for every weight, so that many become 0: a simple model. L2,");
    out.say("the sum of w², has a gradient in proportion to the weight. Share of weights between -0.001 and 0.001:");
    for (name, _, result) in results.iter().filter(|(name, ..)| ["no remedy", "L1", "L2"].contains(name)) {
        out.trained(&format!("weights near 0, {name}"), 100.0 * result.share_near_zero, "%");
    }
    // The curve of early stopping coincides with that of no remedy and ends earlier, so it has dots.
    let style = |name: &str| if name == "early stopping" { Style::LineAndDots } else { Style::Line };
    let series: Vec<_> =
        results.iter().map(|(name, _, result)| Series::new(name, style(name), &result.curve)).collect();
    let (x, y) = (Axis::new("Step of the optimizer").whole(), Axis::new("Loss on other tracks − on its own"));
    let (title, subtitle) =
        ("Remedies against overfitting", "the gap after each epoch, up to the epoch that was kept");
    out.trained_picture(
        "gap",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

/// Three copies of each track, with shifted pitch, stretched time and added noise.
fn augmentation() -> AugmentSpec {
    let probability = 1.0;
    let audio = vec![
        AudioAugmentation::PitchShift(PitchShift { probability, range: [-2.0, 2.0] }),
        AudioAugmentation::TimeStretch(TimeStretch { probability, range: [0.85, 1.0] }),
        AudioAugmentation::Noise(Noise { probability, source: "white".to_owned(), range: [15.0, 40.0] }),
    ];
    AugmentSpec { copies: 3, seed: 0, audio }
}

/// Results of a training.
struct Trained {
    own_accuracy: f64,
    other_accuracy: f64,
    /// Number of steps and gap after every epoch, up to the epoch whose weights were kept.
    curve: Vec<(f64, f64)>,
    /// Share of weights between -0.001 and 0.001.
    share_near_zero: f64,
}

impl Variant {
    fn train(&self, data: &LessonData, recipe: &Training) -> Result<Trained, cantus::Error> {
        let architecture = self.architecture(data);
        let (mut network, mut probe) = (Network::new(&architecture, 0)?, Network::new(&architecture, 0)?);
        let (own, other) = (data.train.examples(), data.validation.examples());
        let more = data.train.and(&data.copies);
        let train = if self.augment { more.examples() } else { own };
        let n_steps = |n_segments: usize| n_segments.div_ceil(BATCH);
        let (plain, now) = (n_steps(data.train.classes.len()), n_steps(cantus_nn::Examples::len(&train)));
        // The same number of steps with augmented copies as without, in fewer epochs.
        let epochs = (recipe.epochs * plain).div_ceil(now);
        let early_stopping =
            self.patience.map(|patience| EarlyStopping { patience, ..EarlyStopping::default() });
        let training = Training { epochs, early_stopping, ..recipe.clone() };
        let mut own_losses = Vec::new();
        let history = network.fit(&train, Some(&other), &training, |progress| {
            if let Progress::Epoch(end) = progress {
                let loss =
                    probe.set_weights(&end.weights()).and_then(|()| probe.evaluate(&own, training.loss));
                own_losses.push(loss.map_or(f64::NAN, |scores| scores.loss));
            }
            ControlFlow::Continue(())
        })?;
        let kept = if self.patience.is_some() { argmin(&history.val_loss) } else { own_losses.len() - 1 };
        let gaps = history.val_loss.iter().zip(&own_losses).take(kept + 1);
        Ok(Trained {
            own_accuracy: network.evaluate(&own, training.loss)?.accuracy.unwrap_or(0.0),
            other_accuracy: network.evaluate(&other, training.loss)?.accuracy.unwrap_or(0.0),
            curve: gaps.enumerate().map(|(i, (other, own))| (((i + 1) * now) as f64, other - own)).collect(),
            share_near_zero: share_near_zero(&network),
        })
    }

    fn architecture(&self, data: &LessonData) -> Architecture {
        let mut layers = vec![LayerSpec::Flatten(Flatten::default())];
        let regularizer = Regularizer { l1: self.l1, l2: self.l2 };
        let kernel_regularizer = (regularizer != Regularizer::default()).then_some(regularizer);
        for &units in self.units {
            let dense = Dense { kernel_regularizer, ..Dense::new(units, Activation::Relu) };
            layers.push(LayerSpec::Dense(dense));
            if self.dropout > 0.0 {
                layers.push(LayerSpec::Dropout(Dropout { rate: self.dropout }));
            }
        }
        layers.push(LayerSpec::Dense(Dense::new(data.labels.len(), Activation::Softmax)));
        Architecture { input_shape: vec![data.n_frames, data.n_bins], layers }
    }
}

/// The index of the smallest value.
fn argmin(values: &[f64]) -> usize {
    (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}

fn share_near_zero(network: &Network) -> f64 {
    let kernels = network.weights().into_iter().filter(|tensor| tensor.name.ends_with("kernel"));
    let weights: Vec<f32> = kernels.flat_map(|tensor| tensor.values).collect();
    weights.iter().filter(|weight| weight.abs() < 1e-3).count() as f64 / weights.len().max(1) as f64
}
