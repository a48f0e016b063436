//! The feature store: features on disk, read segment by segment.
//!
//! ```text
//! FEATURES/
//!   store.toml         header: FeatureSpec, labels, counts, whether the extraction is complete
//!   part-00000.arrow   Arrow IPC file: one row per segment of a run of tracks
//!   part-00001.arrow   …
//!   failures.csv       path,reason: files that could not be used
//!   warnings.csv       path,reason: damage that did not exclude the file
//!   .lock              held by the extraction that writes the store
//!   audit-00000.json   audit results for the tracks of that part
//!   recordings.csv     path,recording: tracks that are duplicates of one recording
//! ```
//!
//! A store may contain augmented copies of its recordings, for training. Their segments are numbered after all
//! recordings' own segments (from [`FeatureStore::n_segments`] on), so that splits, scores and normalisation exclude
//! them; only [`FeatureStore::copies_of`] returns them.
//!
//! Written once, by [`extract`](crate::extract) or [`course_json`](crate::course_json); each file is renamed to its final
//! name when it is complete. Opening a store reads only the metadata of its parts; features stay on disk until a segment
//! is read, so that a store may exceed memory. The header has the hashes of all parts, in order. `docs/feature-store.md` specifies the format.

mod analysis_cache;
mod contents;
mod export;
mod feature_store;
mod file_names;
mod filter;
pub(crate) mod graphs;
mod header;
mod info;
mod left_out;
mod merge;
mod observer;
mod open_files;
mod part_file;
mod part_hash;
mod part_reader;
mod part_size;
mod part_writer;
mod positioned_read;
mod read_ahead;
mod record;
mod segment_split;
mod summary;
mod tables;
mod track_reader;
mod track_writer;
mod verify;
mod writer;

pub use export::{ExportFormat, Exported, export_store};
pub use feature_store::FeatureStore;
pub use filter::{Filtered, StoreFilter, filter_store};
pub use info::{Counts, StoreInfo, store_info};
pub use left_out::{LeftOut, ReasonCount};
pub use merge::merge_stores;
pub use observer::StoreObserver;
pub use segment_split::SegmentSplit;
pub use summary::StoreSummary;
pub use verify::{Verification, verify_store};

pub(crate) use analysis_cache::AnalysisCache;
pub(crate) use contents::StoreContents;
pub(crate) use header::Header;
pub(crate) use part_size::tracks_per_part;
pub(crate) use record::{ExtractFailure, LabelSet, PartRecord, TrackInput, TrackRecord, VERSION};
pub(crate) use writer::StoreWriter;
