//! Title, artist, album and genre as the file itself names them.
//!
//! The content decides which kind of file it is, not its name. A file of a kind that has no tags, such as Sun `.au`,
//! has empty ones. Lofty reads the tags, without pictures and with its limit on allocations (16 MiB).

mod genre;
mod kind;

use std::io::BufRead;
use std::path::Path;

pub use genre::with_genre;
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::{Accessor, Tag};

use crate::Error;

/// What a file says of itself; a tag that is absent or blank is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tags {
    /// Name of the track.
    pub title: Option<String>,
    /// Who plays.
    pub artist: Option<String>,
    /// Name of the album.
    pub album: Option<String>,
    /// Genre, as free text; not the label of the data set.
    pub genre: Option<String>,
}

/// Reads the tags of a file; where it has several sets of them (ID3v1, ID3v2, APE, …), the first that names a thing.
///
/// # Errors
/// If the file cannot be read, or its tags are malformed beyond what can be passed over.
pub fn read(path: &Path) -> Result<Tags, Error> {
    // Tags are the one thing here that a foreign parser reads out of foreign bytes without our bounds around it.
    std::panic::catch_unwind(|| read_guarded(path)).unwrap_or_else(|_| {
        Err(Error::Tags { path: path.to_owned(), reason: "the tag reader gave up on them".to_owned() })
    })
}

fn read_guarded(path: &Path) -> Result<Tags, Error> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let options =
        ParseOptions::new().read_properties(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let mut file = std::io::BufReader::new(file);
    if kind::is_without_tags(file.fill_buf().map_err(Error::io(path))?) {
        return Ok(Tags::default());
    }
    let probe = Probe::new(file).guess_file_type().map_err(Error::io(path))?.options(options);
    if probe.file_type().is_none() {
        return Ok(Tags::default());
    }
    let tagged =
        probe.read().map_err(|error| Error::Tags { path: path.to_owned(), reason: error.to_string() })?;
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

    /// An ID3v2.3 tag with the given text frames in ISO 8859-1, and one silent MPEG-1 layer III frame behind it.
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
    fn a_file_without_tags_has_none_and_a_cut_one_does_not_panic() {
        assert_eq!(read_bytes(b"").unwrap(), Tags::default());
        assert_eq!(read_bytes(b"just text").unwrap(), Tags::default());
        let whole = tagged_mp3(&[("TPE1", "Ella")]);
        // What looks like a frame of MPEG in the sound of another kind of file is none.
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
