//! Which format a file has: its content decides, never its name.
//!
//! Formats with a magic number at their beginning are known by it. MPEG audio and ADTS have none, only a sync word of
//! eleven or twelve bits that any noise contains: they are believed if several frames follow one another as their
//! headers promise. So a text file that is called `song.mp3` is a text file.

use symphonia::core::errors::Result;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::formats as symphonia_formats;

use super::sun_au::{self, SunAuReader};
use super::sync;

/// What is read, for the message that says so.
pub(super) const UNDERSTOOD: &str =
    "wav, aiff, caf, au, flac, mp3, ogg vorbis, m4a/aac/alac and mka are understood";

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Wav,
    Aiff,
    Caf,
    SunAu,
    Flac,
    Ogg,
    Mp4,
    Matroska,
    Mpeg,
    Adts,
}

impl Format {
    /// The name that a person knows it by.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Caf => "caf",
            Self::SunAu => "au",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp4 => "mp4",
            Self::Matroska => "matroska",
            Self::Mpeg => "mp3",
            Self::Adts => "aac",
        }
    }

    /// Reads the header.
    pub(super) fn reader(self, stream: MediaSourceStream<'static>) -> Result<Box<dyn FormatReader>> {
        let options = FormatOptions::default();
        Ok(match self {
            Self::Wav => Box::new(symphonia_formats::WavReader::try_new(stream, options)?),
            Self::Aiff => Box::new(symphonia_formats::AiffReader::try_new(stream, options)?),
            Self::Caf => Box::new(symphonia_formats::CafReader::try_new(stream, options)?),
            Self::SunAu => Box::new(SunAuReader::try_new(stream)?),
            Self::Flac => Box::new(symphonia_formats::FlacReader::try_new(stream, options)?),
            Self::Ogg => Box::new(symphonia_formats::OggReader::try_new(stream, options)?),
            Self::Mp4 => Box::new(symphonia_formats::IsoMp4Reader::try_new(stream, options)?),
            Self::Matroska => Box::new(symphonia_formats::MkvReader::try_new(stream, options)?),
            Self::Mpeg => Box::new(symphonia_formats::MpaReader::try_new(stream, options)?),
            Self::Adts => Box::new(symphonia_formats::AdtsReader::try_new(stream, options)?),
        })
    }
}

/// What the first bytes of a file say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Sound that can be read, from this byte on.
    Sound(Format, usize),
    /// Something else, in words.
    Other(&'static str),
}

/// Identifies a file by its first bytes; `is_whole` if there are no more than these.
pub(super) fn identify(head: &[u8], is_whole: bool) -> Identity {
    if let Some(format) = by_magic(head) {
        Identity::Sound(format, 0)
    } else if let Some(other) = other_by_magic(head) {
        Identity::Other(other)
    } else if is_text(head) {
        Identity::Other("a text file, no sound")
    } else if let Some((format, offset)) = sync::find(head, is_whole) {
        Identity::Sound(format, offset)
    } else {
        Identity::Other("no known audio format")
    }
}

fn by_magic(head: &[u8]) -> Option<Format> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    Some(match () {
        () if at(0, b"RIFF") && at(8, b"WAVE") => Format::Wav,
        () if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Format::Aiff,
        () if at(0, b"caff") => Format::Caf,
        () if at(0, sun_au::MAGIC) => Format::SunAu,
        () if at(0, b"fLaC") => Format::Flac,
        () if at(0, b"OggS") => Format::Ogg,
        () if at(4, b"ftyp") || at(4, b"moov") || at(4, b"mdat") || at(4, b"wide") => Format::Mp4,
        () if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) => Format::Matroska,
        () => return None,
    })
}

/// Files that are often met among music, so that the message can say what they are.
fn other_by_magic(head: &[u8]) -> Option<&'static str> {
    const OTHERS: [(&[u8], &str); 17] = [
        (b"RIFF", "a RIFF file without WAVE sound"),
        (b"RF64", "an RF64 file (wav beyond 4 GiB), which is not understood"),
        (b"BW64", "a BW64 file (wav beyond 4 GiB), which is not understood"),
        (b"FORM", "an IFF file without AIFF sound"),
        (b"dns.", "a little-endian .au file, which is not understood"),
        (b"wvpk", "a WavPack file, which is not understood"),
        (b"MAC ", "a Monkey's Audio file, which is not understood"),
        (b"MThd", "a MIDI file: notes, no sound"),
        (b"DSD ", "a DSD file, which is not understood"),
        (&[0x30, 0x26, 0xB2, 0x75], "a Windows Media file, which is not understood"),
        (b"\x89PNG", "a PNG picture, no sound"),
        (&[0xFF, 0xD8, 0xFF], "a JPEG picture, no sound"),
        (b"GIF8", "a GIF picture, no sound"),
        (b"%PDF", "a PDF document, no sound"),
        (b"PK\x03\x04", "a ZIP archive, no sound"),
        (&[0x1F, 0x8B], "a gzip archive, no sound"),
        (b"\x7FELF", "a program, no sound"),
    ];
    OTHERS.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, what)| what)
}

/// Whether these bytes are UTF-8 without control characters, as no audio of some length is.
fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(4096)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character that is cut at the end.
        Err(error) if error.error_len().is_none() => return is_text(&head[..error.valid_up_to()]),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_whitespace())
}

/// Number of channels that the header of a wav claims, if that is among its first bytes.
pub(super) fn wav_channels(head: &[u8]) -> Option<u16> {
    let (_, format) = wav_chunk(head, b"fmt ")?;
    Some(u16::from_le_bytes(*format.get(2..)?.first_chunk()?))
}

/// Whether a wav says that its sound lasts until the file ends: whoever writes into a pipe does not know how long it will be.
pub(super) fn is_endless_wav(head: &[u8]) -> bool {
    wav_chunk(head, b"data").is_some_and(|(length, _)| length == u32::MAX)
}

/// Length and beginning of a chunk of a wav, if it is among the first bytes.
fn wav_chunk<'a>(head: &'a [u8], wanted: &[u8; 4]) -> Option<(u32, &'a [u8])> {
    let mut rest = head.get(12..)?;
    loop {
        let (name, length) = (rest.get(..4)?, u32::from_le_bytes(*rest.get(4..)?.first_chunk()?));
        let data = rest.get(8..)?;
        if name == wanted {
            return Some((length, data));
        }
        let length = length as usize;
        rest = data.get(length.checked_add(length % 2)?..)?;
    }
}

/// Whether the chunks of a caf, as far as they are among its first bytes, fit into a file of `size` bytes.
///
/// Symphonia allocates what they claim before it reads: 0.6.1 took 8 GiB for a file of 1 KiB.
pub(super) fn is_caf_sound(head: &[u8], size: u64) -> bool {
    const MAX_PACKET: u32 = 1 << 20;
    let word = |offset: usize| Some(u32::from_be_bytes(*head.get(offset..)?.first_chunk()?));
    let mut offset = 8;
    while let (Some(name), Some(high), Some(low)) = (word(offset), word(offset + 4), word(offset + 8)) {
        let (length, data) = (u64::from(high) << 32 | u64::from(low), offset + 12);
        match &name.to_be_bytes() {
            b"data" => return true,
            b"desc" if word(data + 16) > Some(MAX_PACKET) || word(data + 20) > Some(MAX_PACKET) => {
                return false;
            }
            _ if length > size.saturating_sub(data as u64) => return false,
            _ => offset = data + length as usize,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_decide() {
        assert_eq!(identify(b"RIFF\0\0\0\0WAVEfmt ", true), Identity::Sound(Format::Wav, 0));
        assert_eq!(identify(b"FORM\0\0\0\0AIFC", true), Identity::Sound(Format::Aiff, 0));
        assert_eq!(identify(b"\0\0\0\x20ftypM4A ", true), Identity::Sound(Format::Mp4, 0));
        assert_eq!(
            identify(b"RIFF\0\0\0\0AVI LIST", true),
            Identity::Other("a RIFF file without WAVE sound")
        );
    }

    #[test]
    fn text_is_text_and_noise_is_nothing() {
        assert_eq!(identify("Käse\n".as_bytes(), true), Identity::Other("a text file, no sound"));
        assert_eq!(identify("Käse".as_bytes()[..2].as_ref(), true), Identity::Other("a text file, no sound"));
        assert_eq!(identify(&[0; 5000], false), Identity::Other("no known audio format"));
        assert_eq!(identify(&[], true), Identity::Other("no known audio format"));
    }
}
