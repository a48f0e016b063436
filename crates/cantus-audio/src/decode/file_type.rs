//! Identification of a file's type by its content; its name is ignored.
//!
//! Most formats have a magic number at the start. MPEG audio and ADTS have none, only a sync word of eleven or twelve
//! bits, which also occurs in noise: they are accepted if several consistent frames follow one another (`frame_sync`).

use super::format::Format;
use super::frame_sync;
use super::sun_au;

const TEXT: &str = "a text file";
const UNKNOWN: &str = "an unknown format";

/// Magic numbers of audio formats that are not supported.
const UNSUPPORTED: [(&[u8], &str); 7] = [
    (b"RF64", "RF64 (wav over 4 GiB)"),
    (b"BW64", "BW64 (wav over 4 GiB)"),
    (b"dns.", "little-endian au"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"DSD ", "DSD"),
    (&[0x30, 0x26, 0xB2, 0x75], "Windows Media"),
];

/// Magic numbers of other files that are often found among music.
const NOT_AUDIO: [(&[u8], &str); 10] = [
    (b"RIFF", "a RIFF file that is not WAVE"),
    (b"FORM", "an IFF file that is not AIFF"),
    (b"MThd", "a MIDI file"),
    (b"\x89PNG", "a PNG image"),
    (&[0xFF, 0xD8, 0xFF], "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (&[0x1F, 0x8B], "a gzip archive"),
    (b"\x7FELF", "an executable"),
];

/// The type of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileType {
    /// Audio of a supported format that begins at this byte.
    Audio(Format, usize),
    /// Audio of a known format that is not supported.
    Unsupported(&'static str),
    /// Anything else, described in words.
    NotAudio(&'static str),
}

/// Identifies a file by its first bytes; `is_whole` if they are all of it.
pub(super) fn identify(head: &[u8], is_whole: bool) -> FileType {
    let starts_with = |&&(magic, _): &&(&[u8], &'static str)| head.starts_with(magic);
    if let Some(format) = by_magic(head) {
        FileType::Audio(format, 0)
    } else if let Some(&(_, name)) = UNSUPPORTED.iter().find(starts_with) {
        FileType::Unsupported(name)
    } else if let Some(&(_, found)) = NOT_AUDIO.iter().find(starts_with) {
        FileType::NotAudio(found)
    } else if is_text(head) {
        FileType::NotAudio(TEXT)
    } else if let Some((format, offset)) = frame_sync::find_stream(head, is_whole) {
        FileType::Audio(format, offset)
    } else {
        FileType::NotAudio(UNKNOWN)
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

/// Whether these bytes are UTF-8 without control characters.
fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(4096)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character is cut at the end.
        Err(error) if error.error_len().is_none() => return is_text(&head[..error.valid_up_to()]),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_identified_by_their_magic_numbers() {
        assert_eq!(identify(b"RIFF\0\0\0\0WAVEfmt ", true), FileType::Audio(Format::Wav, 0));
        assert_eq!(identify(b"FORM\0\0\0\0AIFC", true), FileType::Audio(Format::Aiff, 0));
        assert_eq!(identify(b"\0\0\0\x20ftypM4A ", true), FileType::Audio(Format::Mp4, 0));
        assert_eq!(
            identify(b"RIFF\0\0\0\0AVI LIST", true),
            FileType::NotAudio("a RIFF file that is not WAVE")
        );
        assert_eq!(identify(b"RF64\0\0\0\0WAVE", true), FileType::Unsupported("RF64 (wav over 4 GiB)"));
    }

    #[test]
    fn text_is_recognised_and_zeros_are_unknown() {
        assert_eq!(identify("Käse\n".as_bytes(), true), FileType::NotAudio(TEXT));
        assert_eq!(identify("Käse".as_bytes()[..2].as_ref(), true), FileType::NotAudio(TEXT));
        assert_eq!(identify(&[0; 5000], false), FileType::NotAudio(UNKNOWN));
        assert_eq!(identify(&[], true), FileType::NotAudio(UNKNOWN));
    }
}
