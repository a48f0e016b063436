//! Exclusion lists: CSV files of paths that a catalog excludes, written by an audit or by hand.
//!
//! A line is `path,reason`; the reason and the header are optional. Blank lines and lines that start with `#` are ignored.
//! Paths are relative to the catalog's root, or as they would be opened.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::regular_file;
use serde::Serialize;

use crate::catalog::csv_table::{delimiter, normalized_path};
use crate::{Catalog, Error};

/// An excluded file, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excluded {
    /// Its path.
    pub path: String,
    /// Why it is excluded.
    pub reason: String,
}

/// The paths of an exclusion list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions {
    paths: BTreeSet<String>,
}

impl Exclusions {
    /// Reads a list.
    ///
    /// # Errors
    /// If the file cannot be read, or is not CSV in UTF-8 (with the line).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = regular_file::read(path).map_err(Error::io(path))?;
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter_of(text))
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(text);
        let mut paths = BTreeSet::new();
        for (number, row) in reader.records().enumerate() {
            let row = row.map_err(|error| Error::Csv {
                path: path.to_owned(),
                line: error.position().map_or(number as u64 + 1, csv::Position::line),
                reason: "not CSV in UTF-8; expected: path,reason".to_owned(),
            })?;
            let excluded = row.get(0).unwrap_or_default();
            let is_header = number == 0 && excluded.eq_ignore_ascii_case("path");
            if !is_header && !excluded.is_empty() {
                paths.insert(normalized_path(excluded));
            }
        }
        Ok(Self { paths })
    }

    /// Writes a list atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(path: &Path, rows: &[Excluded]) -> Result<(), Error> {
        let failed =
            |error: csv::Error| Error::Io { path: path.to_owned(), source: std::io::Error::other(error) };
        let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        table.write_record(["path", "reason"]).map_err(failed)?;
        rows.iter().try_for_each(|row| table.serialize(row)).map_err(failed)?;
        let bytes = table.into_inner().map_err(|error| failed(error.into_error().into()))?;
        atomic_file::write(path, &bytes).map_err(Error::io(path))
    }

    /// Number of paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether a path is in the list.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(&normalized_path(path))
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

impl Catalog {
    /// Removes the tracks and failures of a list; returns the paths that are neither.
    ///
    /// A label stays even if none of its tracks remains.
    pub fn exclude(&mut self, exclusions: &Exclusions) -> Vec<String> {
        let mut found: HashSet<&str> = HashSet::new();
        let root = &self.root;
        self.tracks.retain(|track| {
            let opened = root.join(&track.path).to_string_lossy().into_owned();
            let names = [normalized_path(&track.path), normalized_path(&opened)];
            let hits: Vec<&str> =
                names.iter().filter_map(|name| exclusions.paths.get(name)).map(String::as_str).collect();
            found.extend(&hits);
            hits.is_empty()
        });
        self.ignored.failures.retain(|failure| {
            let hit = exclusions.paths.get(&normalized_path(&failure.path));
            found.extend(hit.map(String::as_str));
            hit.is_none()
        });
        exclusions.paths.iter().filter(|path| !found.contains(path.as_str())).cloned().collect()
    }
}

/// The delimiter of a list: that of its header. Without a header it is the comma, since paths may contain the others.
fn delimiter_of(text: &[u8]) -> u8 {
    let mut lines = text.split(|byte| matches!(byte, b'\r' | b'\n'));
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).unwrap_or_default();
    let is_header = first.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"path"))
        && first.get(4).is_some_and(|&next| delimiter(&[next]) == next);
    if is_header { delimiter(first) } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Exclusions, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        Exclusions::read(&path)
    }

    fn catalog() -> (tempfile::TempDir, Catalog) {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/1.wav", "a/2, live.wav", "b/1.wav"] {
            std::fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(path), "").unwrap();
        }
        let catalog = Catalog::open(dir.path()).unwrap();
        (dir, catalog)
    }

    #[test]
    fn a_written_list_is_read_and_excluded() {
        let (dir, mut catalog) = catalog();
        let path = dir.path().join("list.csv");
        let rows =
            [Excluded { path: "a/2, live.wav".to_owned(), reason: "silent: \"all\" of it".to_owned() }];
        Exclusions::write(&path, &rows).unwrap();
        assert_eq!(catalog.exclude(&Exclusions::read(&path).unwrap()), Vec::<String>::new());
        assert_eq!(
            catalog.tracks.iter().map(|track| track.path.as_str()).collect::<Vec<_>>(),
            ["a/1.wav", "b/1.wav"]
        );
        assert_eq!(catalog.labels, ["a", "b"]);
    }

    #[test]
    fn the_header_is_optional_and_unknown_paths_are_returned() {
        let (dir, mut catalog) = catalog();
        let opened = dir.path().join("b/1.wav").display().to_string();
        let text = format!("# mine\n./a/1.wav\n\n{opened},too loud\nc/9.wav,\n");
        let exclusions = list(&text).unwrap();
        assert_eq!(exclusions.len(), 3);
        assert_eq!(catalog.exclude(&exclusions), ["c/9.wav"]);
        assert_eq!(catalog.tracks.len(), 1);
    }

    #[test]
    fn lists_with_semicolons_tabs_and_backslashes_are_read() {
        for text in ["path;reason\r\n.\\b\\1.wav;loud, too\r\n", "# mine\nPath\treason\nb/1.wav\tloud, too\n"]
        {
            let (_dir, mut catalog) = catalog();
            assert_eq!(catalog.exclude(&list(text).unwrap()), Vec::<String>::new(), "{text:?}");
            assert_eq!(catalog.tracks.len(), 2);
        }
        let without_header = list("a;b/1.wav,loud\n").unwrap();
        assert!(without_header.paths.contains("a;b/1.wav"));
    }

    #[test]
    fn an_empty_list_excludes_nothing_and_binary_data_is_refused() {
        assert!(list("path,reason\n").unwrap().is_empty());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        std::fs::write(&path, b"a/1.wav\n\xff\xfe,x\n").unwrap();
        assert!(Exclusions::read(&path).unwrap_err().to_string().contains("UTF-8"));
    }
}
