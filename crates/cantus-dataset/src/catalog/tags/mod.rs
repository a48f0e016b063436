//! Metadata tags of an audio file: title, artist, album and genre.
//!
//! The file type is determined by content, not by extension. Formats without tags, such as Sun `.au`, give empty tags.
//! Read with lofty, without pictures and within its allocation limit (16 MiB).

mod genre;
mod untagged_formats;

use std::io::BufRead;
use std::path::Path;

use cantus_audio::panic_guard;
use cantus_audio::regular_file;
pub use genre::with_genre;
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::{Accessor, Tag};

use crate::Error;

/// Metadata tags of a file; `None` if absent or blank.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tags {
    /// Name of the track.
    pub title: Option<String>,
    /// Name of the artist.
    pub artist: Option<String>,
    /// Name of the album.
    pub album: Option<String>,
    /// Genre as free text; independent of the data set's labels.
    pub genre: Option<String>,
}

/// Reads the tags of a file. If it has several tag formats (ID3v1, ID3v2, APE, …), the first non-blank value wins.
///
/// # Errors
/// If the file cannot be read, or its tags are malformed.
pub fn read(path: &Path) -> Result<Tags, Error> {
    // Untrusted input in a third-party parser: a panic there must not end the process.
    panic_guard::catch(|| read_guarded(path)).unwrap_or_else(|_| {
        Err(Error::Tags { path: path.to_owned(), source: "the tag parser panicked".into() })
    })
}

fn read_guarded(path: &Path) -> Result<Tags, Error> {
    let file = regular_file::open(path).map_err(Error::io(path))?;
    let options =
        ParseOptions::new().read_properties(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let mut file = std::io::BufReader::new(file);
    if untagged_formats::has_no_tags(file.fill_buf().map_err(Error::io(path))?) {
        return Ok(Tags::default());
    }
    let probe = Probe::new(file).guess_file_type().map_err(Error::io(path))?.options(options);
    if probe.file_type().is_none() {
        return Ok(Tags::default());
    }
    let tagged = probe.read().map_err(|error| Error::Tags { path: path.to_owned(), source: error.into() })?;
    let first = |field: fn(&Tag) -> Option<std::borrow::Cow<'_, str>>| {
        tagged
            .tags()
            .iter()
            .filter_map(field)
            .map(|value| value.trim().to_owned())
            .find(|value| !value.is_empty())
    };
    Ok(Tags {
        title: first(|tag| tag.title()),
        artist: first(|tag| tag.artist()),
        album: first(|tag| tag.album()),
        genre: first(|tag| tag.genre()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ID3v2.3 tag with the given text frames in ISO 8859-1, followed by two silent MPEG-1 layer III frames.
    fn tagged_mp3(frames: &[(&str, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (id, text) in frames {
            body.extend_from_slice(id.as_bytes());
            body.extend_from_slice(&(text.len() as u32 + 1).to_be_bytes());
            body.extend_from_slice(&[0, 0, 0]);
            body.extend_from_slice(text.as_bytes());
        }
        let mut file = b"ID3\x03\0\0\0\0\0".to_vec();
        file.push(body.len() as u8);
        file.extend(body);
        for _ in 0..2 {
            file.extend_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
            file.extend_from_slice(&[0; 413]);
        }
        file
    }

    fn read_bytes(bytes: &[u8]) -> Result<Tags, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.bin");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    }

    #[test]
    fn tags_are_read_by_content_and_trimmed() {
        let tags =
            read_bytes(&tagged_mp3(&[("TPE1", " Ella "), ("TIT2", "Air Mail"), ("TALB", " ")])).unwrap();
        assert_eq!(tags.artist.as_deref(), Some("Ella"));
        assert_eq!(tags.title.as_deref(), Some("Air Mail"));
        assert_eq!((tags.album, tags.genre), (None, None));
    }

    #[test]
    fn a_file_without_tags_has_none_and_a_truncated_one_does_not_panic() {
        assert_eq!(read_bytes(b"").unwrap(), Tags::default());
        assert_eq!(read_bytes(b"just text").unwrap(), Tags::default());
        let whole = tagged_mp3(&[("TPE1", "Ella")]);
        // Bytes that look like an MPEG frame in the samples of another format are not one.
        assert_eq!(read_bytes(&[b".snd", &whole[whole.len() - 834..]].concat()).unwrap(), Tags::default());
        for length in 0..whole.len() {
            let _ = read_bytes(&whole[..length]);
        }
    }

    #[test]
    fn a_missing_file_is_an_io_error() {
        assert!(matches!(read(Path::new("/no/such/file.mp3")), Err(Error::Io { .. })));
    }
}
