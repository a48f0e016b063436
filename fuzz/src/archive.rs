//! Zip archives of arbitrary entries, and what unpacking one may leave behind.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::atomic::AtomicBool;

use arbitrary::Arbitrary;
use cantus_fetch::{ArchiveLimits, ProgressObserver, unpack};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::files::{check_message, removed};

const LIMITS: ArchiveLimits = ArchiveLimits { max_entries: 50, max_bytes: 1 << 20 };

/// An archive of some entries.
#[derive(Debug, Arbitrary)]
pub struct ArbitraryArchive {
    entries: Vec<ArbitraryEntry>,
    /// Bytes that are replaced afterwards: position and value.
    changes: Vec<(u16, u8)>,
}

#[derive(Debug, Arbitrary)]
struct ArbitraryEntry {
    /// Parts of the name, joined by `/`.
    name: Vec<ArbitraryName>,
    kind: u8,
    mode: Option<u16>,
    is_deflated: bool,
    content: Vec<u8>,
    n_zeros: u16,
}

#[derive(Debug, Arbitrary)]
enum ArbitraryName {
    Parent,
    Empty,
    Dot,
    Text(String),
    Number(u8),
}

impl ArbitraryArchive {
    /// The bytes of the archive; absent if its entries cannot be written.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in self.entries.iter().take(60) {
            entry.write(&mut zip)?;
        }
        let mut bytes = zip.finish().ok()?.into_inner();
        for (at, value) in &self.changes {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *value;
        }
        Some(bytes)
    }
}

impl ArbitraryEntry {
    fn write(&self, zip: &mut ZipWriter<Cursor<Vec<u8>>>) -> Option<()> {
        let parts: Vec<String> = self.name.iter().take(8).map(ArbitraryName::text).collect();
        let name = parts.join("/");
        let method = if self.is_deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let mut options = SimpleFileOptions::default().compression_method(method);
        if let Some(mode) = self.mode {
            options = options.unix_permissions(mode.into());
        }
        match self.kind % 4 {
            0 => zip.add_directory(name, options).ok()?,
            1 => zip.add_symlink(name, "/etc", options).ok()?,
            _ => {
                zip.start_file(name, options).ok()?;
                zip.write_all(&self.content).ok()?;
                zip.write_all(&vec![0; usize::from(self.n_zeros) * 64]).ok()?;
            }
        }
        Some(())
    }
}

impl ArbitraryName {
    fn text(&self) -> String {
        match self {
            Self::Parent => "..".to_owned(),
            Self::Empty => String::new(),
            Self::Dot => ".".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Number(n) => n.to_string(),
        }
    }
}

/// A folder, a file that is stored, and one that is compressed.
pub fn valid() -> Vec<u8> {
    let entry = |name: &str, kind, is_deflated| ArbitraryEntry {
        name: name.split('/').map(|part| ArbitraryName::Text(part.to_owned())).collect(),
        kind,
        mode: None,
        is_deflated,
        content: b"content".to_vec(),
        n_zeros: 2,
    };
    let entries = vec![entry("a", 0, false), entry("a/b.txt", 2, false), entry("c/d.txt", 2, true)];
    ArbitraryArchive { entries, changes: Vec::new() }.to_bytes().expect("a valid archive")
}

/// Unpacks an archive: a folder within the limits, or an error and no folder; and never a file beside it.
pub fn check(bytes: &[u8]) {
    let outside = removed("unpacking");
    let inside = outside.join("inside");
    fs::create_dir_all(&inside).expect("a folder");
    let archive = outside.join("archive.zip");
    fs::write(&archive, bytes).expect("an archive");
    let observer = ProgressObserver { cancelled: &AtomicBool::new(false), on_event: &|_| () };
    let unpacked = unpack(&archive, &inside.join("target"), LIMITS, &observer, |_| Ok(()));
    if let Err(error) = &unpacked {
        check_message(error);
    }
    let names = |folder| {
        let entries =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&outside), ["archive.zip", "inside"], "a file outside of the folder");
    let expected: &[&str] = if unpacked.is_ok() { &["target"] } else { &[] };
    assert_eq!(names(&inside), expected, "a file beside the folder");
}
