//! Extraction into a store and reading it: resumption, failures, damage, splits.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

mod integrity;
mod threads;
mod tones;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cantus_audio::decode;
use cantus_audio::feature::{FeatureSpec, Segments};
use cantus_dataset::{Catalog, Error, ExtractOptions, FeatureStore, Part, SplitSpec, Unit, extract};

use tones::{SAMPLE_RATE, run, spec, tones, write_tone};

fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn the_features_read_are_those_extracted() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    let extraction = run(audio.path(), out.path(), 2).unwrap();
    assert_eq!((extraction.n_tracks, extraction.n_segments, extraction.n_parts), (70, 140, 2));
    let store = FeatureStore::open(out.path()).unwrap();
    assert_eq!(store.labels(), ["high", "low"]);
    assert_eq!((store.n_frames(), store.n_bins(), store.spec()), (5, 13, &spec()));
    let mut extractor = spec().extractor().unwrap();
    let mut values = vec![0.0; 5 * 13];
    for (number, track) in store.tracks().iter().enumerate() {
        let recording = decode::load(&audio.path().join(&track.path), SAMPLE_RATE).unwrap();
        for (segment, samples) in store.segments_of(number).zip(recording.audio.samples.chunks(2205)) {
            store.read_segment(segment, &mut values).unwrap();
            assert_eq!(values, extractor.extract(samples).values, "{}", track.path);
            assert_eq!(
                (store.track_of(segment), store.label_of(segment)),
                (number, usize::from(number >= 35))
            );
        }
    }
    let all: Vec<usize> = (0..store.n_segments()).collect();
    assert_eq!(store.read_segments(&all).unwrap()[139 * 65..], values);
    assert!(matches!(store.read_segment(140, &mut values), Err(Error::NoSuchSegment { .. })));
    assert!(matches!(store.read_segment(0, &mut values[1..]), Err(Error::WrongLength { .. })));
}

#[test]
fn an_interrupted_extraction_continues_to_the_same_bytes() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let whole = bytes(out.path());

    // The last part is missing.
    fs::remove_file(out.path().join("part-00001.arrow")).unwrap();
    assert!(FeatureStore::open(out.path()).unwrap_err().to_string().contains("part-00001.arrow"));
    assert_eq!(run(audio.path(), out.path(), 2).unwrap().n_parts_kept, 1);
    assert_eq!(bytes(out.path()), whole);

    // Killed while the last part was written.
    let part = fs::read(out.path().join("part-00001.arrow")).unwrap();
    fs::rename(out.path().join("part-00001.arrow"), out.path().join(".part-00001.arrow.partial")).unwrap();
    fs::write(out.path().join(".part-00001.arrow.partial"), &part[..part.len() / 2]).unwrap();
    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    fs::write(out.path().join("store.toml"), header.replace("complete = true", "complete = false")).unwrap();
    assert!(matches!(FeatureStore::open(out.path()), Err(Error::Incomplete { .. })));
    run(audio.path(), out.path(), 2).unwrap();
    assert_eq!(bytes(out.path()), whole);

    // Nothing to do.
    assert_eq!(run(audio.path(), out.path(), 2).unwrap().n_parts_kept, 2);
    assert_eq!(bytes(out.path()), whole);

    // Killed while the first header was written.
    let early = tempfile::tempdir().unwrap();
    fs::write(early.path().join(".store.toml.partial"), "form").unwrap();
    run(audio.path(), early.path(), 2).unwrap();
    assert_eq!(bytes(early.path()), whole);
}

#[test]
fn a_cancelled_extraction_keeps_finished_parts() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    let cancel = Arc::new(AtomicBool::new(false));
    let options = ExtractOptions { jobs: 2, cancel: Arc::clone(&cancel), ..ExtractOptions::default() };
    let catalog = Catalog::open(audio.path()).unwrap();
    let stop =
        |progress: cantus_dataset::Progress<'_>| cancel.store(progress.n_done >= 65, Ordering::Relaxed);
    let error = extract(&catalog, &spec(), out.path(), &options, &stop).unwrap_err();
    assert!(matches!(error, Error::Cancelled { n_done: 64, n_tracks: 70 }), "{error}");
    let resumed = run(audio.path(), out.path(), 2).unwrap();
    assert_eq!((resumed.n_parts_kept, resumed.n_parts), (1, 2));
    let fresh = tempfile::tempdir().unwrap();
    run(audio.path(), fresh.path(), 2).unwrap();
    assert_eq!(bytes(out.path()), bytes(fresh.path()));
}

#[test]
fn progress_counts_every_track_once() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    let catalog = Catalog::open(audio.path()).unwrap();
    let seen = Mutex::new(Vec::new());
    let (calls, last) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let watch = |progress: cantus_dataset::Progress<'_>| {
        calls.fetch_add(1, Ordering::Relaxed);
        last.fetch_max(progress.n_done, Ordering::Relaxed);
        assert_eq!(progress.n_tracks, 70);
        seen.lock().unwrap().push(progress.path.to_owned());
    };
    extract(&catalog, &spec(), out.path(), &ExtractOptions::default(), &watch).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    assert_eq!(seen, catalog.tracks.iter().map(|track| track.path.clone()).collect::<Vec<_>>());
    assert_eq!((calls.into_inner(), last.into_inner()), (70, 70));
}

#[test]
fn bad_files_are_failures_with_reasons_and_do_not_stop_the_extraction() {
    let (audio, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |name: &str| audio.path().join(name);
    write_tone(&path("a/good.wav"), 440.0, 0.25);
    write_tone(&path("b/one-segment.wav"), 440.0, 0.15);
    write_tone(&path("b/short.wav"), 440.0, 0.05);
    fs::write(path("a/empty.mp3"), "").unwrap();
    fs::write(path("a/text.mp3"), "these are words\n".repeat(100)).unwrap();
    fs::write(path("a/garbage.au"), (0..4000u32).map(|n| ((n * n) >> 3) as u8).collect::<Vec<_>>()).unwrap();
    fs::write(path("loose.wav"), "").unwrap();
    let extraction = run(audio.path(), out.path(), 2).unwrap();
    let failed: Vec<&str> = extraction.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!(failed, ["loose.wav", "a/empty.mp3", "a/garbage.au", "a/text.mp3", "b/short.wav"]);
    assert!(extraction.failures[4].reason.contains("too short: it lasts 0.05 s, and a segment takes 0.10 s"));
    for failure in &extraction.failures {
        assert!(
            !failure.reason.is_empty() && !failure.reason.contains(audio.path().to_str().unwrap()),
            "{failure:?}"
        );
    }
    assert_eq!((extraction.n_tracks, extraction.n_segments, extraction.n_dropped), (2, 3, 1));
    let store = FeatureStore::open(out.path()).unwrap();
    assert_eq!(store.failures(), extraction.failures);
    assert_eq!((store.tracks().len(), store.n_dropped()), (2, 1));
    let again = run(audio.path(), out.path(), 2).unwrap();
    assert_eq!((again.n_parts_kept, again.failures), (1, extraction.failures));
}

#[test]
fn a_missing_file_of_a_manifest_is_a_failure_and_tried_again() {
    let (audio, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |name: &str| audio.path().join(name);
    write_tone(&path("1.wav"), 440.0, 0.25);
    fs::write(path("tracks.csv"), "path,label,group,split\n1.wav,a,g,train\n2.wav,b,,test\n").unwrap();
    let extraction = run(&path("tracks.csv"), out.path(), 2).unwrap();
    assert_eq!(extraction.failures[0].path, "2.wav");
    write_tone(&path("2.wav"), 440.0, 0.25);
    let again = run(&path("tracks.csv"), out.path(), 2).unwrap();
    assert_eq!((again.failures.len(), again.n_tracks), (0, 2));
    let store = FeatureStore::open(out.path()).unwrap();
    assert_eq!(store.tracks()[0].group.as_deref(), Some("g"));
    let split = store.split(&SplitSpec { validation: 0.0, ..SplitSpec::default() }).unwrap();
    assert_eq!((split.train, split.test), (vec![0, 1], vec![2, 3]));
}

#[test]
fn an_extraction_in_which_every_file_fails_is_an_error() {
    let (audio, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["a/1.wav", "b/2.wav"] {
        fs::create_dir_all(audio.path().join(name).parent().unwrap()).unwrap();
        fs::write(audio.path().join(name), "").unwrap();
    }
    let message = run(audio.path(), out.path(), 1).unwrap_err().to_string();
    assert!(message.contains("none of the 2 tracks has a segment; the first: a/1.wav: "), "{message}");
    assert!(fs::read_to_string(out.path().join("failures.csv")).unwrap().contains("b/2.wav"));
    assert!(FeatureStore::open(out.path()).is_err());
}

#[test]
fn an_extraction_that_gave_nothing_does_not_block_one_with_other_settings() {
    let (audio, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["a/1.wav", "b/2.wav"] {
        fs::create_dir_all(audio.path().join(name).parent().unwrap()).unwrap();
        write_tone(&audio.path().join(name), 440.0, 0.3);
    }
    let catalog = Catalog::open(audio.path()).unwrap();
    let long = Segments::Parts { track_duration_s: 30.0, n_segments: 1 };
    let too_long = FeatureSpec { segments: long, ..spec() };
    let cancelled =
        ExtractOptions { cancel: Arc::new(AtomicBool::new(true)), jobs: 1, ..ExtractOptions::default() };
    for (options, expected) in
        [(ExtractOptions::default(), "none of the 2 tracks has a segment"), (cancelled, "0 of 2")]
    {
        let message = extract(&catalog, &too_long, out.path(), &options, &|_| {}).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(run(audio.path(), out.path(), 1).unwrap().n_tracks, 2);
        fs::remove_dir_all(out.path()).unwrap();
    }
}

#[test]
fn only_parts_with_changed_files_are_extracted_again() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    write_tone(&audio.path().join("low/34.wav"), 700.0, 0.3);
    assert_eq!(run(audio.path(), out.path(), 2).unwrap().n_parts_kept, 1);
    for n in 0..10 {
        fs::remove_file(audio.path().join(format!("low/{n:02}.wav"))).unwrap();
    }
    let fewer = run(audio.path(), out.path(), 2).unwrap();
    assert_eq!((fewer.n_tracks, fewer.n_parts), (60, 1));
    assert!(!out.path().join("part-00001.arrow").exists());
    assert_eq!(FeatureStore::open(out.path()).unwrap().tracks().len(), 60);
}

#[test]
fn a_store_of_other_settings_and_a_folder_of_other_files_are_not_changed() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let before = bytes(out.path());
    let catalog = Catalog::open(audio.path()).unwrap();
    let other = FeatureSpec { n_mfcc: 20, ..spec() };
    let run_other = |overwrite| {
        let options = ExtractOptions { overwrite, ..ExtractOptions::default() };
        extract(&catalog, &other, out.path(), &options, &|_| {})
    };
    let message = run_other(false).unwrap_err().to_string();
    assert!(message.contains("n_mfcc = 13 there, 20 here"), "{message}");
    assert_eq!(bytes(out.path()), before);
    run_other(true).unwrap();
    assert_eq!(FeatureStore::open(out.path()).unwrap().n_bins(), 20);

    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("thesis.txt"), "mine").unwrap();
    assert!(matches!(run(audio.path(), foreign.path(), 2), Err(Error::NotEmpty { .. })));
    assert!(matches!(FeatureStore::open(foreign.path()), Err(Error::NotAStore { .. })));
    assert!(matches!(FeatureStore::open(&foreign.path().join("none")), Err(Error::NotFound { .. })));
    assert!(matches!(FeatureStore::open(&foreign.path().join("thesis.txt")), Err(Error::NotAStore { .. })));
}

#[test]
fn a_part_truncated_anywhere_is_a_named_error() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let path = out.path().join("part-00001.arrow");
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(97).chain(whole.len() - 12..whole.len()) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = FeatureStore::open(out.path()).unwrap_err();
        assert!(matches!(&error, Error::Damaged { path: named, .. } if *named == path), "{length}: {error}");
    }
    fs::write(&path, &whole[..100]).unwrap();
    assert_eq!(run(audio.path(), out.path(), 2).unwrap().n_parts_kept, 1);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn no_changed_byte_of_a_part_makes_a_reader_panic() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let path = out.path().join("part-00001.arrow");
    let whole = fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= if place % 2 == 0 { 0xff } else { 0x10 };
        fs::write(&path, &bytes).unwrap();
        if let Ok(store) = FeatureStore::open(out.path()) {
            let all: Vec<usize> = (0..store.n_segments()).collect();
            let _ = store.read_segments(&all);
        }
    }
}

#[test]
fn a_store_of_a_newer_or_an_older_format_is_refused() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let header = fs::read_to_string(out.path().join("store.toml")).unwrap();
    fs::write(out.path().join("store.toml"), header.replace("format = 6", "format = 7\nnew_thing = 7"))
        .unwrap();
    assert!(matches!(FeatureStore::open(out.path()), Err(Error::NewerFormat { found: 7, supported: 6, .. })));
    fs::write(out.path().join("store.toml"), header.replace("format = 6", "format = 1")).unwrap();
    assert!(matches!(FeatureStore::open(out.path()), Err(Error::OlderFormat { found: 1, supported: 2, .. })));
    fs::write(out.path().join("store.toml"), header.replace("n_segments = 140", "n_segments = 141")).unwrap();
    assert!(matches!(FeatureStore::open(out.path()), Err(Error::Damaged { .. })));
}

#[test]
fn only_the_split_by_segment_separates_segments_of_a_track() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let mut store = FeatureStore::open(out.path()).unwrap();
    let by_group = SplitSpec { by: Unit::Group, ..SplitSpec::default() };
    assert!(matches!(store.split(&by_group), Err(Error::NoGroups { .. })), "no track has a group yet");
    store.tracks_mut().iter_mut().for_each(|track| track.group = Some(track.path.clone()));
    let n_separated = |by| {
        let split = store.split(&SplitSpec { by, ..SplitSpec::default() }).unwrap();
        assert_eq!(split.train.len() + split.validation.len() + split.test.len(), 140);
        let part_of = |segment: usize| {
            [(&split.train, Part::Train), (&split.validation, Part::Validation), (&split.test, Part::Test)]
                .into_iter()
                .find_map(|(segments, part)| segments.binary_search(&segment).is_ok().then_some(part))
                .unwrap()
        };
        (0..70).filter(|track| part_of(2 * track) != part_of(2 * track + 1)).count()
    };
    assert_eq!(n_separated(Unit::Track), 0);
    assert_eq!(n_separated(Unit::Group), 0);
    assert!(n_separated(Unit::Segment) > 10);
}

#[test]
fn artists_of_real_music_are_read_and_not_separated() {
    let audio = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/emotify"));
    if !audio.exists() {
        println!("skipped: no {}", audio.display());
        return;
    }
    let mut catalog = Catalog::open(audio).unwrap();
    assert_eq!(catalog.labels, ["classical", "electronic", "pop", "rock"]);
    catalog.read_artists();
    let (labels, grouping) = (catalog.labels.clone(), cantus_dataset::Grouping::Artist);
    let report = cantus_dataset::assign_groups(&mut catalog.tracks, &labels, &grouping).unwrap();
    assert!((50..=100).contains(&report.n_groups), "{report:?}");
    let spec = SplitSpec { by: Unit::Group, ..SplitSpec::default() };
    let split = spec.split(&catalog.tracks, &catalog.labels).unwrap();
    assert_eq!(split.missing, []);
    let mut part_of = BTreeMap::new();
    for (track, part) in catalog.tracks.iter().zip(&split.parts) {
        assert_eq!(part_of.entry(track.group.clone()).or_insert(part), &part, "{:?}", track.artist);
    }
    let n_test = split.parts.iter().filter(|part| **part == Some(Part::Test)).count();
    assert!((45..=55).contains(&n_test), "{n_test} of {} tracks to test with", split.parts.len());
}

#[test]
fn a_store_without_its_header_is_continued_and_a_foreign_folder_is_not() {
    let (audio, out) = (tones(), tempfile::tempdir().unwrap());
    run(audio.path(), out.path(), 2).unwrap();
    let whole = bytes(out.path());
    fs::remove_file(out.path().join("store.toml")).unwrap();
    let again = run(audio.path(), out.path(), 2).unwrap();
    assert_eq!((again.n_parts_kept, again.n_parts), (2, 2));
    assert_eq!(bytes(out.path()), whole);
    fs::remove_file(out.path().join("store.toml")).unwrap();
    fs::write(out.path().join("diary.txt"), "mine").unwrap();
    assert!(matches!(run(audio.path(), out.path(), 2), Err(Error::NotEmpty { .. })));
}
