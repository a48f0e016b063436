//! The feature store: features on disk, read segment by segment.
//!
//! ```text
//! FEATURES/
//!   store.toml         what holds for all of it: FeatureSpec, labels, counts, complete or not
//!   part-00000.arrow   Arrow IPC file: one row for each segment of a run of tracks
//!   part-00001.arrow   …
//!   failures.csv       path,reason: files that were lost
//!   warnings.csv       path,reason: damage that cost less than the file
//!   .lock              held by the extraction that writes to the store
//!   audit-00000.json   what the audit found out about the tracks of that part; …
//!   recordings.csv     path,recording: tracks that are copies of one recording
//! ```
//!
//! A store may hold altered copies of its recordings, to learn from. They have no part in the numbering of segments from 0
//! to [`FeatureStore::n_segments`], and so none in splits, scores and normalisation: only [`FeatureStore::copies_of`]
//! gives them away.
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

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::FeatureSpec;
use rayon::prelude::*;

use header::NAME as HEADER_NAME;
use part_file::PartFile;
use tables::{FAILURES_NAME, WARNINGS_NAME};

pub(crate) use evidence_file::EvidenceFile;
pub(crate) use header::Header;
pub(crate) use record::{Called, Input, Lost, PartRecord, TrackRecord};
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
    tracks: Vec<Track>,
    /// Segments of each track.
    segments: Vec<Range<usize>>,
    /// Segments of each altered copy of each track, numbered from 0 among all copies.
    copies: Vec<Vec<Range<usize>>>,
    /// Of each segment.
    places: Vec<Place>,
    /// Of each segment of an altered copy.
    copy_places: Vec<Place>,
    failures: Vec<Failure>,
    warnings: Vec<Warning>,
}

/// Where a segment lies, and of which track it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    part: u32,
    row: u32,
    track: u32,
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
            tracks: Vec::new(),
            segments: Vec::new(),
            copies: Vec::new(),
            places: Vec::new(),
            copy_places: Vec::new(),
            failures: tables::read(&dir.join(FAILURES_NAME))?,
            warnings: tables::read(&dir.join(WARNINGS_NAME))?,
            header,
        };
        for number in 0..store.header.n_parts {
            store.add(&part_path(dir, number))?;
        }
        let mut recordings = tables::read_recordings(dir)?;
        store.tracks.iter_mut().for_each(|track| track.recording = recordings.remove(&track.path));
        let Header { n_segments, n_copied_segments, .. } = store.header;
        if (store.n_segments(), store.copy_places.len()) != (n_segments, n_copied_segments) {
            let reason = format!(
                "it speaks of {n_segments} segments and {n_copied_segments} of copies, but the parts have {} and {}",
                store.n_segments(),
                store.copy_places.len()
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
        if part.record.augmentation != self.header.augmentation {
            return damaged("its copies are not those of the store");
        }
        if part.record.is_tagged() != self.header.tagging {
            return damaged("its labels are tags and the store's are not, or the other way round");
        }
        let mut row = 0;
        for record in std::mem::take(&mut part.record.tracks) {
            if record.failure.is_some() {
                continue;
            }
            let names = record.input.called.names().iter();
            let labels: Result<Vec<usize>, _> =
                names.map(|name| self.header.labels.binary_search(name)).collect();
            let Ok(labels) = labels else { return damaged("a label that is not one of the store's") };
            let (part, track) = (self.parts.len() as u32, self.tracks.len() as u32);
            let mut place = |places: &mut Vec<Place>, n_rows: usize| {
                let first = places.len();
                places.extend((row..row + n_rows as u32).map(|row| Place { part, row, track }));
                row += n_rows as u32;
                first..places.len()
            };
            self.segments.push(place(&mut self.places, record.n_segments));
            let copies = record.copies.iter().map(|&n_rows| place(&mut self.copy_places, n_rows)).collect();
            self.copies.push(copies);
            let Input { path, group, split, fold, .. } = record.input;
            self.tracks.push(Track {
                path,
                labels,
                artist: record.artist,
                group,
                part: split,
                fold,
                recording: None,
            });
        }
        if self.parts.len() >= MAX_OPEN_PARTS {
            part.close();
        }
        self.parts.push(part);
        Ok(())
    }

    /// Names of the classes or tags, sorted.
    pub fn labels(&self) -> &[String] {
        &self.header.labels
    }

    /// Whether labels are tags: a track may have none or several. Otherwise each has one, its class.
    pub fn is_tagged(&self) -> bool {
        self.header.tagging
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

    /// Number of segments of all tracks; their altered copies do not count.
    pub fn n_segments(&self) -> usize {
        self.places.len()
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

    /// How many altered copies of each track there are.
    pub fn n_copies(&self) -> usize {
        self.augmentation().map_or(0, |augmentation| augmentation.copies)
    }

    /// How the altered copies were made, if there are any.
    pub fn augmentation(&self) -> Option<&AugmentSpec> {
        self.header.augmentation.as_ref()
    }

    /// Segments of each altered copy of a track, the first copy first: to learn from, where all of the track is learnt from,
    /// and for nothing else. Their numbers lie beyond those of all recordings' own segments.
    ///
    /// # Panics
    /// If there is no such track.
    pub fn copies_of(&self, track: usize) -> impl Iterator<Item = Range<usize>> {
        let n = self.n_segments();
        self.copies[track].iter().map(move |segments| n + segments.start..n + segments.end)
    }

    /// What tells this store's content from any other's: the checksums of its parts.
    pub fn checksums(&self) -> Vec<u32> {
        self.parts.iter().map(PartFile::checksum).collect()
    }

    /// Track of a segment, or of one of an altered copy.
    ///
    /// # Panics
    /// If there is no such segment.
    pub fn track_of(&self, segment: usize) -> usize {
        let n = self.n_segments();
        let place = if segment < n { self.places[segment] } else { self.copy_places[segment - n] };
        place.track as usize
    }

    /// Where a segment lies, or one of an altered copy.
    fn place_of(&self, segment: usize) -> Option<Place> {
        let of_copy = |segment: usize| self.copy_places.get(segment.checked_sub(self.n_segments())?);
        self.places.get(segment).or_else(|| of_copy(segment)).copied()
    }

    /// Labels of a segment, those of its track: ascending indices into [`labels`](Self::labels).
    ///
    /// # Panics
    /// If there is no such segment.
    pub fn labels_of(&self, segment: usize) -> &[usize] {
        &self.tracks[self.track_of(segment)].labels
    }

    /// Class of a segment, where labels are no tags.
    ///
    /// # Panics
    /// If there is no such segment, or it has no label.
    pub fn label_of(&self, segment: usize) -> usize {
        self.labels_of(segment)[0]
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
    /// If the segment or the buffer's length is not the store's, or the file cannot be read or was changed since it was
    /// written: each part is held against its checksum when it is read from for the first time.
    pub fn read_segment(&self, segment: usize, values: &mut [f32]) -> Result<(), Error> {
        let expected = self.header.segment_len();
        if values.len() != expected {
            return Err(Error::WrongLength { segment, found: values.len(), expected });
        }
        let Some(place) = self.place_of(segment) else {
            return Err(Error::NoSuchSegment { segment, n_segments: self.n_segments() });
        };
        let mut bytes = vec![0; 4 * values.len()];
        self.parts[place.part as usize].read_row(place.row as usize, &mut bytes)?;
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
        Ok(self.segments_of_split(split))
    }

    /// Which segments fall to which part of a split of this store's tracks.
    pub fn segments_of_split(&self, split: Split) -> SegmentSplit {
        let part_of = |segment: &usize| match split.unit {
            Unit::Track | Unit::Group => split.parts[self.track_of(*segment)],
            Unit::Segment => split.parts[*segment],
        };
        let segments = |part| (0..self.n_segments()).filter(|s| part_of(s) == Some(part)).collect();
        let (train, validation, test) =
            (segments(Part::Train), segments(Part::Validation), segments(Part::Test));
        SegmentSplit { train, validation, test, split }
    }

    fn segments_as_tracks(&self) -> Vec<Track> {
        let as_track = |segment| Track {
            path: format!("{segment:09}"),
            labels: self.labels_of(segment).to_vec(),
            artist: None,
            group: None,
            part: None,
            fold: None,
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
