//! An open part of a feature store: its metadata, and random access to the features of its segments.
//!
//! Only the footer and the message of the record batch are parsed; they give the position of the features, and each
//! segment is then one positioned read. Not memory-mapped: a batch copies its segments anyway, and truncation of a mapped
//! file kills the process instead of giving an error. Before the first read, the SHA-256 of the whole file is verified, or, in
//! a store whose header has no hashes, the CRC-32 of record and features.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use cantus_audio::regular_file;

use super::part_hash::{PartHash, sha256_of};
use super::part_reader::{PartLayout, PartReader};
use super::positioned_read::read_exact_at;
use super::read_ahead::read_ahead;
use super::record::PartRecord;
use crate::{Damage, Error};

/// An open part.
#[derive(Debug)]
pub(super) struct PartFile {
    path: PathBuf,
    /// `None` if it is opened for each read, see [`Self::close`].
    file: Option<File>,
    pub(super) record: PartRecord,
    /// Number of rows according to the record.
    n_rows: u64,
    /// Position of the first segment's features.
    features_at: u64,
    segment_bytes: u64,
    checksum: Checksum,
}

/// Checksum of a part, and whether it was verified.
#[derive(Debug)]
struct Checksum {
    expected: u32,
    /// Of the whole file; `None` if the header of the store has none.
    sha256: Option<String>,
    /// State after the record; the features follow.
    record: crc32fast::Hasher,
    is_verified: AtomicBool,
    /// Held during verification, so that other threads wait instead of verifying as well.
    verification: Mutex<()>,
}

impl PartFile {
    /// Opens a part and checks its structure.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let (file, layout) = PartReader::read_layout(path)?;
        let PartLayout { record, checksum, record_hasher, features } = layout;
        let segment_bytes = 4 * record.spec.frames_per_segment() as u64 * record.spec.n_bins() as u64;
        let expected = segment_bytes.checked_mul(record.n_rows() as u64);
        let (features_at, found) = features;
        if expected != Some(found) || u32::try_from(record.n_rows()).is_err() {
            let reason = format!("{found} bytes of features for {} segments", record.n_rows());
            return Err(Error::Damaged { path: path.to_owned(), damage: Damage::Malformed(reason) });
        }
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            n_rows: record.n_rows() as u64,
            record,
            features_at,
            segment_bytes,
            checksum: Checksum {
                expected: checksum,
                sha256: None,
                record: record_hasher,
                is_verified: AtomicBool::new(false),
                verification: Mutex::new(()),
            },
        })
    }

    /// Requires these hashes, which the header of the store has for it.
    ///
    /// # Errors
    /// If its CRC-32 is another one, so that it is not the part that was written here.
    pub(super) fn require(&mut self, hash: &PartHash) -> Result<(), Error> {
        if hash.crc32 != format!("{:08x}", self.checksum.expected) {
            return Err(Error::Damaged { path: self.path.clone(), damage: Damage::OtherPart });
        }
        self.checksum.sha256 = Some(hash.sha256.clone());
        Ok(())
    }

    /// The error that it is damaged.
    pub(super) fn damaged(&self, damage: Damage) -> Error {
        Error::Damaged { path: self.path.clone(), damage }
    }

    /// Its hashes.
    pub(super) fn hash(&self) -> Result<PartHash, Error> {
        let mut file = regular_file::open(&self.path).map_err(Error::io(&self.path))?;
        let sha256 = sha256_of(&mut file).map_err(Error::io(&self.path))?;
        Ok(PartHash::new(self.checksum.expected, sha256))
    }

    /// CRC-32 of its content.
    pub(super) fn checksum(&self) -> u32 {
        self.checksum.expected
    }

    /// Verifies the checksum, unless that was done before.
    pub(super) fn verify(&self) -> Result<(), Error> {
        let Checksum { is_verified, verification, .. } = &self.checksum;
        if is_verified.load(Ordering::Acquire) {
            return Ok(());
        }
        let _guard = verification.lock().unwrap_or_else(PoisonError::into_inner);
        if is_verified.load(Ordering::Acquire) {
            return Ok(());
        }
        if let Some(damage) = self.damage()? {
            return Err(Error::Damaged { path: self.path.clone(), damage });
        }
        is_verified.store(true, Ordering::Release);
        Ok(())
    }

    /// How the content differs from its checksum.
    fn damage(&self) -> Result<Option<Damage>, Error> {
        let Checksum { expected, sha256, record, .. } = &self.checksum;
        if let Some(expected) = sha256 {
            let found = self.hash()?.sha256;
            let expected = expected.clone();
            return Ok((found != expected).then_some(Damage::Sha256 { expected, found }));
        }
        let found = self.hash_features(record.clone())?;
        Ok((found != *expected).then_some(Damage::Checksum { expected: *expected, found }))
    }

    /// CRC-32 after the features, continued from the state after the record.
    fn hash_features(&self, mut hasher: crc32fast::Hasher) -> Result<u32, Error> {
        let mut bytes = vec![0; 1 << 20];
        let n_bytes = self.segment_bytes * self.n_rows;
        for at in (0..n_bytes).step_by(bytes.len()) {
            let len = (n_bytes - at).min(bytes.len() as u64) as usize;
            self.read_at(self.features_at + at, &mut bytes[..len])?;
            hasher.update(&bytes[..len]);
        }
        Ok(hasher.finalize())
    }

    /// Closes the file; it is then opened for each read.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// Reads the features of a row.
    pub(super) fn read_row(&self, row: usize, values: &mut [f32]) -> Result<(), Error> {
        self.verify()?;
        self.read_features(self.features_at + row as u64 * self.segment_bytes, values)
    }

    /// Has a row read ahead, see [`read_ahead`]; a failure shows when the row is read.
    pub(super) fn read_row_ahead(&self, row: usize) {
        let read = |file: &File| {
            read_ahead(file, self.features_at + row as u64 * self.segment_bytes, self.segment_bytes);
        };
        match &self.file {
            Some(file) => read(file),
            None => {
                let _ = regular_file::open(&self.path).map(|file| read(&file));
            }
        }
    }

    /// Reads the features of `n_rows` rows from `first` on.
    ///
    /// # Shapes
    /// - returns: `[n_rows, n_frames, n_bins]`
    pub(super) fn read_rows(&self, first: usize, n_rows: usize) -> Result<Vec<f32>, Error> {
        self.verify()?;
        let mut values = vec![0.0; n_rows * self.segment_bytes as usize / size_of::<f32>()];
        self.read_features(self.features_at + first as u64 * self.segment_bytes, &mut values)?;
        Ok(values)
    }

    /// Reads little-endian numbers.
    fn read_features(&self, at: u64, values: &mut [f32]) -> Result<(), Error> {
        self.read_at(at, bytemuck::cast_slice_mut(values))?;
        values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        Ok(())
    }

    fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let mut read = |file: &File| read_exact_at(file, bytes, at);
        let result = match &self.file {
            Some(file) => read(file),
            None => regular_file::open(&self.path).and_then(|file| read(&file)),
        };
        result.map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Error::Damaged { path: self.path.clone(), damage: Damage::Truncated }
            }
            _ => Error::Io { path: self.path.clone(), source },
        })
    }
}
