//! The vector of a recording: decoded, segmented and extracted as the tracks of a store are.

use std::path::Path;

use cantus_audio::decode::DecodeWarning;
use cantus_audio::feature::{FeatureExtractor, segment_file};

use super::vectors::{VectorSum, segment_vectors};
use crate::Error;

/// The vector of a recording, to be compared with those of a feature store.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingVector {
    /// Mean over the segments of their means over frames, `[n_bins]`; in the units of the features, not standardised.
    pub vector: Vec<f64>,
    /// Damage in the file that decoding skipped.
    pub warnings: Vec<DecodeWarning>,
}

/// Decodes a recording and computes its vector, with as many segments as an extraction takes from a track; `extractor` is
/// that of the store's specification.
///
/// # Errors
/// If the file cannot be decoded, is silent, or is shorter than one segment.
pub fn recording_vector(path: &Path, extractor: &mut FeatureExtractor) -> Result<RecordingVector, Error> {
    let (n_frames, n_bins) = (extractor.spec().frames_per_segment(), extractor.spec().n_bins());
    let (segments, warnings) = segment_file(path, extractor)?;
    let segments = segments.map_err(|reason| Error::NoSegments { path: path.to_owned(), reason })?;
    let mut sum = VectorSum::new(n_bins);
    let vectors = segment_vectors(&segments.features, n_frames, n_bins);
    vectors.chunks_exact(n_bins).for_each(|vector| sum.add(vector));
    Ok(RecordingVector { vector: sum.mean(), warnings })
}
