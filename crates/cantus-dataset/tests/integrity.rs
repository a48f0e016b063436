//! The content of a store is that with which it was written: changed, exchanged and repeated parts are refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fs;
use std::path::Path;

use cantus_audio::feature::{FeatureSpec, Segments};
use cantus_dataset::{Catalog, Error, ExtractOptions, Extraction, FeatureStore, extract};

const SAMPLE_RATE: u32 = 22_050;

/// Two segments of 0.1 s.
fn spec() -> FeatureSpec {
    let mut spec = FeatureSpec { n_mfcc: 13, ..FeatureSpec::course() };
    spec.segments = Segments::Parts { track_duration_s: 0.2, n_segments: 2 };
    spec
}

fn write_tone(path: &Path, frequency: f64, duration_s: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, format).unwrap();
    for n in 0..(duration_s * f64::from(SAMPLE_RATE)) as usize {
        let phase = 2.0 * std::f64::consts::PI * frequency * n as f64 / f64::from(SAMPLE_RATE);
        wav.write_sample((phase.sin() * 12_000.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

/// 70 tracks of two labels: two parts.
fn tones() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..35 {
        write_tone(&dir.path().join(format!("high/{n:02}.wav")), 1000.0 + 40.0 * f64::from(n), 0.21);
        write_tone(&dir.path().join(format!("low/{n:02}.wav")), 100.0 + 4.0 * f64::from(n), 0.21);
    }
    dir
}

fn run(audio: &Path, out: &Path, jobs: usize) -> Result<Extraction, Error> {
    let options = ExtractOptions { jobs, ..ExtractOptions::default() };
    extract(&Catalog::open(audio)?, &spec(), out, &options, &|_| {})
}

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
