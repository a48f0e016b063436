//! How many tracks a part contains.

use cantus_audio::feature::FeatureSpec;

/// Maximum number of tracks of a part: enough to keep many cores busy.
const MAX_TRACKS: usize = 64;
/// Maximum size of a part's features in bytes, which bounds the memory of an extraction; a part has at least one track.
const MAX_BYTES: usize = 32 << 20;

/// Tracks per part. A function of the specification and the number of augmented copies only, so that the bytes of a store
/// do not depend on the number of threads.
pub(crate) fn tracks_per_part(spec: &FeatureSpec, n_copies: usize) -> usize {
    let segment_bytes = spec.frames_per_segment().saturating_mul(spec.n_bins()).saturating_mul(4);
    let n_segments = spec.segments.max_per_track().saturating_mul(n_copies.saturating_add(1));
    let track_bytes = segment_bytes.saturating_mul(n_segments).max(1);
    (MAX_BYTES / track_bytes).clamp(1, MAX_TRACKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tracks_are_limited_in_number_and_large_ones_in_bytes() {
        let course = FeatureSpec::course();
        assert_eq!(tracks_per_part(&course, 0), 64);
        // A track of the course has 10 segments of 130 frames of 13 values: 67 600 bytes.
        assert_eq!(tracks_per_part(&course, 49), (32 << 20) / (50 * 67_600));
        assert_eq!(tracks_per_part(&course, usize::MAX), 1);
    }
}
