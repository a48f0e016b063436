//! The evaluation report of a classifier: the content that a tagger's report does not have.

mod cross_validation;
mod diagnostics;
mod html;
mod markdown;
mod mistakes_table;
mod pictures;
mod report;
mod text;
mod without_leak;

pub use cross_validation::{CrossValidation, FoldSummary};
pub use diagnostics::{Baseline, Mistake};
pub use report::Report;
pub use without_leak::WithoutLeak;

pub(super) use html::html;
pub(super) use markdown::markdown;
pub(super) use pictures::pictures;
pub(super) use text::{scores_text, text};
