//! Checks of a finished split: duplicates in several parts, and labels that a part lacks.

use std::collections::BTreeMap;

use crate::{Part, Track};

/// Recordings with duplicates in several parts of a split, sorted. Only a predefined split can have any.
///
/// `parts` is the part of each track; `None` if it was left out.
#[must_use]
pub fn duplicates_across_split<'a>(tracks: &'a [Track], parts: &[Option<Part>]) -> Vec<&'a str> {
    let mut parts_of: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
    for (track, part) in tracks.iter().zip(parts) {
        if let (Some(recording), Some(part)) = (&track.recording, part) {
            parts_of.entry(recording).or_default().push(*part);
        }
    }
    parts_of.retain(|_, parts| parts.iter().any(|part| *part != parts[0]));
    parts_of.into_keys().collect()
}

/// Pairs of label and part without a track, among the parts that have tracks.
pub(super) fn missing_labels(
    tracks: &[Track],
    parts: &[Option<Part>],
    n_labels: usize,
) -> Vec<(usize, Part)> {
    let has = |label, part| {
        tracks.iter().zip(parts).any(|(track, p)| track.labels.contains(&label) && *p == Some(part))
    };
    let used = Part::ALL.into_iter().filter(|part| parts.contains(&Some(*part)));
    used.flat_map(|part| (0..n_labels).map(move |label| (label, part)))
        .filter(|(label, part)| !has(*label, *part))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(recording: Option<&str>, label: usize) -> Track {
        Track {
            path: String::new(),
            labels: vec![label],
            artist: None,
            group: None,
            part: None,
            fold: None,
            recording: recording.map(str::to_owned),
        }
    }

    #[test]
    fn duplicates_in_several_parts_are_named() {
        let tracks = [Some("song"), Some("song"), Some("song"), None].map(|recording| track(recording, 0));
        let parts = [Part::Train, Part::Train, Part::Test, Part::Test].map(Some);
        assert_eq!(duplicates_across_split(&tracks, &parts), ["song"]);
        assert!(duplicates_across_split(&tracks[..2], &parts[..2]).is_empty());
    }

    #[test]
    fn only_parts_with_tracks_can_lack_a_label() {
        let tracks = [track(None, 0), track(None, 1), track(None, 0)];
        let parts = [Part::Train, Part::Train, Part::Test].map(Some);
        assert_eq!(missing_labels(&tracks, &parts, 2), [(1, Part::Test)]);
    }
}
