#![doc = include_str!("../README.md")]

mod arrow_table;
pub mod audit;
mod catalog;
pub mod course_json;
mod damage;
mod disjoint_sets;
mod durations;
mod error;
mod extract;
mod failure;
mod npy;
mod shard;
mod spec_difference;
mod split;
mod store;

pub use arrow_table::{Column, arrow_table};
pub use catalog::tags;
pub use catalog::{
    BACKGROUND_LABEL, Catalog, GroupReport, Grouping, Ignored, Part, Recordings, Track, assign_groups,
};
pub use catalog::{ListedRecording, ManifestEntry, is_manifest, read_manifest};
pub use damage::Damage;
pub use durations::{Durations, SegmentFit};
pub use error::Error;
pub use extract::{AddOptions, Addition, add};
pub use extract::{AuditMode, ExtractOptions, Extraction, Progress, extract};
pub use failure::{Failure, Warning};
pub use npy::npy_header;
pub use shard::Shard;
pub use spec_difference::spec_difference;
pub use split::{Folds, GroupChoice, KnownGroups, ListReport, Split, SplitSpec, Unit};
pub use split::{assign_known_groups, assign_parts, duplicates_across_split};
pub use store::{
    Counts, ExportFormat, Exported, Filtered, StoreFilter, StoreInfo, StoreObserver, StoreSummary,
    Verification, export_store, filter_store, merge_stores, store_info, verify_store,
};
pub use store::{FeatureStore, LeftOut, ReasonCount, SegmentSplit};

#[cfg(test)]
mod thread_safety {
    use super::*;

    #[test]
    fn public_types_are_send_and_sync() {
        fn assert<T: Send + Sync>() {}
        assert::<(Catalog, Track, Recordings, Grouping, SplitSpec, Split, Folds)>();
        assert::<(FeatureStore, SegmentSplit, ExtractOptions, Extraction, Column)>();
        assert::<(audit::Audit, audit::AuditedFile, audit::Exclusions, tags::Tags)>();
        assert::<(Error, Damage, Failure, Warning, Durations, SegmentFit)>();
    }
}
