//! Import and export of the lecture course's `data.json`.
//!
//! ```text
//! { "mapping": [name of label 0, …], "labels": [label of segment 0, …], "mfcc": [[[f32; n_mfcc]; n_frames]; n_segments] }
//! ```
//!
//! It contains neither the feature specification nor which segments come from one track. The caller must supply the former;
//! the latter is unknown: an imported store has `tracks_known() == false`, and any split of it may leak. Both directions
//! stream, so that 600 MB of JSON need the 70 MB of the numbers in it.

mod reader;

use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use cantus_audio::atomic_file::AtomicFile;
use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_audio::regular_file;

use crate::Error;
use crate::store::{
    FeatureStore, Header, LabelSet, PartRecord, StoreWriter, TrackInput, TrackRecord, tracks_per_part,
};
use reader::{CourseData, read};

/// Reads a `data.json` into a feature store in the folder `out`.
///
/// `spec` is the specification of its MFCCs: [`FeatureSpec::course`] for the course's settings.
///
/// # Errors
/// If the file cannot be read or is malformed, its shape is not that of `spec`, or `out` cannot be written.
pub fn import(path: &Path, spec: &FeatureSpec, out: &Path, overwrite: bool) -> Result<FeatureStore, Error> {
    let invalid = |reason: String| Error::CourseJson { path: path.to_owned(), reason };
    spec.validate()?;
    if spec.kinds != [FeatureKind::Mfcc] {
        return Err(invalid(
            "it contains MFCCs, and the feature specification has other features".to_owned(),
        ));
    }
    let file = regular_file::open(path).map_err(Error::io(path))?;
    let data = read(BufReader::with_capacity(1 << 18, file)).map_err(invalid)?;
    data.check(spec).map_err(invalid)?;
    let mut labels = data.mapping.clone();
    labels.sort();
    let mut writer = StoreWriter::begin(out, Header::begin(path, &labels, spec, false), overwrite)?;
    // As many segments as a part with known tracks has.
    let n_rows = tracks_per_part(spec, 0) * spec.segments.max_per_track();
    let segment_len = data.mfcc.n_frames * data.mfcc.n_bins;
    for (number, features) in data.mfcc.values.chunks(n_rows * segment_len).enumerate() {
        let first = number * n_rows;
        let rows = first..first + features.len() / segment_len;
        let tracks = rows.map(|row| segment_record(row, &data)).collect();
        writer.write(&PartRecord::new(spec, None, tracks), features.to_vec())?;
    }
    writer.finish(&[])?;
    FeatureStore::open(out)
}

/// Each segment is treated as a track.
fn segment_record(row: usize, data: &CourseData) -> TrackRecord {
    let label = data.mapping[data.labels[row]].clone();
    let path = format!("segment-{row:07}");
    let input = TrackInput {
        path,
        label_set: LabelSet::Class(label),
        group: None,
        split: None,
        fold: None,
        file: None,
    };
    TrackRecord::new(input, 1)
}

/// Writes a store's MFCCs as `data.json`, segment by segment. Each number is the shortest decimal that parses to the same
/// f32.
///
/// # Errors
/// If the store has other features than MFCCs, its labels are tags, a segment cannot be read, or the file cannot be
/// written.
pub fn export(store: &FeatureStore, path: &Path) -> Result<(), Error> {
    if store.is_tagged() {
        return Err(Error::TagsInCourseJson);
    }
    if store.spec().kinds != [FeatureKind::Mfcc] {
        let kinds: Vec<&str> = store.spec().kinds.iter().map(|kind| kind.name()).collect();
        return Err(Error::NotMfcc { found: kinds.join(" + ") });
    }
    let mut file = AtomicFile::create(path).map_err(Error::io(path))?;
    write(store, &mut file, path)?;
    file.commit().map_err(Error::io(path))
}

fn write(store: &FeatureStore, file: &mut AtomicFile, path: &Path) -> Result<(), Error> {
    let failed = |error: serde_json::Error| Error::Io { path: path.to_owned(), source: error.into() };
    let mut out = BufWriter::new(file);
    let text = |out: &mut BufWriter<_>, text: &str| out.write_all(text.as_bytes()).map_err(Error::io(path));
    let labels: Vec<usize> = (0..store.n_segments()).map(|segment| store.label_of(segment)).collect();
    text(&mut out, "{\"mapping\": ")?;
    serde_json::to_writer(&mut out, store.labels()).map_err(failed)?;
    text(&mut out, ",\n\"labels\": ")?;
    serde_json::to_writer(&mut out, &labels).map_err(failed)?;
    text(&mut out, ",\n\"mfcc\": [")?;
    let mut values = vec![0.0; store.n_frames() * store.n_bins()];
    for segment in 0..store.n_segments() {
        text(&mut out, if segment == 0 { "\n" } else { ",\n" })?;
        store.read_segment(segment, &mut values)?;
        let frames: Vec<&[f32]> = values.chunks_exact(store.n_bins()).collect();
        serde_json::to_writer(&mut out, &frames).map_err(failed)?;
    }
    text(&mut out, "]}\n")?;
    out.flush().map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use cantus_audio::feature::Segments;

    use super::*;

    /// 4 frames of 2 MFCCs.
    fn tiny_spec() -> FeatureSpec {
        let mut spec =
            FeatureSpec { n_mfcc: 2, n_fft: 64, hop_length: 32, n_mels: 8, ..FeatureSpec::course() };
        let track_duration_s = 100.0 / f64::from(spec.sample_rate);
        spec.segments = Segments::Parts { track_duration_s, n_segments: 1 };
        assert_eq!((spec.frames_per_segment(), spec.n_bins()), (4, 2));
        spec
    }

    fn import_text(text: &str) -> Result<FeatureStore, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.json");
        std::fs::write(&path, text).unwrap();
        import(&path, &tiny_spec(), &dir.path().join("store"), false)
    }

    const SEGMENT: &str = "[[1,2],[3,4.5],[-5e-1,6],[7,8]]";

    #[test]
    fn a_data_json_becomes_a_store_with_sorted_labels_and_unknown_tracks() {
        let text = format!(
            "{{\"mapping\": [\"rock\", \"jazz\"], \"mfcc\": [{SEGMENT}, [[0,0],[0,0],[0,0],[0,9]]], \"labels\": [0, 1], \"extra\": [{{}}]}}"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.json");
        std::fs::write(&path, text).unwrap();
        let store = import(&path, &tiny_spec(), &dir.path().join("store"), false).unwrap();
        assert_eq!(store.labels(), ["jazz", "rock"]);
        assert!(!store.tracks_known());
        assert_eq!([store.label_of(0), store.label_of(1)], [1, 0]);
        let values = store.read_segments(&[1, 0]).unwrap();
        assert_eq!(values, [0., 0., 0., 0., 0., 0., 0., 9., 1., 2., 3., 4.5, -0.5, 6., 7., 8.]);
    }

    #[test]
    fn export_and_import_preserve_every_bit() {
        let text = r#"{"mapping": ["a", "b"], "labels": [1],
            "mfcc": [[[0.1, -3.4028235e38], [1e-45, 1.1754944e-38], [-0.0, 16777217], [3, 4]]]}"#;
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1.json"), dir.path().join("2.json"));
        std::fs::write(&first, text).unwrap();
        let store = import(&first, &tiny_spec(), &dir.path().join("1"), false).unwrap();
        export(&store, &second).unwrap();
        let again = import(&second, &tiny_spec(), &dir.path().join("2"), false).unwrap();
        let bits = |store: &FeatureStore| -> Vec<u32> {
            store.read_segments(&[0]).unwrap().iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&store), bits(&again));
        assert_eq!(store.labels(), again.labels());
    }

    #[test]
    fn a_malformed_data_json_is_a_one_line_error() {
        let head = "\"mapping\": [\"a\", \"b\"]";
        for (text, expected) in [
            ("".to_owned(), "EOF"),
            ("[]".to_owned(), "expected an object with mapping, labels and mfcc"),
            (format!("{{{head}, \"labels\": [0]}}"), "no 'mfcc'"),
            (format!("{{{head}, \"mfcc\": [{SEGMENT}]}}"), "no 'labels'"),
            (
                format!("{{{head}, \"labels\": [0], \"mfcc\": [{SEGMENT}, {SEGMENT}]}}"),
                "1 labels for 2 segments",
            ),
            (format!("{{{head}, \"labels\": [2], \"mfcc\": [{SEGMENT}]}}"), "segment 0 has label 2"),
            (format!("{{{head}, \"labels\": [-1], \"mfcc\": [{SEGMENT}]}}"), "-1"),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,2],[3]]]}}"), "frame 1 has 1 values"),
            (
                format!("{{{head}, \"labels\": [0,0], \"mfcc\": [{SEGMENT}, [[1,2]]]}}"),
                "segment 1 has 1 frames",
            ),
            (
                format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,2]]]}}"),
                "1 x 2, but the feature specification has 4 x 2",
            ),
            (
                format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,2],[3,4],[5,6],[7,NaN]]]}}"),
                "NaN at line 1 column 71",
            ),
            (
                format!("{{{head},\n\"labels\": [0],\n\"mfcc\": [[[1,2],[ -Infinity,4]]]}}"),
                "Infinity at line 3",
            ),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[inf,2],[3,4]]]}}"), "inf at line 1"),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,nan],[3,4]]]}}"), "NaN at line 1"),
            (format!("{{{head}, \"labels\": [NaN], \"mfcc\": [{SEGMENT}]}}"), "NaN at line 1"),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,null],[3,4]]]}}"), "null"),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,x],[3,4]]]}}"), "expected value at line 1"),
            (
                format!("{{{head}, \"labels\": [0], \"mfcc\": [[[1,2],[3,4],[5,6],[7,1e39]]]}}"),
                "number out of range at line 1",
            ),
            (format!("{{{head}, \"labels\": [0], \"mfcc\": [[[],[1,2],[3,4],[5,6]]]}}"), "an empty frame"),
            (
                format!("{{\"mapping\": [\"a\", \" \"], \"labels\": [0], \"mfcc\": [{SEGMENT}]}}"),
                "a label of the mapping is empty",
            ),
            (
                format!("{{\"mapping\": [\"a\", \"a\"], \"labels\": [0], \"mfcc\": [{SEGMENT}]}}"),
                "'a' is twice in the mapping",
            ),
            (format!("{{{head}, \"labels\": [], \"mfcc\": []}}"), "no segments"),
        ] {
            let message = import_text(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert_eq!(message.lines().count(), 1);
        }
    }
}
