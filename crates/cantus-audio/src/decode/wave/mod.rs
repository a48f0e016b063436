//! WAV and its variants: RIFF, RIFX, RF64, BW64 and Wave64, with headers repaired where their sizes are wrong.
//!
//! | file | task |
//! |---|---|
//! | `container` | the table of variants: byte order, chunk headers, where 64-bit sizes are |
//! | `chunks` | finds the chunks `fmt ` and `data`; the sizes that the header declares are checked against the file |
//! | `encoding` | codec and bytes per sample, from the chunk `fmt ` |
//! | `format_tags` | names of encodings that are not decoded |
//! | `reader` | the samples in packets; Symphonia decodes them |
//!
//! A new variant is a line in `container`, a new encoding a line in `encoding`.
//!
//! # Reference
//! Microsoft, *Multimedia Programming Interface and Data Specifications 1.0* and *Multiple channel audio data and WAVE
//! files*; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64); Sony, *Wave64*.

mod chunks;
mod container;
mod encoding;
mod format_tags;
mod reader;

use std::io::{Read, Seek, SeekFrom};

use symphonia::core::errors::{Error, Result};

pub(super) use chunks::{SizeWarning, WaveLayout};
pub(super) use container::Container;
pub(super) use encoding::{Encoding, FormatChunk};
pub(super) use reader::WaveReader;

/// Number of bytes that identify a container.
const MAGIC_LENGTH: u64 = 16;

/// What the header of a WAV file declares, with its sizes repaired.
#[derive(Debug, Clone)]
pub(super) struct WaveHeader {
    pub(super) format: FormatChunk,
    pub(super) layout: WaveLayout,
}

impl WaveHeader {
    /// Reads the header of a file of `size` bytes, from its start.
    pub(super) fn read(file: &mut (impl Read + Seek), size: u64) -> Result<Self> {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.by_ref().take(MAGIC_LENGTH).read_to_end(&mut head)?;
        let container = Container::identify(&head).ok_or(Error::Unsupported("no WAVE marker"))?;
        let layout = WaveLayout::find(file, container, size)?;
        let format = FormatChunk::parse(&layout.format_chunk, container.is_big_endian())
            .ok_or(Error::DecodeError("wav: malformed fmt chunk"))?;
        Ok(Self { format, layout })
    }
}
