//! Names of the WAV encodings that are not decoded, by their format tags.
//!
//! # Reference
//! `mmreg.h` of the Windows SDK; RFC 2361.

const NAMES: [(u16, &str); 36] = [
    (0x0008, "DTS"),
    (0x000A, "Windows Media Voice"),
    (0x0010, "OKI ADPCM"),
    (0x0017, "Dialogic OKI ADPCM"),
    (0x0020, "Yamaha ADPCM"),
    (0x0022, "TrueSpeech"),
    (0x0028, "LRC"),
    (0x0030, "Dolby AC-2"),
    (0x0031, "GSM 6.10"),
    (0x0034, "Voxware"),
    (0x003B, "Rockwell ADPCM"),
    (0x0040, "G.721 ADPCM"),
    (0x0041, "G.728 CELP"),
    (0x0042, "G.723.1"),
    (0x0045, "G.726 ADPCM"),
    (0x0057, "AMR-NB"),
    (0x0058, "AMR-WB"),
    (0x0061, "Duck DK4 ADPCM"),
    (0x0062, "Duck DK3 ADPCM"),
    (0x0064, "G.726 ADPCM"),
    (0x0065, "G.722 ADPCM"),
    (0x0069, "IMA ADPCM of another kind"),
    (0x0083, "G.729"),
    (0x0092, "Dolby AC-3 over S/PDIF"),
    (0x00FF, "AAC"),
    (0x0130, "ACELP.net"),
    (0x0160, "Windows Media Audio 1"),
    (0x0161, "Windows Media Audio 2"),
    (0x0162, "Windows Media Audio Professional"),
    (0x0163, "Windows Media Audio Lossless"),
    (0x0270, "ATRAC3"),
    (0x1600, "AAC in ADTS"),
    (0x2000, "Dolby AC-3"),
    (0x2001, "DTS"),
    (0xA109, "Speex"),
    (0xF1AC, "FLAC"),
];

/// Name of an encoding.
pub(super) fn name(tag: u16) -> String {
    match NAMES.iter().find(|(number, _)| *number == tag) {
        Some((_, name)) => (*name).into(),
        None if (0x674F..=0x6771).contains(&tag) => "Ogg Vorbis".into(),
        None => format!("an encoding with the format tag {tag:#06x}"),
    }
}
