//! Official splits: a text file for each part, one path in each line.
//!
//! As the fault-filtered lists of GTZAN have it (`train_filtered.txt`, `valid_filtered.txt`, `test_filtered.txt`; Kereliuk,
//! Sturm & Larsen 2015), whose lines read `blues/blues.00029.wav`. A data set is often kept in other folders or another
//! format than that of its lists, so a line means the track whose path ends with it, whatever its extension. Tracks that no
//! list names are left out; lines that name no track are told.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::manifest::normalised;
use crate::{Error, Part, Track};

/// What lists said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReport {
    /// Number of tracks that a list names.
    pub n_listed: usize,
    /// Number of tracks that no list names; they are left out.
    pub n_left_out: usize,
    /// Lines that name no track, in the order of the lists.
    pub unknown: Vec<String>,
}

/// Gives every track the part of the list that names it, in place of what it had; tracks that no list names have none.
///
/// # Errors
/// If a list cannot be read or names no track, a line fits several tracks, or a track is listed twice.
pub fn assign_parts(tracks: &mut [Track], lists: &[(Part, PathBuf)]) -> Result<ListReport, Error> {
    let endings = Endings::of(tracks);
    // Where each track was listed before: list and line.
    let mut listed: HashMap<usize, (&Path, u64)> = HashMap::new();
    let mut unknown = Vec::new();
    tracks.iter_mut().for_each(|track| track.part = None);
    for (part, path) in lists {
        let n_before = listed.len();
        for (line, text) in lines(path)? {
            let wrong = |reason| Error::Csv { path: path.clone(), line, reason };
            let track = match endings.find(&text) {
                [] => {
                    unknown.push(text);
                    continue;
                }
                [track] => *track,
                [first, second, ..] => {
                    let (first, second) = (&tracks[*first].path, &tracks[*second].path);
                    return Err(wrong(format!(
                        "'{text}' fits '{first}' and '{second}'; name more of its folders"
                    )));
                }
            };
            if let Some((list, earlier)) = listed.insert(track, (path, line)) {
                let reason = format!("'{text}' stands in {}, line {earlier} already", list.display());
                return Err(wrong(reason));
            }
            tracks[track].part = Some(*part);
        }
        if listed.len() == n_before {
            let reason = "not one of its lines names a track of the features; wanted one path in each line";
            return Err(Error::Csv { path: path.clone(), line: 1, reason: reason.to_owned() });
        }
    }
    Ok(ListReport { n_listed: listed.len(), n_left_out: tracks.len() - listed.len(), unknown })
}

/// The lines of a list with their numbers, from 1, without those that are empty.
fn lines(path: &Path) -> Result<Vec<(u64, String)>, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let text = text.trim_start_matches('\u{feff}');
    let lines = (1..).zip(text.lines().map(|line| normalised(line.trim())));
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

/// Tracks by what their paths end with.
struct Endings {
    /// Whole paths, as they are.
    whole: HashMap<String, Vec<usize>>,
    /// Every ending of a path that begins with a file or folder name, without extension.
    endings: HashMap<String, Vec<usize>>,
}

impl Endings {
    fn of(tracks: &[Track]) -> Self {
        let mut found = Self { whole: HashMap::new(), endings: HashMap::new() };
        for (number, track) in tracks.iter().enumerate() {
            found.whole.entry(track.path.clone()).or_default().push(number);
            let mut ending = without_extension(&track.path);
            loop {
                found.endings.entry(ending.to_owned()).or_default().push(number);
                let Some((_, shorter)) = ending.split_once('/') else { break };
                ending = shorter;
            }
        }
        found
    }

    /// The track of that path, or else those whose path ends with it.
    fn find(&self, path: &str) -> &[usize] {
        let found = self.whole.get(path).or_else(|| self.endings.get(without_extension(path)));
        found.map_or(&[], Vec::as_slice)
    }
}

/// The path without what stands behind the last dot of its file name: `blues.00029.wav` is `blues.00029`.
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
    fn lists_give_parts_whatever_the_folder_and_the_extension() {
        let mut tracks = tracks(&[
            "genres/blues/blues.00000.au",
            "genres/blues/blues.00001.au",
            "genres/pop/pop.00000.au",
        ]);
        let report = assign(
            &mut tracks,
            ["\u{feff}blues/blues.00000.wav\r\n\r\nblues/blues.00007.wav\n", "./pop.00000.wav"],
        )
        .unwrap();
        let parts: Vec<_> = tracks.iter().map(|track| track.part).collect();
        assert_eq!(parts, [Some(Part::Train), None, Some(Part::Test)]);
        let unknown = vec!["blues/blues.00007.wav".to_owned()];
        assert_eq!(report, ListReport { n_listed: 2, n_left_out: 1, unknown });
    }

    #[test]
    fn a_whole_path_wins_over_an_ending() {
        let mut tracks = tracks(&["a.wav", "live/a.wav", "live/b.wav"]);
        assign(&mut tracks, ["a.wav", "b.wav"]).unwrap();
        let parts: Vec<_> = tracks.iter().map(|track| track.part).collect();
        assert_eq!(parts, [Some(Part::Train), None, Some(Part::Test)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_list_and_line() {
        let mut tracks = tracks(&["x/a.wav", "y/a.wav", "y/b.wav"]);
        let mut message = |texts| assign(&mut tracks, texts).unwrap_err();
        let found = message(["\ny/a.wav", "a.wav"]);
        assert!(found.contains("test.txt, line 1: 'a.wav' fits 'x/a.wav' and 'y/a.wav'"), "{found}");
        let found = message(["y/a.wav\ny/b.wav", "x/a.wav\n\nb.wav"]);
        assert!(
            found.contains("test.txt, line 3: 'b.wav' stands in") && found.contains("train.txt, line 2"),
            "{found}"
        );
        let found = message(["y/a.wav", "nothing.wav"]);
        assert!(found.contains("test.txt, line 1: not one of its lines"), "{found}");
    }
}
