//! Checksums in the header `x-goog-hash: crc32c=…,md5=…`, each in Base64.
//!
//! Reference: Google Cloud Storage, XML API, header `x-goog-hash`; Kaggle stores its files there. Composite objects have no
//! MD5.

use std::fs::File;
use std::io::{self, Read};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// Checksums of a file as the server sent them, in Base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksums {
    pub crc32c: Option<String>,
    pub md5: Option<String>,
}

/// A checksum that differs from the expected one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub what: &'static str,
    pub expected: String,
    pub found: String,
}

impl Checksums {
    /// Parses the values of all headers `x-goog-hash`; other algorithms are ignored.
    pub fn from_headers<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for (name, value) in values.flat_map(|value| value.split(',')).filter_map(|hash| hash.split_once('='))
        {
            let slot = match name.trim() {
                "crc32c" => &mut found.crc32c,
                "md5" => &mut found.md5,
                _ => continue,
            };
            *slot = Some(value.trim().to_owned());
        }
        found
    }

    /// Compares the file's content, from its current position, with the checksums.
    pub fn verify(&self, file: &mut File) -> io::Result<Option<Mismatch>> {
        if *self == Self::default() {
            return Ok(None);
        }
        let (mut crc, mut md5) = (0, Md5::new());
        let mut buffer = vec![0; 1 << 18];
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            crc = crc32c::crc32c_append(crc, &buffer[..n]);
            if self.md5.is_some() {
                md5.update(&buffer[..n]);
            }
        }
        let differs = |what, expected: &Option<String>, found: String| match expected {
            Some(expected) if *expected != found => {
                Some(Mismatch { what, expected: expected.clone(), found })
            }
            _ => None,
        };
        Ok(differs("the CRC-32C", &self.crc32c, BASE64_STANDARD.encode(crc.to_be_bytes()))
            .or_else(|| differs("the MD5", &self.md5, BASE64_STANDARD.encode(md5.finalize()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn check(sums: &Checksums, content: &[u8]) -> Option<Mismatch> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        sums.verify(&mut file).unwrap()
    }

    /// `123456789`: the check value of CRC-32C in the catalogue of parametrised CRC algorithms is e3069283; its MD5 is
    /// 25f9e794323b453885f5181f1b624d0b (RFC 1321's suite has `1234567890…`; this one by `printf 123456789 | md5sum`).
    fn known() -> Checksums {
        Checksums::from_headers(["crc32c=4waSgw==, md5=JfnnlDI7RTiF9RgfG2JNCw=="].into_iter())
    }

    #[test]
    fn a_file_with_equal_checksums_passes() {
        assert_eq!(check(&known(), b"123456789"), None);
        assert_eq!(check(&Checksums::default(), b"anything"), None);
    }

    #[test]
    fn each_checksum_detects_a_changed_file() {
        assert_eq!(check(&known(), b"123456780").unwrap().what, "the CRC-32C");
        let md5 = Checksums { crc32c: None, ..known() };
        assert_eq!(check(&md5, b"123456780").unwrap().what, "the MD5");
    }

    #[test]
    fn several_headers_and_unknown_algorithms_are_parsed() {
        let several = ["crc32c=4waSgw==", "sha1=x", "md5=JfnnlDI7RTiF9RgfG2JNCw==", "nothing"];
        assert_eq!(Checksums::from_headers(several.into_iter()), known());
    }
}
