//! What a trained model is worth: the scores, and the report in words.

mod scores;
mod text;

pub use scores::{
    ClassScores, Interval, Scores, ScoresError, SegmentResult, TrackDecision, scores, track_decisions,
};
pub use text::text;
