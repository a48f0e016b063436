//! Kinds of file that have no tags.

/// What files begin with that hold sound and no tags that we could write: Sun's `.au`, Apple's Core Audio Format,
/// Matroska.
const WITHOUT: [&[u8]; 3] = [b".snd", b"caff", b"\x1a\x45\xdf\xa3"];

/// Whether a file has no tags, by its first bytes. Lofty does not know these kinds, and looks through their sound for
/// something that could be a frame of MPEG: it would find one sooner or later.
pub(super) fn is_without_tags(head: &[u8]) -> bool {
    WITHOUT.iter().any(|magic| head.starts_with(magic))
}
