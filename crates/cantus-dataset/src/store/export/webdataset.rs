//! A store as a WebDataset: tar files of samples, one sample for each segment, one tar file for each part.
//!
//! | file | content |
//! |---|---|
//! | `KEY.npy` | features, f32 `[n_frames, n_bins]` |
//! | `KEY.json` | path, label or labels, group, split, fold, artist, segment, copy, start_s |
//! | `KEY.cls` | index of the class; not if labels are tags |
//!
//! `KEY` is `HASH-COPY-SEGMENT`, where `HASH` is the beginning of the SHA-256 of the track's path, as for [shards](crate::Shard): a
//! segment has the same name in every store. `dataset.json` beside the tar files has the labels and the shape.
//!
//! # Reference
//! A. Aizman, G. Maltby, T. Breuel, "High Performance I/O For Large Scale Deep Learning", 2019; the format of
//! `webdataset` 1.0.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use cantus_audio::atomic_file;
use cantus_audio::staging::Staging;
use serde::Serialize;

use super::{Row, n_rows, rows};
use crate::shard::path_hash;
use crate::store::header::Header;
use crate::store::observer::StoreObserver;
use crate::store::part_file::PartFile;
use crate::store::record::LabelSet;
use crate::store::track_reader::TrackReader;
use crate::{Error, npy_header};

/// Size of the buffer of a tar file.
const BUFFER_SIZE: usize = 1 << 18;

/// `KEY.json`.
#[derive(Serialize)]
struct SampleInfo<'a> {
    path: &'a str,
    #[serde(flatten)]
    labels: &'a LabelSet,
    group: Option<&'a str>,
    split: Option<&'a str>,
    fold: Option<&'a str>,
    artist: Option<&'a str>,
    segment: usize,
    copy: usize,
    start_s: Option<f64>,
}

/// `dataset.json`.
#[derive(Serialize)]
struct DatasetInfo<'a> {
    labels: &'a [String],
    tagging: bool,
    /// `[n_frames, n_bins]`
    shape: [usize; 2],
    n_samples: usize,
    n_tar_files: usize,
}

pub(super) fn write(reader: &mut TrackReader, out: &Path, observer: StoreObserver<'_>) -> Result<(), Error> {
    let staging = Staging::begin(out)?;
    let header = reader.header.clone();
    for index in 0..header.n_parts {
        observer.step(index, header.n_parts, out)?;
        let path = staging.folder().join(format!("{index:06}.tar"));
        write_tar(&path, &reader.part(index)?.file, &header)?;
    }
    let info = DatasetInfo {
        labels: &header.labels,
        tagging: header.tagging,
        shape: [header.n_frames, header.n_bins],
        n_samples: n_rows(reader),
        n_tar_files: header.n_parts,
    };
    let path = staging.folder().join("dataset.json");
    let text = serde_json::to_vec_pretty(&info).map_err(|error| Error::io(&path)(error.into()))?;
    atomic_file::write(&path, &text).map_err(Error::io(&path))?;
    Ok(staging.commit()?)
}

/// Writes the samples of a part.
fn write_tar(path: &Path, part: &PartFile, header: &Header) -> Result<(), Error> {
    let features = part.read_rows(0, part.record.n_rows())?;
    let segments = features.chunks_exact(header.segment_len().max(1));
    let file = File::create(path).map_err(Error::io(path))?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(BUFFER_SIZE, file));
    let shape = npy_header("<f4", &[header.n_frames, header.n_bins]);
    for (row, values) in rows(&part.record, header.tracks_known).zip(segments) {
        let npy =
            [&shape[..], &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()].concat();
        let json = serde_json::to_vec(&info(&row)).map_err(|error| Error::io(path)(error.into()))?;
        let mut sample = vec![("npy", npy), ("json", json)];
        let class =
            row.track.input.label_set.class().and_then(|class| header.labels.iter().position(|l| l == class));
        sample.extend(class.map(|class| ("cls", class.to_string().into_bytes())));
        let key = key(&row);
        let added = sample
            .iter()
            .try_for_each(|(extension, bytes)| add(&mut tar, &format!("{key}.{extension}"), bytes));
        added.map_err(Error::io(path))?;
    }
    let buffer = tar.into_inner().map_err(Error::io(path))?;
    let file = buffer.into_inner().map_err(|error| Error::io(path)(error.into_error()))?;
    file.sync_all().map_err(Error::io(path))
}

/// Name of a sample, the same in every store.
fn key(row: &Row<'_>) -> String {
    format!("{:016x}-{}-{:05}", path_hash(&row.track.input.path), row.copy, row.segment)
}

fn info<'a>(row: &Row<'a>) -> SampleInfo<'a> {
    let Row { track, copy, segment, start_s } = *row;
    let input = &track.input;
    SampleInfo {
        path: &input.path,
        labels: &input.label_set,
        group: input.group.as_deref(),
        split: input.split.map(|part| part.name()),
        fold: input.fold.as_deref(),
        artist: track.artist.as_deref(),
        segment,
        copy,
        start_s,
    }
}

/// Adds a file without owner and time, so that equal stores give equal bytes.
fn add<W: std::io::Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    tar.append_data(&mut header, name, bytes)
}
