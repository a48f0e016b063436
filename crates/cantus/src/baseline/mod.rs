//! What a network has to beat: logistic regression on summary features.
//!
//! A track becomes the mean and the deviation of each feature bin over all its frames, standardised over the tracks that
//! are learnt from. Small data is hard, and this is a strong rival: a network that does not beat it has learnt nothing that
//! a straight line does not know. Where labels are tags there is one for each, yes or no. It learns from the training and the validation part, since it has nothing to choose.

mod logistic;

use std::collections::BTreeMap;

use cantus_dataset::FeatureStore;
use rayon::prelude::*;

use crate::Error;
use logistic::Logistic;

/// A track's summary, and its labels.
struct Summary {
    labels: Vec<usize>,
    /// Mean and deviation of each bin, `[2 * n_bins]`.
    features: Vec<f64>,
}

/// Learns from some segments of a store and predictions for the tracks of others: probabilities by track, `[n_labels]`.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn predictions(
    store: &FeatureStore,
    learnt: &[usize],
    examined: &[usize],
) -> Result<BTreeMap<usize, Vec<f64>>, Error> {
    let known = summaries(store, learnt)?;
    let rows: Vec<Vec<f64>> = known.values().map(|summary| summary.features.clone()).collect();
    let scaler = Scaler::of(&rows);
    let x: Vec<f64> = rows.iter().flat_map(|row| scaler.apply(row)).collect();
    let labels: Vec<&[usize]> = known.values().map(|summary| summary.labels.as_slice()).collect();
    let model = Model::fit(&x, &labels, store);
    let answer =
        |(track, summary): (usize, Summary)| (track, model.probabilities(&scaler.apply(&summary.features)));
    Ok(summaries(store, examined)?.into_iter().map(answer).collect())
}

/// One question, or one for each tag.
enum Model {
    Classes(Logistic),
    Tags(Vec<Tag>),
}

/// What is known of a tag.
enum Tag {
    /// Some have it and others have not.
    Told(Logistic),
    /// All have it, or none.
    Same(f64),
}

impl Model {
    fn fit(x: &[f64], labels: &[&[usize]], store: &FeatureStore) -> Self {
        let n_labels = store.labels().len();
        if !store.is_tagged() {
            let classes: Vec<usize> = labels.iter().map(|labels| labels[0]).collect();
            return Self::Classes(Logistic::fit(x, &classes, n_labels));
        }
        let tag = |label: usize| {
            let predictions: Vec<usize> =
                labels.iter().map(|labels| usize::from(labels.contains(&label))).collect();
            match predictions.iter().sum::<usize>() {
                0 => Tag::Same(0.0),
                n if n == predictions.len() => Tag::Same(1.0),
                _ => Tag::Told(Logistic::fit_binary(x, &predictions)),
            }
        };
        Self::Tags((0..n_labels).into_par_iter().map(tag).collect())
    }

    fn probabilities(&self, x: &[f64]) -> Vec<f64> {
        let of_tag = |tag: &Tag| match tag {
            Tag::Told(model) => model.probabilities(x)[1],
            Tag::Same(probability) => *probability,
        };
        match self {
            Self::Classes(model) => model.probabilities(x),
            Self::Tags(tags) => tags.iter().map(of_tag).collect(),
        }
    }
}

/// Summaries of the tracks that some segments come from, over these segments.
fn summaries(store: &FeatureStore, segments: &[usize]) -> Result<BTreeMap<usize, Summary>, Error> {
    let mut summaries = BTreeMap::new();
    let mut sorted = segments.to_vec();
    sorted.sort_unstable();
    for of_track in sorted.chunk_by(|a, b| store.track_of(*a) == store.track_of(*b)) {
        let features = store.read_segments(of_track)?;
        let rows: Vec<Vec<f64>> = features
            .chunks_exact(store.n_bins())
            .map(|frame| frame.iter().map(|value| f64::from(*value)).collect())
            .collect();
        let Moments { mean, deviation } = Moments::of(&rows);
        let features = [mean, deviation].concat();
        let labels = store.labels_of(of_track[0]).to_vec();
        summaries.insert(store.track_of(of_track[0]), Summary { labels, features });
    }
    Ok(summaries)
}

/// Mean and deviation (of a population, as NumPy's default) of each column.
struct Moments {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Moments {
    fn of(rows: &[Vec<f64>]) -> Self {
        let n = rows.len().max(1) as f64;
        let n_columns = rows.first().map_or(0, Vec::len);
        let mut mean = vec![0.0; n_columns];
        for row in rows {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / n);
        }
        let mut deviation = vec![0.0; n_columns];
        for row in rows {
            let squares = row.iter().zip(&mean).map(|(value, mean)| (value - mean).powi(2) / n);
            deviation.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        }
        deviation.iter_mut().for_each(|variance| *variance = variance.sqrt());
        Self { mean, deviation }
    }
}

/// Brings each feature to zero mean and unit deviation, as scikit-learn's `StandardScaler`.
pub(crate) struct Scaler(Moments);

impl Scaler {
    pub(crate) fn of(rows: &[Vec<f64>]) -> Self {
        let mut moments = Moments::of(rows);
        for (deviation, mean) in moments.deviation.iter_mut().zip(&moments.mean) {
            // What never changes stays as it is; sums leave a trace of rounding.
            if *deviation <= 1e-12 * mean.abs().max(1e-300) {
                *deviation = 1.0;
            }
        }
        Self(moments)
    }

    pub(crate) fn apply(&self, row: &[f64]) -> Vec<f64> {
        let Moments { mean, deviation } = &self.0;
        row.iter()
            .zip(mean)
            .zip(deviation)
            .map(|((value, mean), deviation)| (value - mean) / deviation)
            .collect()
    }
}
