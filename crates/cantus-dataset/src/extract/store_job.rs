//! Extraction of the tracks of a catalog, part by part, behind the parts that a store has already.

use cantus_audio::feature::FeatureSpec;

use super::part_job::{ExtractedPart, PartJob};
use super::progress::{Progress, ProgressCounter};
use super::worker::ExtractWorker;
use super::{AuditMode, ExtractOptions};
use crate::audit::AuditedFile;
use crate::store::{AnalysisCache, StoreWriter, TrackInput, tracks_per_part};
use crate::{Catalog, Error, Track};

/// What is extracted, and how.
pub(super) struct StoreJob<'a> {
    catalog: &'a Catalog,
    worker: ExtractWorker<'a>,
    options: &'a ExtractOptions,
    is_audited: bool,
    threads: Option<rayon::ThreadPool>,
    tracks_per_part: usize,
}

/// The parts that were written.
#[derive(Default)]
pub(super) struct ExtractedParts {
    /// Number of those that were kept from an earlier extraction.
    pub(super) n_kept: usize,
    /// Analyses of the tracks, in order; empty without an audit.
    pub(super) audited: Vec<AuditedFile>,
}

impl<'a> StoreJob<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        spec: &FeatureSpec,
        options: &'a ExtractOptions,
    ) -> Result<Self, Error> {
        let augmentation = options.augmentation();
        let augmenter = augmentation.map(|augmentation| augmentation.plan(spec.sample_rate)).transpose()?;
        let worker = ExtractWorker { extractor: spec.extractor()?, augmenter, augmentation };
        let n_copies = augmentation.map_or(0, |augmentation| augmentation.copies);
        let (threads, tracks_per_part) = (thread_pool(options.jobs)?, tracks_per_part(spec, n_copies));
        let is_audited = options.audit != AuditMode::Off;
        Ok(Self { catalog, worker, options, is_audited, threads, tracks_per_part })
    }

    /// Extracts all tracks of the catalog into parts behind those of the writer.
    pub(super) fn run(
        &self,
        writer: &mut StoreWriter,
        on_progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<ExtractedParts, Error> {
        let n_tracks = self.catalog.tracks.len();
        let progress = ProgressCounter::new(n_tracks, on_progress);
        let mut parts = ExtractedParts::default();
        for (index, tracks) in self.catalog.tracks.chunks(self.tracks_per_part).enumerate() {
            let stopped = || Error::Cancelled { n_done: index * self.tracks_per_part, n_tracks };
            self.extract_part(tracks, writer, &progress, &mut parts)?.ok_or_else(stopped)?;
        }
        Ok(parts)
    }

    /// Extracts a part, or keeps it from an earlier extraction; `None` if cancelled.
    fn extract_part(
        &self,
        tracks: &[Track],
        writer: &mut StoreWriter,
        progress: &ProgressCounter<'_>,
        parts: &mut ExtractedParts,
    ) -> Result<Option<()>, Error> {
        let inputs: Vec<TrackInput> =
            tracks.iter().map(|track| TrackInput::of(self.catalog, track)).collect();
        let cache = AnalysisCache::of_part(writer.dir(), writer.n_parts());
        let paths = tracks.iter().map(|track| track.path.as_str());
        let cached = if self.is_audited { cache.read(paths) } else { Some(Vec::new()) };
        if let Some(cached) = cached
            && writer.keep(&inputs)
        {
            parts.n_kept += 1;
            parts.audited.extend(cached);
            progress.part_kept(tracks);
            return Ok(Some(()));
        }
        let Self { catalog, worker, options, is_audited, .. } = self;
        let job = PartJob { catalog, worker, cancel: &options.cancel, progress, is_audited: *is_audited };
        let Some(part) = self.on_threads(|| job.run(tracks, inputs)) else { return Ok(None) };
        let ExtractedPart { record, features, audited } = part;
        if self.is_audited {
            cache.write(&audited)?;
        }
        writer.write(&record, features)?;
        parts.audited.extend(audited);
        Ok(Some(()))
    }

    /// Runs work on the threads of the extraction.
    pub(super) fn on_threads<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.threads {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// A pool of `n_threads`; `None` if the current one has as many, or for 0.
fn thread_pool(n_threads: usize) -> Result<Option<rayon::ThreadPool>, Error> {
    if n_threads == 0 || n_threads == rayon::current_num_threads() {
        return Ok(None);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
    pool.map(Some).map_err(|error| Error::Threads { n_threads, source: error.into() })
}
