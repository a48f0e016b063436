//! Recordings → feature store.
//!
//! The tracks are taken in runs of fixed length, the files of a run in parallel; each run becomes one part of the
//! store, so that neither the bytes nor the memory depend on the number of threads or of tracks. A file that cannot
//! be used is named with its reason and does not stop the job. Run again, the extraction keeps every part whose
//! inputs (paths, labels, groups, sizes and times of change, settings, version) are what they were.
//!
//! Segments are the course's: the first `n_segments` pieces of `int(sample_rate * track_duration_s) / n_segments`
//! samples; one with fewer frames than a whole segment has is dropped and counted.
//!
//! Where the options ask for altered copies of each track, these are heard in the same way and stored behind it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cantus_audio::Audio;
use cantus_audio::augment::{Augmenter, CopySpec};
use cantus_audio::decode::{self, Fault, Recording};
use cantus_audio::feature::{FeatureExtractor, FeatureSpec, SegmentFeatures};
use cantus_audio::resample::resample;
use rayon::prelude::*;

use crate::audit::{Audit, Evidence, Subject, audit, examine};
use crate::store::{
    EvidenceFile, Header, Input, Lost, PartRecord, StoreWriter, TrackRecord, write_recordings,
};
use crate::track::{Failure, Track, Warning};
use crate::{Catalog, Error, tags};

/// Tracks of a part: enough to keep many cores busy.
const MAX_TRACKS_PER_PART: usize = 64;
/// Features of a part, in bytes, which is what an extraction holds in memory; a part has at least one track all the same.
const MAX_PART_BYTES: usize = 32 << 20;

/// How to extract.
#[derive(Debug, Clone, Default)]
pub struct ExtractOptions {
    /// What becomes of the audit.
    pub audit: Audited,
    /// Number of threads; 0 for those of the pool that is there, by default one on each core.
    pub jobs: usize,
    /// Altered copies that are heard beside each track, to learn from.
    pub augmentation: Option<CopySpec>,
    /// Discard a store of other settings instead of refusing to touch it.
    pub overwrite: bool,
    /// Set it to stop: parts that are finished stay, and the next run goes on from them.
    pub cancel: Arc<AtomicBool>,
}

/// What becomes of the audit that goes along with an extraction, in the same pass over the files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audited {
    /// Its findings are told, and the copies of a recording noted in the store.
    #[default]
    Told,
    /// The same, but findings leave the store unfinished: see [`Error::Findings`].
    Strict,
    /// There is none; copies of a recording may stand on both sides of a split.
    Not,
}

/// How far an extraction is; told after each track, from the thread that has done it.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Tracks done, those that failed or were kept from an earlier run included.
    pub n_done: usize,
    /// Tracks in all.
    pub n_tracks: usize,
    /// Tracks of this run that failed.
    pub n_failures: usize,
    /// The track that was done last.
    pub path: &'a str,
}

/// What an extraction brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Extraction {
    /// Tracks that gave segments.
    pub n_tracks: usize,
    /// Segments in the store, without those of altered copies.
    pub n_segments: usize,
    /// Segments of altered copies.
    pub n_copied_segments: usize,
    /// Segments that the end of their track cut short.
    pub n_dropped: usize,
    /// Parts kept from an earlier run.
    pub n_parts_kept: usize,
    /// Parts in all.
    pub n_parts: usize,
    /// Files that were lost, and why.
    pub failures: Vec<Failure>,
    /// Damage that cost less than the file.
    pub warnings: Vec<Warning>,
    /// What the audit found, if there was one.
    pub audit: Option<Audit>,
}

/// A pool of `jobs` threads; none where the one that is there already has as many (0 for any number).
fn pool_of(jobs: usize) -> Result<Option<rayon::ThreadPool>, Error> {
    if jobs == 0 || jobs == rayon::current_num_threads() {
        return Ok(None);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    pool.map(Some).map_err(|error| Error::Threads { jobs, reason: error.to_string() })
}

/// Does work on a pool, or on the one that is there already.
fn run_on<R: Send>(pool: Option<&rayon::ThreadPool>, work: impl FnOnce() -> R + Send) -> R {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Extracts the features of every track of a catalogue into a store in the folder `out`.
///
/// # Errors
/// If the specification cannot be computed, `out` holds something else or cannot be written, the extraction was
/// cancelled, not one track gave a segment, or a strict audit found something. Files that fail are no error: they are in [`Extraction::failures`].
pub fn extract(
    catalog: &Catalog,
    spec: &FeatureSpec,
    out: &Path,
    options: &ExtractOptions,
    on_progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Extraction, Error> {
    let extractor = spec.extractor()?;
    let augmentation = options.augmentation.as_ref().filter(|augmentation| augmentation.copies > 0);
    let augmenter = augmentation.map(|augmentation| augmentation.plan(spec.sample_rate)).transpose()?;
    let ears = Ears { extractor, augmenter, augmentation };
    let threads = pool_of(options.jobs)?;
    let header = Header {
        augmentation: augmentation.cloned(),
        ..Header::begin(&catalog.root, &catalog.labels, spec, true).tagged(catalog.is_tagged)
    };
    let tracks_per_part = tracks_per_part(spec, augmentation.map_or(0, |augmentation| augmentation.copies));
    let mut writer = StoreWriter::begin(out, header, options.overwrite)?;
    let meter = Meter::new(catalog.tracks.len(), on_progress);
    let mut n_parts_kept = 0;
    let is_audited = options.audit != Audited::Not;
    let mut subjects = Vec::new();
    for (number, tracks) in catalog.tracks.chunks(tracks_per_part).enumerate() {
        let inputs: Vec<Input> = tracks.iter().map(|track| Input::of(catalog, track)).collect();
        let evidence = EvidenceFile::of_part(out, number);
        let known = if is_audited { evidence.read(paths(tracks)) } else { Some(Vec::new()) };
        if let Some(known) = known
            && writer.keep(&inputs)
        {
            n_parts_kept += 1;
            subjects.extend(known);
            meter.kept(tracks);
            continue;
        }
        let job = PartJob { catalog, ears: &ears, cancel: &options.cancel, meter: &meter, is_audited };
        let Some((record, features, heard)) = run_on(threads.as_ref(), || job.run(tracks, inputs)) else {
            let n_done = number * tracks_per_part;
            return Err(Error::Cancelled { n_done, n_tracks: catalog.tracks.len() });
        };
        if is_audited {
            evidence.write(&heard)?;
        }
        writer.write(&record, features)?;
        subjects.extend(heard);
    }
    let n_kept = if is_audited { writer.n_parts() } else { 0 };
    EvidenceFile::remove_from(out, n_kept)?;
    let audit = is_audited.then(|| run_on(threads.as_ref(), || audit(&subjects, spec)));
    drop(subjects);
    write_recordings(out, &audit.as_ref().map(Audit::recordings).unwrap_or_default())?;
    if let (Audited::Strict, Some(audit)) = (options.audit, &audit) {
        strict(audit)?;
    }
    let finished = writer.finish(&catalog.ignored.failures)?;
    Ok(Extraction {
        n_tracks: finished.header.n_tracks,
        n_segments: finished.header.n_segments,
        n_copied_segments: finished.header.n_copied_segments,
        n_dropped: finished.header.n_dropped,
        n_parts_kept,
        n_parts: finished.header.n_parts,
        failures: finished.failures,
        warnings: finished.warnings,
        audit,
    })
}

fn paths(tracks: &[Track]) -> impl Iterator<Item = &str> {
    tracks.iter().map(|track| track.path.as_str())
}

/// Whether nothing was found.
fn strict(audit: &Audit) -> Result<(), Error> {
    match audit.summary() {
        None => Ok(()),
        Some(summary) => Err(Error::Findings { summary }),
    }
}

/// Fixed by the specification and the number of copies alone.
pub(crate) fn tracks_per_part(spec: &FeatureSpec, n_copies: usize) -> usize {
    let segment_bytes = spec.frames_per_segment().saturating_mul(spec.n_bins()).saturating_mul(4);
    let n_segments = spec.segments.n_segments.saturating_mul(n_copies.saturating_add(1));
    let track_bytes = segment_bytes.saturating_mul(n_segments).max(1);
    (MAX_PART_BYTES / track_bytes).clamp(1, MAX_TRACKS_PER_PART)
}

/// A track's record and features, and with an audit what is known of it.
type HeardTrack = ((TrackRecord, Vec<f32>), Option<Subject>);

/// The features of one part.
struct PartJob<'a> {
    catalog: &'a Catalog,
    ears: &'a Ears<'a>,
    cancel: &'a AtomicBool,
    meter: &'a Meter<'a>,
    is_audited: bool,
}

/// What a thread hears with.
#[derive(Clone)]
struct Ears<'a> {
    extractor: FeatureExtractor,
    augmenter: Option<Augmenter>,
    augmentation: Option<&'a CopySpec>,
}

/// What was heard of a track and of its copies.
struct TrackHeard {
    features: Vec<f32>,
    n_segments: usize,
    /// Segments of each copy.
    copies: Vec<usize>,
    warnings: Vec<String>,
}

impl PartJob<'_> {
    /// Hears the tracks of a part, in parallel; `None` if it was told to stop.
    fn run(&self, tracks: &[Track], inputs: Vec<Input>) -> Option<(PartRecord, Vec<f32>, Vec<Subject>)> {
        let heard: Option<Vec<HeardTrack>> = tracks
            .par_iter()
            .zip(inputs)
            .with_max_len(1)
            .map_init(
                || self.ears.clone(),
                |ears, (track, input)| {
                    (!self.cancel.load(Ordering::Relaxed)).then(|| self.track(ears, track, input))
                },
            )
            .collect();
        let (heard, subjects): (Vec<_>, Vec<_>) = heard?.into_iter().unzip();
        let (tracks, features): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
        let record = PartRecord::new(self.ears.extractor.spec(), self.ears.augmentation, tracks);
        Some((record, features.concat(), subjects.into_iter().flatten().collect()))
    }

    fn track(&self, ears: &mut Ears<'_>, track: &Track, input: Input) -> HeardTrack {
        let path = self.catalog.path_of(track);
        let (heard, evidence) = hear(ears, &path, &track.path, self.is_audited);
        let artist = track.artist.clone().or_else(|| tags::read(&path).ok().and_then(|tags| tags.artist));
        self.meter.done(track, heard.is_err());
        let subject = evidence.map(|evidence| Subject {
            path: track.path.clone(),
            label: input.called.class().map(str::to_owned),
            artist: artist.clone(),
            evidence,
        });
        let record = TrackRecord { artist, ..TrackRecord::new(input, 0) };
        let record = match heard {
            Err(lost) => (TrackRecord { failure: Some(lost), ..record }, Vec::new()),
            Ok(TrackHeard { features, n_segments, copies, warnings }) => {
                let n_dropped = ears.extractor.spec().segments.n_segments - n_segments;
                (TrackRecord { n_segments, copies, n_dropped, warnings, ..record }, features)
            }
        };
        (record, subject)
    }
}

/// What an audit knows of a track; none without one.
type Known = Option<Result<Evidence, String>>;

/// A track as features, and what was wrong with it; and with an audit, its evidence, out of the same pass. `name` decides
/// what is drawn for its copies.
fn hear(ears: &mut Ears<'_>, path: &Path, name: &str, is_audited: bool) -> (Result<TrackHeard, Lost>, Known) {
    let sample_rate = ears.extractor.spec().sample_rate;
    let (recording, evidence) = if is_audited {
        match load_and_examine(path, sample_rate) {
            Ok((recording, evidence)) => (Ok(recording), Some(Ok(evidence))),
            Err(error) => {
                let reason = without_path(&error.to_string(), path);
                (Err(error), Some(Err(reason)))
            }
        }
    } else {
        (decode::load(path, sample_rate), None)
    };
    let heard = recording
        .map_err(|error| Lost {
            retry: matches!(error, cantus_audio::Error::Io { .. }),
            reason: without_path(&error.to_string(), path),
        })
        .and_then(|recording| ears.hear(&recording, name));
    (heard, evidence)
}

/// What [`decode::load`] gives, and what the audit needs.
fn load_and_examine(path: &Path, sample_rate: u32) -> Result<(Recording, Evidence), cantus_audio::Error> {
    let mut samples = Vec::new();
    let evidence = examine(path, |block| decode::append(path, &mut samples, block))?;
    let own_rate = evidence.source.sample_rate;
    if own_rate != sample_rate {
        samples = resample(&samples, own_rate, sample_rate);
    }
    let (source, faults) = (evidence.source.clone(), evidence.faults.clone());
    Ok((Recording { audio: Audio { samples, sample_rate }, source, faults }, evidence))
}

impl Ears<'_> {
    /// A recording and its copies as features.
    fn hear(&mut self, recording: &Recording, name: &str) -> Result<TrackHeard, Lost> {
        let n_most = self.extractor.spec().segments.n_segments;
        let SegmentFeatures { features, n_segments } = self
            .extractor
            .segment(&recording.audio, n_most)
            .map_err(|nothing| Lost { reason: nothing.to_string(), retry: false })?;
        let warnings = summary(recording).into_iter().collect();
        let mut heard = TrackHeard { features, n_segments, copies: Vec::new(), warnings };
        for number in 1..=self.augmentation.map_or(0, |augmentation| augmentation.copies) {
            self.hear_copy(&recording.audio, name, number, &mut heard);
        }
        Ok(heard)
    }

    /// Adds an altered copy to what was heard; one in which there is nothing to hear is told as a warning.
    fn hear_copy(&mut self, recording: &Audio, name: &str, number: usize, heard: &mut TrackHeard) {
        let Some(augmenter) = &mut self.augmenter else { return };
        let copy = augmenter.copy(recording, name, number);
        match self.extractor.segment(&copy, self.extractor.spec().segments.n_segments) {
            Ok(SegmentFeatures { features, n_segments }) => {
                heard.features.extend_from_slice(&features);
                heard.copies.push(n_segments);
            }
            Err(nothing) => {
                heard.warnings.push(format!("altered copy {number} left out: {nothing}"));
                heard.copies.push(0);
            }
        }
    }
}

/// One line on everything that was wrong with a file and did not cost it.
fn summary(recording: &Recording) -> Option<String> {
    let rate = f64::from(recording.source.sample_rate);
    let place = |fault: &Fault| format!("{} (at {:.2} s)", fault.reason, fault.position as f64 / rate);
    match &recording.faults[..] {
        [] => None,
        [fault] => Some(place(fault)),
        [first, ..] => Some(format!("{} faults, the first: {}", recording.faults.len(), place(first))),
    }
}

/// An error's message without the path in front, which the table has in its own column.
fn without_path(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}

/// Counts tracks over all threads and tells the caller.
struct Meter<'a> {
    n_tracks: usize,
    n_done: AtomicUsize,
    n_failures: AtomicUsize,
    on_progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl<'a> Meter<'a> {
    fn new(n_tracks: usize, on_progress: &'a (dyn Fn(Progress<'_>) + Sync)) -> Self {
        Self { n_tracks, n_done: AtomicUsize::new(0), n_failures: AtomicUsize::new(0), on_progress }
    }

    fn done(&self, track: &Track, failed: bool) {
        let n_failures =
            self.n_failures.fetch_add(usize::from(failed), Ordering::Relaxed) + usize::from(failed);
        let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.on_progress)(Progress { n_done, n_tracks: self.n_tracks, n_failures, path: &track.path });
    }

    fn kept(&self, tracks: &[Track]) {
        let n_done = self.n_done.fetch_add(tracks.len(), Ordering::Relaxed) + tracks.len();
        let n_failures = self.n_failures.load(Ordering::Relaxed);
        let path = tracks.last().map_or("", |track| &track.path);
        (self.on_progress)(Progress { n_done, n_tracks: self.n_tracks, n_failures, path });
    }
}
