//! Recipes: training configurations in TOML, with feature specification, network layers, augmentation and training
//! settings. Eighteen are built in; each is one file that can be copied and edited.

mod embeddings;
pub(crate) mod ensemble;
mod fit;
mod load;
mod validate;

use cantus_audio::feature::FeatureSpec;
use cantus_nn::layer::Dense;
use cantus_nn::{Activation, Architecture, LayerSpec, Loss, Training};
use serde::{Deserialize, Serialize};

use crate::{Augmentation, ClassWeight, Crops, Error, Task};

/// The recipes that come with Cantus: name and TOML.
const BUILT_IN: [(&str, &str); 18] = [
    ("mlp", include_str!("mlp.toml")),
    ("mlp-normalised", include_str!("mlp-normalised.toml")),
    ("mlp-regularised", include_str!("mlp-regularised.toml")),
    ("cnn", include_str!("cnn.toml")),
    ("rnn", include_str!("rnn.toml")),
    ("lstm", include_str!("lstm.toml")),
    ("gru", include_str!("gru.toml")),
    ("multi-timescale-lstm", include_str!("multi-timescale-lstm.toml")),
    ("best", include_str!("best.toml")),
    ("logistic-regression", include_str!("logistic-regression.toml")),
    ("kernel-machine", include_str!("kernel-machine.toml")),
    ("log-mel-cnn", include_str!("log-mel-cnn.toml")),
    ("log-mel-pooled-cnn", include_str!("log-mel-pooled-cnn.toml")),
    ("ensemble", include_str!("ensemble.toml")),
    ("embedding", include_str!("embedding.toml")),
    ("embedding-kernel", include_str!("embedding-kernel.toml")),
    ("embedding-mlp", include_str!("embedding-mlp.toml")),
    ("embedding-best", include_str!("embedding-best.toml")),
];

/// A named training configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name, or the path it was read from.
    #[serde(skip)]
    pub name: String,
    /// Feature specification; an existing feature store has its own, which applies instead.
    #[serde(default = "FeatureSpec::course")]
    pub features: FeatureSpec,
    /// Whether the segments, the frames and the scales of pooling layers are fitted to the durations of the recordings; the
    /// recipe's own values are those for recordings of 30 s. See [`fitted_to`](Self::fitted_to).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fit_segments: bool,
    /// Whether each feature bin is standardised to zero mean and unit deviation, computed on the training part.
    #[serde(default = "yes")]
    pub normalize: bool,
    /// Frames of the network's input; whole segments if absent. In training, each epoch crops every segment at a random
    /// frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop_frames: Option<usize>,
    /// Evenly spaced crops of a segment whose predictions are averaged in validation and prediction.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub n_crops: usize,
    /// Weight of each class's examples in the loss; all equal if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// Whether classes are sampled equally often in training, whatever their sizes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub balanced_sampling: bool,
    /// Augmentation of the training part.
    #[serde(default, skip_serializing_if = "is_default")]
    pub augmentation: Augmentation,
    /// The recipes of an ensemble's networks, which have [its features](Self::networks); empty for a single network. In a file,
    /// their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "ensemble::members")]
    pub members: Vec<Self>,
    /// Training settings, named as in Keras; of an ensemble, those of its members apply.
    #[serde(default)]
    pub training: Training,
    /// The network without its output layer; of an ensemble, none.
    #[serde(default)]
    pub layers: Vec<LayerSpec>,
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_default(augmentation: &Augmentation) -> bool {
    *augmentation == Augmentation::default()
}

impl Recipe {
    /// Names of the built-in recipes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The crops of a segment that are the network's input; `None` if the input is the whole segment.
    #[must_use]
    pub fn crops(&self) -> Option<Crops> {
        self.crop_frames.map(|n_frames| Crops { n_frames, n_crops: self.n_crops })
    }
}

impl Recipe {
    /// The recipe adapted to a task: for tags, a loss for classes is replaced by binary cross-entropy, and with it the
    /// activation of the output layer.
    ///
    /// # Errors
    /// If a setting is not defined for the task.
    pub fn for_task(&self, task: Task) -> Result<Self, Error> {
        let refuse =
            |reason: &str| Err(Error::RecipeMisfit { name: self.name.clone(), reason: reason.to_owned() });
        if self.is_ensemble() {
            let members = self.members.iter().map(|member| member.for_task(task));
            return Ok(Self { members: members.collect::<Result<_, _>>()?, ..self.clone() });
        }
        let mut recipe = self.clone();
        let loss = &mut recipe.training.loss;
        match (task, *loss) {
            (Task::Tagging, Loss::SparseCategoricalCrossentropy) => {
                *loss = Loss::BinaryCrossentropy { label_smoothing: 0.0 };
            }
            (Task::Tagging, Loss::CategoricalCrossentropy { label_smoothing }) => {
                *loss = Loss::BinaryCrossentropy { label_smoothing };
            }
            (Task::Tagging, Loss::MeanSquaredError) => {
                return refuse("loss: tags require binary_crossentropy; omit the loss, or set it to that");
            }
            (Task::Classification, Loss::BinaryCrossentropy { .. }) => {
                return refuse(
                    "loss: binary_crossentropy is for several labels in a track (a manifest with the column labels); use sparse_categorical_crossentropy",
                );
            }
            _ => {}
        }
        if task == Task::Tagging && (self.class_weight.is_some() || !self.training.class_weights.is_empty()) {
            return refuse(
                "class_weight: a track with several labels has no single class to weight; omit it",
            );
        }
        if task == Task::Tagging && self.balanced_sampling {
            return refuse(
                "balanced_sampling: a track with several labels has no single class to balance; omit it",
            );
        }
        Ok(recipe)
    }

    /// The network for segments (or crops of segments) of this shape: the recipe's layers and an output layer of `n_labels`
    /// neurons, with softmax for classes and sigmoid where the loss is binary cross-entropy. If the first layer is a
    /// convolution, the input is an image of one channel. The network of an ensemble is that for whole segments of its features.
    #[must_use]
    pub fn architecture(&self, n_frames: usize, n_bins: usize, n_labels: usize) -> Architecture {
        if self.is_ensemble() {
            return self.average(&self.features, n_labels);
        }
        let mut input_shape = vec![self.crop_frames.unwrap_or(n_frames), n_bins];
        if let Some(LayerSpec::Conv2D(_)) = self.layers.first() {
            input_shape.push(1);
        }
        let mut layers = self.layers.clone();
        let activation = match self.training.loss {
            Loss::BinaryCrossentropy { .. } => Activation::Sigmoid,
            _ => Activation::Softmax,
        };
        layers.push(LayerSpec::Dense(Dense::new(n_labels, activation)));
        Architecture { input_shape, layers }
    }
}

/// A built-in recipe, with an embedding model that has no graph if it needs one.
#[cfg(test)]
pub(crate) fn load_with_embedding(name: &str) -> Recipe {
    let recipe = Recipe::load(name).unwrap();
    if !recipe.needs_embeddings() {
        return recipe;
    }
    let description: cantus_audio::feature::EmbeddingDescription = crate::parse_toml(
        "name = 'test'\nsource = ''\nlicence = ''\ncitation = ''\ntraining_data = []\n\
         [input]\nname = 'x'\nshape = ['patch', 'sample']\nsample_rate = 16000\n\
         [patch]\nlength = 16000\nhop = 16000\n[output]\nname = 'y'\nsize = 5",
    )
    .unwrap();
    recipe.with_embeddings(&[description.into()]).unwrap()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_built_in_recipe_is_well_formed() {
        for name in Recipe::names() {
            let recipe = load_with_embedding(name);
            recipe.features.validate().unwrap();
            let spec = &recipe.features;
            let architecture = recipe.architecture(spec.frames_per_segment(), spec.n_bins(), 10);
            let network = cantus_nn::Network::new(&architecture, 0).unwrap();
            assert_eq!(network.output_shape(), [10], "{name}");
        }
    }

    /// Lectures 13, 14, 16 and 19: epochs, learning rate of Adam, dropout, L2; batches of 32, no normalisation, no early stopping.
    #[test]
    fn lecture_recipes_have_the_settings_of_the_lectures() {
        for (name, epochs, learning_rate, dropout, l2) in [
            ("mlp", 50, 1e-3, None, None),
            ("mlp-regularised", 50, 1e-3, Some(0.3), Some(0.001)),
            ("cnn", 30, 1e-4, Some(0.3), None),
            ("lstm", 30, 1e-4, Some(0.3), None),
            ("rnn", 30, 1e-4, Some(0.3), None),
            ("gru", 30, 1e-4, Some(0.3), None),
            ("multi-timescale-lstm", 30, 1e-4, Some(0.3), None),
        ] {
            let recipe = Recipe::load(name).unwrap();
            let adam = cantus_nn::optimizer::Adam { learning_rate, ..Default::default() };
            let expected = Training {
                epochs,
                batching: cantus_nn::Batching::Mini(32),
                loss: Loss::SparseCategoricalCrossentropy,
                optimizer: cantus_nn::Optimizer::Adam(adam),
                ..Training::default()
            };
            assert_eq!(recipe.training, expected, "{name}");
            assert!(!recipe.normalize && recipe.features == FeatureSpec::course(), "{name}");
            for layer in &recipe.layers {
                match layer {
                    LayerSpec::Dropout(layer) => assert_eq!(Some(layer.rate), dropout, "{name}"),
                    LayerSpec::Dense(layer) => {
                        let penalty = layer.kernel_regularizer;
                        assert_eq!(penalty, l2.map(cantus_nn::Regularizer::l2), "{name}");
                    }
                    _ => {}
                }
            }
            let n_dropouts =
                recipe.layers.iter().filter(|layer| matches!(layer, LayerSpec::Dropout(_))).count();
            let expected = match name {
                "mlp" => 0,
                "mlp-regularised" => 3,
                _ => 1,
            };
            assert_eq!(n_dropouts, expected, "{name}");
        }
    }

    #[test]
    fn a_recipe_round_trips_through_toml() {
        let recipe = Recipe::load("mlp").unwrap();
        let text = toml::to_string(&recipe).unwrap();
        let again: Recipe = toml::from_str(&text).unwrap();
        assert_eq!(again.layers, recipe.layers);
        assert_eq!(again.features, recipe.features);
    }

    /// All settings of a recipe beside features, training and layers.
    const AUGMENTED: &str = r#"
        crop_frames = 100
        n_crops = 3
        balanced_sampling = true
        class_weight = { jazz = 2, rock = 0.5 }

        [augmentation]
        copies = 2
        seed = 7
        audio = [
            { type = "pitch_shift", probability = 0.5, range = [-2, 2] },
            { type = "noise", source = "rain", range = [10, 30] },
        ]
        spec_augment = { n_time_masks = 1, time_width = 20, n_frequency_masks = 1, frequency_width = 4 }
        mixup = { alpha = 0.2 }

        [training]
        averaging = { type = "swa", from_epoch = 2 }

        [[layers]]
        type = "Flatten"
    "#;

    fn load_text(text: &str) -> Result<(Recipe, PathBuf), Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        Recipe::load(path.to_str().unwrap()).map(|recipe| (recipe, dir.path().to_owned()))
    }

    #[test]
    fn an_augmented_recipe_round_trips_and_resolves_paths_against_its_folder() {
        let (recipe, dir) = load_text(AUGMENTED).unwrap();
        let text = toml::to_string(&recipe).unwrap();
        let again: Recipe = toml::from_str(&text).unwrap();
        assert_eq!(again, Recipe { name: String::new(), ..recipe.clone() }, "{text}");
        assert_eq!(recipe.architecture(130, 13, 4).input_shape, [100, 13]);
        assert!(text.contains(dir.join("rain").to_str().unwrap()), "{text}");
        let plain = toml::to_string(&Recipe::load("mlp").unwrap()).unwrap();
        assert!(!plain.contains("augmentation") && !plain.contains("crops"), "{plain}");
    }

    #[test]
    fn inconsistent_settings_are_refused_with_a_reason() {
        let problem = |from: &str, to: &str| {
            assert!(AUGMENTED.contains(from));
            match load_text(&AUGMENTED.replace(from, to)) {
                Err(error) => error.to_string(),
                Ok((recipe, _)) => recipe.misfit(130, 13).unwrap_or_default(),
            }
        };
        assert_eq!(problem("seed = 7", "seed = 8"), "");
        for (from, to, expected) in [
            ("crop_frames = 100\n", "", "n_crops without crop_frames"),
            ("n_crops = 3", "n_crops = 0", "n_crops = 0: must be at least 1"),
            ("crop_frames = 100", "crop_frames = 131", "a segment has 130 frames"),
            ("time_width = 20", "time_width = 101", "the network's input has 100 frames"),
            ("frequency_width = 4", "frequency_width = 14", "the network's input has 13 bins"),
            ("crop_frames = 100", "crop_frames = 100\nnormalize = false", "only if normalize = true"),
            ("alpha = 0.2", "alpha = 0", "mixup: alpha = 0: must be more than 0"),
            ("copies = 2", "copies = 0", "copies = 0: expected at least 1, as audio lists augmentations"),
            (
                "class_weight = { jazz = 2, rock = 0.5 }",
                "class_weight = 3",
                "class_weight must be \"balanced\"",
            ),
            ("time_width = 20", "time_widht = 20", "time_widht"),
        ] {
            let message = problem(from, to);
            assert!(message.contains(expected), "{to}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn every_built_in_recipe_ends_in_sigmoids_where_labels_are_tags() {
        for name in Recipe::names() {
            let recipe = load_with_embedding(name).for_task(Task::Tagging).unwrap();
            let spec = &recipe.features;
            let architecture = recipe.architecture(spec.frames_per_segment(), spec.n_bins(), 5);
            assert_eq!(Task::of(&architecture), Task::Tagging, "{name}");
            let of_tags = |network: &Recipe| matches!(network.training.loss, Loss::BinaryCrossentropy { .. });
            assert!(recipe.networks().iter().all(of_tags), "{name}");
            // A recipe adapted to tags is unchanged by the same task, and refused for classes.
            assert_eq!(recipe.for_task(Task::Tagging).unwrap(), recipe);
            let error = recipe.for_task(Task::Classification).unwrap_err().to_string();
            assert!(error.contains("binary_crossentropy is for several labels"), "{error}");
            let classes = load_with_embedding(name);
            assert_eq!(classes.for_task(Task::Classification).unwrap(), classes);
        }
        let (recipe, _) = load_text(AUGMENTED).unwrap();
        assert!(recipe.for_task(Task::Tagging).unwrap_err().to_string().contains("class_weight"));
        let recipe = Recipe { class_weight: None, ..recipe };
        assert!(recipe.for_task(Task::Tagging).unwrap_err().to_string().contains("balanced_sampling"));
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_the_built_in_recipes() {
        let error = Recipe::load("mpl").unwrap_err().to_string();
        assert!(error.contains("mlp-regularised"), "{error}");
    }
}
