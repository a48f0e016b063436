//! Split lists: a published split as one text file per part, one path per line.
//!
//! For example the fault-filtered split of GTZAN (`train_filtered.txt`, `valid_filtered.txt`, `test_filtered.txt`), with
//! lines such as `blues/blues.00029.wav`. A line matches the track whose path ends with it, without regard to the
//! extension, because folders and formats of a copy often differ from those of the lists. Tracks in no list are left out;
//! lines that match no track are reported.
//!
//! # Reference
//! Kereliuk, Sturm & Larsen 2015, "Deep learning and music adversaries".

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cantus_audio::regular_file;

use crate::catalog::csv_table::normalized_path;
use crate::{Error, Part, Track};

/// Result of [`assign_parts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReport {
    /// Number of tracks in a list.
    pub n_listed: usize,
    /// Number of tracks in no list; they are left out of the split.
    pub n_left_out: usize,
    /// Lines that match no track, in the order of the lists.
    pub unknown: Vec<String>,
}

/// Sets the part of every track from the list that contains it, replacing earlier parts; tracks in no list get `None`.
///
/// # Errors
/// If a list cannot be read or matches no track, a line matches several tracks, or a track is listed twice.
pub fn assign_parts(tracks: &mut [Track], lists: &[(Part, PathBuf)]) -> Result<ListReport, Error> {
    let index = PathIndex::of(tracks);
    // List and line of each track.
    let mut listed: HashMap<usize, (&Path, u64)> = HashMap::new();
    let mut unknown = Vec::new();
    tracks.iter_mut().for_each(|track| track.part = None);
    for (part, path) in lists {
        let n_before = listed.len();
        for (line, text) in lines(path)? {
            let invalid = |reason| Error::Csv { path: path.clone(), line, reason };
            let track = match index.find(&text) {
                [] => {
                    unknown.push(text);
                    continue;
                }
                [track] => *track,
                [first, second, ..] => {
                    let (first, second) = (&tracks[*first].path, &tracks[*second].path);
                    return Err(invalid(format!(
                        "'{text}' matches '{first}' and '{second}'; add more of its folders"
                    )));
                }
            };
            if let Some((list, earlier)) = listed.insert(track, (path, line)) {
                let reason = format!("'{text}' is already in {}, line {earlier}", list.display());
                return Err(invalid(reason));
            }
            tracks[track].part = Some(*part);
        }
        if listed.len() == n_before {
            let reason = "none of its lines matches a track of the features; expected one path in each line";
            return Err(Error::Csv { path: path.clone(), line: 1, reason: reason.to_owned() });
        }
    }
    Ok(ListReport { n_listed: listed.len(), n_left_out: tracks.len() - listed.len(), unknown })
}

/// The non-empty lines of a list with their line numbers, from 1.
fn lines(path: &Path) -> Result<Vec<(u64, String)>, Error> {
    let text = regular_file::read_to_string(path).map_err(Error::io(path))?;
    let text = text.trim_start_matches('\u{feff}');
    let lines = (1..).zip(text.lines().map(|line| normalized_path(line.trim())));
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

/// Index of tracks by path and by path suffix.
struct PathIndex {
    /// By whole path.
    by_path: HashMap<String, Vec<usize>>,
    /// By every suffix that starts at a path component, without extension.
    by_suffix: HashMap<String, Vec<usize>>,
}

impl PathIndex {
    fn of(tracks: &[Track]) -> Self {
        let mut found = Self { by_path: HashMap::new(), by_suffix: HashMap::new() };
        for (number, track) in tracks.iter().enumerate() {
            found.by_path.entry(normalized_path(&track.path)).or_default().push(number);
            let mut suffix = without_extension(&track.path);
            loop {
                found.by_suffix.entry(suffix.to_owned()).or_default().push(number);
                let Some((_, shorter)) = suffix.split_once('/') else { break };
                suffix = shorter;
            }
        }
        found
    }

    /// The tracks of that path, or else those whose path ends with it.
    fn find(&self, path: &str) -> &[usize] {
        let found = self.by_path.get(path).or_else(|| self.by_suffix.get(without_extension(path)));
        found.map_or(&[], Vec::as_slice)
    }
}

/// The path without the extension of its file name: `blues.00029.wav` is `blues.00029`.
fn without_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        Some(dot) if dot > 0 => &path[..name + dot],
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks(paths: &[&str]) -> Vec<Track> {
        let track = |path: &&str| Track {
            path: (*path).to_owned(),
            labels: vec![0],
            artist: None,
            group: None,
            part: None,
            fold: None,
            recording: None,
        };
        paths.iter().map(track).collect()
    }

    fn assign(tracks: &mut [Track], texts: [&str; 2]) -> Result<ListReport, String> {
        let dir = tempfile::tempdir().unwrap();
        let lists: Vec<(Part, PathBuf)> = [Part::Train, Part::Test]
            .into_iter()
            .zip(texts)
            .map(|(part, text)| {
                let path = dir.path().join(format!("{}.txt", part.name()));
                std::fs::write(&path, text).unwrap();
                (part, path)
            })
            .collect();
        assign_parts(tracks, &lists).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_match_tracks_in_other_folders_and_formats() {
        let mut tracks = tracks(&[
            "genres/blues/blues.00000.au",
            "genres/blues/blues.00001.au",
            "genres/pop/pop.00000.au",
        ]);
        let report = assign(
            &mut tracks,
            ["\u{feff}blues\\blues.00000.wav\r\n\r\nblues/blues.00007.wav\n", "./pop.00000.wav"],
        )
        .unwrap();
        let parts: Vec<_> = tracks.iter().map(|track| track.part).collect();
        assert_eq!(parts, [Some(Part::Train), None, Some(Part::Test)]);
        let unknown = vec!["blues/blues.00007.wav".to_owned()];
        assert_eq!(report, ListReport { n_listed: 2, n_left_out: 1, unknown });
    }

    #[test]
    fn a_whole_path_takes_precedence_over_a_suffix() {
        let mut tracks = tracks(&["a.wav", "live/a.wav", "live/b.wav"]);
        assign(&mut tracks, ["a.wav", "b.wav"]).unwrap();
        let parts: Vec<_> = tracks.iter().map(|track| track.part).collect();
        assert_eq!(parts, [Some(Part::Train), None, Some(Part::Test)]);
    }

    #[test]
    fn errors_name_the_list_and_the_line() {
        let mut tracks = tracks(&["x/a.wav", "y/a.wav", "y/b.wav"]);
        let mut message = |texts| assign(&mut tracks, texts).unwrap_err();
        let found = message(["\ny/a.wav", "a.wav"]);
        assert!(found.contains("test.txt, line 1: 'a.wav' matches 'x/a.wav' and 'y/a.wav'"), "{found}");
        let found = message(["y/a.wav\ny/b.wav", "x/a.wav\n\nb.wav"]);
        assert!(
            found.contains("test.txt, line 3: 'b.wav' is already in") && found.contains("train.txt, line 2"),
            "{found}"
        );
        let found = message(["y/a.wav", "nothing.wav"]);
        assert!(found.contains("test.txt, line 1: none of its lines"), "{found}");
    }
}
