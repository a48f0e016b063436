//! What a trained model is worth: the scores, and the report in words, as a web page and as Markdown.

mod by_class;
mod cross_validation;
mod curves;
mod document;
mod error;
mod examination;
mod facts;
mod html;
mod interval;
mod leak;
mod markdown;
mod paired;
pub(crate) mod pictures;
mod ranking;
#[cfg(test)]
pub(crate) mod reference;
mod reliability;
mod scores;
pub(crate) mod tagging;
mod text;
mod tracks;
mod verdict;

pub use by_class::ClassScores;
pub use cross_validation::{CrossValidation, FoldSummary, Spread};
pub use curves::{Curves, curves};
#[cfg(test)]
pub(crate) use document::tests::sample;
pub(crate) use document::{Course, artists, missing_remarks, shared_artists};
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub use error::ScoresError;
pub use examination::{Baseline, CalibrationReport, Mistake};
use facts::facts;
pub use html::html;
pub use interval::Interval;
pub use leak::WithoutLeak;
pub(crate) use markdown::escaped;
pub use markdown::markdown;

pub use paired::{Paired, paired, paired_in_words};
pub use pictures::Figure;
pub use reliability::{Reliability, ReliabilityBin};
pub(crate) use scores::scores_of_tracks;
pub use scores::{Scores, scores};
pub use tagging::paired_in_words as tag_paired_in_words;
pub use tagging::{
    TagBaseline, TagCrossValidation, TagFigures, TagFold, TagMistake, TagPaired, TagReport, TagScore,
    TagScores,
};
pub use text::text;
pub use tracks::{SegmentResult, TrackDecision, track_decisions};
pub use verdict::Verdict;
