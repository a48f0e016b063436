//! A part on the disk, read at positions: its record first, then any segment of it.
//!
//! Of the Arrow file only the footer and the message in front of the record batch are looked at; they say where the
//! features lie, and each segment is then one positioned read. Memory maps were considered and are not needed: a batch
//! copies its segments anyway, and a file that is cut while it is mapped kills the process instead of giving an error.
//! Everything that the file says of itself is checked against its length before it is used, and all of the part against
//! its checksum before the first segment is given away.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow_ipc::{root_as_footer, root_as_message};

use super::part_writer::{CHECKSUM_KEY, RECORD_KEY};
use super::record::{FORMAT, NEWEST_FORMAT, PartRecord};
use crate::Error;

const MAGIC: &[u8; 6] = b"ARROW1";
/// The footer's length and the magic, at the very end.
const TRAILER: u64 = 10;
/// In front of a message: a continuation marker and its length.
const PREFIX: usize = 8;

/// An open part.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    /// `None` if it is opened for each read, see [`Self::close`].
    file: Option<Mutex<File>>,
    pub(crate) record: PartRecord,
    /// How many rows the record speaks of.
    record_rows: u64,
    /// Position of the first segment's features.
    features_at: u64,
    segment_bytes: u64,
    checksum: Checksum,
}

/// What the part's content should hash to, and whether it was seen to.
#[derive(Debug)]
struct Checksum {
    expected: u32,
    /// Over the record; the features are to come.
    record: crc32fast::Hasher,
    is_verified: AtomicBool,
    /// Held by whoever verifies, so that others wait instead of doing the same.
    turn: Mutex<()>,
}

impl PartFile {
    /// Opens a part and checks that it is whole.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut reader = Reader::open(path)?;
        let footer_at = reader.footer()?;
        let (record, checksum, block) = reader.record_and_block(footer_at)?;
        let segment_bytes = 4 * record.spec.frames_per_segment() as u64 * record.spec.n_bins() as u64;
        let expected = segment_bytes.checked_mul(record.n_rows() as u64);
        let (features_at, found) = match block {
            None => (0, 0),
            Some(block) => reader.features(block, footer_at)?,
        };
        if expected != Some(found) {
            return Err(reader.damaged(format!("{found} bytes of features for {} segments", record.n_rows())));
        }
        Ok(Self {
            path: path.to_owned(),
            file: Some(Mutex::new(reader.file)),
            record_rows: record.n_rows() as u64,
            record,
            features_at,
            segment_bytes,
            checksum,
        })
    }

    /// The checksum of its content.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum.expected
    }

    /// Checks, once, that nothing in the part has changed since it was written.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let Checksum { expected, record, is_verified, turn } = &self.checksum;
        if is_verified.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if is_verified.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut hasher = record.clone();
        let mut bytes = vec![0; 1 << 20];
        let n_bytes = self.segment_bytes * self.record_rows;
        for at in (0..n_bytes).step_by(bytes.len()) {
            let len = (n_bytes - at).min(bytes.len() as u64) as usize;
            self.read_at(self.features_at + at, &mut bytes[..len])?;
            hasher.update(&bytes[..len]);
        }
        if hasher.finalize() != *expected {
            let reason = "its content does not match its checksum".to_owned();
            return Err(Error::Damaged { path: self.path.clone(), reason });
        }
        is_verified.store(true, Ordering::Release);
        Ok(())
    }

    /// Closes the file; from now on it is opened for each read.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Reads the features of a row as little-endian bytes.
    pub(crate) fn read_row(&self, row: usize, bytes: &mut [u8]) -> Result<(), Error> {
        self.verify()?;
        self.read_at(self.features_at + row as u64 * self.segment_bytes, bytes)
    }

    fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let position = SeekFrom::Start(at);
        let mut read = |mut file: &File| file.seek(position).and_then(|_| file.read_exact(bytes));
        let result = match &self.file {
            // A thread that panicked between seek and read leaves nothing behind that the next seek does not undo.
            Some(file) => read(&file.lock().unwrap_or_else(PoisonError::into_inner)),
            None => File::open(&self.path).and_then(|file| read(&file)),
        };
        result.map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Error::Damaged { path: self.path.clone(), reason: "it was cut while it was read".to_owned() }
            }
            _ => Error::Io { path: self.path.clone(), source },
        })
    }
}

/// A record batch of the file: position and length of its message, and of its body behind that.
struct Block {
    at: u64,
    message_len: u64,
    body_len: u64,
}

struct Reader<'a> {
    path: &'a Path,
    file: File,
    len: u64,
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let len = file.metadata().map_err(Error::io(path))?.len();
        Ok(Self { path, file, len })
    }

    fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.to_owned(), reason: reason.into() }
    }

    fn read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, Error> {
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(self.damaged("it is cut"));
        }
        let mut bytes = vec![0; len as usize];
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(Error::io(self.path))?;
        Ok(bytes)
    }

    /// Position of the footer, once both ends of the file are what they should be.
    fn footer(&mut self) -> Result<u64, Error> {
        let too_short = || self.damaged("it is cut");
        let trailer_at = self.len.checked_sub(TRAILER).ok_or_else(too_short)?;
        if self.read(0, MAGIC.len() as u64)? != MAGIC {
            return Err(self.damaged("no Arrow IPC file"));
        }
        let trailer = self.read(trailer_at, TRAILER)?;
        let [a, b, c, d, magic @ ..] = &trailer[..] else { return Err(self.damaged("it is cut")) };
        if magic != MAGIC {
            return Err(self.damaged("it is cut: no Arrow footer at its end"));
        }
        let len = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        trailer_at.checked_sub(len).ok_or_else(|| self.damaged("a footer longer than the file"))
    }

    fn record_and_block(&mut self, footer_at: u64) -> Result<(PartRecord, Checksum, Option<Block>), Error> {
        let bytes = self.read(footer_at, self.len - TRAILER - footer_at)?;
        let footer = root_as_footer(&bytes).map_err(|_| self.damaged("a malformed Arrow footer"))?;
        let value = |key| {
            let metadata = footer.schema().and_then(|schema| schema.custom_metadata()).into_iter().flatten();
            metadata.filter(|entry| entry.key() == Some(key)).find_map(|entry| entry.value())
        };
        let json =
            value(RECORD_KEY).ok_or_else(|| self.damaged("an Arrow file, but no part of a feature store"))?;
        let record = self.record(json)?;
        let expected = value(CHECKSUM_KEY).and_then(|text| u32::from_str_radix(text, 16).ok());
        let expected = expected.ok_or_else(|| self.damaged("a part without a checksum"))?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(json.as_bytes());
        let (is_verified, turn) = (AtomicBool::new(false), Mutex::new(()));
        let checksum = Checksum { expected, record: hasher, is_verified, turn };
        let batches: Vec<_> = footer.recordBatches().into_iter().flatten().collect();
        let block = match batches[..] {
            [] => None,
            [block] => Some(Block {
                at: u64::try_from(block.offset())
                    .map_err(|_| self.damaged("a record batch before its beginning"))?,
                message_len: u64::try_from(block.metaDataLength())
                    .map_err(|_| self.damaged("a record batch of no length"))?,
                body_len: u64::try_from(block.bodyLength())
                    .map_err(|_| self.damaged("a record batch of no length"))?,
            }),
            _ => return Err(self.damaged("several record batches")),
        };
        Ok((record, checksum, block))
    }

    fn record(&self, json: &str) -> Result<PartRecord, Error> {
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        let malformed = |error: serde_json::Error| self.damaged(format!("a malformed record: {error}"));
        let Format { format } = serde_json::from_str(json).map_err(malformed)?;
        if format > NEWEST_FORMAT {
            let (path, supported) = (self.path.to_owned(), NEWEST_FORMAT);
            return Err(Error::NewerFormat { path, found: format, supported });
        }
        if format < FORMAT {
            return Err(Error::OlderFormat { path: self.path.to_owned(), found: format, supported: FORMAT });
        }
        let record: PartRecord = serde_json::from_str(json).map_err(malformed)?;
        record.spec.validate()?;
        Ok(record)
    }

    /// Position and length of the last buffer of the record batch, which are the features.
    fn features(&mut self, block: Block, footer_at: u64) -> Result<(u64, u64), Error> {
        let message = self.read(block.at, block.message_len)?;
        let batch = message.get(PREFIX..).and_then(|bytes| root_as_message(bytes).ok()).and_then(|message| {
            message.header_as_record_batch().map(|batch| (batch.buffers(), batch.compression()))
        });
        let Some((Some(buffers), None)) = batch else { return Err(self.damaged("a malformed record batch")) };
        let Some(last) = buffers.iter().next_back() else {
            return Err(self.damaged("a record batch without columns"));
        };
        let (offset, len) = (last.offset(), last.length());
        let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else {
            return Err(self.damaged("features of no place"));
        };
        let body_at = block.at.saturating_add(block.message_len);
        let inside_body = offset.checked_add(len).is_some_and(|end| end <= block.body_len);
        if !inside_body || body_at.saturating_add(block.body_len) > footer_at {
            return Err(self.damaged("features beyond its end"));
        }
        Ok((body_at + offset, len))
    }
}
