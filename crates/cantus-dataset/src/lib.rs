//! From folders of recordings to a feature store.
//!
//! ```text
//! folder ─▶ catalog ─▶ extract ─▶ store ─▶ split ─▶ batches
//!              └─ tags, groups  └─ audit
//! ```
//!
//! A [`Catalog`] names the tracks and their labels, [`extract`] turns them into a feature store on disk, a
//! [`FeatureStore`] reads it back segment by segment, and a [`SplitSpec`] parts its tracks into training, validation and
//! test before anybody looks at a segment. [`audit`] says what is
//! wrong with the recordings, and which of them are one. [`course_json`] reads and writes the lecture course's `data.json`.
//!
//! No bad file stops a job and none is skipped in silence; whatever is written is written to a temporary name and
//! renamed; same recordings, same bytes, whatever the number of threads.

mod arrow_table;
pub mod audit;
mod catalog;
pub mod course_json;
mod course_json_reader;
mod disjoint;
mod error;
mod extract;
mod folder_lock;
mod folds;
mod groups;
mod iterative_stratification;
mod manifest;
mod spec_difference;
mod split;
mod split_lists;
mod store;
mod stratify;
pub mod tags;
mod track;

pub use arrow_table::{Column, arrow_table};
pub use catalog::{Catalog, Ignored, Recordings};
pub use error::Error;
pub use extract::{Audited, ExtractOptions, Extraction, Progress, extract};
pub use folder_lock::FolderLock;
pub use folds::Folds;
pub use groups::{GroupReport, Grouping, assign_groups};
pub use spec_difference::spec_difference;
pub use split::{Part, Split, SplitSpec, Unit, torn_recordings};
pub use split_lists::{ListReport, assign_parts};
pub use store::{FeatureStore, SegmentSplit};
pub use track::{Failure, Track, Warning};
