//! Shards of a data set: shares of its recordings by a hash of the path, so that several machines extract them.
//!
//! A recording is in shard `h % n + 1` of `n`, where `h` is the first eight bytes of the SHA-256 of its path in UTF-8, as a
//! big-endian integer. The path is the track's: relative to the folder or manifest, with `/` between its names. So the shard of a
//! recording depends neither on the machine nor on the other recordings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Catalog;

/// One of `count` shards; written `1/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    count: u32,
    /// From 1.
    index: u32,
}

impl Shard {
    /// The shard of number `index`, from 1, of `count`; `None` if there is none.
    #[must_use]
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { count, index })
    }

    /// Its number, from 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of shards.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether the recording of that path is in it.
    #[must_use]
    pub fn contains(self, path: &str) -> bool {
        path_hash(path) % u64::from(self.count) == u64::from(self.index - 1)
    }
}

/// The first eight bytes of the SHA-256 of a path, as a big-endian integer.
pub(crate) fn path_hash(path: &str) -> u64 {
    let digest = Sha256::digest(path.as_bytes());
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

impl Catalog {
    /// The recordings, and the failures, of one shard. The labels are those of the whole catalog.
    #[must_use]
    pub fn shard(&self, shard: Shard) -> Self {
        let mut share = self.clone();
        share.tracks.retain(|track| shard.contains(&track.path));
        share.ignored.failures.retain(|failure| shard.contains(&failure.path));
        share
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// `I/N`, with `I` from 1 to `N`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some((index.trim().parse::<u32>().ok()?, count.trim().parse::<u32>().ok()?))
        });
        let shard = numbers.and_then(|(index, count)| Self::new(index, count));
        shard.ok_or_else(|| format!("'{text}' is no shard; expected I/N with I from 1 to N, such as 1/4"))
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_beginning_of_sha256() {
        // printf 'jazz/1.wav' | sha256sum
        assert_eq!(path_hash("jazz/1.wav"), 0x4cae_6566_00ae_1f8c);
    }

    #[test]
    fn every_path_is_in_exactly_one_shard_and_shards_are_of_similar_size() {
        for count in [1, 2, 5, 7] {
            let mut sizes = vec![0; count as usize];
            for n in 0..2000 {
                let path = format!("label/{n}.wav");
                let shards: Vec<u32> =
                    (1..=count).filter(|&i| Shard::new(i, count).unwrap().contains(&path)).collect();
                assert_eq!(shards.len(), 1, "{path} is in {shards:?} of {count}");
                sizes[shards[0] as usize - 1] += 1;
            }
            let mean = 2000 / count;
            assert!(sizes.iter().all(|&n| n > mean * 4 / 5 && n < mean * 6 / 5), "{count}: {sizes:?}");
        }
    }

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        let shard: Shard = "3/4".parse().unwrap();
        assert_eq!((shard.index(), shard.count(), shard.to_string().as_str()), (3, 4, "3/4"));
        for wrong in ["0/4", "5/4", "4", "1/0", "a/b", "1/2/3", "-1/2", ""] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("such as 1/4"), "{wrong}");
        }
    }
}
