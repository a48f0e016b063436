//! Features as tables, with named columns and the time of each frame: CSV, JSON and Arrow.

use std::io::Write;

use anyhow::Context;
use cantus_audio::feature::{Axis, FeatureSpec, TrackFeatureKind};
use cantus_dataset::{Column, arrow_table};
use serde_json::{Map, Value, json};

use super::content::Content;

/// One row per frame, or per value of a track-level kind, with a header.
pub fn csv(content: &Content<'_>) -> anyhow::Result<Vec<u8>> {
    if let Some(features) = &content.framed {
        let mut writer = CsvWriter::new(Vec::new(), content.spec)?;
        writer.write(&features.values)?;
        return writer.finish();
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some((kind, whole)) = content.whole.first() {
        writer.write_record([axis_name(*kind), kind.name()])?;
        for (i, value) in whole.values.iter().enumerate() {
            let position = whole.positions.get(i).map_or_else(|| i.to_string(), f64::to_string);
            writer.write_record([position, value.to_string()])?;
        }
    }
    writer.into_inner().context("cannot write CSV")
}

/// Writes a table of frames, as they are computed.
pub struct CsvWriter<W: Write> {
    table: csv::Writer<W>,
    n_bins: usize,
    n_frames: usize,
    frame_s: f64,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header of the table.
    pub fn new(file: W, spec: &FeatureSpec) -> anyhow::Result<Self> {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(std::iter::once("time_s".to_owned()).chain(spec.bin_names()))?;
        let frame_s = spec.hop_length as f64 / f64::from(spec.sample_rate);
        Ok(Self { table, n_bins: spec.n_bins().max(1), n_frames: 0, frame_s })
    }

    /// Appends frames, `[n, n_bins]`.
    pub fn write(&mut self, frames: &[f32]) -> anyhow::Result<()> {
        for frame in frames.chunks_exact(self.n_bins) {
            let time_s = std::iter::once((self.n_frames as f64 * self.frame_s).to_string());
            self.table.write_record(time_s.chain(frame.iter().map(f32::to_string)))?;
            self.n_frames += 1;
        }
        Ok(())
    }

    /// Returns the file.
    pub fn finish(self) -> anyhow::Result<W> {
        self.table.into_inner().map_err(|error| error.into_error()).context("cannot write CSV")
    }
}

/// Everything in one document.
pub fn json(content: &Content<'_>) -> anyhow::Result<Vec<u8>> {
    let mut document = Map::new();
    if let Some(features) = &content.framed {
        let frames: Vec<&[f32]> = features.values.chunks_exact(features.n_bins.max(1)).collect();
        document.insert("n_frames".to_owned(), features.n_frames.into());
        document.insert("n_bins".to_owned(), features.n_bins.into());
        document.insert("bins".to_owned(), content.spec.bin_names().into());
        document.insert("time_s".to_owned(), content.times_s().into());
        document.insert("features".to_owned(), serde_json::to_value(frames)?);
    }
    for (kind, whole) in &content.whole {
        let mut entry = Map::new();
        if kind.axis() != Axis::Count {
            entry.insert(axis_name(*kind).to_owned(), whole.positions.clone().into());
        }
        entry.insert("values".to_owned(), json!(whole.values));
        document.insert(kind.name().to_owned(), Value::Object(entry));
    }
    Ok(serde_json::to_vec(&document)?)
}

/// The table of [`csv`] as an Arrow file.
pub fn arrow(content: &Content<'_>) -> anyhow::Result<Vec<u8>> {
    let mut columns = Vec::new();
    if let Some(features) = &content.framed {
        columns.push(("time_s".to_owned(), Column::F64(content.times_s())));
        for (bin, name) in content.spec.bin_names().into_iter().enumerate() {
            let values = features.values.iter().skip(bin).step_by(features.n_bins.max(1));
            columns.push((name, Column::F32(values.copied().collect())));
        }
    } else if let Some((kind, whole)) = content.whole.first() {
        if kind.axis() != Axis::Count {
            columns.push((axis_name(*kind).to_owned(), Column::F64(whole.positions.clone())));
        }
        columns.push((kind.name().to_owned(), Column::F32(whole.values.clone())));
    }
    arrow_table(columns).context("cannot write Arrow")
}

/// The column name of a track-level kind's axis.
fn axis_name(kind: TrackFeatureKind) -> &'static str {
    match kind.axis() {
        Axis::TimeS => "time_s",
        Axis::FrequencyHz => "frequency_hz",
        Axis::Count => "number",
    }
}
