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

/// Name of a table: of that number, if recordings were added to the store; see [`Header::tables`](super::header::Header).
pub(super) fn table_name(table: &str, number: Option<u32>) -> String {
    match (number, table.strip_suffix(".csv")) {
        (Some(number), Some(stem)) => format!("{stem}-{number}.csv"),
        _ => table.to_owned(),
    }
}

/// Whether a file name is that of a table, of any number.
pub(super) fn is_table(name: &str) -> bool {
    [FAILURES, WARNINGS, RECORDINGS].into_iter().any(|table| {
        let stem = table.strip_suffix(".csv").unwrap_or(table);
        let number = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(".csv"));
        let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        number.is_some_and(|text| text.is_empty() || text.strip_prefix('-').is_some_and(is_number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_a_number_after_recordings_were_added() {
        assert_eq!(table_name(FAILURES, None), "failures.csv");
        assert_eq!(table_name(FAILURES, Some(2)), "failures-2.csv");
        for table in ["failures.csv", "failures-2.csv", "recordings-10.csv", "warnings.csv"] {
            assert!(is_table(table), "{table}");
        }
        for other in ["failures-.csv", "failures-a.csv", "failures2.csv", "failures.txt", "mine.csv"] {
            assert!(!is_table(other), "{other}");
        }
    }
}
