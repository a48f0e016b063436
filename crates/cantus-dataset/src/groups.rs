//! Which tracks belong together, so that a split never tears them apart.
//!
//! A network that has heard an artist recognises the voice, the band and the studio, not the genre: tracks of one
//! artist on both sides of a split make it look better than it is (Flexer 2007, "A closer look on artist filters for
//! musical genre classification"). A group may hold tracks of several labels.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::str::FromStr;

use rayon::prelude::*;

use crate::catalog::Catalog;
use crate::manifest::{Table, normalised};
use crate::track::Track;
use crate::{Error, tags};

/// What makes a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// The artist tag, without regard to case and blanks around it.
    Artist,
    /// The folder that holds the file, below its label: an album, say.
    Parent,
    /// A CSV file with the columns `path,group`; the paths are those of the catalogue.
    Csv(PathBuf),
}

impl FromStr for Grouping {
    type Err = std::convert::Infallible;

    /// `artist`, `parent`, or else the path of a CSV file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "artist" => Self::Artist,
            "parent" => Self::Parent,
            path => Self::Csv(PathBuf::from(path)),
        })
    }
}

/// What a grouping found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupReport {
    /// Number of different groups, without the tracks that have none.
    pub n_groups: usize,
    /// Number of tracks without a group: each is a group of its own.
    pub n_ungrouped: usize,
    /// Paths of the CSV file that are no tracks.
    pub unknown: Vec<String>,
}

/// Gives every track its group, in place of what it had; tracks that find none stay on their own.
///
/// The artists must have been read before: by [`Catalog::read_artists`], or by the extraction.
///
/// # Errors
/// If not one track has a group, or the CSV file is malformed (with its line).
pub fn assign_groups(
    tracks: &mut [Track],
    labels: &[String],
    grouping: &Grouping,
) -> Result<GroupReport, Error> {
    let mut unknown = Vec::new();
    match grouping {
        Grouping::Artist => {
            tracks.iter_mut().for_each(|track| track.group = track.artist.as_deref().map(folded));
        }
        Grouping::Parent => {
            tracks.iter_mut().for_each(|track| track.group = parent(track, labels));
        }
        Grouping::Csv(path) => {
            let mut groups = read_groups(path)?;
            tracks.iter_mut().for_each(|track| track.group = groups.remove(&track.path));
            unknown.extend(groups.into_keys());
            unknown.sort();
        }
    }
    let names: BTreeSet<&str> = tracks.iter().filter_map(|track| track.group.as_deref()).collect();
    if names.is_empty() {
        return Err(Error::NoGroups { wanted: wanted(grouping) });
    }
    let n_ungrouped = tracks.iter().filter(|track| track.group.is_none()).count();
    Ok(GroupReport { n_groups: names.len(), n_ungrouped, unknown })
}

impl Catalog {
    /// Reads the artist tag of every track, in parallel; a file that cannot be read has none.
    pub fn read_artists(&mut self) {
        let root = &self.root;
        self.tracks.par_iter_mut().for_each(|track| {
            track.artist = tags::read(&root.join(&track.path)).ok().and_then(|tags| tags.artist);
        });
    }
}

fn folded(artist: &str) -> String {
    artist.trim().to_lowercase()
}

/// The folder of a track, unless that is the label's own.
fn parent(track: &Track, labels: &[String]) -> Option<String> {
    let (folder, _) = track.path.rsplit_once('/')?;
    let is_label = track.labels.iter().any(|&label| labels.get(label).is_some_and(|name| name == folder));
    (!is_label && !folder.is_empty()).then(|| folder.to_owned())
}

fn read_groups(path: &std::path::Path) -> Result<HashMap<String, String>, Error> {
    if !path.exists() {
        return Err(Error::UnknownGrouping { path: path.to_owned() });
    }
    let columns = ["path", "group"];
    let mut table = Table::open(path, &columns, &columns)?;
    let mut groups = HashMap::new();
    while let Some(line) = table.next_line()? {
        let track = table.field("path").ok_or_else(|| table.error(line, "no path".to_owned()))?;
        let Some(group) = table.field("group") else { continue };
        if groups.insert(normalised(track), group.to_owned()).is_some() {
            return Err(table.error(line, format!("'{track}' stands in an earlier line already")));
        }
    }
    Ok(groups)
}

fn wanted(grouping: &Grouping) -> String {
    match grouping {
        Grouping::Artist => "an artist tag".to_owned(),
        Grouping::Parent => "a folder below its label's folder".to_owned(),
        Grouping::Csv(path) => format!("a group in {}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks() -> (Vec<Track>, Vec<String>) {
        let track = |path: &str, label, artist: Option<&str>| Track {
            path: path.to_owned(),
            labels: vec![label],
            artist: artist.map(str::to_owned),
            group: Some("before".to_owned()),
            part: None,
            fold: None,
            recording: None,
        };
        let tracks = vec![
            track("jazz/1.mp3", 0, Some("Ella ")),
            track("jazz/live/2.mp3", 0, Some("ELLA")),
            track("rock/live/3.mp3", 1, None),
        ];
        (tracks, vec!["jazz".to_owned(), "rock".to_owned()])
    }

    fn groups(tracks: &[Track]) -> Vec<Option<&str>> {
        tracks.iter().map(|track| track.group.as_deref()).collect()
    }

    #[test]
    fn an_artist_is_the_same_in_any_case() {
        let (mut tracks, labels) = tracks();
        let report = assign_groups(&mut tracks, &labels, &Grouping::Artist).unwrap();
        assert_eq!(groups(&tracks), [Some("ella"), Some("ella"), None]);
        assert_eq!((report.n_groups, report.n_ungrouped), (1, 1));
    }

    #[test]
    fn the_parent_is_a_folder_below_the_label() {
        let (mut tracks, labels) = tracks();
        assign_groups(&mut tracks, &labels, &Grouping::Parent).unwrap();
        assert_eq!(groups(&tracks), [None, Some("jazz/live"), Some("rock/live")]);
    }

    #[test]
    fn a_csv_file_names_groups_and_what_it_names_in_vain_is_reported() {
        let (mut tracks, labels) = tracks();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("groups.csv");
        std::fs::write(&path, "path,group\njazz/1.mp3,a\n./rock/live/3.mp3,a\nnone.mp3,b\n").unwrap();
        let report = assign_groups(&mut tracks, &labels, &Grouping::Csv(path)).unwrap();
        assert_eq!(groups(&tracks), [Some("a"), None, Some("a")]);
        assert_eq!(report, GroupReport { n_groups: 1, n_ungrouped: 1, unknown: vec!["none.mp3".to_owned()] });
    }

    #[test]
    fn a_grouping_that_groups_nothing_is_an_error() {
        let (mut tracks, labels) = tracks();
        tracks.iter_mut().for_each(|track| track.artist = None);
        let error = assign_groups(&mut tracks, &labels, &Grouping::Artist).unwrap_err();
        assert!(error.to_string().contains("no track has an artist tag"));
    }
}
