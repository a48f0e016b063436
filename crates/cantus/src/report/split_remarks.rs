//! Remarks on what may bias the scores of a split: shared tracks, groups or artists, unused tracks, labels without a track in a part.

use std::collections::BTreeSet;

use cantus_audio::feature::EmbeddingDescription;
use cantus_dataset::{FeatureStore, Part, SegmentSplit, SplitSpec, Unit};

use super::group_remarks;
use crate::predictions::tracks_of;

/// Remarks on what may bias the scores of a split upwards.
pub(super) fn remarks(store: &FeatureStore, spec: &SplitSpec, split: &SegmentSplit) -> Vec<String> {
    let mut remarks = Vec::new();
    if split.split.unit == Unit::Segment {
        remarks.push(
            "split by segment, as the lecture course does: segments of one track are in both the training and the test \
             part, so these scores are too high; split by track for scores that hold for new songs"
                .to_owned(),
        );
    } else if !store.tracks_known() {
        remarks.push(
            "imported features do not say which segments belong to one track, so pieces of one track may stand on \
             both sides of the split, and the scores may be too high"
                .to_owned(),
        );
    } else {
        let shared_artists = || shared_artists(&artists(store, &split.train), &artists(store, &split.test));
        remarks.extend(group_remarks::of_split(store, spec, split).or_else(shared_artists));
        remarks.extend(group_remarks::single_test_group(store, split));
    }
    remarks.extend(left_out(split));
    remarks.extend(missing_remarks(store, &split.split.missing, ""));
    remarks.extend(embedding_remarks(store));
    remarks
}

/// Remarks on the embedding models of a store's features.
pub(crate) fn embedding_remarks(store: &FeatureStore) -> Vec<String> {
    store.spec().embeddings.iter().map(|embedding| embedding_remark(&embedding.description)).collect()
}

/// Remark on the licence of an embedding model, and on recordings that it may have been trained on.
fn embedding_remark(description: &EmbeddingDescription) -> String {
    let EmbeddingDescription { name, licence, training_data, .. } = description;
    let data = match training_data.is_empty() {
        true => "unknown data".to_owned(),
        false => training_data.join(", "),
    };
    format!(
        "the features are from the embedding model {name} (licence: {licence}), trained on {data}: test recordings that are in \
         its training data are not new to it, and scores on them are too high"
    )
}

/// Maximum number of tags named in a remark; further ones are counted.
const MOST_NAMED: usize = 5;

/// Remarks on labels without a track in a part: one line per class; one line per part for tags, of which many may be rare.
/// `suffix` follows the name of the part.
pub(crate) fn missing_remarks(store: &FeatureStore, missing: &[(usize, Part)], suffix: &str) -> Vec<String> {
    let name = |label: usize| format!("'{}'", store.labels()[label]);
    if !store.is_tagged() {
        let remark = |&(label, part): &(usize, Part)| {
            format!("{} has no track in the {} part{suffix}", name(label), part_name(part))
        };
        return missing.iter().map(remark).collect();
    }
    let remark = |part: Part| {
        let labels: Vec<String> =
            missing.iter().filter(|(_, of)| *of == part).map(|(label, _)| name(*label)).collect();
        let more = labels.len().saturating_sub(MOST_NAMED);
        let named = labels[..labels.len() - more].join(", ");
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!labels.is_empty())
            .then(|| format!("no track of the {} part{suffix} has {named}{and_more}", part_name(part)))
    };
    Part::ALL.into_iter().filter_map(remark).collect()
}

/// Remark on artists in both the training and the test part: the network may recognise the artist instead of the genre.
pub(crate) fn shared_artists(train: &BTreeSet<String>, test: &BTreeSet<String>) -> Option<String> {
    let n_shared = train.intersection(test).count();
    (n_shared > 0).then(|| {
        format!(
            "{n_shared} artist{} both in the training and in the test part, which makes the scores too high for new \
             artists; `--group artist` keeps them apart",
            if n_shared == 1 { " is" } else { "s are" }
        )
    })
}

/// Artist tags of the tracks of some segments, in lower case.
fn artists(store: &FeatureStore, segments: &[usize]) -> BTreeSet<String> {
    let artist = |track: usize| store.tracks()[track].artist_group();
    tracks_of(store, segments).into_iter().filter_map(artist).collect()
}

/// Remark on tracks that a given split puts into no part.
fn left_out(split: &SegmentSplit) -> Option<String> {
    let n = split.split.parts.iter().filter(|part| part.is_none()).count();
    let tracks = if n == 1 { "1 track is" } else { &format!("{n} tracks are") };
    (n > 0).then(|| format!("{tracks} in no part of the given split, and played no role"))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}
