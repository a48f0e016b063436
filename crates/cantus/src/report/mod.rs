//! What a trained model is worth: the scores, and the report in words, as a web page and as Markdown.

mod cross_validation;
mod document;
mod examination;
mod facts;
mod html;
mod leak;
mod markdown;
pub(crate) mod pictures;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod tagging;
mod text;
mod verdict;

pub use cross_validation::{CrossValidation, FoldSummary, Spread};
#[cfg(test)]
pub(crate) use document::tests::sample;
pub(crate) use document::{Course, artists, missing_remarks, shared_artists};
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub use examination::{Baseline, CalibrationReport, Mistake};
use facts::facts;
pub use html::html;
pub use leak::WithoutLeak;
pub(crate) use markdown::escaped;
pub use markdown::markdown;

pub use pictures::Figure;
pub use tagging::{TagBaseline, TagCrossValidation, TagFold, TagMistake, TagReport};
pub use text::text;
pub use verdict::Verdict;
