//! `store.toml`: what holds for all parts of a store, and whether it is finished.

use std::path::Path;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use serde::{Deserialize, Serialize};

use super::record::{FORMAT, NEWEST_FORMAT, VERSION, format_of};
use cantus_audio::atomic_file;

use crate::Error;

pub(crate) const NAME: &str = "store.toml";

/// The contents of `store.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Version of the layout.
    pub(crate) format: u32,
    /// Version of cantus that wrote it.
    pub(crate) version: String,
    /// False while the extraction runs, and after one that was stopped.
    pub(crate) complete: bool,
    /// Whether it is known which segments come from one track: not so for an imported `data.json`.
    pub(crate) tracks_known: bool,
    /// Where the recordings were found.
    pub(crate) source: String,
    pub(crate) n_parts: usize,
    /// Tracks with segments.
    pub(crate) n_tracks: usize,
    pub(crate) n_failures: usize,
    /// Segments of the recordings themselves.
    pub(crate) n_segments: usize,
    /// Segments of their altered copies.
    pub(crate) n_copied_segments: usize,
    pub(crate) n_dropped: usize,
    pub(crate) n_frames: usize,
    pub(crate) n_bins: usize,
    pub(crate) labels: Vec<String>,
    /// Whether labels are tags, of which a track may have none or several.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tagging: bool,
    pub(crate) features: FeatureSpec,
    /// How altered copies of the recordings were made, if there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) augmentation: Option<AugmentSpec>,
}

impl Header {
    /// The header of a store that is about to be written.
    pub(crate) fn begin(source: &Path, labels: &[String], spec: &FeatureSpec, tracks_known: bool) -> Self {
        Self {
            format: FORMAT,
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
            features: spec.clone(),
            augmentation: None,
        }
    }

    /// The same, of a store whose labels are tags.
    pub(crate) fn tagged(self, tagging: bool) -> Self {
        Self { format: format_of(tagging), tagging, ..self }
    }

    /// Values of a segment.
    pub(crate) fn segment_len(&self) -> usize {
        self.n_frames.saturating_mul(self.n_bins)
    }

    pub(crate) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        let text = match std::fs::read_to_string(&path) {
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
            reason: error.to_string().lines().collect::<Vec<_>>().join(" "),
        };
        let Format { format } = toml::from_str(text).map_err(damaged)?;
        if format > NEWEST_FORMAT {
            return Err(Error::NewerFormat { path: dir.to_owned(), found: format, supported: NEWEST_FORMAT });
        }
        if format < FORMAT {
            return Err(Error::OlderFormat { path: dir.to_owned(), found: format, supported: FORMAT });
        }
        let header: Self = toml::from_str(text).map_err(damaged)?;
        let spec = &header.features;
        spec.validate()?;
        if (header.n_frames, header.n_bins) != (spec.frames_per_segment(), spec.n_bins()) {
            let reason = format!(
                "it speaks of segments of {} x {}, but its features make {} x {}",
                header.n_frames,
                header.n_bins,
                spec.frames_per_segment(),
                spec.n_bins(),
            );
            return Err(Error::Damaged { path: path.to_owned(), reason });
        }
        Ok(header)
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(NAME);
        let text = toml::to_string(self)
            .map_err(|error| Error::Io { path: path.clone(), source: std::io::Error::other(error) })?;
        atomic_file::write(&path, text.as_bytes()).map_err(Error::io(&path))
    }
}
