//! Groups of tracks that a split must not separate: by artist, by folder, or from a CSV file.
//!
//! A model can recognise the voice, band and studio of an artist in the training part instead of the genre, so tracks of
//! one artist in training and test overestimate its accuracy. A group may contain tracks of several labels.
//!
//! # Reference
//! A. Flexer, "A closer look on artist filters for musical genre classification", ISMIR 2007.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::str::FromStr;

use rayon::prelude::*;

use super::csv_table::{CsvTable, normalized_path};
use super::{Catalog, Track, tags};
use crate::Error;

/// How tracks are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// By the groups that the tracks have already: those of a manifest with the column `group`.
    Given,
    /// By artist tag, trimmed and in lower case; placeholders such as "Various Artists" are no artist.
    Artist,
    /// By the folder of the file, if it is below the label folder: an album, for instance.
    Parent,
    /// By a CSV file with the columns `path,group`; the paths are those of the catalog.
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

/// Result of [`assign_groups`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupReport {
    /// Number of distinct groups; tracks without a group are not counted.
    pub n_groups: usize,
    /// Number of tracks without a group: each is a group of its own.
    pub n_ungrouped: usize,
    /// Paths of the CSV file that are not tracks, sorted.
    pub unknown: Vec<String>,
}

/// Sets the group of every track, replacing earlier groups; tracks without one get `None`.
///
/// [`Grouping::Given`] changes nothing. [`Grouping::Artist`] uses [`Track::artist`], which [`Catalog::read_artists`] or an extraction fills in.
///
/// # Errors
/// If no track has a group, or the CSV file is missing or malformed (with the line).
pub fn assign_groups(
    tracks: &mut [Track],
    labels: &[String],
    grouping: &Grouping,
) -> Result<GroupReport, Error> {
    let mut unknown = Vec::new();
    match grouping {
        Grouping::Given => {}
        Grouping::Artist => {
            tracks.iter_mut().for_each(|track| track.group = track.artist_group());
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
        return Err(Error::NoGroups { missing: missing_property(grouping) });
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

/// Artist tags that do not name an artist: MusicBrainz's special-purpose artists, and what players write without a tag.
const PLACEHOLDERS: [&str; 7] =
    ["various artists", "various", "v.a.", "[unknown]", "<unknown>", "unknown artist", "unknown"];

impl Track {
    /// The artist tag as a group: trimmed, in lower case; `None` without a tag, or if it is a placeholder.
    #[must_use]
    pub fn artist_group(&self) -> Option<String> {
        self.artist.as_deref().map(artist_key).filter(|artist| !PLACEHOLDERS.contains(&artist.as_str()))
    }
}

/// The key by which artist tags are compared: trimmed, in lower case.
pub(crate) fn artist_key(artist: &str) -> String {
    artist.trim().to_lowercase()
}

/// The folder of a track, unless it is the label folder.
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
    let mut table = CsvTable::open(path, &columns, &columns)?;
    let mut groups = HashMap::new();
    while let Some(line) = table.next_line()? {
        let track = table.field("path").ok_or_else(|| table.error(line, "no path".to_owned()))?;
        let Some(group) = table.field("group") else { continue };
        if groups.insert(normalized_path(track), group.to_owned()).is_some() {
            return Err(table.error(line, format!("'{track}' is already in an earlier line")));
        }
    }
    Ok(groups)
}

/// What no track has.
fn missing_property(grouping: &Grouping) -> String {
    match grouping {
        Grouping::Given => "a group".to_owned(),
        Grouping::Artist => "an artist tag".to_owned(),
        Grouping::Parent => "a folder below its label folder".to_owned(),
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
    fn artists_are_compared_without_regard_to_case() {
        let (mut tracks, labels) = tracks();
        let report = assign_groups(&mut tracks, &labels, &Grouping::Artist).unwrap();
        assert_eq!(groups(&tracks), [Some("ella"), Some("ella"), None]);
        assert_eq!((report.n_groups, report.n_ungrouped), (1, 1));
    }

    #[test]
    fn a_placeholder_is_no_artist() {
        let (mut tracks, labels) = tracks();
        tracks[0].artist = Some(" Various Artists".to_owned());
        tracks[1].artist = Some("<unknown>".to_owned());
        tracks[2].artist = Some("The Unknown".to_owned());
        assign_groups(&mut tracks, &labels, &Grouping::Artist).unwrap();
        assert_eq!(groups(&tracks), [None, None, Some("the unknown")]);
    }

    #[test]
    fn given_groups_are_kept() {
        let (mut tracks, labels) = tracks();
        tracks[2].group = None;
        let report = assign_groups(&mut tracks, &labels, &Grouping::Given).unwrap();
        assert_eq!(groups(&tracks), [Some("before"), Some("before"), None]);
        assert_eq!((report.n_groups, report.n_ungrouped), (1, 1));
    }

    #[test]
    fn the_parent_group_is_a_folder_below_the_label_folder() {
        let (mut tracks, labels) = tracks();
        assign_groups(&mut tracks, &labels, &Grouping::Parent).unwrap();
        assert_eq!(groups(&tracks), [None, Some("jazz/live"), Some("rock/live")]);
    }

    #[test]
    fn a_csv_file_assigns_groups_and_its_unknown_paths_are_reported() {
        let (mut tracks, labels) = tracks();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("groups.csv");
        std::fs::write(&path, "path,group\njazz/1.mp3,a\n./rock/live/3.mp3,a\nnone.mp3,b\n").unwrap();
        let report = assign_groups(&mut tracks, &labels, &Grouping::Csv(path)).unwrap();
        assert_eq!(groups(&tracks), [Some("a"), None, Some("a")]);
        assert_eq!(report, GroupReport { n_groups: 1, n_ungrouped: 1, unknown: vec!["none.mp3".to_owned()] });
    }

    #[test]
    fn a_grouping_without_any_group_is_an_error() {
        let (mut tracks, labels) = tracks();
        tracks.iter_mut().for_each(|track| track.artist = None);
        let error = assign_groups(&mut tracks, &labels, &Grouping::Artist).unwrap_err();
        assert!(error.to_string().contains("no track has an artist tag"));
    }
}
