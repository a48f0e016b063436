//! Lecture 14: overfitting, and five remedies, each measured.
//!
//!     cargo run --release --example lesson_14_overfitting

use std::ops::ControlFlow;

use cantus::lesson::{Material, Music, Part, Sheet};
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_audio::feature::FeatureSpec;
use cantus_audio::synth::Genre;
use cantus_nn::layer::{Dense, Dropout, Flatten};
use cantus_nn::{
    Activation, Architecture, EarlyStopping, Examples, LayerSpec, Network, Regularizer, Target, Training,
};

const GENRES: [Genre; 5] = [Genre::Blues, Genre::Country, Genre::Jazz, Genre::Pop, Genre::Rock];
const MUSIC: Music = Music { genres: &GENRES, n_train: 12, n_validation: 8, duration_s: 9.0 };

/// A way to train: the lecture's network and settings, but for what a remedy changes.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    units: &'static [usize],
    dropout: f32,
    l2: f32,
    augment: bool,
    patience: Option<usize>,
}

const PLAIN: Way =
    Way { name: "no remedy", units: &[512, 256, 64], dropout: 0.0, l2: 0.0, augment: false, patience: None };
const WAYS: [Way; 6] = [
    PLAIN,
    Way { name: "simpler network", units: &[16], ..PLAIN },
    Way { name: "augmentation", augment: true, ..PLAIN },
    Way { name: "early stopping", patience: Some(3), ..PLAIN },
    Way { name: "dropout", dropout: 0.5, ..PLAIN },
    Way { name: "regularisation", l2: 0.01, ..PLAIN },
];

/// The same music, six ways.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let material = Material::prepare(sheet, &MUSIC, &FeatureSpec::course())?;
    sheet.say("A network overfits when it does much better on what it learnt from than on anything else. The loss tells");
    sheet.say("it best: the gap is the loss on other tracks less the loss on its own.");
    let mut curves = Vec::new();
    for way in WAYS {
        let mut network = Network::new(&way.architecture(&material), 0)?;
        let augmented = Augmented(&material.train, material.n_bins);
        let (plain, validation) = (material.train.examples(), material.validation.examples());
        let train: &dyn Examples = if way.augment { &augmented } else { &plain };
        let early_stopping =
            way.patience.map(|patience| EarlyStopping { patience, ..EarlyStopping::default() });
        let training = Training { epochs: 40, early_stopping, ..Training::default() };
        let record = network.fit(train, Some(&validation), &training, |_| ControlFlow::Continue(()))?;
        let own = network.evaluate(&plain, training.loss)?;
        let other = network.evaluate(&validation, training.loss)?;
        sheet.say(format_args!("{}:", way.name));
        sheet.result("  accuracy on its own tracks", 100.0 * own.accuracy.unwrap_or(0.0), "%");
        sheet.result("  accuracy on other tracks", 100.0 * other.accuracy.unwrap_or(0.0), "%");
        sheet.result(&format!("  gap with {}", way.name), other.loss - own.loss, "");
        let gaps = record.val_loss.iter().zip(&record.loss).enumerate();
        curves.push((way.name, gaps.map(|(i, (v, t))| ((i + 1) as f64, v - t)).collect::<Vec<_>>()));
    }
    let series: Vec<_> = curves.iter().map(|(name, gaps)| Series::new(name, Style::Line, gaps)).collect();
    let (x, y) = (Axis::new("Epoch").whole(), Axis::new("Validation loss − training loss"));
    let (title, subtitle) = ("Five remedies against overfitting", "the gap while training");
    sheet.picture("gap", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

impl Way {
    fn architecture(&self, material: &Material) -> Architecture {
        let mut layers = vec![LayerSpec::Flatten(Flatten::default())];
        for &units in self.units {
            let kernel_regularizer = (self.l2 > 0.0).then(|| Regularizer::l2(self.l2));
            layers
                .push(LayerSpec::Dense(Dense { kernel_regularizer, ..Dense::new(units, Activation::Relu) }));
            if self.dropout > 0.0 {
                layers.push(LayerSpec::Dropout(Dropout { rate: self.dropout }));
            }
        }
        layers.push(LayerSpec::Dense(Dense::new(material.labels.len(), Activation::Softmax)));
        Architecture { input_shape: vec![material.n_frames, material.n_bins], layers }
    }
}

/// Every epoch hears each segment begin elsewhere, and over another noise.
struct Augmented<'a>(&'a Part, usize);

impl Examples for Augmented<'_> {
    fn len(&self) -> usize {
        self.0.classes.len()
    }

    fn input_len(&self) -> usize {
        self.0.inputs.len() / self.len()
    }

    fn write_input(&self, index: usize, epoch: usize, input: &mut [f32]) {
        let n = input.len();
        // Chance that depends on the place alone, so that every run hears the same (Knuth's multiplicative hash).
        let chance = |i: usize| ((i + 7919 * (index + 104_729 * epoch)) as u32).wrapping_mul(2_654_435_769);
        let shift = chance(n) as usize % (n / self.1) * self.1;
        input.copy_from_slice(&self.0.inputs[index * n..(index + 1) * n]);
        input.rotate_left(shift);
        for (i, value) in input.iter_mut().enumerate() {
            *value += chance(i) as f32 / u32::MAX as f32 - 0.5;
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(self.0.classes[index])
    }
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/14", &mut std::io::stdout()))
}
