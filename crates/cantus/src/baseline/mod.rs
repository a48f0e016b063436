//! Baseline of an evaluation: logistic regression on the mean and deviation of each feature bin over a track.
//!
//! Summaries are standardised over the training tracks. On small data sets this is a strong baseline; a network that does
//! not exceed it has no advantage over a linear classifier. Where labels are tags, each tag has a binary model. The
//! baseline is fitted on the training and the validation part, since it has no hyperparameter to select.

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

/// Fits the baseline on the segments `train` and predicts the tracks of the segments `test`: probabilities `[n_labels]` by
/// track.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn predictions(
    store: &FeatureStore,
    train: &[usize],
    test: &[usize],
) -> Result<BTreeMap<usize, Vec<f64>>, Error> {
    let training = summaries(store, train)?;
    let rows: Vec<Vec<f64>> = training.values().map(|summary| summary.features.clone()).collect();
    let scaler = Scaler::of(&rows);
    let x: Vec<f64> = rows.iter().flat_map(|row| scaler.apply(row)).collect();
    let labels: Vec<&[usize]> = training.values().map(|summary| summary.labels.as_slice()).collect();
    let model = Model::fit(&x, &labels, store);
    let predict =
        |(track, summary): (usize, Summary)| (track, model.probabilities(&scaler.apply(&summary.features)));
    Ok(summaries(store, test)?.into_iter().map(predict).collect())
}

/// One multinomial model for classes, or one binary model per tag.
enum Model {
    Classes(Logistic),
    Tags(Vec<TagModel>),
}

/// The binary model of one tag.
enum TagModel {
    /// Some training tracks have the tag and others do not.
    Fitted(Logistic),
    /// All training tracks have the tag (1), or none has (0).
    Constant(f64),
}

impl Model {
    fn fit(x: &[f64], labels: &[&[usize]], store: &FeatureStore) -> Self {
        let n_labels = store.labels().len();
        if !store.is_tagged() {
            let classes: Vec<usize> = labels.iter().map(|labels| labels[0]).collect();
            return Self::Classes(Logistic::fit(x, &classes, n_labels));
        }
        let tag = |label: usize| {
            let has_tag: Vec<usize> =
                labels.iter().map(|labels| usize::from(labels.contains(&label))).collect();
            match has_tag.iter().sum::<usize>() {
                0 => TagModel::Constant(0.0),
                n if n == has_tag.len() => TagModel::Constant(1.0),
                _ => TagModel::Fitted(Logistic::fit_binary(x, &has_tag)),
            }
        };
        Self::Tags((0..n_labels).into_par_iter().map(tag).collect())
    }

    fn probabilities(&self, x: &[f64]) -> Vec<f64> {
        let of_tag = |tag: &TagModel| match tag {
            TagModel::Fitted(model) => model.probabilities(x)[1],
            TagModel::Constant(probability) => *probability,
        };
        match self {
            Self::Classes(model) => model.probabilities(x),
            Self::Tags(tags) => tags.iter().map(of_tag).collect(),
        }
    }
}

/// Summaries of the tracks that some segments come from, over these segments.
fn summaries(store: &FeatureStore, segments: &[usize]) -> Result<BTreeMap<usize, Summary>, Error> {
    let mut sorted = segments.to_vec();
    sorted.sort_unstable();
    let tracks: Vec<&[usize]> = sorted.chunk_by(|a, b| store.track_of(*a) == store.track_of(*b)).collect();
    let summary = |of_track: &&[usize]| -> Result<(usize, Summary), Error> {
        let features = store.read_segments(of_track)?;
        let rows: Vec<Vec<f64>> = features
            .chunks_exact(store.n_bins())
            .map(|frame| frame.iter().map(|value| f64::from(*value)).collect())
            .collect();
        let Moments { mean, deviation } = Moments::of(&rows);
        let features = [mean, deviation].concat();
        let labels = store.labels_of(of_track[0]).to_vec();
        Ok((store.track_of(of_track[0]), Summary { labels, features }))
    };
    tracks.par_iter().map(summary).collect()
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

/// Standardises each feature to zero mean and unit deviation, as scikit-learn's `StandardScaler`.
pub(crate) struct Scaler(Moments);

impl Scaler {
    pub(crate) fn of(rows: &[Vec<f64>]) -> Self {
        let mut moments = Moments::of(rows);
        for (deviation, mean) in moments.deviation.iter_mut().zip(&moments.mean) {
            // A constant feature is left unscaled; rounding gives it a deviation slightly above 0.
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
