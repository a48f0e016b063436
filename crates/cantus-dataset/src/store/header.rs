//! `store.toml`: the header of a store.

use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::regular_file;
use serde::{Deserialize, Serialize};

use super::file_names;
use super::part_file::PartFile;
use super::part_hash::PartHash;
use super::record::{FORMAT, PartRecord, VERSION};
use crate::{Damage, Error, Shard};

/// Version of the format that is written: with the hashes of all parts. Versions 2 to 5 have none.
const FORMAT_WITH_HASHES: u32 = 6;

/// The contents of `store.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Version of the format.
    pub(crate) format: u32,
    /// Version of cantus that wrote it.
    pub(crate) version: String,
    /// False during the extraction, and if it was stopped.
    pub(crate) complete: bool,
    /// Whether it is known which segments come from one track; false for an imported `data.json`.
    pub(crate) tracks_known: bool,
    /// Path of the recordings.
    pub(crate) source: String,
    pub(crate) n_parts: usize,
    /// Tracks with segments.
    pub(crate) n_tracks: usize,
    pub(crate) n_failures: usize,
    /// Segments of the recordings, without augmented copies.
    pub(crate) n_segments: usize,
    /// Segments of augmented copies.
    pub(crate) n_copied_segments: usize,
    pub(crate) n_dropped: usize,
    pub(crate) n_frames: usize,
    pub(crate) n_bins: usize,
    pub(crate) labels: Vec<String>,
    /// Whether labels are tags and not classes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tagging: bool,
    /// Which share of the recordings it has, if the extraction was one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<Shard>,
    /// Number in the names of its tables, such as `failures-1.csv`; `None` before recordings were added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tables: Option<u32>,
    pub(crate) features: FeatureSpec,
    /// How augmented copies were made, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) augmentation: Option<AugmentSpec>,
    /// Hashes of the parts, in order; empty in a store of an earlier version, and while the extraction runs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) parts: Vec<PartHash>,
}

impl Header {
    /// The header of a new, empty store.
    pub(crate) fn begin(source: &Path, labels: &[String], spec: &FeatureSpec, tracks_known: bool) -> Self {
        Self {
            format: FORMAT_WITH_HASHES,
            version: VERSION.to_owned(),
            complete: false,
            tracks_known,
            source: source.to_string_lossy().into_owned(),
            n_parts: 0,
            n_tracks: 0,
            n_failures: 0,
            n_segments: 0,
            n_copied_segments: 0,
            n_dropped: 0,
            n_frames: spec.frames_per_segment(),
            n_bins: spec.n_bins(),
            labels: labels.to_vec(),
            tagging: false,
            shard: None,
            tables: None,
            features: spec.clone(),
            augmentation: None,
            parts: Vec::new(),
        }
    }

    /// A header with the same settings, labels and source, of a store without parts.
    pub(crate) fn emptied(&self) -> Self {
        let begun = Self::begin(Path::new(&self.source), &self.labels, &self.features, self.tracks_known);
        let (augmentation, tagging) = (self.augmentation.clone(), self.tagging);
        Self { version: self.version.clone(), augmentation, tagging, ..begun }
    }

    /// The same header with tags or classes as labels.
    pub(crate) fn with_tagging(self, tagging: bool) -> Self {
        Self { tagging, ..self }
    }

    /// Values per segment.
    pub(crate) fn segment_len(&self) -> usize {
        self.n_frames.saturating_mul(self.n_bins)
    }

    /// Adds the hashes of all parts, if the store is of a format without hashes, after a verification of their checksums.
    pub(super) fn add_hashes(&mut self, dir: &Path) -> Result<(), Error> {
        for index in self.parts.len()..self.n_parts {
            let part = PartFile::open(&file_names::part_path(dir, index))?;
            part.verify()?;
            self.parts.push(part.hash()?);
        }
        self.format = FORMAT_WITH_HASHES;
        Ok(())
    }

    /// What of a part is inconsistent with the header.
    pub(super) fn difference(&self, part: &PartRecord) -> Option<&'static str> {
        if part.spec != self.features {
            Some("its features are not those of the store")
        } else if part.augmentation != self.augmentation {
            Some("its augmented copies are not those of the store")
        } else if part.is_tagged() != self.tagging {
            Some("its labels are tags and the store's are classes, or vice versa")
        } else {
            None
        }
    }

    /// Reads the header of the store in a folder.
    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(file_names::HEADER);
        let text = match regular_file::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(if dir.exists() {
                    Error::NotAStore { path: dir.to_owned() }
                } else {
                    Error::NotFound { path: dir.to_owned() }
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(Error::NotAStore { path: dir.to_owned() });
            }
            text => text.map_err(Error::io(&path))?,
        };
        Self::parse(dir, &path, &text)
    }

    fn parse(dir: &Path, path: &Path, text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let damaged = |error: toml::de::Error| Error::Damaged {
            path: path.to_owned(),
            damage: Damage::Malformed(error.to_string().lines().collect::<Vec<_>>().join(" ")),
        };
        let Format { format } = toml::from_str(text).map_err(damaged)?;
        if format > FORMAT_WITH_HASHES {
            let (path, supported) = (dir.to_owned(), FORMAT_WITH_HASHES);
            return Err(Error::NewerFormat { path, found: format, supported });
        }
        if format < FORMAT {
            return Err(Error::OlderFormat { path: dir.to_owned(), found: format, supported: FORMAT });
        }
        let header: Self = toml::from_str(text).map_err(damaged)?;
        let spec = &header.features;
        spec.validate()?;
        if (header.n_frames, header.n_bins) != (spec.frames_per_segment(), spec.n_bins()) {
            let damage = Damage::SegmentShape {
                expected: (spec.frames_per_segment(), spec.n_bins()),
                found: (header.n_frames, header.n_bins),
            };
            return Err(Error::Damaged { path: path.to_owned(), damage });
        }
        let malformed =
            |reason: String| Error::Damaged { path: path.to_owned(), damage: Damage::Malformed(reason) };
        if let Some(label) = header.labels.iter().find(|label| label.trim().is_empty()) {
            return Err(malformed(format!("an empty label, '{label}'")));
        }
        if let Some(pair) = header.labels.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(malformed(format!("label '{}' is twice, or not in order", pair[1])));
        }
        if header.complete && format >= FORMAT_WITH_HASHES && header.parts.len() != header.n_parts {
            let reason = format!("hashes of {} parts for {} parts", header.parts.len(), header.n_parts);
            return Err(malformed(reason));
        }
        Ok(header)
    }

    /// Writes the header of the store in a folder.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(file_names::HEADER);
        let text = toml::to_string(self)
            .map_err(|error| Error::Io { path: path.clone(), source: std::io::Error::other(error) })?;
        atomic_file::write(&path, text.as_bytes()).map_err(Error::io(&path))
    }
}
