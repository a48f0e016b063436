//! The feature store: features on disk, read segment by segment.
//!
//! ```text
//! FEATURES/
//!   store.toml         what holds for all of it: FeatureSpec, labels, counts, complete or not
//!   part-00000.arrow   Arrow IPC file: one row for each segment of a run of tracks
//!   part-00001.arrow   …
//!   failures.csv       path,reason: files that were lost
//!   warnings.csv       path,reason: damage that cost less than the file
//!   audit-00000.json   what the audit found out about the tracks of that part; …
//!   recordings.csv     path,recording: tracks that are copies of one recording
//! ```
//!
//! Written once, by [`extract`](crate::extract) or [`course_json`](crate::course_json); every file appears under its
//! name only when it is whole. Opening a store reads what its parts say about their tracks; features stay on the disk
//! until a segment is asked for, so that a store may be larger than memory. docs/feature-store.md describes the
//! format and how pyarrow, pandas and polars read it.

mod evidence_file;
mod header;
mod part_file;
mod part_writer;
mod record;
mod tables;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};

use cantus_audio::feature::FeatureSpec;
use rayon::prelude::*;

use header::NAME as HEADER_NAME;
use part_file::PartFile;
use tables::{FAILURES_NAME, WARNINGS_NAME};

pub(crate) use evidence_file::EvidenceFile;
pub(crate) use header::Header;
pub(crate) use record::{Input, Lost, PartRecord, TrackRecord};
pub(crate) use tables::write_recordings;
pub(crate) use writer::StoreWriter;

use crate::Error;
use crate::split::{Part, Split, SplitSpec, Unit};
use crate::track::{Failure, Track, Warning};

/// Parts beyond this many are opened for each read: 1024 open files are all that many systems allow a process.
const MAX_OPEN_PARTS: usize = 512;

/// An open feature store.
#[derive(Debug)]
pub struct FeatureStore {
    header: Header,
    parts: Vec<PartFile>,
    /// First segment of each part, ascending.
    first_segments: Vec<usize>,
    tracks: Vec<Track>,
    /// Segments of each track.
    segments: Vec<Range<usize>>,
    /// Track of each segment.
    track_of: Vec<u32>,
    failures: Vec<Failure>,
    warnings: Vec<Warning>,
}

/// Segments of each part of a split, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSplit {
    /// Segments to learn from.
    pub train: Vec<usize>,
    /// Segments to choose by.
    pub validation: Vec<usize>,
    /// Segments to examine with.
    pub test: Vec<usize>,
    /// How they were found: the parts of the tracks, or of the segments for the course's leaky split.
    pub split: Split,
}

impl FeatureStore {
    /// Whether a folder is a store, finished or not.
    pub fn is_store(dir: &Path) -> bool {
        dir.join(HEADER_NAME).is_file()
    }

    /// Opens a store and checks that it is whole.
    ///
    /// # Errors
    /// If there is no store, it is not finished, it was made by a later version, or a part is missing or damaged: the
    /// error names the file and says what to do.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let header = Header::read(dir)?;
        if !header.complete {
            return Err(Error::Incomplete { path: dir.to_owned() });
        }
        let mut store = Self {
            parts: Vec::new(),
            first_segments: Vec::new(),
            tracks: Vec::new(),
            segments: Vec::new(),
            track_of: Vec::new(),
            failures: tables::read(&dir.join(FAILURES_NAME))?,
            warnings: tables::read(&dir.join(WARNINGS_NAME))?,
            header,
        };
        for number in 0..store.header.n_parts {
            store.add(&part_path(dir, number))?;
        }
        let mut recordings = tables::read_recordings(dir)?;
        store.tracks.iter_mut().for_each(|track| track.recording = recordings.remove(&track.path));
        if store.n_segments() != store.header.n_segments {
            let reason = format!(
                "it speaks of {} segments, but the parts have {}",
                store.header.n_segments,
                store.n_segments()
            );
            return Err(Error::Damaged { path: dir.join(HEADER_NAME), reason });
        }
        Ok(store)
    }

    fn add(&mut self, path: &Path) -> Result<(), Error> {
        let mut part = PartFile::open(path)?;
        let damaged = |reason: &str| Err(Error::Damaged { path: path.to_owned(), reason: reason.to_owned() });
        if part.record.spec != self.header.features {
            return damaged("its features are not those of the store");
        }
        self.first_segments.push(self.n_segments());
        for record in std::mem::take(&mut part.record.tracks) {
            if record.failure.is_some() {
                continue;
            }
            let Ok(label) = self.header.labels.binary_search(&record.input.label) else {
                return damaged("a label that is not one of the store's");
            };
            let first = self.n_segments();
            self.track_of.resize(first + record.n_segments, self.tracks.len() as u32);
            self.segments.push(first..first + record.n_segments);
            let Input { path, group, split, .. } = record.input;
            self.tracks.push(Track {
                path,
                label,
                artist: record.artist,
                group,
                part: split,
                recording: None,
            });
        }
        if self.parts.len() >= MAX_OPEN_PARTS {
            part.close();
        }
        self.parts.push(part);
        Ok(())
    }

    /// Names of the classes, sorted.
    pub fn labels(&self) -> &[String] {
        &self.header.labels
    }

    /// How the features were made.
    pub fn spec(&self) -> &FeatureSpec {
        &self.header.features
    }

    /// Frames of a segment.
    pub fn n_frames(&self) -> usize {
        self.header.n_frames
    }

    /// Values of a frame.
    pub fn n_bins(&self) -> usize {
        self.header.n_bins
    }

    /// Number of segments of all tracks.
    pub fn n_segments(&self) -> usize {
        self.track_of.len()
    }

    /// Number of segments that were left out because the end of the track cut them short.
    pub fn n_dropped(&self) -> usize {
        self.header.n_dropped
    }

    /// Whether it is known which segments come from one track. If not (an imported `data.json`), every segment stands
    /// for a track of its own, and no split can exclude a leak.
    pub fn tracks_known(&self) -> bool {
        self.header.tracks_known
    }

    /// Tracks that gave segments, in the order of the catalogue.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The same, to group them anew with [`assign_groups`](crate::assign_groups).
    pub fn tracks_mut(&mut self) -> &mut [Track] {
        &mut self.tracks
    }

    /// Segments of a track.
    ///
    /// # Panics
    /// If there is no such track.
    pub fn segments_of(&self, track: usize) -> Range<usize> {
        self.segments[track].clone()
    }

    /// Track of a segment.
    ///
    /// # Panics
    /// If there is no such segment.
    pub fn track_of(&self, segment: usize) -> usize {
        self.track_of[segment] as usize
    }

    /// Label of a segment, an index into [`labels`](Self::labels).
    ///
    /// # Panics
    /// If there is no such segment.
    pub fn label_of(&self, segment: usize) -> usize {
        self.tracks[self.track_of(segment)].label
    }

    /// Files that were lost, and why.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Damage that cost less than the file.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Reads the features of a segment; any number of threads may do so at once.
    ///
    /// # Shapes
    /// - `values`: `[n_frames, n_bins]`, overwritten
    ///
    /// # Errors
    /// If the segment or the buffer's length is not the store's, or the file cannot be read.
    pub fn read_segment(&self, segment: usize, values: &mut [f32]) -> Result<(), Error> {
        let expected = self.header.segment_len();
        if values.len() != expected {
            return Err(Error::WrongLength { segment, found: values.len(), expected });
        }
        if segment >= self.n_segments() {
            return Err(Error::NoSuchSegment { segment, n_segments: self.n_segments() });
        }
        let part = self.first_segments.partition_point(|first| *first <= segment) - 1;
        let mut bytes = vec![0; 4 * values.len()];
        self.parts[part].read_row(segment - self.first_segments[part], &mut bytes)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        values.iter_mut().zip(numbers).for_each(|(value, number)| *value = f32::from_le_bytes(*number));
        Ok(())
    }

    /// Reads the features of the given segments into memory, in parallel.
    ///
    /// # Shapes
    /// - returns: `[segments.len(), n_frames, n_bins]`
    ///
    /// # Errors
    /// Those of [`read_segment`](Self::read_segment).
    pub fn read_segments(&self, segments: &[usize]) -> Result<Vec<f32>, Error> {
        let mut values = vec![0.0; segments.len() * self.header.segment_len()];
        values
            .par_chunks_exact_mut(self.header.segment_len())
            .zip(segments)
            .try_for_each(|(values, segment)| self.read_segment(*segment, values))?;
        Ok(values)
    }

    /// Splits the tracks (or, leaking, the segments) and says which segments fall to which part.
    ///
    /// # Errors
    /// Those of [`SplitSpec::split`].
    pub fn split(&self, spec: &SplitSpec) -> Result<SegmentSplit, Error> {
        let split = match spec.by {
            Unit::Track | Unit::Group => spec.split(&self.tracks, self.labels())?,
            Unit::Segment => spec.split(&self.segments_as_tracks(), self.labels())?,
        };
        let part_of = |segment: &usize| match spec.by {
            Unit::Track | Unit::Group => split.parts[self.track_of(*segment)],
            Unit::Segment => split.parts[*segment],
        };
        let segments = |part| (0..self.n_segments()).filter(|segment| part_of(segment) == part).collect();
        let (train, validation, test) =
            (segments(Part::Train), segments(Part::Validation), segments(Part::Test));
        Ok(SegmentSplit { train, validation, test, split })
    }

    fn segments_as_tracks(&self) -> Vec<Track> {
        let as_track = |segment| Track {
            path: format!("{segment:09}"),
            label: self.label_of(segment),
            artist: None,
            group: None,
            part: None,
            recording: None,
        };
        (0..self.n_segments()).map(as_track).collect()
    }
}

/// Where the part of that number lies.
fn part_path(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("part-{number:05}.arrow"))
}

/// Whether a file name is that of a part.
fn is_part(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".arrow")
}
