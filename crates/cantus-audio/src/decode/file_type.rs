//! Identification of a file's type by its content; its name is ignored.
//!
//! Most formats have a magic number at the start. MPEG audio and ADTS have none, only a sync word of eleven or twelve
//! bits, which also occurs in noise: they are accepted if several consistent frames follow one another (`frame_sync`).

use super::format::Format;
use super::frame_sync;
use super::sun_au;
use super::wave;

const TEXT: &str = "a text file";
const UNKNOWN: &str = "an unknown format";

/// Offset and magic number of audio formats that are not supported.
const UNSUPPORTED: [(usize, &[u8], &str); 34] = [
    (0, b"dns.", "little-endian au"),
    (0, b"NIST_1A", "NIST SPHERE"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio (APE)"),
    (0, b"TTA1", "TTA (True Audio)"),
    (0, b"TTA2", "TTA (True Audio)"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"ajkg", "Shorten"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"tBaK", "TAK"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD (DSDIFF)"),
    (0, b"#!AMR", "AMR"),
    (0, b"#!SILK", "SILK"),
    (0, b".RMF", "RealAudio"),
    (0, b".ra\xFD", "RealAudio"),
    (0, b"ADIF", "AAC in ADIF"),
    (28, b"Speex   ", "Speex"),
    (0, &[0x0B, 0x77], "Dolby AC-3"),
    (0, &[0x7F, 0xFE, 0x80, 0x01], "DTS"),
    (0, &[0x30, 0x26, 0xB2, 0x75], "Windows Media (WMA, ASF)"),
    (0, b"Creative Voice File", "Creative VOC"),
    (8, b"8SVX", "8SVX"),
    (8, b"QLCM", "QCP (Qualcomm PureVoice)"),
    (8, b"AVI ", "AVI"),
    (0, b"FLV\x01", "Flash Video"),
    (0, &[0, 0, 1, 0xBA], "an MPEG program stream"),
    (0, b"MThd", "MIDI (notes, not sound)"),
    (8, b"RMID", "MIDI (notes, not sound)"),
    (0, b"Extended Module:", "a tracker module (XM)"),
    (0, b"IMPM", "a tracker module (IT)"),
    (44, b"SCRM", "a tracker module (S3M)"),
    (1080, b"M.K.", "a tracker module (MOD)"),
];

/// Magic numbers of other files that are often found among music.
const NOT_AUDIO: [(&[u8], &str); 9] = [
    (b"RIFF", "a RIFF file that is not WAVE"),
    (b"FORM", "an IFF file that is not AIFF"),
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
    let has_magic = |&&(offset, magic, _): &&(usize, &[u8], &'static str)| {
        head.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    if let Some(&(.., name)) = UNSUPPORTED.iter().find(has_magic) {
        FileType::Unsupported(name)
    } else if let Some(format) = by_magic(head) {
        FileType::Audio(format, 0)
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
        () if wave::Container::identify(head).is_some() => Format::Wav,
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
            identify(b"RIFF\0\0\0\0ACONanih", true),
            FileType::NotAudio("a RIFF file that is not WAVE")
        );
        assert_eq!(identify(b"RF64\0\0\0\0WAVE", true), FileType::Audio(Format::Wav, 0));
    }

    #[test]
    fn formats_that_are_not_supported_are_named() {
        for (offset, magic, name) in UNSUPPORTED {
            let file = [&vec![0x55; offset], magic, &[0; 100]].concat();
            assert_eq!(identify(&file, true), FileType::Unsupported(name));
        }
    }

    #[test]
    fn text_is_recognised_and_zeros_are_unknown() {
        assert_eq!(identify("Käse\n".as_bytes(), true), FileType::NotAudio(TEXT));
        assert_eq!(identify("Käse".as_bytes()[..2].as_ref(), true), FileType::NotAudio(TEXT));
        assert_eq!(identify(&[0; 5000], false), FileType::NotAudio(UNKNOWN));
        assert_eq!(identify(&[], true), FileType::NotAudio(UNKNOWN));
    }
}
