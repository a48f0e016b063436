//! What a store contains before recordings are added to it: the inputs of its tracks, their analyses, known duplicates.

use std::collections::HashMap;
use std::path::Path;

use cantus_audio::feature::FeatureSpec;

use super::record::TrackInput;
use super::track_reader::TrackReader;
use crate::Error;
use crate::audit::AuditedFile;

/// The tracks of a store, without their features.
pub(crate) struct StoreContents {
    /// The specification with the graphs of its embedding models.
    pub(crate) spec: FeatureSpec,
    /// Inputs of each track, by path.
    pub(crate) inputs: HashMap<String, TrackInput>,
    /// Analyses of all tracks, in order; `None` if not all were audited.
    pub(crate) audited: Option<Vec<AuditedFile>>,
    /// (path, recording) of known duplicates.
    pub(crate) duplicates: Vec<(String, String)>,
}

impl StoreContents {
    /// Reads the metadata of all parts, and their analyses.
    ///
    /// # Errors
    /// If the store is incomplete or damaged.
    pub(crate) fn read(store: &Path) -> Result<Self, Error> {
        let mut reader = TrackReader::open(store)?;
        let (mut inputs, mut audited) = (HashMap::new(), Some(Vec::new()));
        for index in 0..reader.header.n_parts {
            let part = reader.part(index)?;
            let tracks = part.file.record.tracks.iter();
            inputs.extend(tracks.map(|track| (track.input.path.clone(), track.input.clone())));
            match (&mut audited, &part.analyses) {
                (Some(audited), Some(analyses)) => audited.extend_from_slice(analyses),
                _ => audited = None,
            }
        }
        let duplicates = reader.tables().read_recordings()?;
        Ok(Self { spec: reader.header.features, inputs, audited, duplicates })
    }
}
