//! Predictions of a model and of the baseline for the test part of a feature store, and the fit of a model's temperatures.

use std::collections::{BTreeSet, HashMap};

use cantus_audio::feature::FeatureSpec;
use cantus_dataset::FeatureStore;

use crate::calibration::temperature_scale;
use crate::noise::{NoisePrediction, NoiseSounds};
use crate::{Calibration, Error, Model, Task, baseline};
use cantus_metrics::aggregate::arg_max;
use cantus_metrics::{Scores, SegmentResult, TrackDecision, scores_of_tracks, track_decisions};

/// Segments per prediction block: bounds the memory, does not affect the result.
const BLOCK: usize = 1024;

impl Model {
    /// Checks that features with this specification and these labels are those that the model was trained on.
    ///
    /// # Errors
    /// If they are not; the message names the difference.
    pub fn check_features(&self, spec: &FeatureSpec, labels: &[String]) -> Result<(), Error> {
        if labels != self.labels {
            let difference =
                format!("their labels are {}, the model's {}", labels.join(", "), self.labels.join(", "));
            return Err(Error::OtherFeatures { difference });
        }
        match cantus_dataset::spec_difference(spec, &self.features) {
            Some(difference) => Err(Error::OtherFeatures { difference }),
            None => Ok(()),
        }
    }

    /// Checks that the store has tags exactly if the model is a tagger.
    pub(crate) fn check_task(&self, store: &FeatureStore) -> Result<(), Error> {
        let difference = match (Task::of_store(store), self.task()) {
            (Task::Classification, Task::Tagging) => "their labels are classes, the model's are tags",
            (Task::Tagging, Task::Classification) => "their labels are tags, the model's are classes",
            _ => return Ok(()),
        };
        Err(Error::OtherFeatures { difference: difference.to_owned() })
    }
}

/// Predictions of one or several models, and of the baseline, for test segments and their tracks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Segments of the store.
    pub(crate) segments: Vec<usize>,
    /// `[n_segments, n_labels]`
    pub(crate) probabilities: Vec<f32>,
    /// The prediction for each track, aggregated over its segments, in the order of the store's tracks.
    pub(crate) tracks: Vec<TrackDecision>,
    /// `probabilities` and `tracks` before calibration.
    pub(crate) uncalibrated: (Vec<f32>, Vec<TrackDecision>),
    /// The baseline's prediction for each track.
    pub(crate) baseline: Vec<TrackDecision>,
    /// The prediction for each sound that belongs to no class.
    pub(crate) noise: Vec<NoisePrediction>,
}

impl Predictions {
    /// Predicts segments of a store and sounds of no class with a model, and the segments with the baseline fitted on the
    /// segments `train`.
    ///
    /// # Errors
    /// If the store's features are not those of the model or cannot be read, if `segments` is empty, or if a probability is
    /// not finite.
    pub(crate) fn of(
        model: &Model,
        store: &FeatureStore,
        segments: &[usize],
        train: &[usize],
        noise: &NoiseSounds,
    ) -> Result<Self, Error> {
        model.check_features(store.spec(), store.labels())?;
        model.check_task(store)?;
        let n_labels = model.labels.len();
        let uncalibrated = uncalibrated(model, store, segments)?;
        let mut probabilities = uncalibrated.clone();
        temperature_scale(&mut probabilities, n_labels, model.calibration.segment_temperature, model.task());
        let before = track_decisions(&results(store, segments, &uncalibrated), n_labels)?;
        let tracks = calibrated(before.clone(), model);
        let baseline = baseline_decisions(store, train, segments, &tracks)?;
        let uncalibrated = (uncalibrated, before);
        let noise = noise.predict(model)?;
        Ok(Self { segments: segments.to_vec(), probabilities, tracks, uncalibrated, baseline, noise })
    }

    /// Adds the predictions for other segments of the same store.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.noise.extend(&others.noise);
        self.segments.extend(&others.segments);
        self.probabilities.extend(&others.probabilities);
        self.uncalibrated.0.extend(&others.uncalibrated.0);
        for (tracks, more) in [
            (&mut self.tracks, &others.tracks),
            (&mut self.uncalibrated.1, &others.uncalibrated.1),
            (&mut self.baseline, &others.baseline),
        ] {
            tracks.extend(more.iter().cloned());
            tracks.sort_by_key(|track| track.track);
        }
    }

    /// The scores of all predictions together.
    ///
    /// # Errors
    /// If there are none.
    pub fn scores(&self, store: &FeatureStore) -> Result<Scores, Error> {
        if self.segments.is_empty() {
            return Err(cantus_metrics::ScoresError::NoSegments.into());
        }
        Ok(scores_of_tracks(&self.results(store), &self.tracks, store.labels(), 0)?)
    }

    /// The calibrated prediction for each segment.
    pub(crate) fn results<'a>(&'a self, store: &'a FeatureStore) -> Vec<SegmentResult<'a>> {
        results(store, &self.segments, &self.probabilities)
    }

    /// The prediction for each track, aggregated over its segments, in the order of the store's tracks.
    #[must_use]
    pub fn tracks(&self) -> &[TrackDecision] {
        &self.tracks
    }
}

/// Predictions of tracks with the model's temperature.
fn calibrated(mut tracks: Vec<TrackDecision>, model: &Model) -> Vec<TrackDecision> {
    for track in &mut tracks {
        track.probabilities = model.calibration.of_track(&track.probabilities, model.task());
        track.predicted = arg_max(&track.probabilities);
    }
    tracks
}

/// Temperatures of a model, fitted on the segments of its validation part.
pub(crate) fn calibration(
    model: &Model,
    store: &FeatureStore,
    segments: &[usize],
) -> Result<Calibration, Error> {
    let probabilities = uncalibrated(model, store, segments)?;
    Ok(Calibration::learn(&results(store, segments, &probabilities), model.labels.len(), model.task())?)
}

/// Uncalibrated probabilities of segments: `[n_segments, n_labels]`.
pub(crate) fn uncalibrated(
    model: &Model,
    store: &FeatureStore,
    segments: &[usize],
) -> Result<Vec<f32>, Error> {
    let mut probabilities = Vec::with_capacity(segments.len() * model.labels.len());
    for block in segments.chunks(BLOCK) {
        probabilities.extend(model.predict_uncalibrated(&store.read_segments(block)?)?);
    }
    Ok(probabilities)
}

/// Rows of probabilities with the track, group and labels of their segments.
pub(crate) fn results<'a>(
    store: &'a FeatureStore,
    segments: &[usize],
    probabilities: &'a [f32],
) -> Vec<SegmentResult<'a>> {
    let groups = group_numbers(store);
    let rows = probabilities.chunks_exact(store.labels().len());
    let result = |(&segment, probabilities)| {
        let track = store.track_of(segment);
        SegmentResult { track, group: groups[track], labels: store.labels_of(segment), probabilities }
    };
    segments.iter().zip(rows).map(result).collect()
}

/// The baseline's predictions for the same tracks.
fn baseline_decisions(
    store: &FeatureStore,
    train: &[usize],
    test: &[usize],
    tracks: &[TrackDecision],
) -> Result<Vec<TrackDecision>, Error> {
    let mut predictions = baseline::predictions(store, train, test)?;
    let decision = |track: &TrackDecision| {
        let probabilities = predictions.remove(&track.track)?;
        Some(TrackDecision { predicted: arg_max(&probabilities), probabilities, ..track.clone() })
    };
    Ok(tracks.iter().filter_map(decision).collect())
}

/// The group number of each track: the index of the first track in the group. Copies of a recording form one group.
fn group_numbers(store: &FeatureStore) -> Vec<usize> {
    let mut first: HashMap<(bool, &str), usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(store.tracks().len());
    for (number, track) in store.tracks().iter().enumerate() {
        let group = track.group.as_deref().map(|group| (true, group));
        let group = group.or(track.recording.as_deref().map(|recording| (false, recording)));
        numbers.push(group.map_or(number, |group| *first.entry(group).or_insert(number)));
    }
    numbers
}

/// The names of labels joined by `;`, as in a manifest.
pub(crate) fn named(labels: &[usize], names: &[String]) -> String {
    labels.iter().map(|&label| names[label].as_str()).collect::<Vec<_>>().join(";")
}

/// Number of tracks that some segments come from.
pub(crate) fn n_tracks(store: &FeatureStore, segments: &[usize]) -> usize {
    tracks_of(store, segments).len()
}

/// The tracks that some segments come from.
pub(crate) fn tracks_of(store: &FeatureStore, segments: &[usize]) -> BTreeSet<usize> {
    segments.iter().map(|&segment| store.track_of(segment)).collect()
}
