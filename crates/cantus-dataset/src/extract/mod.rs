//! Extraction: the features of all tracks of a catalog, into a feature store.
//!
//! Tracks are processed in runs of fixed length, the files of a run in parallel; each run is a part of the store, so that
//! neither bytes nor memory depend on the number of threads or tracks. A file that cannot be used is reported with its
//! reason and does not stop the extraction. A repeated extraction keeps every part whose inputs (paths, labels, groups,
//! file sizes, modification times, settings, version) are unchanged.
//!
//! Segments are those of the specification ([`Segments`](cantus_audio::feature::Segments)): the lecture course's parts of a
//! track, of which an incomplete one is dropped and counted, or windows over the whole recording. Augmented copies of a track
//! are segmented in the same way and stored after it.
//!
//! An extraction may be of one [shard](Shard) of the catalog; [`merge_stores`](crate::merge_stores) of all gives the same bytes.

mod add;
mod part_job;
mod progress;
mod store_job;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;

use crate::audit::{Audit, audit};
use crate::failure::{Failure, Warning};
use crate::store::{AnalysisCache, Header, StoreWriter, graphs};
use crate::{Catalog, Error, Shard};
use store_job::{ExtractedParts, StoreJob};

pub use add::{AddOptions, Addition, add};
pub use progress::Progress;

/// Options of an extraction.
#[derive(Debug, Clone, Default)]
pub struct ExtractOptions {
    /// Whether to audit the files, and the effect of issues.
    pub audit: AuditMode,
    /// Number of threads; 0 for those of the current pool, by default one per core.
    pub jobs: usize,
    /// Augmented copies of each track, for training.
    pub augmentation: Option<AugmentSpec>,
    /// Extract only the recordings of this shard of the catalog.
    pub shard: Option<Shard>,
    /// Discard an existing store with other settings instead of failing.
    pub overwrite: bool,
    /// Set it to cancel: finished parts are kept, and a repeated extraction continues after them.
    pub cancel: Arc<AtomicBool>,
}

impl ExtractOptions {
    /// The augmented copies, if there are any.
    fn augmentation(&self) -> Option<&AugmentSpec> {
        self.augmentation.as_ref().filter(|augmentation| augmentation.copies > 0)
    }
}

/// Whether an extraction audits the files (in the same pass), and the effect of issues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuditMode {
    /// Return the audit, and record duplicates in the store.
    #[default]
    Report,
    /// The same, but fail with [`Error::AuditIssues`] if there are issues, and leave the store unfinished.
    Strict,
    /// No audit; duplicates of a recording may be in several parts of a split.
    Off,
}

/// Result of an extraction.
#[derive(Debug, Clone, PartialEq)]
pub struct Extraction {
    /// Number of tracks with segments.
    pub n_tracks: usize,
    /// Number of segments, without those of augmented copies.
    pub n_segments: usize,
    /// Number of segments of augmented copies.
    pub n_copied_segments: usize,
    /// Number of segments dropped because the track ended before they did.
    pub n_dropped: usize,
    /// Number of parts kept from an earlier extraction.
    pub n_parts_kept: usize,
    /// Number of parts.
    pub n_parts: usize,
    /// Files that could not be used, and why.
    pub failures: Vec<Failure>,
    /// Damage that did not exclude the file.
    pub warnings: Vec<Warning>,
    /// The audit, unless it was off.
    pub audit: Option<Audit>,
}

/// Extracts the features of every track of a catalog into a store in the folder `out`.
///
/// Files that cannot be used are not an error; they are in [`Extraction::failures`].
///
/// # Errors
/// If the specification is invalid, `out` contains something else or cannot be written, the extraction was cancelled, no
/// track has a segment, or a strict audit found issues.
pub fn extract(
    catalog: &Catalog,
    spec: &FeatureSpec,
    out: &Path,
    options: &ExtractOptions,
    on_progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Extraction, Error> {
    let share = options.shard.map(|shard| catalog.shard(shard));
    let catalog = share.as_ref().unwrap_or(catalog);
    let is_audited = options.audit != AuditMode::Off;
    let job = StoreJob::new(catalog, spec, options)?;
    let header = Header {
        augmentation: options.augmentation().cloned(),
        shard: options.shard,
        ..Header::begin(&catalog.root, &catalog.labels, spec, true).with_tagging(catalog.is_tagged)
    };
    let mut writer = StoreWriter::begin(out, header, options.overwrite)?;
    graphs::write(out, spec)?;
    let ExtractedParts { n_kept, audited } = job.run(&mut writer, on_progress)?;
    let n_caches = if is_audited { writer.n_parts() } else { 0 };
    AnalysisCache::remove_from(out, n_caches)?;
    let audit = is_audited.then(|| job.on_threads(|| audit(&audited, spec)));
    drop(audited);
    writer.write_recordings(&audit.as_ref().map(Audit::recordings).unwrap_or_default())?;
    if let (AuditMode::Strict, Some(audit)) = (options.audit, &audit) {
        check_no_issues(audit)?;
    }
    let finished = writer.finish(&catalog.ignored.failures)?;
    Ok(Extraction {
        n_tracks: finished.header.n_tracks,
        n_segments: finished.header.n_segments,
        n_copied_segments: finished.header.n_copied_segments,
        n_dropped: finished.header.n_dropped,
        n_parts_kept: n_kept,
        n_parts: finished.header.n_parts,
        failures: finished.failures,
        warnings: finished.warnings,
        audit,
    })
}

fn check_no_issues(audit: &Audit) -> Result<(), Error> {
    match audit.summary() {
        None => Ok(()),
        Some(summary) => Err(Error::AuditIssues { summary }),
    }
}
