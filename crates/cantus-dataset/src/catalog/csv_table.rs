//! CSV files with a header: named columns, line numbers for errors, normalized paths.
//!
//! Fields are separated by commas, semicolons (spreadsheets in many languages) or tabs; the header decides.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

use cantus_audio::regular_file;
use csv::StringRecord;

use crate::Error;

/// UTF-8 byte order mark, which some editors write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Separators of fields, in order of precedence.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The delimiter of a table with this header: the first of comma, semicolon and tab that occurs in it.
pub(crate) fn delimiter(header: &[u8]) -> u8 {
    DELIMITERS.into_iter().find(|delimiter| header.contains(delimiter)).unwrap_or(DELIMITERS[0])
}

/// The path without `.` and empty components, so that `./a/b` equals `a/b`; with `/` for the `\` of a path from Windows.
///
/// Elsewhere a name may contain `\`: of a path that has a `/`, it is kept.
pub(crate) fn normalized_path(path: &str) -> String {
    let is_from_windows = cfg!(windows) || !path.contains('/');
    let path = if is_from_windows { path.replace('\\', "/") } else { path.to_owned() };
    let names: Vec<&str> = path
        .split('/')
        .enumerate()
        .filter(|(i, name)| !(*name == "." || (name.is_empty() && *i > 0)))
        .map(|(_, name)| name)
        .collect();
    names.join("/")
}

/// A CSV file with named columns, read line by line.
pub(crate) struct CsvTable<'a> {
    path: &'a Path,
    reader: csv::Reader<Cursor<Vec<u8>>>,
    columns: HashMap<String, usize>,
    record: StringRecord,
}

impl<'a> CsvTable<'a> {
    /// Opens a CSV file whose header names some of the `known` columns and all of the `required` ones.
    pub(crate) fn open(path: &'a Path, known: &[&str], required: &[&str]) -> Result<Self, Error> {
        let mut bytes = regular_file::read(path).map_err(Error::io(path))?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        let header = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
        let delimiter = delimiter(header.unwrap_or_default());
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .delimiter(delimiter)
            .from_reader(Cursor::new(bytes));
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
                return Err(table.error(1, format!("column '{name}' is twice in the header")));
            }
        }
        match required.iter().find(|name| !table.columns.contains_key(**name)) {
            None => Ok(table),
            Some(name) => {
                Err(table.error(1, format!("no column '{name}' in the header; expected {}", known.join(","))))
            }
        }
    }

    /// Reads the next record and returns its line number; `None` at the end of the file.
    pub(crate) fn next_line(&mut self) -> Result<Option<u64>, Error> {
        let more = self.reader.read_record(&mut self.record).map_err(|error| csv_error(self.path, &error))?;
        Ok(more.then(|| self.record.position().map_or(0, |start| self.line(start))))
    }

    /// Line of a record; the csv crate reports the position of the blank lines before it.
    fn line(&self, start: &csv::Position) -> u64 {
        let text = self.reader.get_ref().get_ref().get(start.byte() as usize..).unwrap_or_default();
        let blank = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        start.line() + blank.filter(|byte| **byte == b'\n').count() as u64
    }

    /// Whether the header names a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// Value of a column in the current record; `None` if it is empty.
    pub(crate) fn field(&self, column: &str) -> Option<&str> {
        self.record.get(*self.columns.get(column)?).filter(|value| !value.is_empty())
    }

    /// The error of a line of this file.
    pub(crate) fn error(&self, line: u64, reason: String) -> Error {
        Error::Csv { path: self.path.to_owned(), line, reason }
    }
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!(
                "{len} fields, but the header has {expected_len}; quote fields that contain its separator"
            )
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the file as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    Error::Csv { path: path.to_owned(), line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalized_path_has_no_empty_or_dot_component_and_stays_absolute() {
        assert_eq!(normalized_path("./a//b/./c.wav"), "a/b/c.wav");
        assert_eq!(normalized_path("/a/b.wav"), "/a/b.wav");
        assert_eq!(normalized_path(r".\a\\b\c.wav"), "a/b/c.wav");
        let mixed = if cfg!(windows) { "a/b/c.wav" } else { r"a/b\c.wav" };
        assert_eq!(normalized_path(r"a/b\c.wav"), mixed);
    }

    #[test]
    fn the_header_decides_on_the_delimiter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        for text in [
            "path,group\na;1,b\n",
            "\u{feff}path;group\r\na;1;b\r\n",
            "\n path\tgroup\na;1\tb\n",
            "path;group\n\"a;1\";b\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let mut table = CsvTable::open(&path, &["path", "group"], &["path"]).unwrap();
            let line = table.next_line();
            if text.contains("\r") {
                assert!(line.unwrap_err().to_string().contains("3 fields, but the header has 2"));
                continue;
            }
            assert!(line.unwrap().is_some());
            assert_eq!((table.field("path"), table.field("group")), (Some("a;1"), Some("b")), "{text:?}");
        }
    }

    #[test]
    fn line_numbers_count_blank_lines_and_start_at_the_header() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        std::fs::write(&path, "path\n\na\n\n\nb\n").unwrap();
        let mut table = CsvTable::open(&path, &["path"], &["path"]).unwrap();
        assert_eq!(table.next_line().unwrap(), Some(3));
        assert_eq!(table.field("path"), Some("a"));
        assert_eq!(table.next_line().unwrap(), Some(6));
        assert_eq!(table.next_line().unwrap(), None);
    }
}
