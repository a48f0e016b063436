//! Merges stores of the same settings into one, without extracting again.
//!
//! The tracks of the result are sorted as those of a catalog, by label and then by path, and divided into parts in the same way.
//! So all shards of an extraction give the bytes of the extraction in one go, whatever their order. The features of one part are
//! in memory at a time; of each track, the path, the labels and, with an audit, the fingerprint.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::header::Header;
use super::observer::StoreObserver;
use super::summary::StoreSummary;
use super::track_reader::{TrackLocation, TrackReader};
use super::track_writer::TrackWriter;
use crate::failure::Failure;
use crate::{Error, Shard, spec_difference};

/// A track in the order of the result.
struct MergedTrack {
    path: String,
    /// Indices into the united labels, ascending.
    labels: Vec<u32>,
    store: usize,
    location: TrackLocation,
}

/// Merges stores into a new one in the folder `out`. With `skip_duplicates`, of tracks with the same path only that of the first
/// store is kept.
///
/// # Errors
/// If a store is incomplete or damaged; their settings or versions differ; shards are missing or given twice; two stores
/// have a track of the same path, without `skip_duplicates`; `out` exists or cannot be written; or it was cancelled.
pub fn merge_stores(
    stores: &[PathBuf],
    out: &Path,
    skip_duplicates: bool,
    observer: StoreObserver<'_>,
) -> Result<StoreSummary, Error> {
    let mut readers = stores.iter().map(|dir| TrackReader::open(dir)).collect::<Result<Vec<_>, _>>()?;
    let is_sharded = check_shards(&readers)?;
    let header = united_header(&readers)?;
    let (mut tracks, is_audited) = list(&mut readers, &header)?;
    let n_left_out = remove_duplicates(&mut tracks, stores, skip_duplicates)?;
    tracks.sort_by(|a, b| (&a.labels, &a.path).cmp(&(&b.labels, &b.path)));
    let mut writer = TrackWriter::begin(out, &header, is_audited)?;
    for (n_done, track) in tracks.iter().enumerate() {
        observer.step(n_done, tracks.len(), out)?;
        writer.push(readers[track.store].track(track.location)?)?;
    }
    let failures = catalog_failures(&mut readers, is_sharded)?;
    let duplicates = duplicates(&readers, &tracks)?;
    Ok(StoreSummary::new(&writer.finish(&failures, duplicates)?, n_left_out))
}

/// Whether the stores are shards: then all of one extraction.
fn check_shards(readers: &[TrackReader]) -> Result<bool, Error> {
    let shards: BTreeSet<Shard> = readers.iter().filter_map(|reader| reader.header.shard).collect();
    let Some(first) = shards.first() else { return Ok(false) };
    let problem = |reader: &TrackReader, reason: String| {
        Err(Error::NotMergeable { path: reader.dir().to_owned(), reason })
    };
    let mut seen = BTreeSet::new();
    for reader in readers {
        match reader.header.shard {
            None => return problem(reader, format!("is no shard, but another store is shard {first}")),
            Some(shard) if shard.count() != first.count() => {
                return problem(reader, format!("is shard {shard}, but another store is shard {first}"));
            }
            Some(shard) if !seen.insert(shard) => {
                return problem(reader, format!("is shard {shard}, which is given twice"));
            }
            Some(_) => {}
        }
    }
    let missing = (1..=first.count()).filter_map(|index| Shard::new(index, first.count()));
    let missing: Vec<String> =
        missing.filter(|shard| !seen.contains(shard)).map(|shard| shard.to_string()).collect();
    match (&missing[..], readers.first()) {
        ([], _) | (_, None) => Ok(true),
        (_, Some(reader)) => {
            let shards = if missing.len() == 1 { "shard" } else { "shards" };
            problem(
                reader,
                format!("is one of {} shards; give {shards} {} too", first.count(), missing.join(", ")),
            )
        }
    }
}

/// A header with the settings of all stores, and their labels and sources.
fn united_header(readers: &[TrackReader]) -> Result<Header, Error> {
    let Some((first, others)) = readers.split_first() else {
        return Err(Error::NotMergeable { path: PathBuf::new(), reason: "no store is given".to_owned() });
    };
    let mut header = first.header.clone();
    for reader in std::iter::once(first).chain(others) {
        if let Some(reason) = difference(&reader.header, &header) {
            return Err(Error::NotMergeable { path: reader.dir().to_owned(), reason });
        }
        header.labels.extend(reader.header.labels.iter().cloned());
    }
    header.labels.sort();
    header.labels.dedup();
    let sources: BTreeSet<&str> = readers.iter().map(|reader| reader.header.source.as_str()).collect();
    header.source = sources.into_iter().collect::<Vec<_>>().join(", ");
    Ok(header)
}

/// Why two stores cannot be merged.
fn difference(here: &Header, first: &Header) -> Option<String> {
    if !here.tracks_known {
        return Some("is an imported data.json, whose tracks are not known".to_owned());
    }
    let differs = |what: &str| Some(format!("has {what} than the first store"));
    if here.version != first.version {
        return differs(&format!("features of cantus {}, which may be others", here.version));
    }
    if here.tagging != first.tagging {
        return differs("another kind of labels (tags or classes)");
    }
    if here.augmentation != first.augmentation {
        return differs("other augmented copies");
    }
    let spec = spec_difference(&first.features, &here.features)?;
    Some(format!("has other settings than the first store ({spec})"))
}

/// All tracks, in the order of the stores, and whether every part was audited.
fn list(readers: &mut [TrackReader], header: &Header) -> Result<(Vec<MergedTrack>, bool), Error> {
    let (mut tracks, mut all_audited) = (Vec::new(), true);
    for (store, reader) in readers.iter_mut().enumerate() {
        reader.visit(|location, record, is_audited| {
            all_audited &= is_audited;
            let names = record.input.label_set.names().iter();
            let labels = names.filter_map(|name| header.labels.binary_search(name).ok());
            let labels = labels.map(|label| label as u32).collect();
            tracks.push(MergedTrack { path: record.input.path.clone(), labels, store, location });
            Ok(())
        })?;
    }
    Ok((tracks, all_audited))
}

/// Removes tracks with the path of a track of an earlier store; returns their number.
fn remove_duplicates(
    tracks: &mut Vec<MergedTrack>,
    stores: &[PathBuf],
    skip_duplicates: bool,
) -> Result<usize, Error> {
    tracks.sort_by(|a, b| (&a.path, a.store).cmp(&(&b.path, b.store)));
    let equal = tracks.windows(2).find(|pair| pair[0].path == pair[1].path);
    if let Some([first, second]) = equal.filter(|_| !skip_duplicates) {
        let (track, path, other) = (first.path.clone(), &stores[second.store], &stores[first.store]);
        return Err(Error::EqualTracks { track, path: path.clone(), other: other.clone() });
    }
    let n_before = tracks.len();
    tracks.dedup_by(|a, b| a.path == b.path);
    Ok(n_before - tracks.len())
}

/// The failures of all catalogs, sorted by path as in a catalog. Shards have each of them once.
fn catalog_failures(readers: &mut [TrackReader], is_sharded: bool) -> Result<Vec<Failure>, Error> {
    let mut failures = Vec::new();
    for reader in readers {
        failures.extend(reader.catalog_failures()?);
    }
    failures.sort_by(|a: &Failure, b| a.path.cmp(&b.path));
    if !is_sharded {
        failures.dedup();
    }
    Ok(failures)
}

/// The duplicates that the stores' own audits found, of the tracks that are kept.
fn duplicates(readers: &[TrackReader], tracks: &[MergedTrack]) -> Result<Vec<(String, String)>, Error> {
    let mut rows = Vec::new();
    for (store, reader) in readers.iter().enumerate() {
        let of_store = reader.tables().read_recordings()?;
        let kept: BTreeSet<&str> = match of_store.is_empty() {
            true => continue,
            false => {
                tracks.iter().filter(|track| track.store == store).map(|track| track.path.as_str()).collect()
            }
        };
        rows.extend(of_store.into_iter().filter(|(path, _)| kept.contains(path.as_str())));
    }
    Ok(rows)
}
