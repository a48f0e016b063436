//! Exported stores are read back with the features, labels and groups of the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_ipc::reader::FileReader;
use cantus_dataset::{Error, ExportFormat, ExtractOptions, FeatureStore, export_store};

use crate::fixture::{bytes, copies, manifest, observer, recordings, run};

/// The features of all rows in the order of the parts: each track, then its altered copies.
fn rows(store: &FeatureStore) -> Vec<f32> {
    let rows = (0..store.tracks().len())
        .flat_map(|track| store.segments_of(track).chain(store.copies_of(track).flatten()));
    store.read_segments(&rows.collect::<Vec<_>>()).unwrap()
}

/// The path of each row.
fn paths(store: &FeatureStore) -> Vec<String> {
    let n_rows = |track: usize| {
        store.segments_of(track).len() + store.copies_of(track).map(|copy| copy.len()).sum::<usize>()
    };
    let tracks = store.tracks().iter().enumerate();
    tracks.flat_map(|(number, track)| vec![track.path.clone(); n_rows(number)]).collect()
}

#[test]
fn an_arrow_file_has_the_columns_of_the_parts() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let (store, out) = (dir.path().join("store"), dir.path().join("store.arrow"));
    run(&manifest(music.path(), false), &store, &copies()).unwrap();
    let exported = export_store(&store, &out, ExportFormat::Arrow, observer()).unwrap();
    let reader = FileReader::try_new(File::open(&out).unwrap(), None).unwrap();
    let schema = reader.schema();
    assert!(
        schema.metadata()["cantus.labels"].contains("\"mid\"")
            && schema.metadata().contains_key("cantus.features")
    );
    assert_eq!(schema.field_with_name("features").unwrap().metadata()["shape"], "[5, 13]");
    let (mut found_paths, mut values, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for batch in reader {
        let batch = batch.unwrap();
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        found_paths.extend(text("path").iter().map(|path| path.unwrap().to_owned()));
        groups.extend(text("group").iter().map(|group| group.unwrap().to_owned()));
        let lists = batch.column_by_name("features").unwrap().as_fixed_size_list().values().clone();
        values.extend_from_slice(lists.as_primitive::<Float32Type>().values());
    }
    let store = FeatureStore::open(&store).unwrap();
    assert_eq!(found_paths.len(), exported.n_rows);
    assert!(exported.n_rows > store.n_segments(), "with the altered copies");
    assert!(values == rows(&store));
    assert_eq!(found_paths, paths(&store));
    assert_eq!(groups[0], "group-0");
}

/// An array of an `.npz` file: type and shape as they are in the header, and the bytes of the values.
fn npy(path: &Path, name: &str) -> (String, Vec<u8>) {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(end % 64, 0);
    let header = String::from_utf8(bytes[10..end].to_vec()).unwrap();
    (header.trim_end().to_owned(), bytes[end..].to_vec())
}

fn texts(header: &str, bytes: &[u8]) -> Vec<String> {
    let width: usize = header.split("<U").nth(1).unwrap().split('\'').next().unwrap().parse().unwrap();
    let text = |cell: &[u8]| {
        let (characters, _) = cell.as_chunks::<4>();
        let characters = characters.iter().map(|c| char::from_u32(u32::from_le_bytes(*c)).unwrap());
        characters.take_while(|c| *c != '\0').collect()
    };
    bytes.chunks_exact(4 * width).map(text).collect()
}

fn integers(bytes: &[u8]) -> Vec<i64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers.iter().map(|number| i64::from_le_bytes(*number)).collect()
}

#[test]
fn an_npz_file_has_features_classes_paths_and_groups() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let (dir, out) = (dir.path().join("store"), dir.path().join("store.npz"));
    run(&manifest(music.path(), false), &dir, &copies()).unwrap();
    let n = export_store(&dir, &out, ExportFormat::Npz, observer()).unwrap().n_rows;
    let store = FeatureStore::open(&dir).unwrap();
    let (header, values) = npy(&out, "X");
    assert_eq!(header, format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, 5, 13), }}"));
    let (numbers, _) = values.as_chunks::<4>();
    assert!(numbers.iter().map(|number| f32::from_le_bytes(*number)).eq(rows(&store)));
    let (header, found) = npy(&out, "paths");
    assert_eq!(texts(&header, &found), paths(&store));
    let (header, found) = npy(&out, "labels");
    assert_eq!(texts(&header, &found), store.labels());
    let group_of: BTreeMap<&str, &str> =
        store.tracks().iter().map(|track| (track.path.as_str(), track.group.as_deref().unwrap())).collect();
    let (header, found) = npy(&out, "groups");
    assert!(texts(&header, &found).iter().eq(paths(&store).iter().map(|path| group_of[path.as_str()])));
    let label_of: BTreeMap<&str, usize> =
        store.tracks().iter().map(|track| (track.path.as_str(), track.labels[0])).collect();
    let classes = integers(&npy(&out, "y").1);
    assert!(classes.iter().zip(paths(&store)).all(|(class, path)| *class == label_of[path.as_str()] as i64));
    let copies = integers(&npy(&out, "copies").1);
    assert_eq!(copies.iter().filter(|copy| **copy == 0).count(), store.n_segments());
    assert_eq!(integers(&npy(&out, "segments").1)[..2], [0, 1]);
}

#[test]
fn tags_are_columns_of_zeros_and_ones_in_an_npz_file() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let (dir, out) = (dir.path().join("store"), dir.path().join("store.npz"));
    run(&manifest(music.path(), true), &dir, &ExtractOptions::default()).unwrap();
    export_store(&dir, &out, ExportFormat::Npz, observer()).unwrap();
    let store = FeatureStore::open(&dir).unwrap();
    let (header, columns) = npy(&out, "y");
    assert!(header.contains("'|u1'") && header.contains(&format!("({}, 3)", store.n_segments())), "{header}");
    for (segment, row) in columns.chunks_exact(3).enumerate() {
        let tags: Vec<usize> = (0..3).filter(|&tag| row[tag] == 1).collect();
        assert_eq!(tags, store.labels_of(segment));
    }
}

#[test]
fn a_webdataset_has_a_sample_for_each_segment_under_a_stable_name() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let (store, out) = (dir.path().join("store"), dir.path().join("wds"));
    run(&manifest(music.path(), false), &store, &ExtractOptions::default()).unwrap();
    let n = export_store(&store, &out, ExportFormat::Webdataset, observer()).unwrap().n_rows;
    assert_eq!(
        bytes(&out).into_keys().collect::<Vec<_>>(),
        ["000000.tar", "000001.tar", "000002.tar", "dataset.json"]
    );
    let store = FeatureStore::open(&store).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for part in 0..3 {
        let mut tar = tar::Archive::new(File::open(out.join(format!("00000{part}.tar"))).unwrap());
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let (name, mut content) = (entry.path().unwrap().display().to_string(), Vec::new());
            entry.read_to_end(&mut content).unwrap();
            assert!(files.insert(name, content).is_none(), "names are unique");
        }
    }
    assert_eq!(files.len(), 3 * n);
    // printf 'low/02.wav' | sha256sum | head -c 16
    let key = "9a111e7b2a58bc03-0-00001";
    let info: serde_json::Value = serde_json::from_slice(&files[&format!("{key}.json")]).unwrap();
    assert_eq!(
        (&info["path"], &info["label"], &info["group"]),
        (&"low/02.wav".into(), &"low".into(), &"group-0".into())
    );
    assert_eq!((&info["segment"], &info["split"]), (&1.into(), &"validation".into()));
    assert!((info["start_s"].as_f64().unwrap() - 0.1).abs() < 1e-6);
    assert_eq!(files[&format!("{key}.cls")], b"1");
    let track = store.tracks().iter().position(|track| track.path == "low/02.wav").unwrap();
    let mut values = vec![0.0; 65];
    store.read_segment(store.segments_of(track).start + 1, &mut values).unwrap();
    let npy = &files[&format!("{key}.npy")];
    assert!(npy.ends_with(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()));
    assert_eq!(npy.len(), 128 + 4 * 65);
    let error = export_store(store.dir(), &out, ExportFormat::Webdataset, observer()).unwrap_err();
    assert!(matches!(error, Error::OutputExists { .. }), "{error}");
}
