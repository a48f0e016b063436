//! What a part says about its tracks, kept as JSON in the metadata of its Arrow schema.
//!
//! It serves twice: the reader learns from it which rows belong to which track without touching a column, and an
//! extraction that is run again learns whether the part was made from the same files in the same way.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use serde::{Deserialize, Serialize};

use crate::Part;
use crate::catalog::Catalog;
use crate::track::Track;

/// Version of the layout, and the oldest that is read: nothing was released with an earlier one.
pub(crate) const FORMAT: u32 = 2;
/// Version of the layout where labels are tags: a list for each segment. What knows no tags must not take it for the other.
pub(crate) const NEWEST_FORMAT: u32 = 3;
/// Version of cantus; the crates of the workspace share it, so that it stands for the decoder's and the features' too.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A part: how it was made, and of which tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub(crate) format: u32,
    pub(crate) version: String,
    pub(crate) spec: FeatureSpec,
    /// How the altered copies of its tracks were made, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) augmentation: Option<AugmentSpec>,
    pub(crate) tracks: Vec<TrackRecord>,
}

/// A track, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrackRecord {
    #[serde(flatten)]
    pub(crate) input: Input,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) artist: Option<String>,
    /// Rows of the part: a track's stand together, the tracks in the record's order.
    pub(crate) n_segments: usize,
    /// Rows of each altered copy, behind those of the track itself.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) copies: Vec<usize>,
    /// Segments that were cut short by the end of the track.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub(crate) n_dropped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) failure: Option<Lost>,
}

/// What is known of a track before its file is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Input {
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) called: Called,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) split: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) fold: Option<String>,
    /// Size and time of change of the file; none if there was no file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) file: Option<FileStamp>,
}

/// What a track is called: `"label": "rock"`, or `"labels": ["rock", "slow"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Called {
    /// Its class.
    Label(String),
    /// Its tags, sorted; there may be none.
    Labels(Vec<String>),
}

/// By what a changed file is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970; 0 where the file system does not say.
    pub(crate) modified_ns: u64,
}

/// Why a track has no segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) reason: String,
    /// Whether the file itself may be sound, and is worth another try: it was the reading that failed.
    pub(crate) retry: bool,
}

impl Input {
    pub(crate) fn of(catalog: &Catalog, track: &Track) -> Self {
        Self {
            path: track.path.clone(),
            called: Called::of(catalog, track),
            group: track.group.clone(),
            split: track.part,
            fold: track.fold.clone(),
            file: FileStamp::of(&catalog.path_of(track)),
        }
    }
}

impl Called {
    fn of(catalog: &Catalog, track: &Track) -> Self {
        let mut names = track.labels.iter().filter_map(|&label| catalog.labels.get(label)).cloned();
        if catalog.is_tagged {
            Self::Labels(names.collect())
        } else {
            Self::Label(names.next().unwrap_or_default())
        }
    }

    /// The class, unless labels are tags.
    pub(crate) fn class(&self) -> Option<&str> {
        match self {
            Self::Label(class) => Some(class),
            Self::Labels(_) => None,
        }
    }

    /// All names.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::Label(class) => std::slice::from_ref(class),
            Self::Labels(names) => names,
        }
    }

    fn is_tagged(&self) -> bool {
        matches!(self, Self::Labels(_))
    }
}

/// The version of the layout that is written.
pub(super) fn format_of(is_tagged: bool) -> u32 {
    if is_tagged { NEWEST_FORMAT } else { FORMAT }
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
    /// A part that this version makes.
    pub(crate) fn new(
        spec: &FeatureSpec,
        augmentation: Option<&AugmentSpec>,
        tracks: Vec<TrackRecord>,
    ) -> Self {
        let augmentation = augmentation.cloned();
        let format = format_of(tracks.iter().any(|track| track.input.called.is_tagged()));
        Self { format, version: VERSION.to_owned(), spec: spec.clone(), augmentation, tracks }
    }

    /// Whether it was made in the same way from the same inputs, so that making it again would change nothing.
    pub(crate) fn is_of<'a>(
        &self,
        spec: &FeatureSpec,
        augmentation: Option<&AugmentSpec>,
        inputs: impl ExactSizeIterator<Item = &'a Input>,
    ) -> bool {
        self.version == VERSION
            && self.spec == *spec
            && self.augmentation.as_ref() == augmentation
            && self.tracks.len() == inputs.len()
            && self.tracks.iter().zip(inputs).all(|(track, input)| track.input == *input)
            && !self.tracks.iter().any(|track| track.failure.as_ref().is_some_and(|lost| lost.retry))
    }

    /// Whether its tracks are called by tags.
    pub(crate) fn is_tagged(&self) -> bool {
        self.format == NEWEST_FORMAT
    }

    /// Rows of the part.
    pub(crate) fn n_rows(&self) -> usize {
        self.tracks.iter().map(TrackRecord::n_rows).fold(0, usize::saturating_add)
    }
}

impl TrackRecord {
    /// A track with so many segments, of which nothing else is to be said.
    pub(crate) fn new(input: Input, n_segments: usize) -> Self {
        Self {
            input,
            artist: None,
            n_segments,
            copies: Vec::new(),
            n_dropped: 0,
            warnings: Vec::new(),
            failure: None,
        }
    }

    /// Rows of the track and of its copies.
    pub(crate) fn n_rows(&self) -> usize {
        self.copies.iter().copied().fold(self.n_segments, usize::saturating_add)
    }

    /// Each row's copy (0 for the recording itself) and segment.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let copies = std::iter::once(self.n_segments).chain(self.copies.iter().copied());
        copies.enumerate().flat_map(|(copy, n_segments)| (0..n_segments).map(move |segment| (copy, segment)))
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}
