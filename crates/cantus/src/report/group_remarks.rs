//! Remarks on groups that a split does not keep whole: how many are separated, why, and what it does to the scores.

use std::collections::BTreeSet;

use cantus_dataset::{FeatureStore, SegmentSplit, SplitSpec, Track, Unit};

use super::format::counted;
use crate::predictions::tracks_of;

/// Groups of the tracks of some segments.
pub(crate) fn groups<'a>(store: &'a FeatureStore, segments: &[usize]) -> BTreeSet<&'a str> {
    let group = |track: usize| store.tracks()[track].group.as_deref();
    tracks_of(store, segments).into_iter().filter_map(group).collect()
}

/// Number of groups with tracks in both the training and the test part.
pub(crate) fn n_shared_groups(store: &FeatureStore, split: &SegmentSplit) -> usize {
    groups(store, &split.train).intersection(&groups(store, &split.test)).count()
}

/// Whether the groups are those of the artist tags.
pub(crate) fn are_artists(tracks: &[Track]) -> bool {
    tracks.iter().any(|track| track.group.is_some())
        && tracks.iter().all(|track| track.group == track.artist_group())
}

/// What a group is: `artist` or `group`.
pub(crate) fn noun(store: &FeatureStore) -> &'static str {
    if are_artists(store.tracks()) { "artist" } else { "group" }
}

/// Remark on groups in both the training and the test part; `advice` follows.
pub(crate) fn shared_groups(n_shared: usize, noun: &str, advice: &str) -> Option<String> {
    let verb = if n_shared == 1 { "is" } else { "are" };
    (n_shared > 0).then(|| {
        format!(
            "{} {verb} both in the training and in the test part, which makes the scores too high for new {noun}s{advice}",
            counted(n_shared, noun)
        )
    })
}

/// The same of a split, with why it is not by group.
pub(super) fn of_split(store: &FeatureStore, spec: &SplitSpec, split: &SegmentSplit) -> Option<String> {
    let n_shared = n_shared_groups(store, split);
    // A predefined split cannot be another one, and the split of a fold, without a share for the test, is not drawn alone.
    let is_drawn = !split.split.predefined && spec.by == Unit::Track && spec.test > 0.0;
    let advice = if n_shared > 0 && is_drawn { advice(store, spec, None) } else { String::new() };
    shared_groups(n_shared, noun(store), &advice)
}

/// Why a random split by track, or `n_folds` random folds, separate groups.
pub(crate) fn advice(store: &FeatureStore, spec: &SplitSpec, n_folds: Option<usize>) -> String {
    match (spec.group_obstacle(store.tracks(), store.labels(), n_folds), n_folds) {
        (Some(obstacle), _) => format!("; groups cannot be kept whole: {obstacle}"),
        (None, None) => "; a split by group keeps them apart".to_owned(),
        (None, Some(_)) => "; folds by group keep them apart".to_owned(),
    }
}

/// Remark on a test part of a single group, whose tracks do not vary as those of several groups do.
pub(super) fn single_test_group(store: &FeatureStore, split: &SegmentSplit) -> Option<String> {
    let tracks = tracks_of(store, &split.test);
    let groups: BTreeSet<Option<&str>> =
        tracks.iter().map(|track| store.tracks()[*track].group.as_deref()).collect();
    let is_single = tracks.len() > 1 && groups.len() == 1 && !groups.contains(&None);
    is_single.then(|| {
        format!(
            "all tracks of the test part are of one {0}, so the scores say little about other {0}s, and their intervals \
             are too narrow",
            noun(store)
        )
    })
}

/// Remark with the score of a split by track and the score without a group in two parts; `what` is the score's name.
pub(super) fn difference(what: &str, [by_track, by_group]: [&str; 2], noun: &str) -> String {
    format!(
        "{what} {by_track} by track; {by_group} when no {noun} is in two parts: expect the latter of new {noun}s"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shared_groups_are_remarked() {
        assert_eq!(shared_groups(0, "group", ""), None);
        let one = shared_groups(1, "group", "; why").unwrap();
        assert!(one.starts_with("1 group is both") && one.ends_with("for new groups; why"), "{one}");
        assert!(shared_groups(2, "artist", "").unwrap().starts_with("2 artists are both"));
    }
}
