//! Formats without tags, recognised by their first bytes.

/// Signatures of audio formats without tags that can be written: Sun `.au`, Apple Core Audio Format, Matroska.
const SIGNATURES: [&[u8]; 3] = [b".snd", b"caff", b"\x1a\x45\xdf\xa3"];

/// Whether the format has no tags. Lofty does not support these formats and would search their samples for an MPEG
/// frame, with false positives.
pub(super) fn has_no_tags(head: &[u8]) -> bool {
    SIGNATURES.iter().any(|signature| head.starts_with(signature))
}
