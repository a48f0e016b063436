//! The evaluation report of a tagger (multi-label classification).
//!
//! There is no confusion matrix and no accuracy, since several tags may be right at once. The main score of a tag is average
//! precision, which ranks all tracks by the tag's probability; for a random ranking it is the share of tracks that have the
//! tag. The macro average over tags is unweighted, so that rare tags count as much as common ones.

mod diagnostics;
mod document;
mod folds;
mod html;
mod markdown;
pub(crate) mod pictures;
mod text;

pub use diagnostics::{TagBaseline, TagMistake};
pub use document::TagReport;
pub use folds::{TagCrossValidation, TagFold};
pub(super) use html::html;
pub(super) use markdown::markdown;
