//! Manifest: a CSV file with the columns `path,label[,group,split,fold]`, or `path,labels[,…]` for tags.
//!
//! The header is required; its columns may be in any order, and are separated by commas, semicolons or tabs.
//!
//! - `path`: relative to the manifest's folder; with `\` for `/` if it comes from Windows. A missing file is a failure of the
//!   extraction, not of the manifest.
//! - `label`: the track's class. `labels`: its tags, separated by `;` or `|` (`rock;slow;piano`); empty for none.
//! - `group`: tracks that a split must not separate.
//! - `split`: `train`, `validation` or `test`; `fold`: name of a cross-validation fold. Filled in every line or in none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::csv_table::{CsvTable, normalized_path};
use super::folder_scan::has_extension;
use super::{CatalogEntry, Entries, Ignored, Part};
use crate::Error;

const COLUMNS: [&str; 6] = ["path", "label", "labels", "group", "split", "fold"];

/// Separators of a track's tags.
const SEPARATORS: [char; 2] = [';', '|'];

/// Columns that are filled in every line or in none.
const ALL_OR_NONE: [&str; 2] = ["split", "fold"];

/// A recording of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Its file.
    pub path: PathBuf,
    /// Its class; `None` if labels are tags.
    pub class: Option<String>,
}

/// The recordings of a manifest in its order. Unlike a [`Catalog`](super::Catalog), they may be of a single class.
///
/// # Errors
/// If the manifest cannot be read or is malformed (with the line).
pub fn read_manifest(path: &Path) -> Result<Vec<ManifestEntry>, Error> {
    let (entries, is_tagged) = read_entries(path)?;
    let recording = |entry: CatalogEntry| ManifestEntry {
        path: root(path).join(entry.path),
        class: entry.labels.into_iter().next().filter(|_| !is_tagged),
    };
    Ok(entries.into_iter().map(recording).collect())
}

/// Whether the name of a file is that of a manifest.
#[must_use]
pub fn is_manifest(path: &Path) -> bool {
    has_extension(path, &["csv", "tsv"])
}

/// Reads the content of a manifest.
pub(super) fn read(path: &Path) -> Result<Entries, Error> {
    let (entries, is_tagged) = read_entries(path)?;
    Ok(Entries { root: root(path).to_owned(), entries, is_tagged, ignored: Ignored::default() })
}

/// The folder that paths are relative to.
fn root(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(Path::new(""))
}

/// The lines of a manifest, and whether labels are tags.
fn read_entries(path: &Path) -> Result<(Vec<CatalogEntry>, bool), Error> {
    let mut table = CsvTable::open(path, &COLUMNS, &COLUMNS[..1])?;
    let is_tagged = is_tagged(&table)?;
    let mut entries = Vec::new();
    let mut first_line: HashMap<String, u64> = HashMap::new();
    let mut first_filled: [Option<(bool, u64)>; 2] = [None; 2];
    while let Some(line) = table.next_line()? {
        let entry = entry(&table, line, root(path), is_tagged)?;
        if let Some(earlier) = first_line.insert(entry.path.clone(), line) {
            let remedy = if is_tagged { "; give all its labels in one line, separated by ;" } else { "" };
            return Err(table.error(line, format!("'{}' is already in line {earlier}{remedy}", entry.path)));
        }
        for (column, first) in ALL_OR_NONE.into_iter().zip(&mut first_filled) {
            check_all_or_none(&table, line, column, first)?;
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(table.error(1, "no tracks below the header".to_owned()));
    }
    Ok((entries, is_tagged))
}

/// Whether the column is filled in this line as in the first; `first` is (filled, line) of the first.
fn check_all_or_none(
    table: &CsvTable<'_>,
    line: u64,
    column: &str,
    first: &mut Option<(bool, u64)>,
) -> Result<(), Error> {
    let is_filled = table.field(column).is_some();
    let (was_filled, since) = *first.get_or_insert((is_filled, line));
    if was_filled == is_filled {
        return Ok(());
    }
    let reason =
        format!("a {column} in some lines only (unlike line {since}); give it in all of them or in none");
    Err(table.error(line, reason))
}

/// Whether the header has `labels` (tags) and not `label` (classes).
fn is_tagged(table: &CsvTable<'_>) -> Result<bool, Error> {
    match (table.has("label"), table.has("labels")) {
        (true, false) => Ok(false),
        (false, true) => Ok(true),
        (true, true) => Err(table.error(
            1,
            "the columns 'label' and 'labels' exclude each other; 'label' for one class, 'labels' for tags"
                .to_owned(),
        )),
        (false, false) => Err(table.error(
            1,
            format!(
                "no column 'label' in the header (or 'labels', for several in a track); known are {}",
                COLUMNS.join(", ")
            ),
        )),
    }
}

fn entry(table: &CsvTable<'_>, line: u64, root: &Path, is_tagged: bool) -> Result<CatalogEntry, Error> {
    let required = |column| table.field(column).ok_or_else(|| table.error(line, format!("no {column}")));
    let part = match table.field("split") {
        None => None,
        Some(name) => Some(Part::from_name(name).ok_or_else(|| {
            table.error(line, format!("unknown split '{name}'; expected train, validation or test"))
        })?),
    };
    let labels = if is_tagged {
        parse_tags(table.field("labels").unwrap_or_default())
    } else {
        parse_class(required("label")?).map(|label| vec![label])
    };
    Ok(CatalogEntry {
        path: path_below(root, required("path")?),
        labels: labels.map_err(|reason| table.error(line, reason))?,
        group: table.field("group").map(str::to_owned),
        part,
        fold: table.field("fold").map(str::to_owned),
    })
}

/// The normalized path; a name that contains `\` is kept if there is such a file.
fn path_below(root: &Path, path: &str) -> String {
    let is_name = path.contains('\\') && root.join(path).exists();
    if is_name { path.to_owned() } else { normalized_path(path) }
}

/// The one label of a track.
fn parse_class(text: &str) -> Result<String, String> {
    if text.contains(SEPARATORS) {
        return Err(format!(
            "label '{text}': a track has one in the column 'label'; name the column 'labels' for several"
        ));
    }
    Ok(text.to_owned())
}

/// The tags of a track; none for an empty field.
fn parse_tags(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.contains(',') {
        return Err(format!("labels '{text}': labels are separated by ; and contain no comma"));
    }
    let mut names: Vec<String> = Vec::new();
    for name in text.split(SEPARATORS).map(str::trim) {
        if name.is_empty() {
            return Err(format!(
                "labels '{text}': a label without a name; leave the field empty for a track without labels"
            ));
        }
        if names.iter().any(|earlier| earlier == name) {
            return Err(format!("labels '{text}': '{name}' is given twice"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn read_text(text: impl AsRef<[u8]>) -> Result<Catalog, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tracks.csv");
        std::fs::write(&path, text).unwrap();
        Catalog::open(&path)
    }

    #[test]
    fn a_manifest_names_paths_labels_groups_and_parts() {
        let text =
            "\u{feff}split,Path,label,group\ntest,./b/2.mp3,rock,\"Beta, The\"\ntrain,a 1.mp3, jazz ,\n";
        let catalog = read_text(text).unwrap();
        assert_eq!(catalog.labels, ["jazz", "rock"]);
        let [jazz, rock] = &catalog.tracks[..] else { panic!("two tracks") };
        assert_eq!(
            (jazz.path.as_str(), jazz.group.as_deref(), jazz.part),
            ("a 1.mp3", None, Some(Part::Train))
        );
        assert_eq!(
            (rock.path.as_str(), rock.group.as_deref(), rock.part),
            ("b/2.mp3", Some("Beta, The"), Some(Part::Test))
        );
    }

    #[test]
    fn paths_are_relative_to_the_manifest() {
        let catalog = read_text("path,label\na,x\n/b,y\n").unwrap();
        assert_eq!(catalog.path_of(&catalog.tracks[0]), catalog.root.join("a"));
        assert_eq!(catalog.path_of(&catalog.tracks[1]), Path::new("/b"));
    }

    #[test]
    fn semicolons_tabs_and_backslashes_are_read() {
        let expected = read_text("path,label,split\nb/2.mp3,rock,test\na 1.mp3,jazz,train\n").unwrap().tracks;
        for text in [
            "\u{feff}path;label;split\r\nb/2.mp3;rock;test\r\na 1.mp3;jazz;train\r\n",
            "path\tlabel\tsplit\nb/2.mp3\trock\ttest\na 1.mp3\tjazz\ttrain\n",
            "path,label,split\n.\\b\\2.mp3,rock,test\n.\\a 1.mp3,jazz,train\n",
            "path;label;split\nb\\2.mp3;rock;test\n.\\a 1.mp3;jazz;train\n",
        ] {
            assert_eq!(read_text(text).unwrap().tracks, expected, "{text:?}");
        }
        let tags = read_text("path;labels\na;\"x;y\"\nb;x|z\n").unwrap();
        assert_eq!(tags.tracks.iter().map(|track| track.labels.len()).collect::<Vec<_>>(), [2, 2]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_whose_name_has_a_backslash_is_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("AC\\DC.wav"), "").unwrap();
        let path = dir.path().join("tracks.csv");
        std::fs::write(&path, "path,label\nAC\\DC.wav,rock\n").unwrap();
        let entries = read_manifest(&path).unwrap();
        let rock = Some("rock".to_owned());
        assert_eq!(entries, [ManifestEntry { path: dir.path().join("AC\\DC.wav"), class: rock }]);
    }

    #[test]
    fn a_manifest_of_tags_gives_a_track_none_or_several() {
        let text = "labels,path,split\nslow; piano,b.mp3,train\n,a.mp3,test\npiano|slow | rock,c.mp3,test\nrock,d.mp3,train\n";
        let catalog = read_text(text).unwrap();
        assert!(catalog.is_tagged && !read_text("path,label\na,x\nb,y\n").unwrap().is_tagged);
        assert_eq!(catalog.labels, ["piano", "rock", "slow"]);
        let found: Vec<_> =
            catalog.tracks.iter().map(|track| (track.path.as_str(), track.labels.as_slice())).collect();
        let expected: [(&str, &[usize]); 4] =
            [("a.mp3", &[]), ("c.mp3", &[0, 1, 2]), ("b.mp3", &[0, 2]), ("d.mp3", &[1])];
        assert_eq!(found, expected);
        assert_eq!(read_text("path,labels\na,speech\nb,\n").unwrap().labels, ["speech"]);
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let message = |text: &str| read_text(text).unwrap_err().to_string();
        for (text, expected) in [
            ("path,genre\na,b\n", "line 1: unknown column 'genre'"),
            ("path,group\na,b\n", "line 1: no column 'label'"),
            ("path,label,path\n", "line 1: column 'path' is twice"),
            ("path,label\n", "line 1: no tracks"),
            ("", "line 1: no column 'path'"),
            ("path,label\na,x\n\nb,\n", "line 4: no label"),
            ("path,label\na,x\nb,y,z\n", "line 3: 3 fields, but the header has 2"),
            ("path,label\na,x\nb,y\n./a,x\n", "line 4: 'a' is already in line 2"),
            ("path,label,split\na,x,train\nb,y,dev\n", "line 3: unknown split 'dev'"),
            ("path,label,split\na,x,train\nb,y,\n", "line 3: a split in some lines only (unlike line 2)"),
            ("path,label,fold\na,x,1\nb,y,\n", "line 3: a fold in some lines only (unlike line 2)"),
            ("path,label\na,x\nb,x\n", "only one class, 'x'"),
            ("path,label\na,x\nb,x;y\n", "line 3: label 'x;y': a track has one in the column 'label'"),
            ("path,label,labels\na,x,y\n", "line 1: the columns 'label' and 'labels' exclude each other"),
            ("path,labels\na,x\nb,x;;y\n", "line 3: labels 'x;;y': a label without a name"),
            ("path,labels\na,x;\nb,y\n", "line 2: labels 'x;': a label without a name"),
            ("path,labels\na,x;y;x\nb,y\n", "line 2: labels 'x;y;x': 'x' is given twice"),
            ("path,labels\na,\"x,y\"\nb,y\n", "line 2: labels 'x,y': labels are separated by ;"),
            ("path,labels\na,x\na,y\n", "line 3: 'a' is already in line 2; give all its labels in one line"),
            ("path,labels\na,x;y\nb,y;x\n", "every track has the same labels"),
            ("path,labels\na,\nb,\n", "every track has the same labels"),
        ] {
            assert!(message(text).contains(expected), "{text:?}: {}", message(text));
        }
        assert!(read_text(b"path,label\n\xff,x\n").unwrap_err().to_string().contains("line 2: not UTF-8"));
    }
}
