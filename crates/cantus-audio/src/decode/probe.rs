//! Identifies the format of an opened file and strips its tags.

use std::io::Read;
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::error_text::malformed;
use super::file_type::{FileType, identify};
use super::format::Format;
use super::header_check::{caf_chunks_fit, wav_has_open_length};
use super::limits::check_wav_channels;
use super::tag_stripper::TagStripper;
use crate::Error;

/// Number of bytes in which the first frame of a format without a magic number is searched.
const SEARCH_LENGTH: usize = 256 * 1024;

/// A file whose format is known, positioned at the start of its audio.
pub(super) struct ProbedFile {
    pub(super) format: Format,
    pub(super) media: TagStripper,
    /// The header leaves the length open: the audio ends with the file.
    pub(super) has_open_length: bool,
}

/// Identifies a file by its content.
pub(super) fn probe(path: &Path, file: Box<dyn MediaSource>) -> Result<ProbedFile, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut media = TagStripper::new(file).map_err(io)?;
    let mut head = Vec::new();
    media.by_ref().take(SEARCH_LENGTH as u64).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() {
        let found = if media.has_leading_tag() { "a tag without audio" } else { "an empty file" };
        return Err(Error::NotAudio { path: path.into(), found: found.into() });
    }
    match identify(&head, head.len() as u64 == media.size()) {
        FileType::Audio(format, offset) => {
            check_header(path, format, &head, media.size())?;
            media.skip(offset as u64).map_err(io)?;
            let has_open_length = format == Format::Wav && wav_has_open_length(&head);
            Ok(ProbedFile { format, media, has_open_length })
        }
        FileType::Unsupported(name) => Err(Error::Unsupported { path: path.into(), name: name.into() }),
        FileType::NotAudio(found) => Err(Error::NotAudio { path: path.into(), found: found.into() }),
    }
}

fn check_header(path: &Path, format: Format, head: &[u8], size: u64) -> Result<(), Error> {
    match format {
        Format::Wav => check_wav_channels(path, head),
        Format::Caf if !caf_chunks_fit(head, size) => {
            Err(malformed(path, format, "its header declares more bytes than the file has"))
        }
        _ => Ok(()),
    }
}
