//! Finds the chunks of a WAV file, and repairs sizes that contradict the file.
//!
//! The size of the file as a whole (`RIFF`) is not needed to find a chunk and is only compared. The size of `data` is
//! believed if the file is as long; if it stands for an unknown size or is beyond the end, the samples end with the file.

use std::io::{Read, Seek, SeekFrom};

use symphonia::core::errors::{Error, Result};

use super::container::{ChunkHeader, Container};

/// Limit on the number of chunks before the samples.
const MAX_CHUNKS: usize = 10_000;
/// The longest chunk `fmt ` that is read; what follows is ignored.
const MAX_FORMAT: u64 = 1024;

/// A size in the header that contradicts the file. The samples that are present are read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) enum SizeWarning {
    /// The size of `data` stands for an unknown one: the samples end with the file.
    Open(u64),
    /// `data` is shorter than declared: declared and present number of bytes.
    DataEndsEarly(u64, u64),
    /// Bytes behind `data` that belong to no chunk.
    BytesBehindData(u64),
    /// The size of the whole file is wrong, that of `data` is right: declared and present number of bytes.
    File(u64, u64),
}

impl std::fmt::Display for SizeWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(size) => {
                write!(f, "the data chunk has the declared size {size}, so it is read to the end of the file")
            }
            Self::DataEndsEarly(declared, present) => {
                write!(f, "the data ends early: the header declares {declared} bytes, the file has {present}")
            }
            Self::BytesBehindData(n) => {
                write!(f, "{n} bytes follow the declared end of the data and belong to no chunk")
            }
            Self::File(declared, present) => {
                write!(
                    f,
                    "the header declares a file of {declared} bytes, it has {present}; all samples are read"
                )
            }
        }
    }
}

/// Where the parts of a WAV file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct WaveLayout {
    /// Content of the chunk `fmt `.
    pub(super) format_chunk: Vec<u8>,
    /// First byte of the samples.
    pub(in crate::decode) data_start: u64,
    /// Number of bytes of samples that are present.
    pub(in crate::decode) n_bytes: u64,
    /// Number of bytes of samples that the header declares, or the number present if it declares none.
    pub(in crate::decode) n_bytes_declared: u64,
    pub(in crate::decode) warning: Option<SizeWarning>,
}

/// A file with its container and size.
struct ChunkFile<'f, F> {
    file: &'f mut F,
    container: Container,
    size: u64,
}

impl WaveLayout {
    /// Finds the chunks of a file of `size` bytes.
    pub(super) fn find(file: &mut (impl Read + Seek), container: Container, size: u64) -> Result<Self> {
        let mut chunks = ChunkFile { file, container, size };
        let head = chunks.read(0, container.header_len())?;
        let mut file_size = container.file_size(&head).unwrap_or(0);
        let mut position = container.header_len();
        let (mut format_chunk, mut data, mut sizes_64) = (None, None, None);
        for _ in 0..MAX_CHUNKS {
            if format_chunk.is_some() && data.is_some() {
                break;
            }
            let Some(chunk) = chunks.header(position)? else { break };
            let content = position + container.chunk_header_len();
            match &chunk.name {
                b"fmt " => format_chunk = Some(chunks.read(content, chunk.size.min(MAX_FORMAT))?),
                b"ds64" if container == Container::Rf64 => {
                    sizes_64 = sizes_of(&chunks.read(content, 16)?);
                }
                b"data" => data = data.or(Some((content, chunk.size))),
                _ => {}
            }
            let chunk_size = match (&chunk.name, sizes_64) {
                (b"data", Some((_, data_size))) if chunk.size == u64::from(u32::MAX) => data_size,
                _ => chunk.size,
            };
            position = chunks.next(content, chunk_size)?;
        }
        let Some((data_start, mut data_size)) = data else {
            return Err(Error::DecodeError("wav: no data chunk"));
        };
        if let Some((file_size_64, data_size_64)) = sizes_64 {
            file_size =
                if file_size == 8 + u64::from(u32::MAX) { file_size_64.saturating_add(8) } else { file_size };
            data_size = if data_size == u64::from(u32::MAX) { data_size_64 } else { data_size };
        }
        let format_chunk = format_chunk.ok_or(Error::DecodeError("wav: missing fmt chunk"))?;
        let mut layout =
            Self { format_chunk, data_start, n_bytes: data_size, n_bytes_declared: data_size, warning: None };
        layout.repair(&mut chunks, file_size)?;
        Ok(layout)
    }

    /// Compares the declared sizes with the file.
    fn repair(&mut self, chunks: &mut ChunkFile<'_, impl Read + Seek>, file_size: u64) -> Result<()> {
        let (container, size) = (chunks.container, chunks.size);
        let n_left = size.saturating_sub(self.data_start);
        let declared = self.n_bytes_declared;
        let is_open = container.is_placeholder(declared)
            && (declared > n_left || declared == 0 && !chunks.are_chunks(self.data_start)?);
        self.warning = if is_open {
            (self.n_bytes, self.n_bytes_declared) = (n_left, n_left);
            (n_left > 0).then_some(SizeWarning::Open(declared))
        } else if declared > n_left {
            self.n_bytes = n_left;
            Some(SizeWarning::DataEndsEarly(declared, n_left))
        } else {
            let end = self.data_start + declared;
            if !chunks.are_chunks(end)? {
                Some(SizeWarning::BytesBehindData(size - end))
            } else {
                // A last odd byte may lack its padding.
                let is_right = (end..=container.align(size)).contains(&file_size);
                (!is_right).then_some(SizeWarning::File(file_size, size))
            }
        };
        Ok(())
    }
}

/// Sizes of the file and of `data` in a chunk `ds64`.
fn sizes_of(chunk: &[u8]) -> Option<(u64, u64)> {
    let word = |at: usize| Some(u64::from_le_bytes(*chunk.get(at..)?.first_chunk()?));
    Some((word(0)?, word(8)?))
}

impl<F: Read + Seek> ChunkFile<'_, F> {
    /// Up to `n` bytes at `position`.
    fn read(&mut self, position: u64, n: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(position))?;
        self.file.by_ref().take(n).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The chunk header at `position`, if there is one.
    fn header(&mut self, position: u64) -> Result<Option<ChunkHeader>> {
        let length = self.container.chunk_header_len();
        if position.checked_add(length).is_none_or(|end| end > self.size) {
            return Ok(None);
        }
        let bytes = self.read(position, length)?;
        Ok(self.container.chunk(&bytes))
    }

    /// The position after a chunk. Some writers do not align chunks.
    fn next(&mut self, content: u64, size: u64) -> Result<u64> {
        let end = content.saturating_add(size);
        let aligned = self.container.align(end);
        if aligned == end || self.header(aligned)?.is_some() || self.header(end)?.is_none() {
            return Ok(aligned);
        }
        Ok(end)
    }

    /// Whether nothing but chunks and a little padding follows from `position` to the end.
    fn are_chunks(&mut self, mut position: u64) -> Result<bool> {
        for _ in 0..MAX_CHUNKS {
            let n_left = self.size.saturating_sub(position);
            if n_left <= self.container.chunk_header_len() {
                return Ok(n_left < self.container.chunk_header_len());
            }
            let aligned = self.container.align(position);
            let at = if self.header(aligned)?.is_some() { aligned } else { position };
            let Some(chunk) = self.header(at)? else { return Ok(false) };
            position = (at + self.container.chunk_header_len()).saturating_add(chunk.size);
            if position > self.container.align(self.size) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
