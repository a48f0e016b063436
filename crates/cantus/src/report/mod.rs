//! Evaluation reports: scores, baseline, calibration and remarks, as JSON, text, Markdown and HTML.
//!
//! The modules here make what the reports of classes and of tags have in common, from a `ReportContext`: `text`, `markdown`
//! and `html` have one function each, which takes the parts that differ from `classification` and `tagging`.

mod calibration_report;
mod classification;
mod context;
mod evaluation_report;
mod facts;
mod fold_table;
mod format;
pub(crate) mod group_remarks;
mod html;
mod markdown;
mod mistakes;
mod model_summary;
mod noise_report;
pub(crate) mod pictures;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
pub(crate) mod samples;
mod split_remarks;
mod split_summary;
mod spread;
mod table;
mod tagging;
mod text;
mod training_curve;

pub use calibration_report::CalibrationReport;
pub use classification::{Baseline, CrossValidation, FoldSummary, Mistake, Report, WithoutLeak};
pub use evaluation_report::EvaluationReport;
pub use model_summary::{EmbeddingSource, ModelSummary};
pub use noise_report::{NoiseCount, NoiseReport};
pub use pictures::Figure;
pub use split_summary::{PartSize, SplitGroups, SplitSummary};
pub use spread::Spread;
pub use tagging::{TagBaseline, TagCrossValidation, TagFold, TagMistake, TagReport};

pub(crate) use markdown::escaped;
pub(crate) use split_remarks::{embedding_remarks, missing_remarks, shared_artists};
pub(crate) use training_curve::TrainingCurve;

use context::ReportContext;
use fold_table::FoldTable;
use table::Table;
