//! The evaluation report of a tagger (multi-label classification): the content that a classifier's report does not have.
//!
//! There is no confusion matrix and no accuracy, since several tags may be right at once. The main score of a tag is average
//! precision, which ranks all tracks by the tag's probability; for a random ranking it is the share of tracks that have the
//! tag. The macro average over tags is unweighted, so that rare tags count as much as common ones.

mod cross_validation;
mod diagnostics;
mod html;
mod markdown;
mod pictures;
mod report;
mod text;

pub use cross_validation::{TagCrossValidation, TagFold};
pub use diagnostics::{TagBaseline, TagMistake};
pub use report::TagReport;

pub(super) use html::html;
pub(super) use markdown::markdown;
pub(super) use pictures::pictures;
pub(super) use text::text;
