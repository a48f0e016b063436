//! Opens a feature store: reads the metadata of all parts and checks that they are consistent.

use std::collections::HashMap;
use std::path::Path;

use super::{FeatureStore, SegmentLocation};
use crate::store::file_names::{self, part_path};
use crate::store::graphs;
use crate::store::header::Header;
use crate::store::open_files::max_open_parts;
use crate::store::part_file::PartFile;
use crate::store::record::{TrackInput, TrackRecord};
use crate::store::tables::Tables;
use crate::{Damage, Error, Track};

impl FeatureStore {
    /// Opens a store and checks that it is complete and consistent.
    ///
    /// # Errors
    /// If there is no store, it is incomplete, its format is not supported, or a part is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let mut header = Header::read(dir)?;
        if !header.complete {
            return Err(Error::Incomplete { path: dir.to_owned() });
        }
        graphs::load(dir, &mut header.features)?;
        let tables = Tables { dir, number: header.tables };
        let mut store = Self {
            dir: dir.to_owned(),
            failed_labels: Vec::new(),
            parts: Vec::new(),
            tracks: Vec::new(),
            segments: Vec::new(),
            starts: Vec::new(),
            copies: Vec::new(),
            locations: Vec::new(),
            copy_locations: Vec::new(),
            failures: tables.read_failures()?,
            warnings: tables.read_warnings()?,
            header,
        };
        let max_open = max_open_parts();
        for index in 0..store.header.n_parts {
            store.add_part(&part_path(dir, index))?;
            // The others are opened for each read.
            if index >= max_open
                && let Some(part) = store.parts.last_mut()
            {
                part.close();
            }
        }
        let mut recordings: HashMap<String, String> = tables.read_recordings()?.into_iter().collect();
        store.tracks.iter_mut().for_each(|track| track.recording = recordings.remove(&track.path));
        store.check_counts(dir)?;
        Ok(store)
    }

    fn check_counts(&self, dir: &Path) -> Result<(), Error> {
        let Header { n_segments, n_copied_segments, .. } = self.header;
        if (self.n_segments(), self.copy_locations.len()) == (n_segments, n_copied_segments) {
            return Ok(());
        }
        let damage = Damage::SegmentCount {
            expected: n_segments,
            found: self.n_segments(),
            expected_augmented: n_copied_segments,
            found_augmented: self.copy_locations.len(),
        };
        Err(Error::Damaged { path: dir.join(file_names::HEADER), damage })
    }

    fn add_part(&mut self, path: &Path) -> Result<(), Error> {
        let mut part = PartFile::open(path)?;
        if let Some(hash) = self.header.parts.get(self.parts.len()) {
            part.require(hash)?;
        }
        if let Some(difference) = self.header.difference(&part.record) {
            let damage = Damage::Malformed(difference.to_owned());
            return Err(Error::Damaged { path: path.to_owned(), damage });
        }
        let mut row = 0;
        for record in std::mem::take(&mut part.record.tracks) {
            if record.failure.is_some() {
                self.failed_labels.extend_from_slice(record.input.label_set.names());
            } else if !self.add_track(record, &mut row) {
                let damage = Damage::Malformed("a label that is not one of the store's".to_owned());
                return Err(Error::Damaged { path: path.to_owned(), damage });
            }
        }
        self.parts.push(part);
        Ok(())
    }

    /// Adds a track of the part that is being opened, whose segments start at `row`; false if a label is unknown.
    fn add_track(&mut self, record: TrackRecord, row: &mut u32) -> bool {
        let names = record.input.label_set.names().iter();
        let labels: Result<Vec<usize>, _> =
            names.map(|name| self.header.labels.binary_search(name)).collect();
        let Ok(labels) = labels else { return false };
        let (part, track) = (self.parts.len() as u32, self.tracks.len() as u32);
        let mut locate = |locations: &mut Vec<SegmentLocation>, n_rows: usize| {
            let first = locations.len();
            let rows = *row..*row + n_rows as u32;
            *row = rows.end;
            locations.extend(rows.map(|row| SegmentLocation { part, row, track }));
            first..locations.len()
        };
        self.starts.push(record.starts);
        self.segments.push(locate(&mut self.locations, record.n_segments));
        let copies = record.copies.iter().map(|&n_rows| locate(&mut self.copy_locations, n_rows)).collect();
        self.copies.push(copies);
        let TrackInput { path, group, split, fold, .. } = record.input;
        self.tracks.push(Track {
            path,
            labels,
            artist: record.artist,
            group,
            part: split,
            fold,
            recording: None,
        });
        true
    }
}
