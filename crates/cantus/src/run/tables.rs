//! CSV tables of a run: the part and fold of each track, the predictions, and the training history.

use std::path::Path;

use cantus_audio::regular_file;
use cantus_dataset::{FeatureStore, Folds, Part, Split, Unit};
use cantus_metrics::aggregate;
use cantus_nn::History;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::predictions::named;
use cantus_metrics::TrackDecision;

/// One row of `split.csv`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SplitRow {
    pub(super) path: String,
    /// Only for the split by segment, which puts segments of a track into several parts.
    pub(super) segment: Option<usize>,
    pub(super) label: String,
    pub(super) group: Option<String>,
    /// The recording of which the track is one of several copies.
    #[serde(default)]
    pub(super) recording: Option<String>,
    /// `None` for a track that a given split leaves out.
    pub(super) part: Option<Part>,
}

/// The part of each track, or of each segment.
pub(super) fn split(split: &Split, store: &FeatureStore) -> Result<Vec<u8>, Error> {
    let row = |number: usize, segment: Option<usize>, part: Option<Part>| {
        let track = &store.tracks()[number];
        let label = named(&track.labels, store.labels());
        let (group, recording) = (track.group.clone(), track.recording.clone());
        SplitRow { path: track.path.clone(), segment, label, group, recording, part }
    };
    let rows = split.parts.iter().enumerate().map(|(number, &part)| match split.unit {
        Unit::Track | Unit::Group => row(number, None, part),
        Unit::Segment => {
            let track = store.track_of(number);
            row(track, Some(number - store.segments_of(track).start), part)
        }
    });
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(unwritable)?;
    }
    writer.into_inner().map_err(unwritable)
}

/// Reads `split.csv`.
pub(super) fn read_split(path: &Path) -> Result<Vec<SplitRow>, csv::Error> {
    csv::Reader::from_reader(regular_file::open(path)?).into_deserialize().collect()
}

/// The fold of each track.
pub(super) fn folds(folds: &Folds, store: &FeatureStore) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["path", "label", "group", "fold"]).map_err(unwritable)?;
    for (track, &fold) in store.tracks().iter().zip(&folds.fold_of_track) {
        let group = track.group.as_deref().unwrap_or_default();
        let label = named(&track.labels, store.labels());
        let row = [track.path.as_str(), &label, group, &folds.names[fold]];
        writer.write_record(row).map_err(unwritable)?;
    }
    writer.into_inner().map_err(unwritable)
}

/// The prediction for each test track, with several labels separated by `;` and a probability column per label, in the
/// labels' order.
pub(super) fn predictions(
    tracks: &[TrackDecision],
    folds: Option<&[&str]>,
    store: &FeatureStore,
) -> Result<Vec<u8>, Error> {
    let labels = store.labels();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["path", "label", "group", "fold", "predicted"].into_iter();
    writer.write_record(header.chain(labels.iter().map(String::as_str))).map_err(unwritable)?;
    for TrackDecision { track: number, labels: own, predicted, probabilities, .. } in tracks {
        let predicted =
            if store.is_tagged() { aggregate::tags_above_threshold(probabilities) } else { vec![*predicted] };
        let track = &store.tracks()[*number];
        let group = track.group.clone().unwrap_or_default();
        let fold = folds.map_or("", |folds| folds[*number]).to_owned();
        let [own, predicted] = [own, &predicted].map(|numbers| named(numbers, labels));
        let row = [track.path.clone(), own, group, fold, predicted];
        let probabilities = probabilities.iter().map(ToString::to_string);
        writer.write_record(row.into_iter().chain(probabilities)).map_err(unwritable)?;
    }
    writer.into_inner().map_err(unwritable)
}

/// A row for each epoch, from 1, with Keras's keys as column names.
pub(super) fn history(history: &History) -> String {
    let columns: Vec<_> = history.columns().collect();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!("epoch,{}\n", names.join(","));
    for epoch in 0..history.n_epochs() {
        let values: Vec<_> = columns.iter().map(|(_, values)| values[epoch].to_string()).collect();
        text += &format!("{},{}\n", epoch + 1, values.join(","));
    }
    text
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::Unwritable { reason: error.to_string() }
}
