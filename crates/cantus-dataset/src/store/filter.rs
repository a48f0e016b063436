//! Filters a store: a new one with some of its tracks, without extracting again.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::observer::StoreObserver;
use super::record::TrackInput;
use super::summary::StoreSummary;
use super::track_reader::{TrackLocation, TrackReader};
use super::track_writer::TrackWriter;
use crate::Error;
use crate::audit::Exclusions;

/// Which tracks to keep: those that fulfil all conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreFilter {
    /// Tracks with one of these labels, if any are given.
    pub labels: Vec<String>,
    /// Tracks of one of these groups, if any are given.
    pub groups: Vec<String>,
    /// Tracks with these paths.
    pub list: Option<Exclusions>,
    /// Tracks without these paths.
    pub exclude: Option<Exclusions>,
}

/// Result of [`filter_store`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// The new store.
    pub summary: StoreSummary,
    /// Paths of the lists that are no tracks of the store.
    pub unknown: Vec<String>,
}

impl StoreFilter {
    fn keeps(&self, input: &TrackInput) -> bool {
        let has_label = || input.label_set.names().iter().any(|name| self.labels.contains(name));
        let has_group = || input.group.as_ref().is_some_and(|group| self.groups.contains(group));
        (self.labels.is_empty() || has_label())
            && (self.groups.is_empty() || has_group())
            && self.keeps_path(&input.path)
    }

    fn keeps_path(&self, path: &str) -> bool {
        self.list.as_ref().is_none_or(|list| list.contains(path))
            && !self.exclude.as_ref().is_some_and(|list| list.contains(path))
    }

    /// Whether files without a track, which have neither label nor group, are kept by their path.
    fn is_by_path_only(&self) -> bool {
        self.labels.is_empty() && self.groups.is_empty()
    }
}

/// Writes the tracks of a store that a filter keeps to a new store in the folder `out`, in the same order. Its labels are those
/// that remain.
///
/// # Errors
/// If the store is incomplete or damaged, it has no such label or group, no track with segments remains, `out` exists or
/// cannot be written, or it was cancelled.
pub fn filter_store(
    store: &Path,
    out: &Path,
    filter: &StoreFilter,
    observer: StoreObserver<'_>,
) -> Result<Filtered, Error> {
    let mut reader = TrackReader::open(store)?;
    let mut selection = Selection::default();
    reader.visit(|location, record, is_audited| {
        selection.add(filter, location, &record.input, is_audited);
        Ok(())
    })?;
    selection.check(store, filter)?;
    let mut failures = reader.catalog_failures()?;
    selection.paths.extend(failures.iter().map(|failure| failure.path.clone()));
    failures.retain(|failure| filter.is_by_path_only() && filter.keeps_path(&failure.path));
    let mut header = reader.header.clone();
    header.labels.retain(|label| selection.kept_labels.contains(label));
    let mut writer = TrackWriter::begin(out, &header, selection.all_audited)?;
    for (n_done, location) in selection.kept.iter().enumerate() {
        observer.step(n_done, selection.kept.len(), out)?;
        writer.push(reader.track(*location)?)?;
    }
    let mut duplicates = reader.tables().read_recordings()?;
    duplicates.retain(|(path, _)| selection.kept_paths.contains(path));
    let finished = writer.finish(&failures, duplicates)?;
    let summary = StoreSummary::new(&finished, selection.n_tracks - selection.kept.len());
    Ok(Filtered { summary, unknown: selection.unknown(filter) })
}

/// The tracks that a filter keeps, and what occurs in the store.
#[derive(Default)]
struct Selection {
    kept: Vec<TrackLocation>,
    kept_paths: HashSet<String>,
    kept_labels: BTreeSet<String>,
    n_tracks: usize,
    labels: BTreeSet<String>,
    groups: BTreeSet<String>,
    paths: HashSet<String>,
    all_audited: bool,
    any_unaudited: bool,
}

impl Selection {
    fn add(&mut self, filter: &StoreFilter, location: TrackLocation, input: &TrackInput, is_audited: bool) {
        self.n_tracks += 1;
        self.any_unaudited |= !is_audited;
        self.all_audited = !self.any_unaudited;
        self.labels.extend(input.label_set.names().iter().cloned());
        self.groups.extend(input.group.clone());
        self.paths.insert(input.path.clone());
        if filter.keeps(input) {
            self.kept.push(location);
            self.kept_paths.insert(input.path.clone());
            self.kept_labels.extend(input.label_set.names().iter().cloned());
        }
    }

    /// Fails if the store has no label or group of that name, or no track remains.
    fn check(&self, store: &Path, filter: &StoreFilter) -> Result<(), Error> {
        let unknown = |what, names: &[String], known: &BTreeSet<String>| {
            let name = names.iter().find(|name| !known.contains(*name))?;
            let (path, name, known) = (store.to_owned(), name.clone(), known.iter().cloned().collect());
            Some(Error::NoSuchName { path, what, name, known })
        };
        let problem = unknown("label", &filter.labels, &self.labels)
            .or_else(|| unknown("group", &filter.groups, &self.groups))
            .or_else(|| self.kept.is_empty().then(|| Error::NothingKept { path: store.to_owned() }));
        problem.map_or(Ok(()), Err)
    }

    /// Paths of the lists that are neither tracks nor failures.
    fn unknown(&self, filter: &StoreFilter) -> Vec<String> {
        let lists = [&filter.list, &filter.exclude];
        let listed = lists.into_iter().flatten().flat_map(Exclusions::paths);
        listed.filter(|path| !self.paths.contains(*path)).map(str::to_owned).collect()
    }
}
