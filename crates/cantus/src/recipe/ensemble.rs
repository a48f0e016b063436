//! Ensembles: recipes of several networks that are trained separately, and whose probabilities are averaged.
//!
//! All networks read the same segments, each the kinds of features of its own recipe; settings of the features are those of the
//! ensemble. The trained model is one network with an [`Average`] of the others.
//!
//! # Reference
//! L. K. Hansen & P. Salamon, "Neural network ensembles", IEEE Transactions on Pattern Analysis and Machine Intelligence 1990.

use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_nn::layer::{Average, Branch, Reshape};
use cantus_nn::{Architecture, LayerSpec, Network, Tensor, Training};

use super::Recipe;
use crate::bin_selection::BinSelection;
use crate::{Augmentation, Error};

impl Recipe {
    /// Whether it trains several networks.
    #[must_use]
    pub fn is_ensemble(&self) -> bool {
        !self.members.is_empty()
    }

    /// The recipe of each network: the members of an ensemble, otherwise the recipe itself.
    #[must_use]
    pub fn networks(&self) -> &[Self] {
        if self.is_ensemble() { &self.members } else { std::slice::from_ref(self) }
    }

    /// [`networks`](Self::networks), for changes.
    pub fn networks_mut(&mut self) -> &mut [Self] {
        if self.is_ensemble() { &mut self.members } else { std::slice::from_mut(self) }
    }

    /// Whether a network stops early, which needs a validation part.
    #[must_use]
    pub fn stops_early(&self) -> bool {
        self.networks().iter().any(|network| network.training.early_stopping.is_some())
    }

    /// The members of an ensemble with its features, and the altered copies that they need.
    ///
    /// # Errors
    /// If the recipe has settings that only a single network can have, or its members do not fit together.
    pub(super) fn complete_members(&mut self) -> Result<(), String> {
        if !self.is_ensemble() {
            return Ok(());
        }
        if let Some(setting) = self.setting_of_one_network() {
            return Err(format!(
                "{setting}: an ensemble has none of its own; set it in the recipe of a member"
            ));
        }
        if self.members.len() == 1 {
            return Err("members: an ensemble has at least two".to_owned());
        }
        for member in &self.members {
            let refuse = |reason: String| Err(format!("member {}: {reason}", member.name));
            if member.is_ensemble() {
                return refuse("an ensemble cannot be a member of another".to_owned());
            }
            if member.normalize != self.normalize {
                return refuse(format!(
                    "normalize = {}, but that of the ensemble is {}",
                    member.normalize, self.normalize
                ));
            }
            let missing = member.features.kinds.iter().find(|kind| !self.features.kinds.contains(kind));
            if let Some(kind) = missing {
                return refuse(format!("needs {}, which is not in the kinds of the ensemble", kind.name()));
            }
            if member.augmentation.copies > 0 {
                let copies = copies_of(&member.augmentation);
                let most = self.augmentation.copies.max(copies.copies);
                let of_all = Augmentation { copies: most, ..copies };
                if self.augmentation.copies > 0 && self.augmentation.audio != of_all.audio {
                    return refuse(
                        "its augmented copies are made otherwise than those of another".to_owned(),
                    );
                }
                self.augmentation = of_all;
            }
        }
        self.members = self.members_with(&self.features);
        Ok(())
    }

    /// The first setting that only a recipe of one network can have.
    fn setting_of_one_network(&self) -> Option<&'static str> {
        let Self { training, layers, crop_frames, n_crops, class_weight, balanced_sampling, .. } = self;
        let Augmentation { spec_augment, mixup, .. } = &self.augmentation;
        [
            ("layers", !layers.is_empty()),
            ("training", *training != Training::default()),
            ("crop_frames", crop_frames.is_some()),
            ("n_crops", *n_crops != 1),
            ("class_weight", class_weight.is_some()),
            ("balanced_sampling", *balanced_sampling),
            ("spec_augment", spec_augment.is_some()),
            ("mixup", mixup.is_some()),
        ]
        .into_iter()
        .find_map(|(setting, is_set)| is_set.then_some(setting))
    }

    /// The members with their kinds of these features.
    pub(super) fn members_with(&self, features: &FeatureSpec) -> Vec<Self> {
        let adapted = |member: &Self| member.with_features(of_kinds(features, &member.features.kinds));
        self.members.iter().map(adapted).collect()
    }

    /// The network of an ensemble for whole segments of these features: the mean of its members' outputs.
    pub(crate) fn average(&self, features: &FeatureSpec, n_labels: usize) -> Architecture {
        let n_frames = features.frames_per_segment();
        let branch = |member: &Self| {
            let bins = BinSelection::new(features, &member.features.kinds);
            let of_segments = Self { crop_frames: None, ..member.clone() };
            let Architecture { input_shape, layers } =
                of_segments.architecture(n_frames, bins.n_bins(), n_labels);
            let shape = is_reshaped(&input_shape)
                .then_some(LayerSpec::Reshape(Reshape { target_shape: input_shape }));
            Branch { bins: bins.ranges().to_vec(), layers: shape.into_iter().chain(layers).collect() }
        };
        let branches = self.members.iter().map(branch).collect();
        Architecture {
            input_shape: vec![n_frames, features.n_bins()],
            layers: vec![LayerSpec::Average(Average { branches })],
        }
    }

    /// The network of an ensemble with the weights of its members' networks.
    ///
    /// # Errors
    /// [`Error::RecipeMisfit`] if a member is trained on crops and has layers that depend on the number of frames, so that its
    /// weights are not those of a network for whole segments.
    pub(crate) fn averaged(
        &self,
        features: &FeatureSpec,
        n_labels: usize,
        networks: &[&Network],
    ) -> Result<Network, Error> {
        let weights: Vec<Tensor> = networks
            .iter()
            .enumerate()
            .flat_map(|(index, network)| weights_of_member(index, network))
            .collect();
        Network::with_weights(&self.average(features, n_labels), &weights).map_err(|error| {
            let reason = format!("its networks cannot be averaged over whole segments: {error}");
            Error::RecipeMisfit { name: self.name.clone(), reason }
        })
    }
}

/// The weights of a member's network under their names in the network of the ensemble.
fn weights_of_member(index: usize, network: &Network) -> impl Iterator<Item = Tensor> {
    let n_before = usize::from(is_reshaped(network.input_shape()));
    network.weights().into_iter().map(move |mut tensor| {
        let place = tensor.name.strip_prefix("layers.").and_then(|name| name.split_once('.'));
        if let Some((layer, name)) =
            place.and_then(|(layer, name)| Some((layer.parse::<usize>().ok()?, name)))
        {
            tensor.name = format!("layers.0.branches.{index}.layers.{}.{name}", layer + n_before);
        }
        tensor
    })
}

/// Whether a network's input has an axis of channels, which the branch of an ensemble adds by a layer.
fn is_reshaped(input_shape: &[usize]) -> bool {
    input_shape.len() > 2
}

/// A specification of some kinds only.
fn of_kinds(features: &FeatureSpec, kinds: &[FeatureKind]) -> FeatureSpec {
    let mut features = features.clone();
    if !kinds.contains(&FeatureKind::Embedding) {
        features.embeddings.clear();
    }
    FeatureSpec { kinds: kinds.to_vec(), ..features }
}

/// The part of an augmentation that makes altered copies of recordings.
fn copies_of(augmentation: &Augmentation) -> Augmentation {
    Augmentation { spec_augment: None, mixup: None, ..augmentation.clone() }
}

/// Members in a recipe file: the names of recipes or, as a run records them, their names and contents.
pub(super) mod members {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Recipe;

    #[derive(Serialize)]
    struct Written<'a> {
        name: &'a str,
        recipe: &'a Recipe,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Name(String),
        Content(Box<Content>),
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Content {
        name: String,
        recipe: Recipe,
    }

    pub(in crate::recipe) fn serialize<S: Serializer>(
        members: &[Recipe],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(members.iter().map(|recipe| Written { name: &recipe.name, recipe }))
    }

    pub(in crate::recipe) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Recipe>, D::Error> {
        let member = |given| match given {
            Given::Name(name) => Recipe::load_single(&name).map_err(D::Error::custom),
            Given::Content(content) => Ok(Recipe { name: content.name, ..content.recipe }),
        };
        Vec::<Given>::deserialize(deserializer)?.into_iter().map(member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensemble(text: &str) -> Result<Recipe, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        Recipe::load(path.to_str().unwrap()).map_err(|error| error.to_string())
    }

    const TEXT: &str = "fit_segments = true\nmembers = ['log-mel-pooled-cnn', 'best']\n[features]\nn_mels = 32\nn_mfcc = 13\n\
        kinds = ['log_mel', 'mfcc', 'spectral_centroid', 'spectral_bandwidth', 'spectral_rolloff', 'spectral_flatness', \
        'zero_crossing_rate', 'rms', 'chroma_stft', 'onset_strength']\n";

    #[test]
    fn members_have_the_settings_of_the_features_of_the_ensemble() {
        let recipe = ensemble(TEXT).unwrap();
        let [cnn, best] = recipe.networks() else { panic!("two members") };
        assert_eq!((cnn.features.n_mels, cnn.features.kinds.len()), (32, 1));
        assert_eq!((best.features.n_mfcc, best.features.n_bins()), (13, 32));
        let Some(LayerSpec::RandomFourierFeatures(features)) = best.layers.last() else { panic!("{best:?}") };
        let sizes: Vec<_> = features.groups.iter().map(|group| group.inputs).collect();
        assert_eq!(sizes, [78, 36, 72, 6].map(Some), "six statistics of 13, 6, 12 and 1 bins");
        assert!(!recipe.stops_early());
    }

    #[test]
    fn an_ensemble_round_trips_with_its_members() {
        let recipe = ensemble(TEXT).unwrap();
        let text = toml::to_string(&recipe).unwrap();
        let again: Recipe = toml::from_str(&text).unwrap();
        assert_eq!(again, Recipe { name: String::new(), ..recipe.clone() }, "{text}");
        assert_eq!(Recipe { name: recipe.name.clone(), ..ensemble(&text).unwrap() }, recipe);
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_a_reason() {
        for (from, to, expected) in [
            ("members", "crop_frames = 87\nmembers", "crop_frames: an ensemble has none of its own"),
            ("[features]", "[training]\nepochs = 9\n[features]", "training: an ensemble has none of its own"),
            ("'log_mel', ", "", "member log-mel-pooled-cnn: needs log_mel, which is not in the kinds"),
            (", 'best'", "", "at least two"),
            ("'best'", "'mlp'", "member mlp: normalize = false, but that of the ensemble is true"),
            ("'best'", "'bset'", "recipe bset: No such file"),
            ("'best'", "'ensemble'", "an ensemble cannot be a member of another"),
            ("members = [", "member = [", "unknown field `member`"),
            ("members = ['log-mel-pooled-cnn', 'best']", "", "missing field `training`"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let error = ensemble(&TEXT.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{to}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn copies_that_a_member_needs_are_those_of_the_ensemble() {
        let recipe = ensemble(&TEXT.replace("'best'", "'log-mel-cnn'")).unwrap();
        let copies = Recipe::load("log-mel-cnn").unwrap().required_copies().unwrap();
        assert_eq!(recipe.required_copies().unwrap(), copies);
    }
}
