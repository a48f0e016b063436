//! Structure of a part file: parses the Arrow IPC footer and record batch message, without the arrow crate's reader.
//!
//! Every length and offset in the file is checked against the length of the file before it is used.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow_ipc::{root_as_footer, root_as_message};
use cantus_audio::regular_file;

use super::part_writer::{CHECKSUM_KEY, RECORD_KEY};
use super::record::{FORMAT, NEWEST_FORMAT, PartRecord};
use crate::{Damage, Error};

const MAGIC: &[u8; 6] = b"ARROW1";
/// Length of the trailer: the footer's length and the magic.
const TRAILER_LEN: u64 = 10;
/// Length of the prefix of a message: a continuation marker and the message's length.
const PREFIX_LEN: usize = 8;

/// Metadata of a part, and the position of its features.
pub(super) struct PartLayout {
    pub(super) record: PartRecord,
    /// CRC-32 over the record's JSON and the features, as written.
    pub(super) checksum: u32,
    /// CRC-32 state after the record's JSON.
    pub(super) record_hasher: crc32fast::Hasher,
    /// Position and length of the features in bytes; (0, 0) if the part has no segments.
    pub(super) features: (u64, u64),
}

/// Position and length of a record batch's message, and length of the body after it.
struct BatchBlock {
    at: u64,
    message_len: u64,
    body_len: u64,
}

pub(super) struct PartReader<'a> {
    path: &'a Path,
    file: File,
    len: u64,
}

impl<'a> PartReader<'a> {
    /// Opens a part file and reads everything but its features.
    pub(super) fn read_layout(path: &'a Path) -> Result<(File, PartLayout), Error> {
        let mut reader = Self::open(path)?;
        let footer_at = reader.footer_position()?;
        let (record, checksum, block, record_hasher) = reader.footer(footer_at)?;
        let features = match block {
            None => (0, 0),
            Some(block) => reader.feature_range(block, footer_at)?,
        };
        Ok((reader.file, PartLayout { record, checksum, record_hasher, features }))
    }

    fn open(path: &'a Path) -> Result<Self, Error> {
        let file = regular_file::open(path).map_err(Error::io(path))?;
        let len = file.metadata().map_err(Error::io(path))?.len();
        Ok(Self { path, file, len })
    }

    fn damaged(&self, damage: Damage) -> Error {
        Error::Damaged { path: self.path.to_owned(), damage }
    }

    fn malformed(&self, reason: impl Into<String>) -> Error {
        self.damaged(Damage::Malformed(reason.into()))
    }

    fn read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, Error> {
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(self.damaged(Damage::Truncated));
        }
        let mut bytes = vec![0; len as usize];
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(Error::io(self.path))?;
        Ok(bytes)
    }

    /// Position of the footer, after a check of the magic at both ends of the file.
    fn footer_position(&mut self) -> Result<u64, Error> {
        let trailer_at = self.len.checked_sub(TRAILER_LEN).ok_or_else(|| self.damaged(Damage::Truncated))?;
        if self.read(0, MAGIC.len() as u64)? != MAGIC {
            return Err(self.malformed("not an Arrow IPC file"));
        }
        let trailer = self.read(trailer_at, TRAILER_LEN)?;
        let [a, b, c, d, magic @ ..] = &trailer[..] else { return Err(self.damaged(Damage::Truncated)) };
        if magic != MAGIC {
            return Err(self.damaged(Damage::Truncated));
        }
        let len = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        trailer_at.checked_sub(len).ok_or_else(|| self.malformed("an Arrow footer longer than the file"))
    }

    /// Record, checksum, record batch and CRC-32 state after the record's JSON.
    fn footer(
        &mut self,
        footer_at: u64,
    ) -> Result<(PartRecord, u32, Option<BatchBlock>, crc32fast::Hasher), Error> {
        let bytes = self.read(footer_at, self.len - TRAILER_LEN - footer_at)?;
        let footer = root_as_footer(&bytes).map_err(|_| self.malformed("a malformed Arrow footer"))?;
        let value = |key| {
            let metadata = footer.schema().and_then(|schema| schema.custom_metadata()).into_iter().flatten();
            metadata.filter(|entry| entry.key() == Some(key)).find_map(|entry| entry.value())
        };
        let json = value(RECORD_KEY)
            .ok_or_else(|| self.malformed("an Arrow file, but not a part of a feature store"))?;
        let record = self.record(json)?;
        let checksum = value(CHECKSUM_KEY).and_then(|text| u32::from_str_radix(text, 16).ok());
        let checksum = checksum.ok_or_else(|| self.malformed("a part without a checksum"))?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(json.as_bytes());
        let batches: Vec<_> = footer.recordBatches().into_iter().flatten().collect();
        let block = match batches[..] {
            [] => None,
            [block] => {
                Some(self.batch_block(block.offset(), block.metaDataLength().into(), block.bodyLength())?)
            }
            _ => return Err(self.malformed("several record batches")),
        };
        Ok((record, checksum, block, hasher))
    }

    fn batch_block(&self, at: i64, message_len: i64, body_len: i64) -> Result<BatchBlock, Error> {
        let unsigned = |n: i64| {
            u64::try_from(n).map_err(|_| self.malformed("a record batch with a negative position or length"))
        };
        let (at, message_len, body_len) = (unsigned(at)?, unsigned(message_len)?, unsigned(body_len)?);
        Ok(BatchBlock { at, message_len, body_len })
    }

    fn record(&self, json: &str) -> Result<PartRecord, Error> {
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        let malformed = |error: serde_json::Error| self.malformed(format!("a malformed record: {error}"));
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

    /// Position and length of the last buffer of the record batch, which contains the features.
    fn feature_range(&mut self, block: BatchBlock, footer_at: u64) -> Result<(u64, u64), Error> {
        let message = self.read(block.at, block.message_len)?;
        let batch =
            message.get(PREFIX_LEN..).and_then(|bytes| root_as_message(bytes).ok()).and_then(|message| {
                message.header_as_record_batch().map(|batch| (batch.buffers(), batch.compression()))
            });
        let Some((Some(buffers), None)) = batch else {
            return Err(self.malformed("a malformed record batch"));
        };
        let Some(last) = buffers.iter().next_back() else {
            return Err(self.malformed("a record batch without columns"));
        };
        let (offset, len) = (last.offset(), last.length());
        let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else {
            return Err(self.malformed("features with a negative position or length"));
        };
        let body_at = block.at.saturating_add(block.message_len);
        let inside_body = offset.checked_add(len).is_some_and(|end| end <= block.body_len);
        if !inside_body || body_at.saturating_add(block.body_len) > footer_at {
            return Err(self.malformed("features beyond the end of the file"));
        }
        Ok((body_at + offset, len))
    }
}
