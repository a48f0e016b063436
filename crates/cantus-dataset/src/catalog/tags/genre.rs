//! Writes the genre tag of an audio file and leaves everything else unchanged.

use std::io::Cursor;
use std::path::Path;

use cantus_audio::panic_guard;
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::TaggedFileExt;
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::probe::Probe;
use lofty::tag::{Accessor, Tag, TagExt, TagSupport, TagType};

use super::untagged_formats::has_no_tags;
use crate::error::{BoxError, Error};

/// Returns the bytes of a file with `genre` as its genre tag, in each of its tag formats, or in the usual one of the file
/// type if it has none.
///
/// Other tags, pictures and the version of an ID3v2 tag are kept. Whether the audio is unchanged is not checked here.
///
/// # Errors
/// If the file type has no writable tags, or its tags cannot be read or written.
pub fn with_genre(path: &Path, bytes: Vec<u8>, genre: &str) -> Result<Vec<u8>, Error> {
    // Untrusted input in a third-party parser: a panic there must not end the process.
    match panic_guard::catch(|| rewrite(bytes, genre)) {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(Error::TagsUnsupported { path: path.to_owned() }),
        Ok(Err(error)) => Err(Error::TagsUnwritable { path: path.to_owned(), source: error }),
        Err(_) => {
            Err(Error::TagsUnwritable { path: path.to_owned(), source: "the tag writer panicked".into() })
        }
    }
}

/// The bytes with another genre; `None` if the file type has no tags.
fn rewrite(bytes: Vec<u8>, genre: &str) -> Result<Option<Vec<u8>>, BoxError> {
    if has_no_tags(&bytes) {
        return Ok(None);
    }
    let is_id3v23 = bytes.starts_with(b"ID3\x03");
    let mut file = Cursor::new(bytes);
    let probe = Probe::new(&mut file).guess_file_type()?;
    let Some(file_type) = probe.file_type() else { return Ok(None) };
    let options = ParseOptions::new().read_properties(false);
    let mut tagged = probe.options(options).read()?;
    let usual = file_type.primary_tag_type();
    if tagged.tags().is_empty() {
        tagged.insert_tag(Tag::new(usual));
    }
    let types: Vec<_> = tagged.tags().iter().map(Tag::tag_type).collect();
    let writable = |tag_type| file_type.tag_support(tag_type) == TagSupport::ReadWrite;
    if !types.iter().copied().any(writable) {
        tagged.insert_tag(Tag::new(usual));
    }
    let options = WriteOptions::new().use_id3v23(is_id3v23);
    for tag_type in types.into_iter().chain([usual]) {
        let Some(tag) = tagged.tag_mut(tag_type).filter(|_| writable(tag_type)) else { continue };
        tag.set_genre(genre.to_owned());
        file.set_position(0);
        match tag_type {
            TagType::Id3v2 => in_fixed_order(tag.clone()).save_to(&mut file, options)?,
            _ => tag.save_to(&mut file, options)?,
        }
    }
    Ok(Some(file.into_inner()))
}

/// An ID3v2 tag whose frames are sorted by identifier and content. lofty 0.25 collects them in a hash table, so that their order, and
/// with it the bytes of the file, would be another one in every run. Pictures keep their order.
fn in_fixed_order(tag: Tag) -> Id3v2Tag {
    let mut frames: Vec<Frame<'static>> = Id3v2Tag::from(tag).into_iter().collect();
    frames.sort_by_cached_key(|frame| {
        let content = if matches!(frame, Frame::Picture(_)) { String::new() } else { format!("{frame:?}") };
        (frame.id().as_str().to_owned(), content)
    });
    let mut sorted = Id3v2Tag::new();
    for frame in frames {
        sorted.insert(frame);
    }
    sorted
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

    /// An MP3 of two silent frames after an ID3v2.3 tag with uncommon frames.
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

    /// Twenty frames of text, which a hash table returns in another order each time.
    fn mp3_of_many_frames() -> Vec<u8> {
        let identifiers =
            ["TALB", "TCOM", "TPE1", "TPE2", "TIT1", "TIT2", "TIT3", "TEXT", "TPUB", "TKEY", "TCOP", "TENC"];
        let mut frames: Vec<u8> = identifiers.iter().flat_map(|id| frame(id, b"\0text")).collect();
        frames.extend((0..8).flat_map(|n| frame("TXXX", format!("\0NAME {n}\0value").as_bytes())));
        let mut file = b"ID3\x03\0\0\0\0".to_vec();
        file.extend([(frames.len() >> 7) as u8, (frames.len() & 0x7f) as u8]);
        file.extend(frames);
        file.extend([0xff, 0xfb, 0x90, 0x00].into_iter().chain([0; 413]).cycle().take(2 * 417));
        file
    }

    #[test]
    fn equal_changes_give_equal_bytes() {
        let changed = || with_genre(Path::new("x.mp3"), mp3_of_many_frames(), "jazz").unwrap();
        let first = changed();
        assert!(contains(&first, b"TXXX") && contains(&first, b"TCON") && first != mp3_of_many_frames());
        assert!((0..20).all(|_| changed() == first));
    }

    #[test]
    fn only_the_genre_changes() {
        let changed = with_genre(Path::new("x.mp3"), mp3(), "jazz").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mp3");
        std::fs::write(&path, &changed).unwrap();
        let tags = read(&path).unwrap();
        assert_eq!((tags.genre.as_deref(), tags.artist.as_deref()), (Some("jazz"), Some("Ella")));
        assert!(changed.starts_with(b"ID3\x03"), "the version of the tag changed");
        for part in [&b"MOOD"[..], b"blue", b"owner\0\x01\x02\x03", b"\x89PNG-not-really", b"TYER"] {
            assert!(contains(&changed, part), "{} is lost", String::from_utf8_lossy(part));
        }
        // ID3v2.3 has no UTF-8: text is rewritten as UTF-16.
        let year = "1958".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert!(contains(&changed, b"1958") || contains(&changed, &year), "the year is lost");
        let sound = &mp3()[mp3().len() - 834..];
        assert!(changed.ends_with(sound), "the audio changed");
    }

    #[test]
    fn a_file_without_tags_gets_one_and_a_format_without_tags_is_refused() {
        let bare = mp3()[mp3().len() - 834..].to_vec();
        let changed = with_genre(Path::new("x.mp3"), bare.clone(), "jazz").unwrap();
        assert!(changed.starts_with(b"ID3") && changed.ends_with(&bare));
        // With bytes in its samples that could be an MPEG frame.
        let sun_au = [b".snd\0\0\0\x18 and so on", &bare[..]].concat();
        for (name, bytes) in [("x.au", sun_au), ("x.txt", b"no sound at all".to_vec())] {
            let error = with_genre(Path::new(name), bytes, "jazz").unwrap_err();
            assert!(error.to_string().contains("files of this type have none"), "{error}");
        }
    }
}
