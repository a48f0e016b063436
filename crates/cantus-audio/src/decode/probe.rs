//! Identifies the format of an opened file, strips its tags and checks its header.

use std::io::Read;
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::aiff_sizes::AiffRepair;
use super::caf_header::caf_chunks_fit;
use super::error_text::{malformed, open_error};
use super::file_type::{FileType, identify};
use super::format::Format;
use super::frame_sync;
use super::limits::check_limits;
use super::tag_stripper::TagStripper;
use super::wave::{Encoding, SizeWarning, WaveHeader};
use crate::Error;

/// Number of bytes in which the first frame of a format without a magic number is searched.
const SEARCH_LENGTH: usize = 256 * 1024;

/// A file whose format is known, positioned at the start of its audio.
pub(super) struct ProbedFile {
    pub(super) format: Format,
    pub(super) media: TagStripper,
    /// A size in the header that contradicts the file.
    pub(super) size_warning: Option<SizeWarning>,
    /// Number of bytes before the first frame of a stream.
    pub(super) n_skipped: u64,
}

/// Identifies a file by its content.
pub(super) fn probe(path: &Path, file: Box<dyn MediaSource>) -> Result<ProbedFile, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut media = TagStripper::new(file).map_err(io)?;
    let head = read_head(&mut media).map_err(io)?;
    if head.is_empty() {
        let found = if media.has_leading_tag() { "a tag without audio" } else { "an empty file" };
        return Err(Error::NotAudio { path: path.into(), found: found.into() });
    }
    match identify(&head, head.len() as u64 == media.size()) {
        FileType::Audio(Format::Wav, _) => probe_wave(path, media),
        FileType::Audio(Format::Aiff, _) => {
            let size = media.size();
            let AiffRepair { warning, patches } = AiffRepair::find(&mut media, size).map_err(io)?;
            media.patch(patches);
            media.skip(0).map_err(io)?;
            Ok(ProbedFile { format: Format::Aiff, media, size_warning: warning, n_skipped: 0 })
        }
        FileType::Audio(Format::Caf, _) if !caf_chunks_fit(&head, media.size()) => {
            Err(malformed(path, Format::Caf, "its header declares more bytes than the file has"))
        }
        FileType::Audio(format, offset) => {
            media.skip(offset as u64).map_err(io)?;
            Ok(ProbedFile { format, media, size_warning: None, n_skipped: offset as u64 })
        }
        FileType::Unsupported(name) => Err(Error::Unsupported { path: path.into(), name: name.into() }),
        FileType::NotAudio(found) => Err(Error::NotAudio { path: path.into(), found: found.into() }),
    }
}

fn read_head(media: &mut TagStripper) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    media.by_ref().take(SEARCH_LENGTH as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Reads the header of a WAV file. One that contains an MPEG stream is opened as that stream.
fn probe_wave(path: &Path, mut media: TagStripper) -> Result<ProbedFile, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let size = media.size();
    let WaveHeader { format, layout } =
        WaveHeader::read(&mut media, size).map_err(|error| open_error(path, Format::Wav, error))?;
    let n_channels = Some(usize::from(format.n_channels));
    check_limits(path, Format::Wav, Some(format.sample_rate), n_channels)?;
    let size_warning = layout.warning;
    match format.encoding() {
        Ok(Encoding::Blocks { .. }) => {
            media.skip(0).map_err(io)?;
            Ok(ProbedFile { format: Format::Wav, media, size_warning, n_skipped: 0 })
        }
        Ok(Encoding::Mpeg) => {
            media.narrow(layout.data_start, layout.n_bytes).map_err(io)?;
            let head = read_head(&mut media).map_err(io)?;
            match frame_sync::find_stream(&head, head.len() as u64 == media.size()) {
                Some((stream_format, offset)) => {
                    media.skip(offset as u64).map_err(io)?;
                    Ok(ProbedFile { format: stream_format, media, size_warning, n_skipped: offset as u64 })
                }
                None => Err(malformed(path, Format::Wav, "its data are no MPEG stream")),
            }
        }
        Err(name) => Err(Error::Unsupported { path: path.into(), name: format!("wav with {name}") }),
    }
}
