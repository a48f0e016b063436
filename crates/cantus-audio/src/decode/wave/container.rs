//! The containers of the WAV family: magic numbers, byte order and chunk headers.

/// A container of the WAV family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Container {
    /// 32-bit sizes, little-endian: the ordinary WAV.
    Riff,
    /// The same, big-endian, also in its samples.
    Rifx,
    /// RF64 and BW64: sizes over 4 GiB are in a chunk `ds64`.
    Rf64,
    /// Sony Wave64: chunks are named by GUIDs, sizes have 64 bits and include the chunk's header.
    Wave64,
}

/// The GUID of a chunk of Wave64 after its first four bytes, which are its name in ASCII; that of `riff` itself differs.
const WAVE64_GUID_TAIL: [u8; 12] = *b"\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A";
const WAVE64_MAGIC: [u8; 16] = *b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00";

/// Name and declared size of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    pub(super) name: [u8; 4],
    pub(super) size: u64,
}

impl Container {
    /// Identifies a container by the first bytes of a file.
    pub(in crate::decode) fn identify(head: &[u8]) -> Option<Self> {
        let is_wave = head.get(8..12) == Some(b"WAVE");
        match head.get(..4)? {
            b"RIFF" if is_wave => Some(Self::Riff),
            b"RIFX" if is_wave => Some(Self::Rifx),
            b"RF64" | b"BW64" if is_wave => Some(Self::Rf64),
            _ if head.starts_with(&WAVE64_MAGIC) => Some(Self::Wave64),
            _ => None,
        }
    }

    pub(super) fn is_big_endian(self) -> bool {
        self == Self::Rifx
    }

    /// Length of the file's own header, after which the chunks begin.
    pub(super) fn header_len(self) -> u64 {
        if self == Self::Wave64 { 40 } else { 12 }
    }

    /// Length of a chunk's header.
    pub(super) fn chunk_header_len(self) -> u64 {
        if self == Self::Wave64 { 24 } else { 8 }
    }

    /// The size of the whole file, of its first bytes.
    pub(super) fn file_size(self, head: &[u8]) -> Option<u64> {
        Some(match self {
            Self::Riff | Self::Rf64 => 8 + u64::from(u32::from_le_bytes(*head.get(4..)?.first_chunk()?)),
            Self::Rifx => 8 + u64::from(u32::from_be_bytes(*head.get(4..)?.first_chunk()?)),
            Self::Wave64 => u64::from_le_bytes(*head.get(16..)?.first_chunk()?),
        })
    }

    /// The header of a chunk; `None` if `bytes` are none.
    pub(super) fn chunk(self, bytes: &[u8]) -> Option<ChunkHeader> {
        let name: [u8; 4] = *bytes.first_chunk()?;
        if !name.iter().all(|byte| (0x20..0x7F).contains(byte)) {
            return None;
        }
        let size = match self {
            Self::Riff | Self::Rf64 => u64::from(u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?)),
            Self::Rifx => u64::from(u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?)),
            Self::Wave64 => {
                if bytes.get(4..16)? != WAVE64_GUID_TAIL {
                    return None;
                }
                u64::from_le_bytes(*bytes.get(16..)?.first_chunk()?).checked_sub(24)?
            }
        };
        Some(ChunkHeader { name, size })
    }

    /// The next multiple of the alignment of chunks.
    pub(super) fn align(self, position: u64) -> u64 {
        let alignment = if self == Self::Wave64 { 8 } else { 2 };
        position.checked_next_multiple_of(alignment).unwrap_or(u64::MAX)
    }

    /// Whether a size stands for an unknown one, in files whose writer could not seek back to its header: the largest
    /// numbers of 31 and 32 bits, from which some writers (SoX, for one) subtract a page or the length of the header.
    pub(super) fn is_placeholder(self, size: u64) -> bool {
        const PAGE: u64 = 0x1000;
        let near = |largest: u64| size <= largest && size >= largest - PAGE;
        size == 0
            || near(0x8000_0000)
            || near(u64::from(u32::MAX))
            || (matches!(self, Self::Rf64 | Self::Wave64) && (near(u64::MAX) || near(1 << 63)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_order_and_width_of_sizes_follow_the_container() {
        let chunk = |container: Container, bytes: &[u8]| container.chunk(bytes).map(|chunk| chunk.size);
        assert_eq!(chunk(Container::Riff, b"data\x01\x02\0\0"), Some(0x201));
        assert_eq!(chunk(Container::Rifx, b"data\0\0\x02\x01"), Some(0x201));
        let wave64 = [b"data".as_slice(), &WAVE64_GUID_TAIL, &124u64.to_le_bytes()].concat();
        assert_eq!(chunk(Container::Wave64, &wave64), Some(100));
        assert_eq!(chunk(Container::Wave64, b"data\x01\x02\0\0data\x01\x02\0\0data\x01\x02\0\0"), None);
        assert_eq!(chunk(Container::Riff, b"\0\0\0\0\0\0\0\0"), None, "not a name");
        assert_eq!((Container::Riff.align(7), Container::Wave64.align(9)), (8, 16));
    }

    #[test]
    fn sizes_that_stand_for_an_unknown_one_are_recognised() {
        for size in [0, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFF - 36] {
            assert!(Container::Riff.is_placeholder(size), "{size:x}");
        }
        for size in [2, 88_200, 0x7FFF_0000, 0x9000_0000] {
            assert!(!Container::Riff.is_placeholder(size), "{size:x}");
        }
        assert!(Container::Wave64.is_placeholder(u64::MAX - 24));
    }
}
