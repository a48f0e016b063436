//! Adds recordings to a store: those that are not in it are extracted into further parts.
//!
//! The header of the store is replaced last, and names further tables, so that a process that is killed leaves the store as it
//! was; the parts that it finished are kept by the next one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::store_job::{ExtractedParts, StoreJob};
use super::{AuditMode, ExtractOptions, Progress};
use crate::audit::{Audit, audit};
use crate::failure::{Failure, Warning};
use crate::store::{Header, StoreContents, StoreWriter, TrackInput, VERSION};
use crate::{Catalog, Error};

/// Options of [`add`].
#[derive(Debug, Clone, Default)]
pub struct AddOptions {
    /// Number of threads; 0 for those of the current pool, by default one per core.
    pub jobs: usize,
    /// Set it to cancel: the store stays as it was, and a repeated addition continues after the parts that are finished.
    pub cancel: Arc<AtomicBool>,
}

/// Result of [`add`].
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// Number of tracks with segments that were added.
    pub n_tracks: usize,
    /// Their segments, without those of augmented copies.
    pub n_segments: usize,
    /// Number of recordings of the catalog that were in the store already.
    pub n_present: usize,
    /// Those of them that differ from what was extracted: another label, group, size or modification time. They stay as they
    /// are in the store.
    pub changed: Vec<String>,
    /// Further files that could not be used, and why.
    pub failures: Vec<Failure>,
    /// Damage that did not exclude a further file.
    pub warnings: Vec<Warning>,
    /// The audit of all recordings of the store; `None` if nothing was added or the store was extracted without an audit.
    pub audit: Option<Audit>,
}

/// Extracts the recordings of a catalog that are not in a store, with its settings, and appends them.
///
/// A recording is in the store if a track has its path. The catalog may be of a single class ([`Catalog::open_further`]), and its
/// labels may be new ones. If the store was audited, duplicates are found among all recordings.
///
/// # Errors
/// If the store is incomplete, damaged, a shard, an import, of another version of cantus or of another kind of labels; if it
/// cannot be written, or the addition was cancelled. The store is then as before.
pub fn add(
    store: &Path,
    catalog: &Catalog,
    options: &AddOptions,
    on_progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Addition, Error> {
    let mut writer = StoreWriter::append(store)?;
    check_extendable(store, writer.header(), catalog)?;
    let contents = StoreContents::read(store)?;
    let (further, changed) = compare(catalog, &contents);
    let mut addition = Addition::none(catalog.tracks.len() - further.tracks.len(), changed);
    let failures = writer.further_failures(&further.ignored.failures);
    if further.tracks.is_empty() && failures.is_empty() {
        return Ok(addition);
    }
    let (n_tracks, n_segments) = (writer.header().n_tracks, writer.header().n_segments);
    writer.add_labels(labels_in_use(&further));
    addition.audit = extract_further(&further, contents, &mut writer, options, on_progress)?;
    let finished = writer.finish(&failures)?;
    addition.n_tracks = finished.header.n_tracks - n_tracks;
    addition.n_segments = finished.header.n_segments - n_segments;
    (addition.failures, addition.warnings) = (finished.failures, finished.warnings);
    Ok(addition)
}

/// Extracts recordings into further parts, and writes the duplicates among all recordings; returns their audit, if the store was
/// audited.
fn extract_further(
    further: &Catalog,
    contents: StoreContents,
    writer: &mut StoreWriter,
    options: &AddOptions,
    on_progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Option<Audit>, Error> {
    let StoreContents { spec, audited, duplicates, .. } = contents;
    let options = ExtractOptions {
        audit: if audited.is_some() { AuditMode::Report } else { AuditMode::Off },
        jobs: options.jobs,
        augmentation: writer.header().augmentation.clone(),
        cancel: Arc::clone(&options.cancel),
        ..ExtractOptions::default()
    };
    let job = StoreJob::new(further, &spec, &options)?;
    let ExtractedParts { audited: analyses, .. } = job.run(writer, on_progress)?;
    let audit = audited.map(|mut audited| {
        audited.extend(analyses);
        job.on_threads(|| audit(&audited, &spec))
    });
    let found = audit.as_ref().map(Audit::recordings);
    writer.write_recordings(&found.unwrap_or(duplicates))?;
    Ok(audit)
}

impl Addition {
    /// Nothing is added.
    fn none(n_present: usize, changed: Vec<String>) -> Self {
        let (failures, warnings) = (Vec::new(), Vec::new());
        Self { n_tracks: 0, n_segments: 0, n_present, changed, failures, warnings, audit: None }
    }
}

/// Fails if recordings of a catalog cannot be added to a store.
fn check_extendable(store: &Path, header: &Header, catalog: &Catalog) -> Result<(), Error> {
    let reason = if let Some(shard) = header.shard {
        format!("it is shard {shard}; merge all shards first")
    } else if !header.tracks_known {
        "it is an imported data.json".to_owned()
    } else if header.version != VERSION {
        format!(
            "it was extracted by cantus {}, whose features may be others than those of {VERSION}",
            header.version
        )
    } else if header.tagging != catalog.is_tagged {
        "its labels are tags and those of the recordings are classes, or vice versa".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::NotExtendable { path: store.to_owned(), reason })
}

/// The recordings that are not in the store, and the paths of those that are and have changed.
fn compare(catalog: &Catalog, contents: &StoreContents) -> (Catalog, Vec<String>) {
    let (mut further, mut changed) = (catalog.clone(), Vec::new());
    further.tracks.retain(|track| match contents.inputs.get(&track.path) {
        None => true,
        Some(input) => {
            changed.extend((TrackInput::of(catalog, track) != *input).then(|| track.path.clone()));
            false
        }
    });
    (further, changed)
}

/// The names of the labels of all tracks.
fn labels_in_use(catalog: &Catalog) -> BTreeSet<String> {
    let labels = catalog.tracks.iter().flat_map(|track| &track.labels);
    labels.filter_map(|&label| catalog.labels.get(label)).cloned().collect()
}
