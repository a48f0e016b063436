//! An open feature store: tracks, labels, and features of segments.

mod open;

use std::ops::Range;
use std::path::{Path, PathBuf};

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use rayon::prelude::*;

use super::file_names;
use super::header::Header;
use super::left_out::LeftOut;
use super::part_file::PartFile;
use super::record::start_s;
use crate::failure::{Failure, Warning};
use crate::{Error, Shard, Track};

/// An open feature store.
#[derive(Debug)]
pub struct FeatureStore {
    dir: PathBuf,
    header: Header,
    parts: Vec<PartFile>,
    tracks: Vec<Track>,
    /// Segments of each track.
    segments: Vec<Range<usize>>,
    /// First samples of the segments of each track, if segments are windows.
    starts: Vec<Vec<u64>>,
    /// Segments of each augmented copy of each track, numbered from 0 among all copies.
    copies: Vec<Vec<Range<usize>>>,
    /// Of each segment.
    locations: Vec<SegmentLocation>,
    /// Of each segment of an augmented copy.
    copy_locations: Vec<SegmentLocation>,
    failures: Vec<Failure>,
    /// Labels of the recordings that failed.
    failed_labels: Vec<String>,
    warnings: Vec<Warning>,
}

/// Part, row and track of a segment.
#[derive(Debug, Clone, Copy)]
struct SegmentLocation {
    part: u32,
    row: u32,
    track: u32,
}

impl FeatureStore {
    /// Name of the file in which a training keeps the features of sounds of no class beside the store.
    pub const NOISE_FILE_NAME: &str = file_names::NOISE;

    /// Whether a folder is a store, complete or not.
    #[must_use]
    pub fn is_store(dir: &Path) -> bool {
        dir.join(file_names::HEADER).is_file()
    }

    /// The kinds of features of a store, complete or not, without opening its parts.
    ///
    /// # Errors
    /// If the folder is no store, or its header cannot be read.
    pub fn kinds(dir: &Path) -> Result<Vec<FeatureKind>, Error> {
        Ok(Header::read(dir)?.features.kinds)
    }

    /// Numbers of the recordings that could not be used, by reason and label.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        LeftOut::count(self.tracks.len(), &self.failures, &self.failed_labels)
    }

    /// The folder that it was opened from.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Names of the classes or tags, sorted.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.header.labels
    }

    /// Whether labels are tags (a track may have none or several) and not classes (exactly one each).
    #[must_use]
    pub fn is_tagged(&self) -> bool {
        self.header.tagging
    }

    /// Which share of the recordings it has, if the extraction was one of several.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.header.shard
    }

    /// Specification of the features.
    #[must_use]
    pub fn spec(&self) -> &FeatureSpec {
        &self.header.features
    }

    /// Frames per segment.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.header.n_frames
    }

    /// Values per frame.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.header.n_bins
    }

    /// Number of segments of all tracks, without those of augmented copies.
    #[must_use]
    pub fn n_segments(&self) -> usize {
        self.locations.len()
    }

    /// Number of segments that were dropped because the track ended before they did.
    #[must_use]
    pub fn n_dropped(&self) -> usize {
        self.header.n_dropped
    }

    /// Whether it is known which segments come from one track. If not (an imported `data.json`), every segment is treated
    /// as a track, and every split may leak.
    #[must_use]
    pub fn tracks_known(&self) -> bool {
        self.header.tracks_known
    }

    /// Tracks with segments, in the order of the catalog.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The same, to change their groups or parts with [`assign_groups`](crate::assign_groups) or
    /// [`assign_parts`](crate::assign_parts).
    pub fn tracks_mut(&mut self) -> &mut [Track] {
        &mut self.tracks
    }

    /// Removes tracks with their segments and augmented copies from the opened store, not from its files.
    ///
    /// # Panics
    /// If `keep` has another length than [`tracks`](Self::tracks).
    pub fn retain_tracks(&mut self, keep: &[bool]) {
        assert_eq!(keep.len(), self.tracks.len(), "one decision for each track");
        let (tracks, starts) = (std::mem::take(&mut self.tracks), std::mem::take(&mut self.starts));
        let (segments, copies) = (std::mem::take(&mut self.segments), std::mem::take(&mut self.copies));
        let locations = std::mem::take(&mut self.locations);
        let copy_locations = std::mem::take(&mut self.copy_locations);
        let tracks = tracks.into_iter().zip(starts).enumerate();
        for (index, (track, starts)) in tracks.filter(|(index, _)| keep[*index]) {
            let number = self.tracks.len() as u32;
            let renumbered = |location: &SegmentLocation| SegmentLocation { track: number, ..*location };
            let moved = |from: &[SegmentLocation], to: &mut Vec<SegmentLocation>| {
                let first = to.len();
                to.extend(from.iter().map(renumbered));
                first..to.len()
            };
            self.segments.push(moved(&locations[segments[index].clone()], &mut self.locations));
            let copies = copies[index].iter().cloned();
            let copies = copies.map(|copy| moved(&copy_locations[copy], &mut self.copy_locations)).collect();
            self.copies.push(copies);
            self.starts.push(starts);
            self.tracks.push(track);
        }
    }

    /// Segments of a track.
    ///
    /// # Panics
    /// If there is no such track.
    #[must_use]
    pub fn segments_of(&self, track: usize) -> Range<usize> {
        self.segments[track].clone()
    }

    /// Start of a segment in its recording, in seconds; `None` if it is not known, as in an imported `data.json`.
    ///
    /// # Panics
    /// If there is no such segment, or it is one of an augmented copy.
    #[must_use]
    pub fn segment_start_s(&self, segment: usize) -> Option<f64> {
        let track = self.locations[segment].track as usize;
        let index = segment - self.segments[track].start;
        start_s(index, &self.starts[track], self.spec()).filter(|_| self.tracks_known())
    }

    /// Number of augmented copies of each track.
    #[must_use]
    pub fn n_copies(&self) -> usize {
        self.augmentation().map_or(0, |augmentation| augmentation.copies)
    }

    /// How the augmented copies were made; `None` if there are none.
    #[must_use]
    pub fn augmentation(&self) -> Option<&AugmentSpec> {
        self.header.augmentation.as_ref()
    }

    /// Segments of each augmented copy of a track, in the order of the copies; all are at least
    /// [`n_segments`](Self::n_segments).
    ///
    /// Only for training, if all segments of the track are in the training part.
    ///
    /// # Panics
    /// If there is no such track.
    pub fn copies_of(&self, track: usize) -> impl Iterator<Item = Range<usize>> {
        let n = self.n_segments();
        self.copies[track].iter().map(move |segments| n + segments.start..n + segments.end)
    }

    /// CRC-32 checksums of the parts, which identify the content of the store.
    #[must_use]
    pub fn checksums(&self) -> Vec<u32> {
        self.parts.iter().map(PartFile::checksum).collect()
    }

    /// Track of a segment, or of a segment of an augmented copy.
    ///
    /// # Panics
    /// If there is no such segment.
    #[must_use]
    pub fn track_of(&self, segment: usize) -> usize {
        let n = self.n_segments();
        let location = if segment < n { self.locations[segment] } else { self.copy_locations[segment - n] };
        location.track as usize
    }

    /// Location of a segment, or of a segment of an augmented copy.
    fn location_of(&self, segment: usize) -> Option<SegmentLocation> {
        let of_copy = |segment: usize| self.copy_locations.get(segment.checked_sub(self.n_segments())?);
        self.locations.get(segment).or_else(|| of_copy(segment)).copied()
    }

    /// Labels of a segment, those of its track: ascending indices into [`labels`](Self::labels).
    ///
    /// # Panics
    /// If there is no such segment.
    #[must_use]
    pub fn labels_of(&self, segment: usize) -> &[usize] {
        &self.tracks[self.track_of(segment)].labels
    }

    /// Class of a segment, if labels are classes.
    ///
    /// # Panics
    /// If there is no such segment, or it has no label.
    #[must_use]
    pub fn label_of(&self, segment: usize) -> usize {
        self.labels_of(segment)[0]
    }

    /// Files that could not be used, and why.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Damage that did not exclude the file.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Reads the features of a segment. May be called from several threads at once.
    ///
    /// # Shapes
    /// - `values`: `[n_frames, n_bins]`, overwritten
    ///
    /// # Errors
    /// If there is no such segment, the buffer has another length, or the file cannot be read or has changed since it was
    /// written: the checksum of a part is verified at its first read.
    pub fn read_segment(&self, segment: usize, values: &mut [f32]) -> Result<(), Error> {
        let expected = self.header.segment_len();
        if values.len() != expected {
            return Err(Error::WrongLength { segment, found: values.len(), expected });
        }
        let Some(location) = self.location_of(segment) else {
            return Err(Error::NoSuchSegment { segment, n_segments: self.n_segments() });
        };
        self.parts[location.part as usize].read_row(location.row as usize, values)
    }

    /// Has the features of a segment read from the disk into the operating system's cache, without waiting for them: for a
    /// [`read_segment`](Self::read_segment) that follows soon. Only a hint; only Linux follows it.
    pub fn read_segment_ahead(&self, segment: usize) {
        if let Some(location) = self.location_of(segment) {
            self.parts[location.part as usize].read_row_ahead(location.row as usize);
        }
    }

    /// Reads the features of several segments into memory, in parallel.
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
}
