//! What a trained model is worth: the scores, and the report in words.

mod by_class;
mod document;
mod error;
mod interval;
mod scores;
mod text;
mod tracks;

pub use by_class::ClassScores;
pub(crate) use document::best_epoch;
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub use error::ScoresError;
pub use interval::Interval;
pub use scores::{Scores, scores};
pub use text::text;
pub use tracks::{SegmentResult, TrackDecision, track_decisions};
