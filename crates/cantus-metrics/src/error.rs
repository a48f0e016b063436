//! Errors of scoring.

/// Why segments cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// There are no segments.
    #[error("there are no segments to score: the test part is empty, or every track in it is too short")]
    NoSegments,
    /// Two classes have the same name.
    #[error("two classes are named {label:?}; give each its own name")]
    DuplicateLabel {
        /// The name.
        label: String,
    },
    /// The index of a true class is too large.
    #[error("segment {segment}: true class {label} of {n_classes} classes; count them from 0")]
    UnknownLabel {
        /// Index of the segment.
        segment: usize,
        /// Found value.
        label: usize,
        /// Number of classes.
        n_classes: usize,
    },
    /// The number of probabilities is not that of the classes.
    #[error("segment {segment}: {found} probabilities for {n_classes} classes")]
    WrongLength {
        /// Index of the segment.
        segment: usize,
        /// Found value.
        found: usize,
        /// Number of classes.
        n_classes: usize,
    },
    /// A probability is NaN or infinite.
    #[error(
        "segment {segment}: a probability is not finite; the network has diverged, train it at a lower learning rate"
    )]
    NotFinite {
        /// Index of the segment.
        segment: usize,
    },
    /// A segment of a single-label classifier does not have exactly one true class.
    #[error("segment {segment}: {found} true classes; a single-label classifier needs exactly one")]
    NotOneClass {
        /// Index of the segment.
        segment: usize,
        /// Number of true classes.
        found: usize,
    },
    /// No tag has both positive and negative tracks.
    #[error(
        "no tag has both positive and negative examples among the {n_tracks} test tracks, so no score is defined; use more test tracks"
    )]
    NothingToTellApart {
        /// Number of test tracks.
        n_tracks: usize,
    },
    /// Two segments of one track have different true labels.
    #[error(
        "segment {segment}: track {track} has the true labels {first:?} and {second:?}; all segments of a track have the same"
    )]
    TwoLabels {
        /// Index of the segment.
        segment: usize,
        /// The track.
        track: usize,
        /// Labels of an earlier segment.
        first: Vec<usize>,
        /// Labels of this segment.
        second: Vec<usize>,
    },
}
