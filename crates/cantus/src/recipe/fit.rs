//! Fits a recipe to segments of another length: its features, and the layers that depend on the number of frames.

use cantus_audio::feature::FeatureSpec;
use cantus_dataset::{Durations, SegmentFit};
use cantus_nn::LayerSpec;
use cantus_nn::layer::InputGroup;

use super::Recipe;

impl Recipe {
    /// The recipe with segments and frames that fit recordings of these durations, and the reason in a line. A recipe without
    /// [`fit_segments`](Self::fit_segments) is unchanged, and has no reason.
    #[must_use]
    pub fn fitted_to(&self, durations: &Durations) -> (Self, Option<String>) {
        if !self.fit_segments {
            return (self.clone(), None);
        }
        let SegmentFit { spec, reason } = SegmentFit::new(&self.features, durations);
        (self.with_features(spec), Some(reason))
    }

    /// The recipe with other features. If it is one [to be fitted](Self::fit_segments), crops that are not shorter than a segment
    /// and scales of pooling layers that do not fit the number of frames are left out, and the groups of a kernel machine follow
    /// them. The members of an ensemble are adapted likewise.
    #[must_use]
    pub fn with_features(&self, features: FeatureSpec) -> Self {
        let mut recipe = Self { members: self.members_with(&features), features, ..self.clone() };
        if self.fit_segments {
            let n_frames = recipe.features.frames_per_segment();
            if recipe.crop_frames.is_some_and(|crop| crop >= n_frames) {
                (recipe.crop_frames, recipe.n_crops) = (None, 1);
            }
            let n_frames = recipe.crop_frames.unwrap_or(n_frames);
            let group_sizes = group_sizes(&self.features, &recipe.features);
            let is_summarised = recipe.features.has_one_row();
            fit_layers(&mut recipe.layers, n_frames, &group_sizes, is_summarised);
        }
        recipe
    }
}

/// Bins of each kind of feature, before and after the change of the features.
fn group_sizes(before: &FeatureSpec, after: &FeatureSpec) -> Vec<(usize, usize)> {
    let columns = |spec: &FeatureSpec| -> Vec<usize> {
        spec.kinds.iter().map(|&kind| FeatureSpec { kinds: vec![kind], ..spec.clone() }.n_bins()).collect()
    };
    columns(before).into_iter().zip(columns(after)).collect()
}

/// Leaves out scales of statistics that need more frames, and adapts the groups of the random features behind them.
fn fit_layers(layers: &mut [LayerSpec], n_frames: usize, kinds: &[(usize, usize)], is_summarised: bool) {
    // A summary consists of statistics already.
    let mut n_statistics = is_summarised.then_some((1, 1));
    for layer in layers {
        match layer {
            LayerSpec::StatisticsPooling1D(pooling) => {
                let before = 2 + pooling.scales.len();
                pooling.scales.retain(|&scale| 2 * scale < n_frames);
                n_statistics = Some((before, 2 + pooling.scales.len()));
            }
            LayerSpec::RandomFourierFeatures(features) => {
                if let Some((before, after)) = n_statistics {
                    features.groups = adapted_groups(&features.groups, before, after, kinds);
                }
            }
            _ => {}
        }
    }
}

/// Groups of `after` statistics in place of `before` ones, and of as many bins as the kinds in each group have now. Groups
/// that are not whole kinds are returned unchanged; a recipe with them is refused when its network is built.
fn adapted_groups(
    groups: &[InputGroup],
    before: usize,
    after: usize,
    kinds: &[(usize, usize)],
) -> Vec<InputGroup> {
    let mut rest = kinds.iter();
    let adapted: Option<Vec<InputGroup>> = groups
        .iter()
        .map(|&group| {
            // A group of all that remains still is one.
            let Some(inputs) = group.inputs else { return Some(group) };
            let (mut n_before, mut n_after) = (0, 0);
            while n_before * before < inputs {
                let (bins_before, bins_after) = rest.next()?;
                n_before += bins_before;
                n_after += bins_after;
            }
            let inputs = (n_before * before == inputs).then_some(n_after * after)?;
            Some(InputGroup { inputs: Some(inputs), ..group })
        })
        .collect();
    adapted.unwrap_or_else(|| groups.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(seconds: &[f64]) -> Durations {
        Durations::from_seconds(seconds.iter().copied())
    }

    #[test]
    fn the_best_recipe_builds_a_network_for_recordings_of_any_length() {
        let best = Recipe::load("best").unwrap();
        for seconds in
            [[0.05, 0.1, 0.1], [0.15, 0.42, 1.1], [0.3, 1.0, 8.0], [2.0, 4.0, 6.0], [30.0, 30.0, 30.0]]
        {
            let (recipe, reason) = best.fitted_to(&durations(&seconds));
            let spec = &recipe.features;
            let architecture = recipe.architecture(spec.frames_per_segment(), spec.n_bins(), 10);
            let network = cantus_nn::Network::new(&architecture, 0);
            assert_eq!(network.unwrap().output_shape(), [10], "{seconds:?}");
            assert!(reason.unwrap().starts_with("segments of "));
        }
        let (songs, _) = best.fitted_to(&durations(&[29.0, 30.0, 31.0]));
        assert_eq!(songs, best);
        let (hours, _) = best.fitted_to(&durations(&[3600.0; 3]));
        assert_eq!((hours.layers, hours.features.n_fft), (best.layers, 2048));
    }

    /// The patch of the embedding model lasts 1 s.
    #[test]
    fn recipes_with_embeddings_have_segments_of_at_least_a_patch() {
        for name in ["embedding", "embedding-kernel", "embedding-mlp", "embedding-best"] {
            let recipe = crate::recipe::load_with_embedding(name);
            for (seconds, expected_s) in [
                ([0.1, 0.2, 0.3], 1.0),
                ([0.5, 1.6, 2.0], 2.0),
                ([15.0, 17.0, 20.0], 20.0),
                ([30.0; 3], 30.0),
            ] {
                let (fitted, reason) = recipe.fitted_to(&durations(&seconds));
                let spec = &fitted.features;
                assert_eq!(
                    spec.segment_samples() as f64,
                    expected_s * f64::from(spec.sample_rate),
                    "{name}: {reason:?}"
                );
                fitted.validate_for(spec, 4).unwrap();
                spec.validate().unwrap();
                assert_eq!(spec.frames_per_segment(), 1);
            }
        }
    }

    #[test]
    fn crops_are_left_out_where_a_segment_is_not_longer() {
        let recipe = Recipe::load("log-mel-pooled-cnn").unwrap();
        let crops = |seconds: &[f64]| {
            let fitted = recipe.fitted_to(&durations(seconds)).0;
            fitted.validate_for(&fitted.features, 4).unwrap();
            fitted.crops().map(|crops| (crops.n_frames, crops.n_crops))
        };
        assert_eq!(crops(&[30.0; 3]), Some((87, 3)));
        assert_eq!((crops(&[0.3; 3]), crops(&[2.0; 3])), (None, None));
    }

    #[test]
    fn a_recipe_of_the_course_is_not_fitted() {
        let mlp = Recipe::load("mlp").unwrap();
        assert_eq!(mlp.fitted_to(&durations(&[0.2, 0.3])), (mlp.clone(), None));
    }

    #[test]
    fn groups_follow_the_statistics_and_the_bins_of_their_kinds() {
        let kinds = [(40, 32), (1, 1), (5, 5), (12, 12)];
        let rest = InputGroup { inputs: None, kernel: None, weight: 2.0 };
        let groups = |sizes: [usize; 3]| [&sizes.map(InputGroup::of)[..], &[rest]].concat();
        assert_eq!(adapted_groups(&groups([240, 36, 72]), 6, 4, &kinds), groups([128, 24, 48]));
        assert_eq!(adapted_groups(&groups([240, 30, 72]), 6, 4, &kinds), groups([240, 30, 72]));
    }
}
