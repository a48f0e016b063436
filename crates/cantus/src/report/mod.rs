//! Evaluation reports: scores, baseline, calibration and remarks, as JSON, text, Markdown and HTML.

mod cross_validation;
mod diagnostics;
mod document;
mod evaluation_report;
mod facts;
mod html;
mod leak;
mod markdown;
pub(crate) mod pictures;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod tagging;
mod text;

pub use cross_validation::{CrossValidation, FoldSummary, Spread};
pub use diagnostics::{Baseline, CalibrationReport, Mistake};
#[cfg(test)]
pub(crate) use document::tests::sample;
pub use document::{ModelSummary, PartSize, Report, SplitSummary};
pub(crate) use document::{TrainingCurve, artists, missing_remarks, shared_artists};
use facts::facts;
pub use html::html;
pub use leak::WithoutLeak;
pub(crate) use markdown::escaped;
pub use markdown::markdown;

pub use evaluation_report::EvaluationReport;
pub use pictures::Figure;
pub use tagging::{TagBaseline, TagCrossValidation, TagFold, TagMistake, TagReport};
pub use text::text;
