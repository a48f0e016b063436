//! A catalogue written by hand: a CSV file with the columns `path,label[,group,split,fold]`, or `path,labels[,…]` for tags.
//!
//! The header is required, its columns stand in any order. In the column `label` each track has one label, its class. In the
//! column `labels` it has as many as it has, parted by `;` or `|`: `rock;slow;piano`; an empty field says that it has none of
//! all the labels of the manifest. Paths are relative to the manifest. `split` is `train`,
//! `validation` or `test`; `fold` is the name of a fold of a cross-validation; either stands in every line or in none. A file that is listed and missing is no error here:
//! it becomes a failure of the extraction, like every other file that cannot be read.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use csv::StringRecord;

use crate::catalog::{Catalog, Entry, Ignored};
use crate::{Error, Part};

/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const COLUMNS: [&str; 6] = ["path", "label", "labels", "group", "split", "fold"];

/// What parts the labels of a track.
const SEPARATORS: [char; 2] = [';', '|'];

/// Columns that are filled in every line or in none.
const ALL_OR_NONE: [&str; 2] = ["split", "fold"];

pub(crate) fn read(path: &Path) -> Result<Catalog, Error> {
    let mut table = Table::open(path, &COLUMNS, &COLUMNS[..1])?;
    let is_tagged = is_tagged(&table)?;
    let mut entries = Vec::new();
    let mut first_line: HashMap<String, u64> = HashMap::new();
    let mut first_lines: [Option<(bool, u64)>; 2] = [None; 2];
    while let Some(line) = table.next_line()? {
        let entry = entry(&table, line, is_tagged)?;
        if let Some(earlier) = first_line.insert(entry.path.clone(), line) {
            let remedy = if is_tagged { "; give all its labels in one line, parted by ;" } else { "" };
            return Err(
                table.error(line, format!("'{}' stands in line {earlier} already{remedy}", entry.path))
            );
        }
        for (column, first) in ALL_OR_NONE.into_iter().zip(&mut first_lines) {
            let is_filled = table.field(column).is_some();
            let (was_filled, since) = *first.get_or_insert((is_filled, line));
            if was_filled != is_filled {
                let reason = format!(
                    "a {column} in some lines only (unlike line {since}); give it in all of them or in none"
                );
                return Err(table.error(line, reason));
            }
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(table.error(1, "no tracks below the header".to_owned()));
    }
    let root = path.parent().unwrap_or(Path::new(""));
    Catalog::from_entries(root, path, entries, is_tagged, Ignored::default())
}

/// Whether labels are tags, which the header says.
fn is_tagged(table: &Table<'_>) -> Result<bool, Error> {
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

fn entry(table: &Table<'_>, line: u64, is_tagged: bool) -> Result<Entry, Error> {
    let required = |column| table.field(column).ok_or_else(|| table.error(line, format!("no {column}")));
    let part = match table.field("split") {
        None => None,
        Some(name) => Some(Part::from_name(name).ok_or_else(|| {
            table.error(line, format!("unknown split '{name}'; wanted train, validation or test"))
        })?),
    };
    let labels = if is_tagged {
        tags(table.field("labels").unwrap_or_default())
    } else {
        class(required("label")?).map(|label| vec![label])
    };
    Ok(Entry {
        path: normalised(required("path")?),
        labels: labels.map_err(|reason| table.error(line, reason))?,
        group: table.field("group").map(str::to_owned),
        part,
        fold: table.field("fold").map(str::to_owned),
    })
}

/// The one label of a track.
fn class(text: &str) -> Result<String, String> {
    if text.contains(SEPARATORS) {
        return Err(format!(
            "label '{text}': a track has one in the column 'label'; call the column 'labels' for several"
        ));
    }
    Ok(text.to_owned())
}

/// The names in a field of labels; none in an empty one.
fn tags(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.contains(',') {
        return Err(format!("labels '{text}': labels are parted by ; and hold no comma"));
    }
    let mut names: Vec<String> = Vec::new();
    for name in text.split(SEPARATORS).map(str::trim) {
        if name.is_empty() {
            return Err(format!(
                "labels '{text}': a label without a name; leave the field empty for a track without labels"
            ));
        }
        if names.iter().any(|earlier| earlier == name) {
            return Err(format!("labels '{text}': '{name}' stands there twice"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The same file under one name: `./a/b` is `a/b`.
pub(crate) fn normalised(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let parts: Vec<&str> = path
        .split('/')
        .enumerate()
        .filter(|(i, part)| !(*part == "." || (part.is_empty() && *i > 0)))
        .map(|(_, part)| part)
        .collect();
    parts.join("/")
}

/// A CSV file with named columns, read line by line.
pub(crate) struct Table<'a> {
    path: &'a Path,
    reader: csv::Reader<Cursor<Vec<u8>>>,
    columns: HashMap<String, usize>,
    record: StringRecord,
}

impl<'a> Table<'a> {
    /// Opens a CSV file whose header names some of the `known` columns and all of the `required` ones.
    pub(crate) fn open(path: &'a Path, known: &[&str], required: &[&str]) -> Result<Self, Error> {
        let mut bytes = std::fs::read(path).map_err(Error::io(path))?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(Cursor::new(bytes));
        let header = reader.headers().map_err(|error| csv_error(path, &error))?.clone();
        let mut table = Self { path, reader, columns: HashMap::new(), record: StringRecord::new() };
        for (index, name) in header.iter().enumerate() {
            let name = name.to_lowercase();
            if !known.contains(&name.as_str()) {
                return Err(
                    table.error(1, format!("unknown column '{name}'; known are {}", known.join(", ")))
                );
            }
            if table.columns.insert(name.clone(), index).is_some() {
                return Err(table.error(1, format!("column '{name}' stands twice in the header")));
            }
        }
        match required.iter().find(|name| !table.columns.contains_key(**name)) {
            None => Ok(table),
            Some(name) => {
                Err(table.error(1, format!("no column '{name}' in the header; wanted {}", known.join(","))))
            }
        }
    }

    /// Goes on to the next line and returns its number; `None` at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<u64>, Error> {
        let more = self.reader.read_record(&mut self.record).map_err(|error| csv_error(self.path, &error))?;
        Ok(more.then(|| self.record.position().map_or(0, |start| self.line(start))))
    }

    /// The line of a record, whose position is that of the blank lines in front of it.
    fn line(&self, start: &csv::Position) -> u64 {
        let text = self.reader.get_ref().get_ref().get(start.byte() as usize..).unwrap_or_default();
        let blank = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        start.line() + blank.filter(|byte| **byte == b'\n').count() as u64
    }

    /// Whether the header names a column.
    fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The current line's value in a column; `None` if it is empty.
    pub(crate) fn field(&self, column: &str) -> Option<&str> {
        self.record.get(*self.columns.get(column)?).filter(|value| !value.is_empty())
    }

    pub(crate) fn error(&self, line: u64, reason: String) -> Error {
        Error::Csv { path: self.path.to_owned(), line, reason }
    }
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields, but the header has {expected_len}; quote fields that hold a comma")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the file as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    Error::Csv { path: path.to_owned(), line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("path,label,path\n", "line 1: column 'path' stands twice"),
            ("path,label\n", "line 1: no tracks"),
            ("", "line 1: no column 'path'"),
            ("path,label\na,x\n\nb,\n", "line 4: no label"),
            ("path,label\na,x\nb,y,z\n", "line 3: 3 fields, but the header has 2"),
            ("path,label\na,x\nb,y\n./a,x\n", "line 4: 'a' stands in line 2 already"),
            ("path,label,split\na,x,train\nb,y,dev\n", "line 3: unknown split 'dev'"),
            ("path,label,split\na,x,train\nb,y,\n", "line 3: a split in some lines only (unlike line 2)"),
            ("path,label,fold\na,x,1\nb,y,\n", "line 3: a fold in some lines only (unlike line 2)"),
            ("path,label\na,x\nb,x\n", "only one class, 'x'"),
            ("path,label\na,x\nb,x;y\n", "line 3: label 'x;y': a track has one in the column 'label'"),
            ("path,label,labels\na,x,y\n", "line 1: the columns 'label' and 'labels' exclude each other"),
            ("path,labels\na,x\nb,x;;y\n", "line 3: labels 'x;;y': a label without a name"),
            ("path,labels\na,x;\nb,y\n", "line 2: labels 'x;': a label without a name"),
            ("path,labels\na,x;y;x\nb,y\n", "line 2: labels 'x;y;x': 'x' stands there twice"),
            ("path,labels\na,\"x,y\"\nb,y\n", "line 2: labels 'x,y': labels are parted by ;"),
            (
                "path,labels\na,x\na,y\n",
                "line 3: 'a' stands in line 2 already; give all its labels in one line",
            ),
            ("path,labels\na,x;y\nb,y;x\n", "every track has the same labels"),
            ("path,labels\na,\nb,\n", "every track has the same labels"),
        ] {
            assert!(message(text).contains(expected), "{text:?}: {}", message(text));
        }
        assert!(read_text(b"path,label\n\xff,x\n").unwrap_err().to_string().contains("line 2: not UTF-8"));
    }
}
