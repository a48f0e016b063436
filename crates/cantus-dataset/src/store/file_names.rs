//! Names of the files of a feature store.

use std::path::{Path, PathBuf};

/// Header: properties of the whole store.
pub(super) const HEADER: &str = "store.toml";
/// Files that could not be used.
pub(super) const FAILURES: &str = "failures.csv";
/// Damage that did not exclude a file.
pub(super) const WARNINGS: &str = "warnings.csv";
/// Duplicates of recordings; absent if there are none.
pub(super) const RECORDINGS: &str = "recordings.csv";
/// Lock of the extraction that writes the store.
pub(super) const LOCK: &str = ".lock";

/// Features of sounds of no class, which a training keeps beside the store.
pub(super) const NOISE: &str = "noise.safetensors";
/// Folder of the graphs of embedding models.
pub(super) const GRAPHS: &str = "embeddings";

/// Path of the part of that index.
pub(super) fn part_path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("part-{index:05}.arrow"))
}

/// Path of the audit results of the part of that index.
pub(super) fn analysis_path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("audit-{index:05}.json"))
}

/// Whether a file name is that of a part.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".arrow")
}

/// Whether a file name is that of a part's audit results.
pub(super) fn is_analysis(name: &str) -> bool {
    name.starts_with("audit-") && name.ends_with(".json")
}

/// Whether a file name is that of a table.
pub(super) fn is_table(name: &str) -> bool {
    [FAILURES, WARNINGS, RECORDINGS].contains(&name)
}
