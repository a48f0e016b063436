//! Evaluation: a model examined with the segments that it has never heard.

use std::collections::{BTreeSet, HashMap};

use cantus_dataset::FeatureStore;
use sha2::{Digest, Sha256};

use crate::model_file::hex;
use crate::report::{Scores, SegmentResult, TrackDecision, scores, track_decisions};
use crate::{Error, Model};

/// Segments predicted at once: bounds the memory, changes no result.
const BLOCK: usize = 1024;

/// What models said of segments that they had never heard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// Segments of the store.
    segments: Vec<usize>,
    /// `[n_segments, n_labels]`
    probabilities: Vec<f32>,
}

impl Answers {
    /// Asks a model about some segments of a store.
    ///
    /// # Errors
    /// If the store's features are not those of the model, or cannot be read.
    pub fn of(model: &Model, store: &FeatureStore, segments: &[usize]) -> Result<Self, Error> {
        model.check_features(store.spec(), store.labels())?;
        let mut probabilities = Vec::with_capacity(segments.len() * model.labels.len());
        for block in segments.chunks(BLOCK) {
            probabilities.extend(model.predict_segments(&store.read_segments(block)?)?);
        }
        Ok(Self { segments: segments.to_vec(), probabilities })
    }

    /// Adds the answers to other segments of the same store.
    pub fn extend(&mut self, others: &Self) {
        self.segments.extend(&others.segments);
        self.probabilities.extend(&others.probabilities);
    }

    /// The scores of all answers together.
    ///
    /// # Errors
    /// If there are none, or one is not finite.
    pub fn scores(&self, store: &FeatureStore) -> Result<Scores, Error> {
        Ok(scores(&self.results(store), store.labels(), 0)?)
    }

    /// What the segments of each track say together, in the order of the store's tracks.
    ///
    /// # Errors
    /// If there are none, or one is not finite.
    pub fn tracks(&self, store: &FeatureStore) -> Result<Vec<TrackDecision>, Error> {
        Ok(track_decisions(&self.results(store), store.labels().len())?)
    }

    fn results(&self, store: &FeatureStore) -> Vec<SegmentResult<'_>> {
        let groups = group_numbers(store);
        let rows = self.probabilities.chunks_exact(store.labels().len());
        let result = |(&segment, probabilities)| {
            let track = store.track_of(segment);
            SegmentResult { track, group: groups[track], label: store.label_of(segment), probabilities }
        };
        self.segments.iter().zip(rows).map(result).collect()
    }
}

/// A number for the group of each track: that of the first track that has it.
fn group_numbers(store: &FeatureStore) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(store.tracks().len());
    for (number, track) in store.tracks().iter().enumerate() {
        let group = track.group.as_deref();
        numbers.push(group.map_or(number, |group| *first.entry(group).or_insert(number)));
    }
    numbers
}

/// Number of tracks that some segments come from.
pub(crate) fn n_tracks(store: &FeatureStore, segments: &[usize]) -> usize {
    segments.iter().map(|&segment| store.track_of(segment)).collect::<BTreeSet<_>>().len()
}

/// SHA-256 over the labels, the tracks and all features of a store, in hexadecimal.
///
/// # Errors
/// If the store cannot be read.
pub fn data_sha256(store: &FeatureStore) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for (number, track) in store.tracks().iter().enumerate() {
        hash.update(format!("{}\n{}\n", track.path, store.labels()[track.label]));
        let segments: Vec<usize> = store.segments_of(number).collect();
        for value in store.read_segments(&segments)? {
            hash.update(value.to_le_bytes());
        }
    }
    Ok(hex(&hash.finalize()))
}
