//! Clusters: tracks that must be in the same part of a split, because they share a group or a recording.

use std::collections::BTreeMap;

use super::unit::Unit;
use crate::Track;
use crate::disjoint_sets::DisjointSets;

/// Tracks that must be in the same part.
#[derive(Debug)]
pub(super) struct TrackCluster {
    /// Indices of its tracks.
    pub(super) members: Vec<usize>,
    /// (label, number of its tracks with that label), sorted by label.
    pub(super) label_counts: Vec<(usize, usize)>,
}

impl TrackCluster {
    pub(super) fn new<'a>(members: Vec<usize>, labels_of: impl Fn(usize) -> &'a [usize]) -> Self {
        let mut labels: Vec<usize> = members.iter().flat_map(|member| labels_of(*member)).copied().collect();
        labels.sort_unstable();
        let label_counts = labels.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
        Self { members, label_counts }
    }

    /// Number of its tracks with a label.
    pub(super) fn n_with(&self, label: usize) -> usize {
        self.label_counts
            .binary_search_by_key(&label, |(own, _)| *own)
            .map_or(0, |index| self.label_counts[index].1)
    }
}

/// Number of clusters that contain a label.
pub(super) fn n_clusters_with(clusters: &[TrackCluster], label: usize) -> usize {
    clusters.iter().filter(|cluster| cluster.n_with(label) > 0).count()
}

/// Clusters of the tracks: connected components of "same group" (if `unit` is [`Unit::Group`]) and "same recording".
///
/// Their order depends on names only, so that a split does not depend on the order of the tracks.
pub(super) fn clusters(tracks: &[Track], unit: Unit) -> Vec<TrackCluster> {
    let key = |track: &'_ Track| match (unit, &track.group) {
        (Unit::Group, Some(group)) => (true, group.clone()),
        _ => (false, track.path.clone()),
    };
    let mut sets = DisjointSets::new(tracks.len());
    join_equal(&mut sets, tracks.iter().map(|track| Some(key(track))));
    join_equal(&mut sets, tracks.iter().map(|track| track.recording.as_ref()));
    let mut by_set: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..tracks.len()).for_each(|index| by_set.entry(sets.find(index)).or_default().push(index));
    let name = |members: &[usize]| members.iter().map(|member| key(&tracks[*member])).min();
    let members: BTreeMap<_, _> = by_set.into_values().map(|members| (name(&members), members)).collect();
    members.into_values().map(|members| TrackCluster::new(members, |member| &tracks[member].labels)).collect()
}

/// Joins the indices that have equal keys.
fn join_equal<K: Ord>(sets: &mut DisjointSets, keys: impl Iterator<Item = Option<K>>) {
    let mut first: BTreeMap<K, usize> = BTreeMap::new();
    for (index, key) in keys.enumerate() {
        if let Some(key) = key {
            sets.join(*first.entry(key).or_insert(index), index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(path: &str, group: Option<&str>, recording: Option<&str>) -> Track {
        Track {
            path: path.to_owned(),
            labels: vec![0],
            artist: None,
            group: group.map(str::to_owned),
            part: None,
            fold: None,
            recording: recording.map(str::to_owned),
        }
    }

    #[test]
    fn groups_that_share_a_recording_are_one_cluster() {
        let tracks = [
            track("1", Some("x"), None),
            track("2", Some("x"), Some("song")),
            track("3", Some("y"), Some("song")),
            track("4", None, None),
        ];
        let members = |unit| clusters(&tracks, unit).into_iter().map(|c| c.members).collect::<Vec<_>>();
        assert_eq!(members(Unit::Group), [vec![3], vec![0, 1, 2]]);
        assert_eq!(members(Unit::Track), [vec![0], vec![1, 2], vec![3]]);
    }
}
