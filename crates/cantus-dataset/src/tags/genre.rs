//! Another genre in the tags of a file, and everything else as it was.

use std::io::Cursor;
use std::path::Path;

use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::{Accessor, Tag, TagExt, TagSupport};

use super::kind::is_without_tags;
use crate::Error;

/// The bytes of a file with `genre` in its tags: in each set of tags that it has, or in the one that is usual for its kind.
///
/// Other tags and pictures stay, and so does the version of an ID3v2 tag. Whether the sound stayed is for the caller to
/// hear.
///
/// # Errors
/// If files of this kind have no tags that can be written, or its tags cannot be read or written.
pub fn with_genre(path: &Path, bytes: Vec<u8>, genre: &str) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::TagsUnwritable { path: path.to_owned(), reason };
    // As in reading: a foreign parser amid foreign bytes.
    std::panic::catch_unwind(|| rewritten(bytes, genre))
        .unwrap_or_else(|_| Err("the tag writer gave up on them".to_owned()))
        .map_err(failed)
}

fn rewritten(bytes: Vec<u8>, genre: &str) -> Result<Vec<u8>, String> {
    const NONE: &str = "files of this kind have none";
    if is_without_tags(&bytes) {
        return Err(NONE.to_owned());
    }
    let is_id3v23 = bytes.starts_with(b"ID3\x03");
    let mut file = Cursor::new(bytes);
    let probe = Probe::new(&mut file).guess_file_type().map_err(|error| error.to_string())?;
    let kind = probe.file_type().ok_or(NONE)?;
    let options = ParseOptions::new().read_properties(false);
    let mut tagged = probe.options(options).read().map_err(|error| error.to_string())?;
    let usual = kind.primary_tag_type();
    if tagged.tags().is_empty() {
        tagged.insert_tag(Tag::new(usual));
    }
    let types: Vec<_> = tagged.tags().iter().map(Tag::tag_type).collect();
    let writable = |tag_type| kind.tag_support(tag_type) == TagSupport::ReadWrite;
    if !types.iter().copied().any(writable) {
        tagged.insert_tag(Tag::new(usual));
    }
    let options = WriteOptions::new().use_id3v23(is_id3v23);
    for tag_type in types.into_iter().chain([usual]) {
        let Some(tag) = tagged.tag_mut(tag_type).filter(|_| writable(tag_type)) else { continue };
        tag.set_genre(genre.to_owned());
        file.set_position(0);
        tag.save_to(&mut file, options).map_err(|error| error.to_string())?;
    }
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    /// A frame of ID3v2.3.
    fn frame(id: &str, content: &[u8]) -> Vec<u8> {
        let mut frame = id.as_bytes().to_vec();
        frame.extend((content.len() as u32).to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(content);
        frame
    }

    /// An MP3 of two silent frames behind an ID3v2.3 tag that has more in it than most.
    fn mp3() -> Vec<u8> {
        let frames = [
            frame("TPE1", b"\0Ella"),
            frame("TCON", b"\0Alternative Rock"),
            frame("TYER", b"\x001958"),
            frame("TXXX", b"\0MOOD\0blue"),
            frame("PRIV", b"owner\0\x01\x02\x03"),
            frame("APIC", b"\0image/png\0\x03\0\x89PNG-not-really"),
        ]
        .concat();
        let mut file = b"ID3\x03\0\0\0\0".to_vec();
        file.extend([(frames.len() >> 7) as u8, (frames.len() & 0x7f) as u8]);
        file.extend(frames);
        for _ in 0..2 {
            file.extend([0xff, 0xfb, 0x90, 0x00]);
            file.extend([0; 413]);
        }
        file
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn the_genre_is_another_and_the_rest_is_as_it_was() {
        let changed = with_genre(Path::new("x.mp3"), mp3(), "jazz").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mp3");
        std::fs::write(&path, &changed).unwrap();
        let tags = read(&path).unwrap();
        assert_eq!((tags.genre.as_deref(), tags.artist.as_deref()), (Some("jazz"), Some("Ella")));
        assert!(changed.starts_with(b"ID3\x03"), "its tag is of the version that it was");
        for part in [&b"MOOD"[..], b"blue", b"owner\0\x01\x02\x03", b"\x89PNG-not-really", b"TYER"] {
            assert!(contains(&changed, part), "{} is lost", String::from_utf8_lossy(part));
        }
        // Version 2.3 knows no UTF-8; text is written anew as UTF-16.
        let year = "1958".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert!(contains(&changed, b"1958") || contains(&changed, &year), "the year is lost");
        let sound = &mp3()[mp3().len() - 834..];
        assert!(changed.ends_with(sound), "the sound is untouched");
    }

    #[test]
    fn a_file_without_tags_gets_one_and_a_kind_without_tags_is_refused() {
        let bare = mp3()[mp3().len() - 834..].to_vec();
        let changed = with_genre(Path::new("x.mp3"), bare.clone(), "jazz").unwrap();
        assert!(changed.starts_with(b"ID3") && changed.ends_with(&bare));
        // With what could be a frame of MPEG in its sound.
        let sun_au = [b".snd\0\0\0\x18 and so on", &bare[..]].concat();
        for (name, bytes) in [("x.au", sun_au), ("x.txt", b"no sound at all".to_vec())] {
            let error = with_genre(Path::new(name), bytes, "jazz").unwrap_err();
            assert!(error.to_string().contains("files of this kind have none"), "{error}");
        }
    }
}
