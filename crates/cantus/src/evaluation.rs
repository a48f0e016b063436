//! Evaluation: a model examined with the segments that it has never heard.

use std::collections::BTreeSet;

use cantus_dataset::FeatureStore;
use sha2::{Digest, Sha256};

use crate::model_file::hex;
use crate::report::{Scores, SegmentResult, scores};
use crate::{Error, Model};

/// Segments predicted at once: bounds the memory, changes no result.
const BLOCK: usize = 1024;

/// Scores of a model on some segments of a store.
///
/// # Errors
/// If the store's features are not those of the model, or cannot be read; or if there are no segments.
pub fn test_scores(model: &Model, store: &FeatureStore, segments: &[usize]) -> Result<Scores, Error> {
    model.check_features(store.spec(), store.labels())?;
    let n_labels = model.labels.len();
    let mut probabilities = Vec::with_capacity(segments.len() * n_labels);
    for block in segments.chunks(BLOCK) {
        probabilities.extend(model.predict_segments(&store.read_segments(block)?)?);
    }
    let results: Vec<SegmentResult<'_>> = segments
        .iter()
        .zip(probabilities.chunks_exact(n_labels))
        .map(|(&segment, probabilities)| SegmentResult {
            track: store.track_of(segment),
            label: store.label_of(segment),
            probabilities,
        })
        .collect();
    Ok(scores(&results, &model.labels, 0)?)
}

/// Number of tracks that some segments come from.
pub(crate) fn n_tracks(store: &FeatureStore, segments: &[usize]) -> usize {
    segments.iter().map(|&segment| store.track_of(segment)).collect::<BTreeSet<_>>().len()
}

/// SHA-256 over the labels, the tracks and all features of a store, in hexadecimal.
pub(crate) fn data_sha256(store: &FeatureStore) -> Result<String, Error> {
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
