//! Augmented copies in a store, checksums and locking.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cantus_audio::augment::AugmentSpec;
use cantus_audio::feature::{FeatureSpec, Segments};
use cantus_audio::{Audio, decode};
use cantus_dataset::{Catalog, Error, ExtractOptions, Extraction, FeatureStore, SplitSpec, Unit, extract};

/// Two segments of 0.1 s.
fn spec() -> FeatureSpec {
    let mut spec = FeatureSpec { n_mfcc: 13, ..FeatureSpec::course() };
    spec.segments = Segments::Parts { track_duration_s: 0.2, n_segments: 2 };
    spec
}

/// 40 tracks of two labels.
fn tones() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..20 {
        for (label, step) in [("high", 0.3), ("low", 0.03)] {
            let step = step * (1.0 + n as f32 / 20.0);
            let samples = (0..4630).map(|i| 0.4 * (step * i as f32).sin()).collect();
            fs::create_dir_all(dir.path().join(label)).unwrap();
            let path = dir.path().join(format!("{label}/{n:02}.wav"));
            cantus_audio::write_wav(path, &Audio { samples, sample_rate: 22_050 }).unwrap();
        }
    }
    dir
}

fn copies(n: usize) -> AugmentSpec {
    let text = format!(
        "copies = {n}\naudio = [{{ type = 'pitch_shift', range = [-3, 3] }}, {{ type = 'random_crop', range = [0.5, 1] }}]"
    );
    toml::from_str(&text).unwrap()
}

fn run(audio: &Path, out: &Path, jobs: usize, n_copies: usize) -> Result<Extraction, Error> {
    let augmentation = (n_copies > 0).then(|| copies(n_copies));
    let options = ExtractOptions { jobs, augmentation, ..ExtractOptions::default() };
    extract(&Catalog::open(audio)?, &spec(), out, &options, &|_| {})
}

fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn copies_are_numbered_after_all_recordings_and_are_in_no_split() {
    let audio = tones();
    let (plain, augmented) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(audio.path(), plain.path(), 2, 0).unwrap();
    let extraction = run(audio.path(), augmented.path(), 2, 3).unwrap();
    let (plain, store) =
        (FeatureStore::open(plain.path()).unwrap(), FeatureStore::open(augmented.path()).unwrap());
    assert_eq!((plain.n_segments(), store.n_segments(), extraction.n_segments), (80, 80, 80));
    assert_eq!((plain.n_copies(), store.n_copies()), (0, 3));
    let all: Vec<usize> = (0..80).collect();
    assert_eq!(plain.read_segments(&all).unwrap(), store.read_segments(&all).unwrap());
    assert_eq!(store.tracks(), plain.tracks());

    let mut seen: Vec<usize> = Vec::new();
    for (number, track) in store.tracks().iter().enumerate() {
        let recording = decode::load(&audio.path().join(&track.path), 22_050).unwrap().audio;
        let ranges: Vec<_> = store.copies_of(number).collect();
        assert_eq!((ranges.len(), plain.copies_of(number).count()), (3, 0));
        for (copy, segments) in ranges.into_iter().enumerate() {
            let altered = copies(3).plan(22_050).unwrap().copy(&recording, &track.path, copy + 1);
            let expected = spec().extractor().unwrap().segment(&altered, 2).unwrap();
            assert_eq!(segments.len(), expected.n_segments);
            assert!(segments.clone().all(|segment| store.track_of(segment) == number));
            assert!(segments.clone().all(|segment| store.label_of(segment) == track.labels[0]));
            let segments: Vec<usize> = segments.collect();
            assert_eq!(store.read_segments(&segments).unwrap(), expected.features, "{} {copy}", track.path);
            seen.extend(segments);
        }
    }
    assert_eq!(seen, (80..80 + extraction.n_copied_segments).collect::<Vec<_>>());
    for by in [Unit::Track, Unit::Segment] {
        let split = store.split(&SplitSpec { by, ..SplitSpec::default() }).unwrap();
        let mut segments = [split.train, split.validation, split.test].concat();
        segments.sort_unstable();
        assert_eq!(segments, all, "{by:?}");
    }
    let beyond = 80 + extraction.n_copied_segments;
    assert!(matches!(store.read_segments(&[beyond]), Err(Error::NoSuchSegment { .. })));
}

#[test]
fn copies_depend_neither_on_threads_nor_on_their_number() {
    let audio = tones();
    let dirs = [(1, 2), (4, 2), (2, 4)].map(|(jobs, n_copies)| {
        let dir = tempfile::tempdir().unwrap();
        run(audio.path(), dir.path(), jobs, n_copies).unwrap();
        dir
    });
    assert!(bytes(dirs[0].path()) == bytes(dirs[1].path()));
    let [_, two, four] = dirs.each_ref().map(|dir| FeatureStore::open(dir.path()).unwrap());
    for track in 0..40 {
        let read = |store: &FeatureStore| {
            let segments: Vec<usize> = store.copies_of(track).take(2).flatten().collect();
            store.read_segments(&segments).unwrap()
        };
        assert_eq!(read(&two), read(&four));
    }
}

#[test]
fn a_store_with_other_copies_is_not_continued() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2, 1).unwrap();
    assert_eq!(run(audio.path(), out.path(), 2, 1).unwrap().n_parts_kept, 1);
    for n_copies in [0, 2] {
        let error = run(audio.path(), out.path(), 2, n_copies).unwrap_err();
        assert!(error.to_string().contains("other settings (the augmentation of its copies)"), "{error}");
    }
}

#[test]
fn a_copy_without_a_segment_is_a_warning_and_the_track_is_kept() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    let augmentation: AugmentSpec =
        toml::from_str("copies = 1\naudio = [{ type = 'random_crop', range = [0.1, 0.1] }]").unwrap();
    let options = ExtractOptions { augmentation: Some(augmentation), ..ExtractOptions::default() };
    let extraction =
        extract(&Catalog::open(audio.path()).unwrap(), &spec(), out.path(), &options, &|_| {}).unwrap();
    assert_eq!((extraction.n_segments, extraction.n_copied_segments), (80, 0));
    assert_eq!(extraction.warnings.len(), 40);
    assert!(extraction.warnings[0].reason.starts_with("altered copy 1 left out: too short"));
}

#[test]
fn a_changed_bit_in_features_or_record_is_detected_and_the_next_extraction_repairs_it() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2, 1).unwrap();
    let whole = bytes(out.path());
    let path = out.path().join("part-00000.arrow");
    let part = &whole["part-00000.arrow"];
    let store = FeatureStore::open(out.path()).unwrap();
    let mut first = vec![0.0; 65];
    store.read_segment(0, &mut first).unwrap();
    let pattern: Vec<u8> = first.iter().flat_map(|value| value.to_le_bytes()).collect();
    let features_at = part.windows(pattern.len()).position(|window| window == pattern).unwrap();
    let n_copied: usize =
        (0..40).map(|track| store.copies_of(track).map(|copy| copy.len()).sum::<usize>()).sum();
    let n_bytes = 4 * 65 * (store.n_segments() + n_copied);
    for place in (features_at..features_at + n_bytes).step_by(997) {
        let mut changed = part.clone();
        changed[place] ^= 0x10;
        fs::write(&path, &changed).unwrap();
        let error = FeatureStore::open(out.path()).unwrap().read_segments(&[79]).unwrap_err().to_string();
        assert!(error.contains("part-00000.arrow: damaged"), "{place}: {error}");
    }
    // A path in the record: its last occurrence.
    let record = part.windows(14).rposition(|window| window == b"\"path\":\"high/0").unwrap();
    let mut changed = part.clone();
    changed[record + 13] = b'1';
    fs::write(&path, &changed).unwrap();
    let error = FeatureStore::open(out.path()).and_then(|store| store.read_segments(&[0])).unwrap_err();
    assert!(error.to_string().contains("part-00000.arrow: damaged"), "{error}");

    assert_eq!(run(audio.path(), out.path(), 2, 1).unwrap().n_parts_kept, 0);
    assert!(bytes(out.path()) == whole);
    assert_eq!(run(audio.path(), out.path(), 2, 1).unwrap().n_parts_kept, 1);
}

#[test]
fn concurrent_extractions_into_one_store_are_refused() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2, 0).unwrap();
    let whole = bytes(out.path());
    let other = fs::File::open(out.path().join(".lock")).unwrap();
    other.lock().unwrap();
    let error = run(audio.path(), out.path(), 2, 0).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(bytes(out.path()) == whole, "the store was touched");
    drop(other);
    run(audio.path(), out.path(), 2, 0).unwrap();
}
