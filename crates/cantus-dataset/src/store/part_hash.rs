//! The hashes of a part in `store.toml`, by which a part that was changed or exchanged is recognised.
//!
//! The CRC-32 is the one in the part's own metadata, which is read when the store is opened: it shows that the parts are in the
//! order in which they were written. The SHA-256 is over all bytes of the file, and is verified before the first read of a segment.

use std::fs::File;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hashes of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartHash {
    /// CRC-32 of record and features, in hexadecimal.
    pub(crate) crc32: String,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) sha256: String,
}

impl PartHash {
    pub(super) fn new(crc32: u32, sha256: String) -> Self {
        Self { crc32: format!("{crc32:08x}"), sha256 }
    }
}

/// The SHA-256 of a whole file, in hexadecimal.
pub(super) fn sha256_of(file: &mut File) -> io::Result<String> {
    let mut hash = HashingWriter::new(io::sink());
    io::Seek::rewind(file)?;
    io::copy(file, &mut hash)?;
    Ok(hash.finish())
}

/// Passes all bytes on and computes their SHA-256.
pub(super) struct HashingWriter<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> HashingWriter<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// The SHA-256 of what was written, in hexadecimal.
    pub(super) fn finish(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | sha256sum`.
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_hash_of_what_is_written_is_that_of_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = HashingWriter::new(&mut file);
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        assert_eq!(writer.finish(), OF_ABC);
        assert_eq!(sha256_of(&mut file).unwrap(), OF_ABC);
    }
}
