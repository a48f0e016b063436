//! What a trained model is worth: the scores, and the report in words.

mod document;
mod scores;
mod text;

pub(crate) use document::best_epoch;
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub use scores::{
    ClassScores, Interval, Scores, ScoresError, SegmentResult, TrackDecision, scores, track_decisions,
};
pub use text::text;
