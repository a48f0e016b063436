//! Random stratified assignment of tracks to parts or folds.

use cantus_random::{KeyedRng, text_key};

use super::cluster::{TrackCluster, clusters, n_clusters_with};
use super::iterative_stratification::stratify_tags;
use super::stratification::stratify_classes;
use super::unit::Unit;
use crate::{BACKGROUND_LABEL, Error, Track};

/// Assigns each track an index into `shares`; the tracks of one cluster get the same.
///
/// # Errors
/// If groups are requested and no track has one, or a class has fewer than `n_min` clusters. Tags and the class of the
/// background may have fewer.
pub(super) fn random_split(
    tracks: &[Track],
    labels: &[String],
    unit: Unit,
    shares: &[f64],
    n_min: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    if unit == Unit::Group && tracks.iter().all(|track| track.group.is_none()) {
        return Err(Error::NoGroups { missing: "a group".to_owned() });
    }
    let clusters = clusters(tracks, unit);
    let is_tagged = has_tags(tracks);
    if !is_tagged {
        check_class_sizes(tracks, labels, unit, &clusters, n_min)?;
    }
    let mut rng = KeyedRng::new([seed, text_key("split")]);
    let stratify = if is_tagged { stratify_tags } else { stratify_classes };
    let assignment = stratify(&clusters, labels.len(), shares, &mut rng);
    let mut part_of_track = vec![0; tracks.len()];
    for (cluster, part) in clusters.iter().zip(assignment) {
        cluster.members.iter().for_each(|member| part_of_track[*member] = part);
    }
    Ok(part_of_track)
}

fn check_class_sizes(
    tracks: &[Track],
    labels: &[String],
    unit: Unit,
    clusters: &[TrackCluster],
    n_min: usize,
) -> Result<(), Error> {
    for (index, label) in labels.iter().enumerate() {
        let n = n_clusters_with(clusters, index);
        if n < n_min && label != BACKGROUND_LABEL {
            let n_tracks = tracks.iter().filter(|track| track.labels.contains(&index)).count();
            let (label, needed) = (label.clone(), n_min);
            return Err(match unit {
                Unit::Track if n < n_tracks => Error::TooFewRecordings { label, n, n_tracks, needed },
                _ => Error::TooFew { label, unit: unit.name(), n, needed },
            });
        }
    }
    Ok(())
}

/// Whether labels are tags: some track has none or several.
pub(super) fn has_tags(tracks: &[Track]) -> bool {
    tracks.iter().any(|track| track.labels.len() != 1)
}
