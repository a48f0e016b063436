//! Record of a part: its tracks and how they were extracted, as JSON in the metadata of the Arrow schema.
//!
//! The reader takes from it which rows belong to which track, without reading a column; a repeated extraction takes from it
//! whether the part was made from the same files with the same settings.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureSpec, Segments};
use serde::{Deserialize, Serialize};

use crate::{Catalog, Part, Track};

/// Version of the format for classes, and the oldest that is read: no earlier one was released.
pub(crate) const FORMAT: u32 = 2;
/// Version of the format for tags, with a list of labels for each segment; a reader without tags must reject it.
const FORMAT_OF_TAGS: u32 = 3;
/// Version of the format for segments that are windows, of classes or of tags; a reader without windows must reject it.
const FORMAT_OF_WINDOWS: u32 = 4;
/// Version of the format for one row per segment: summaries and embeddings.
pub(crate) const NEWEST_FORMAT: u32 = 5;
/// Version of cantus, shared by all crates of the workspace: it identifies the decoder and the features, too.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Settings and tracks of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub(crate) format: u32,
    pub(crate) version: String,
    pub(crate) spec: FeatureSpec,
    /// How augmented copies of its tracks were made, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) augmentation: Option<AugmentSpec>,
    pub(crate) tracks: Vec<TrackRecord>,
}

/// A track and the result of its extraction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrackRecord {
    #[serde(flatten)]
    pub(crate) input: TrackInput,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) artist: Option<String>,
    /// Number of rows; those of a track are contiguous, tracks are in the order of the record.
    pub(crate) n_segments: usize,
    /// First sample of each segment, if segments are windows; parts of a track begin at multiples of their length.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) starts: Vec<u64>,
    /// Number of rows of each augmented copy, after those of the track.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) copies: Vec<usize>,
    /// Segments dropped because the track ended before they did.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub(crate) n_dropped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) failure: Option<ExtractFailure>,
}

/// Inputs of a track's extraction, known before its file is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrackInput {
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) label_set: LabelSet,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) split: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) fold: Option<String>,
    /// Size and modification time of the file; `None` if there was no file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) file: Option<FileStamp>,
}

/// Labels of a track by name; in JSON `"label": "rock"` or `"labels": ["rock", "slow"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum LabelSet {
    /// Exactly one class.
    #[serde(rename = "label")]
    Class(String),
    /// Any number of tags, sorted.
    #[serde(rename = "labels")]
    Tags(Vec<String>),
}

/// Size and modification time, by which a changed file is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970; 0 if the file system does not provide it.
    pub(crate) modified_ns: u64,
}

/// Why a track has no segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExtractFailure {
    pub(crate) reason: String,
    /// Whether reading failed, so that a repeated extraction should try again: the file itself may be valid.
    pub(crate) retry: bool,
}

impl TrackInput {
    /// The inputs of a track of a catalog.
    pub(crate) fn of(catalog: &Catalog, track: &Track) -> Self {
        Self {
            path: track.path.clone(),
            label_set: LabelSet::of(catalog, track),
            group: track.group.clone(),
            split: track.part,
            fold: track.fold.clone(),
            file: FileStamp::of(&catalog.path_of(track)),
        }
    }
}

impl LabelSet {
    fn of(catalog: &Catalog, track: &Track) -> Self {
        let mut names = track.labels.iter().filter_map(|&label| catalog.labels.get(label)).cloned();
        if catalog.is_tagged {
            Self::Tags(names.collect())
        } else {
            Self::Class(names.next().unwrap_or_default())
        }
    }

    /// The class; `None` for tags.
    pub(crate) fn class(&self) -> Option<&str> {
        match self {
            Self::Class(class) => Some(class),
            Self::Tags(_) => None,
        }
    }

    /// All names.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::Class(class) => std::slice::from_ref(class),
            Self::Tags(names) => names,
        }
    }

    fn is_tagged(&self) -> bool {
        matches!(self, Self::Tags(_))
    }
}

/// Start of a segment of a recording, in seconds; `starts` are the first samples of windows. `None` for a window whose start is
/// not recorded.
pub(crate) fn start_s(segment: usize, starts: &[u64], spec: &FeatureSpec) -> Option<f64> {
    let sample_rate = f64::from(spec.sample_rate);
    match spec.segments {
        Segments::Parts { .. } => Some(segment as f64 * (spec.segment_samples() as f64 / sample_rate)),
        Segments::Windows(_) => starts.get(segment).map(|&start| start as f64 / sample_rate),
    }
}

/// The version of the format that is written: the oldest that has what the store needs.
pub(super) fn format_of(is_tagged: bool, spec: &FeatureSpec) -> u32 {
    match spec.segments {
        _ if spec.has_one_row() => NEWEST_FORMAT,
        Segments::Windows(_) => FORMAT_OF_WINDOWS,
        Segments::Parts { .. } if is_tagged => FORMAT_OF_TAGS,
        Segments::Parts { .. } => FORMAT,
    }
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ns = modified.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        Some(Self { bytes: metadata.len(), modified_ns })
    }
}

impl PartRecord {
    /// The record of a part written by this version.
    pub(crate) fn new(
        spec: &FeatureSpec,
        augmentation: Option<&AugmentSpec>,
        tracks: Vec<TrackRecord>,
    ) -> Self {
        let augmentation = augmentation.cloned();
        let is_tagged = tracks.iter().any(|track| track.input.label_set.is_tagged());
        let format = format_of(is_tagged, spec);
        Self { format, version: VERSION.to_owned(), spec: spec.clone(), augmentation, tracks }
    }

    /// Whether the part was made from these inputs with these settings, so that it need not be extracted again.
    pub(crate) fn matches<'a>(
        &self,
        spec: &FeatureSpec,
        augmentation: Option<&AugmentSpec>,
        inputs: impl ExactSizeIterator<Item = &'a TrackInput>,
    ) -> bool {
        self.version == VERSION
            && self.spec == *spec
            && self.augmentation.as_ref() == augmentation
            && self.tracks.len() == inputs.len()
            && self.tracks.iter().zip(inputs).all(|(track, input)| track.input == *input)
            && !self.tracks.iter().any(|track| track.failure.as_ref().is_some_and(|failure| failure.retry))
    }

    /// Whether labels are tags and not classes.
    pub(crate) fn is_tagged(&self) -> bool {
        self.tracks.iter().any(|track| track.input.label_set.is_tagged())
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.tracks.iter().map(TrackRecord::n_rows).fold(0, usize::saturating_add)
    }
}

impl TrackRecord {
    /// A track with `n_segments` segments and defaults for the rest.
    pub(crate) fn new(input: TrackInput, n_segments: usize) -> Self {
        Self {
            input,
            artist: None,
            n_segments,
            starts: Vec::new(),
            copies: Vec::new(),
            n_dropped: 0,
            warnings: Vec::new(),
            failure: None,
        }
    }

    /// Number of rows of the track and of its augmented copies.
    pub(crate) fn n_rows(&self) -> usize {
        self.copies.iter().copied().fold(self.n_segments, usize::saturating_add)
    }

    /// (copy, segment) of each row; copy 0 is the recording itself.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let copies = std::iter::once(self.n_segments).chain(self.copies.iter().copied());
        copies.enumerate().flat_map(|(copy, n_segments)| (0..n_segments).map(move |segment| (copy, segment)))
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}
