//! Time of the segment that is most confident in the wrong prediction of its track.

use cantus_dataset::FeatureStore;

use crate::predictions::Predictions;

/// Maximum number of mistakes in a report.
pub(super) const N_MISTAKES: usize = 20;

/// Start and end, in seconds, of the segment of `track` with the highest `confidence`, a function of the segment's
/// probabilities; the first of equal ones. `None` if the tracks of the segments, or their starts, are not known.
pub(super) fn most_confident_segment_s(
    predictions: &Predictions,
    store: &FeatureStore,
    track: usize,
    confidence: impl Fn(&[f32]) -> f32,
) -> Option<(f64, f64)> {
    let rows = predictions.probabilities.chunks_exact(store.labels().len()).zip(&predictions.segments);
    let of_track = rows.filter(|(_, segment)| store.track_of(**segment) == track);
    let scored = of_track.map(|(row, segment)| (confidence(row), *segment));
    let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
    let segment_s = store.spec().segment_samples() as f64 / f64::from(store.spec().sample_rate);
    store.segment_start_s(best.1).map(|start_s| (start_s, start_s + segment_s))
}
