//! What a trained model is worth: the scores, and the report in words.

mod by_class;
mod cross_validation;
mod document;
mod error;
mod interval;
mod scores;
mod text;
mod tracks;

pub use by_class::ClassScores;
pub use cross_validation::{CrossValidation, FoldSummary, Spread};
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub(crate) use document::{artists, best_epoch, part_name, shared_artists};
pub use error::ScoresError;
pub use interval::Interval;
pub use scores::{Scores, scores};
pub use text::text;
pub use tracks::{SegmentResult, TrackDecision, track_decisions};
