//! The recipes that a selection tries.

use cantus_audio::feature::{Embedding, FeatureSpec};
use cantus_dataset::{Durations, SegmentFit};

use crate::{Error, Recipe};

/// A recipe to try, under a name that says what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The recipe's name and the duration of its segments, such as `best, segments of 0.5 s`.
    pub name: String,
    /// The recipe, fitted to the recordings.
    pub recipe: Recipe,
}

/// The recipes for embeddings.
const OF_EMBEDDINGS: [&str; 4] = ["embedding", "embedding-best", "embedding-kernel", "embedding-mlp"];

/// Recordings with a median duration below this are short sounds, for which a convolutional network is tried early.
const SHORT_S: f64 = 3.0;

/// The candidates for recordings of these durations: with embedding models, three classifiers of their values and of those beside
/// the features of `best`; `best` at two segment lengths, a kernel machine, logistic regression, and a convolutional network on
/// log-mel spectrograms. The network for short sounds, which is most often best for them, comes second; that for longer
/// recordings is averaged with two kernel machines in an ensemble, which takes longer than all others and comes last.
///
/// # Errors
/// If a built-in recipe cannot be read.
pub fn candidates(durations: &Durations, embeddings: &[Embedding]) -> Result<Vec<Candidate>, Error> {
    let mut recipes = Vec::new();
    if !embeddings.is_empty() {
        for name in OF_EMBEDDINGS {
            recipes.push(Recipe::load(name)?.with_embeddings(embeddings)?.fitted_to(durations).0);
        }
    }
    recipes.extend(without_embeddings(durations)?);
    Ok(recipes.into_iter().map(Candidate::new).collect())
}

/// The recipes that do not need an embedding model.
fn without_embeddings(durations: &Durations) -> Result<Vec<Recipe>, Error> {
    let load = |name: &str| Recipe::load(name).map(|recipe| recipe.fitted_to(durations).0);
    let best = load("best")?;
    let other = other_length(&best.features, durations);
    let other = best.with_features(SegmentFit::with_length(&Recipe::load("best")?.features, other));
    let (kernel_machine, logistic_regression) = (load("kernel-machine")?, load("logistic-regression")?);
    Ok(match is_short(durations) {
        true => vec![best, load("log-mel-cnn")?, other, logistic_regression, kernel_machine],
        false => vec![best, kernel_machine, other, logistic_regression, load("ensemble")?],
    })
}

impl Candidate {
    fn new(recipe: Recipe) -> Self {
        let name = format!("{}, segments of {:.2} s", recipe.name, segment_s(&recipe.features));
        Self { name, recipe }
    }
}

fn is_short(durations: &Durations) -> bool {
    durations.quantile(0.5).is_some_and(|median| median < SHORT_S)
}

/// A second segment length: twice the first if a tenth of the recordings are that long, otherwise half of it.
fn other_length(spec: &FeatureSpec, durations: &Durations) -> f64 {
    let length_s = segment_s(spec);
    let most = durations.quantile(0.9).unwrap_or(f64::INFINITY);
    match is_short(durations) {
        true if most >= 1.5 * length_s => 2.0 * length_s,
        true => length_s / 2.0,
        false => (length_s / 3.0).max(1.0),
    }
}

fn segment_s(spec: &FeatureSpec) -> f64 {
    spec.segment_samples() as f64 / f64::from(spec.sample_rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_builds_a_network_for_recordings_of_any_length() {
        for seconds in [[0.06, 0.1, 0.1], [0.15, 0.42, 1.1], [0.3, 1.0, 8.0], [15.0, 18.0, 20.0], [3600.0; 3]]
        {
            let candidates = candidates(&Durations::from_seconds(seconds), &[]).unwrap();
            assert_eq!(candidates.len(), 5);
            for Candidate { name, recipe } in &candidates {
                recipe.features.validate().unwrap();
                recipe.validate_for(&recipe.features, 8).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            let names: std::collections::BTreeSet<_> = candidates.iter().map(|c| &c.name).collect();
            assert_eq!(names.len(), 5, "{names:?}");
        }
    }

    #[test]
    fn the_network_for_short_sounds_is_tried_early_where_recordings_are_short() {
        let first_two = |seconds: [f64; 3]| {
            let candidates = candidates(&Durations::from_seconds(seconds), &[]).unwrap();
            [0, 1].map(|i: usize| candidates[i].name.clone())
        };
        assert_eq!(
            first_two([0.2, 0.42, 0.9]),
            ["best, segments of 0.50 s", "log-mel-cnn, segments of 0.50 s"]
        );
        assert_eq!(
            first_two([30.0, 30.0, 30.0]),
            ["best, segments of 10.00 s", "kernel-machine, segments of 10.00 s"]
        );
    }
}
