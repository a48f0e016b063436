//! Why segments cannot be scored.

/// Why there are no scores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// Nothing to score.
    #[error("there are no segments to score: the test part is empty, or every track in it is too short")]
    NoSegments,
    /// Two classes with one name would share their scores.
    #[error("two classes are named {label:?}; give each its own name")]
    DuplicateLabel {
        /// The name.
        label: String,
    },
    /// A true class that the labels do not name.
    #[error("segment {segment}: true class {label} of {n_classes} classes; count them from 0")]
    UnknownLabel {
        /// Position among the segments.
        segment: usize,
        /// What was found.
        label: usize,
        /// How many classes there are.
        n_classes: usize,
    },
    /// Not one probability per class.
    #[error("segment {segment}: {found} probabilities for {n_classes} classes")]
    WrongLength {
        /// Position among the segments.
        segment: usize,
        /// What was found.
        found: usize,
        /// How many classes there are.
        n_classes: usize,
    },
    /// A probability that is not a number; the network has diverged.
    #[error(
        "segment {segment}: a probability is not finite; the network has diverged, train it at a lower learning rate"
    )]
    NotFinite {
        /// Position among the segments.
        segment: usize,
    },
    /// Not one true class.
    #[error("segment {segment}: {found} true classes; where labels are classes, there is one")]
    NotOneClass {
        /// Position among the segments.
        segment: usize,
        /// How many there are.
        found: usize,
    },
    /// No tag that could be told from its absence.
    #[error(
        "no label is there in some of the {n_tracks} examined tracks and not in others, so that no score says anything; examine more tracks"
    )]
    NothingToTellApart {
        /// Tracks that were examined.
        n_tracks: usize,
    },
    /// Two segments of one track with different true classes.
    #[error(
        "segment {segment}: track {track} has the true labels {first:?} and {second:?}; all segments of a track have the same"
    )]
    TwoLabels {
        /// Position among the segments.
        segment: usize,
        /// The track.
        track: usize,
        /// Its labels before.
        first: Vec<usize>,
        /// Its labels now.
        second: Vec<usize>,
    },
}
