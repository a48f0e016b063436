//! What a store contains: settings, numbers of tracks and segments by label and group, sizes.

use std::collections::BTreeMap;
use std::path::Path;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use serde::Serialize;

use super::header::Header;
use super::track_reader::TrackReader;
use crate::{Error, Shard};

/// The contents of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreInfo {
    /// Version of the format.
    pub format: u32,
    /// Version of cantus that extracted the features.
    pub version: String,
    /// Folder or manifest of the recordings.
    pub source: String,
    /// Which share of the recordings it has; `None` for all.
    pub shard: Option<Shard>,
    /// Whether labels are tags and not classes.
    pub tagging: bool,
    /// Whether every part has the audit's analyses of its tracks.
    pub audited: bool,
    /// Values of a segment: frames, values per frame.
    pub shape: (usize, usize),
    /// Number of tracks with segments.
    pub n_tracks: usize,
    /// Number of recordings that could not be used.
    pub n_failures: usize,
    /// Number of segments, without those of augmented copies.
    pub n_segments: usize,
    /// Number of segments of augmented copies.
    pub n_copied_segments: usize,
    /// Number of segments that were dropped because the track ended before they did.
    pub n_dropped: usize,
    /// Number of tracks that are copies of a recording of which the store has several.
    pub n_duplicates: usize,
    /// Tracks and segments of each label, those without any included.
    pub labels: BTreeMap<String, Counts>,
    /// Tracks and segments of each group, if any track has one.
    pub groups: BTreeMap<String, Counts>,
    /// Number of parts.
    pub n_parts: usize,
    /// Size of the parts in bytes.
    pub part_bytes: u64,
    /// Size of all files in bytes.
    pub total_bytes: u64,
    /// The features.
    pub features: FeatureSpec,
    /// The augmented copies, if there are any.
    pub augmentation: Option<AugmentSpec>,
}

/// Numbers of tracks and of their segments, without those of augmented copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Tracks with segments.
    pub n_tracks: usize,
    /// Their segments.
    pub n_segments: usize,
}

impl Counts {
    fn add(&mut self, n_segments: usize) {
        self.n_tracks += 1;
        self.n_segments += n_segments;
    }
}

/// Reads what a complete store contains, from its header and the metadata of its parts.
///
/// # Errors
/// If the folder is no store, or the store is incomplete or damaged.
pub fn store_info(dir: &Path) -> Result<StoreInfo, Error> {
    let mut reader = TrackReader::open(dir)?;
    let mut labels: BTreeMap<String, Counts> =
        reader.header.labels.iter().map(|label| (label.clone(), Counts::default())).collect();
    let (mut groups, mut audited) = (BTreeMap::<String, Counts>::new(), true);
    reader.visit(|_, record, is_audited| {
        audited &= is_audited;
        if record.failure.is_none() {
            for name in record.input.label_set.names() {
                labels.entry(name.clone()).or_default().add(record.n_segments);
            }
            if let Some(group) = &record.input.group {
                groups.entry(group.clone()).or_default().add(record.n_segments);
            }
        }
        Ok(())
    })?;
    let n_duplicates = reader.tables().read_recordings()?.len();
    let (part_bytes, total_bytes) = sizes(dir)?;
    let Header { format, version, source, shard, tagging, features, augmentation, .. } = reader.header;
    let Header { n_frames, n_bins, n_tracks, n_failures, n_segments, n_copied_segments, .. } = reader.header;
    let Header { n_dropped, n_parts, .. } = reader.header;
    Ok(StoreInfo {
        format,
        version,
        source,
        shard,
        tagging,
        audited,
        shape: (n_frames, n_bins),
        n_tracks,
        n_failures,
        n_segments,
        n_copied_segments,
        n_dropped,
        n_duplicates,
        labels,
        groups,
        n_parts,
        part_bytes,
        total_bytes,
        features,
        augmentation,
    })
}

/// Sizes of the parts and of all files of a folder, in bytes.
fn sizes(dir: &Path) -> Result<(u64, u64), Error> {
    let (mut parts, mut total) = (0, 0);
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.map_err(|error| Error::io(dir)(error.into()))?;
        let metadata = entry.metadata().map_err(|error| Error::io(dir)(error.into()))?;
        if metadata.is_file() {
            total += metadata.len();
            let is_part = super::file_names::is_part(&entry.file_name().to_string_lossy());
            parts += if is_part { metadata.len() } else { 0 };
        }
    }
    Ok((parts, total))
}
