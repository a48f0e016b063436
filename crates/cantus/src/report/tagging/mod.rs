//! The report where labels are tags, each a question of its own: which of them does a recording have?
//!
//! There is no confusion matrix and no share of right tracks here, since an answer is not right or wrong but more or less so.
//! What counts is average precision: how far up the tracks that have a tag stand when all are sorted by its probability; by
//! chance it is the share of tracks that have the tag. One figure for all tags is their plain mean, so that rare ones
//! count as much as common ones.

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
