//! Damage of a feature store file: truncation, checksum mismatch, inconsistent or malformed content.

/// What is wrong with a file of a feature store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends early.
    #[error("it is truncated")]
    Truncated,
    /// Its content does not match its checksum.
    #[error("its content has the checksum {found:08x}, but {expected:08x} was written")]
    Checksum {
        /// The checksum in the file.
        expected: u32,
        /// The checksum of its content.
        found: u32,
    },
    /// The SHA-256 of the file is not the one in `store.toml`.
    #[error("its content has the SHA-256 {found}, but {expected} was written; extract again")]
    Sha256 {
        /// The hash in `store.toml`, in hexadecimal.
        expected: String,
        /// The hash of its content, in hexadecimal.
        found: String,
    },
    /// It is another part than the one that was written under this name.
    #[error("it is not the part that was written under this name; extract again")]
    OtherPart,
    /// The number of segments in the parts is not that of the header.
    #[error(
        "it states {expected} segments and {expected_augmented} of augmented copies, but the parts have {found} and {found_augmented}"
    )]
    SegmentCount {
        /// Segments in the header.
        expected: usize,
        /// Segments in the parts.
        found: usize,
        /// Segments of augmented copies in the header.
        expected_augmented: usize,
        /// Segments of augmented copies in the parts.
        found_augmented: usize,
    },
    /// The shape of a segment is not that of the feature specification.
    #[error("it states segments of {} x {}, but its features have {} x {}", found.0, found.1, expected.0, expected.1)]
    SegmentShape {
        /// (frames, bins) of the specification.
        expected: (usize, usize),
        /// (frames, bins) in the header.
        found: (usize, usize),
    },
    /// Its content is malformed, or inconsistent with the header of the store.
    #[error("{0}")]
    Malformed(String),
}
