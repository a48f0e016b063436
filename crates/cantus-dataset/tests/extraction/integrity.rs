//! The content of a store is that with which it was written: changed, exchanged and repeated parts are refused.

use std::fs;
use std::path::Path;

use cantus_dataset::{Error, FeatureStore};

use super::tones::{run, tones};

/// Opens a store and reads all of its segments.
fn read_all(dir: &Path) -> Result<Vec<f32>, Error> {
    let store = FeatureStore::open(dir)?;
    store.read_segments(&(0..store.n_segments()).collect::<Vec<_>>())
}

#[test]
fn every_changed_byte_of_a_part_is_found_when_it_is_read() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let path = out.path().join("part-00001.arrow");
    let whole = fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(211).chain([0, 7, 8, 3999, whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x20;
        fs::write(&path, &bytes).unwrap();
        let error = read_all(out.path()).expect_err("a changed byte").to_string();
        assert!(error.contains("part-00001.arrow") && error.lines().count() == 1, "{place}: {error}");
    }
    fs::write(&path, &whole).unwrap();
    read_all(out.path()).unwrap();
}

#[test]
fn exchanged_repeated_and_foreign_parts_are_refused_when_the_store_is_opened() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let paths = [0, 1].map(|part| out.path().join(format!("part-0000{part}.arrow")));
    let parts = [0, 1].map(|part: usize| fs::read(&paths[part]).unwrap());
    for [first, second] in [[1, 0], [0, 0], [1, 1]] {
        fs::write(&paths[0], &parts[first]).unwrap();
        fs::write(&paths[1], &parts[second]).unwrap();
        let error = FeatureStore::open(out.path()).unwrap_err().to_string();
        assert!(error.contains("not the part that was written"), "{error}");
    }
    fs::write(&paths[0], &parts[0]).unwrap();
    fs::write(&paths[1], &parts[1]).unwrap();
    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    let (before, _) = header.rsplit_once("[[parts]]").unwrap();
    fs::write(out.path().join("store.toml"), before).unwrap();
    let error = FeatureStore::open(out.path()).unwrap_err().to_string();
    assert!(error.contains("hashes of 1 parts for 2 parts"), "{error}");
}

#[test]
fn a_store_without_hashes_of_an_earlier_format_is_read() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let expected = read_all(out.path()).unwrap();
    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    let (before, _) = header.split_once("[[parts]]").unwrap();
    fs::write(out.path().join("store.toml"), before.replace("format = 6", "format = 2")).unwrap();
    assert_eq!(read_all(out.path()).unwrap(), expected);
    // What it could verify: the CRC-32 of its features.
    let path = out.path().join("part-00000.arrow");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(read_all(out.path()).unwrap_err().to_string().contains("checksum"));
}
