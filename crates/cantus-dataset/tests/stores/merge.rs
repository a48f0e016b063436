//! Merged shards equal the extraction in one go; other stores are united; what does not belong together is refused.

use std::fs;

use cantus_audio::feature::{FeatureSpec, SegmentWindows, Segments, Summary};
use cantus_dataset::{
    AuditMode, Catalog, Error, ExtractOptions, FeatureStore, Shard, extract, merge_stores, store_info,
};

use crate::fixture::{
    bytes, copies, differences, manifest, observer, recordings, run, shards, spec, tracks, write_tone,
};

#[test]
fn all_shards_merged_have_the_bytes_of_the_extraction_in_one_go() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let plain = ExtractOptions::default();
    let unaudited = ExtractOptions { audit: AuditMode::Off, ..ExtractOptions::default() };
    let (classes, tags) = (manifest(music.path(), false), manifest(music.path(), true));
    for (name, data, options, counts) in [
        ("folder", music.path(), &plain, &[1, 2, 5][..]),
        ("manifest", &classes, &plain, &[5]),
        ("tags", &tags, &plain, &[2]),
        ("copies", music.path(), &copies(), &[3]),
        ("unaudited", music.path(), &unaudited, &[2]),
    ] {
        let whole = dir.path().join(name);
        run(data, &whole, options).unwrap();
        for &count in counts {
            let out = dir.path().join(format!("{name}-{count}"));
            let mut stores = shards(data, &dir.path().join(format!("{name}-{count}-shards")), count, options);
            stores.reverse();
            let summary = merge_stores(&stores, &out, false, observer()).unwrap();
            assert_eq!(differences(&whole, &out), Vec::<String>::new(), "{name} in {count} shards");
            assert_eq!(summary.n_left_out, 0);
        }
    }
    let whole = FeatureStore::open(&dir.path().join("folder")).unwrap();
    assert!(dir.path().join("folder/recordings.csv").exists(), "the copies are found");
    assert_eq!(whole.failures().len(), 8, "the fixture has failures");
    assert!(dir.path().join("folder/part-00002.arrow").exists(), "the fixture has several parts");
}

#[test]
fn shards_of_windows_and_of_summaries_are_merged_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for (n, seconds) in [0.3, 0.5, 1.4, 0.9, 2.0, 0.7, 1.1, 0.6].into_iter().enumerate() {
        let label = ["a", "b"][n % 2];
        write_tone(&dir.path().join(format!("music/{label}/{n}.wav")), 300.0 + 50.0 * n as f32, seconds);
    }
    let windows = SegmentWindows { hop_s: 0.25, max_segments: 4, ..SegmentWindows::adjacent(0.5) };
    let windows = FeatureSpec { segments: Segments::Windows(windows), ..FeatureSpec::course() };
    let summary = FeatureSpec { summary: Some(Summary::default()), ..windows.clone() };
    for (name, spec) in [("windows", windows), ("summary", summary)] {
        let catalog = Catalog::open(&dir.path().join("music")).unwrap();
        let run = |out: &str, shard| {
            let out = dir.path().join(out);
            let options = ExtractOptions { shard, ..ExtractOptions::default() };
            extract(&catalog, &spec, &out, &options, &|_| {}).unwrap();
            out
        };
        let whole = run(name, None);
        let parts: Vec<_> =
            (1..=3).map(|index| run(&format!("{name}-{index}"), Shard::new(index, 3))).collect();
        let out = dir.path().join(format!("{name}-merged"));
        merge_stores(&parts, &out, false, observer()).unwrap();
        assert_eq!(differences(&whole, &out), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_shard_without_recordings_is_a_complete_store() {
    let dir = tempfile::tempdir().unwrap();
    write_tone(&dir.path().join("music/a/1.wav"), 440.0, 0.25);
    write_tone(&dir.path().join("music/b/1.wav"), 880.0, 0.25);
    let music = dir.path().join("music");
    let stores = shards(&music, dir.path(), 5, &ExtractOptions::default());
    let n_tracks: Vec<usize> = stores.iter().map(|store| store_info(store).unwrap().n_tracks).collect();
    assert!(n_tracks.contains(&0) && n_tracks.iter().sum::<usize>() == 2, "{n_tracks:?}");
    run(&music, &dir.path().join("whole"), &ExtractOptions::default()).unwrap();
    let out = dir.path().join("out");
    merge_stores(&stores, &out, false, observer()).unwrap();
    assert_eq!(differences(&dir.path().join("whole"), &out), Vec::<String>::new());
}

#[test]
fn missing_repeated_and_other_shards_are_refused() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let off = ExtractOptions { audit: AuditMode::Off, ..ExtractOptions::default() };
    let stores = shards(music.path(), dir.path(), 3, &off);
    let whole = dir.path().join("whole");
    run(music.path(), &whole, &off).unwrap();
    let out = dir.path().join("out");
    let refused = |stores: &[_]| merge_stores(stores, &out, false, observer()).unwrap_err().to_string();
    let message = refused(&stores[..1]);
    assert!(message.contains("is one of 3 shards; give shards 2/3, 3/3 too"), "{message}");
    let message = refused(&[stores[0].clone(), stores[1].clone(), stores[1].clone()]);
    assert!(message.contains("is shard 2/3, which is given twice"), "{message}");
    let message = refused(&[stores[0].clone(), whole.clone()]);
    assert!(message.contains("is no shard, but another store is shard 1/3"), "{message}");
    let of_two = ExtractOptions { shard: Shard::new(1, 2), ..off };
    let error = run(music.path(), &stores[0], &of_two).unwrap_err().to_string();
    assert!(error.contains("shard = 1/3 there, 1/2 here"), "{error}");
    assert!(!out.exists() && !dir.path().join(".out.partial").exists());
}

#[test]
fn stores_are_united_with_their_labels_and_equal_tracks_are_refused_or_skipped() {
    let dir = tempfile::tempdir().unwrap();
    for (store, path, frequency) in [
        ("first", "a/1.wav", 440.0),
        ("first", "c/1.wav", 550.0),
        ("second", "a/1.wav", 660.0),
        ("second", "b/1.wav", 770.0),
    ] {
        write_tone(&dir.path().join(store).join(path), frequency, 0.25);
    }
    let stores = ["first", "second"].map(|name| {
        let out = dir.path().join(format!("{name}-store"));
        run(&dir.path().join(name), &out, &ExtractOptions::default()).unwrap();
        out
    });
    let out = dir.path().join("out");
    let error = merge_stores(&stores, &out, false, observer()).unwrap_err();
    assert!(matches!(&error, Error::EqualTracks { track, .. } if track == "a/1.wav"), "{error}");
    assert!(!out.exists());
    let summary = merge_stores(&stores, &out, true, observer()).unwrap();
    assert_eq!((summary.n_tracks, summary.n_left_out), (3, 1));
    assert_eq!(FeatureStore::open(&out).unwrap().labels(), ["a", "b", "c"]);
    let (merged, first) = (tracks(&out), tracks(&stores[0]));
    assert_eq!(merged["a/1.wav"], first["a/1.wav"], "the track of the first store is kept");
    assert_eq!(merged["c/1.wav"], first["c/1.wav"]);
    assert_eq!(merged["b/1.wav"], tracks(&stores[1])["b/1.wav"]);
    let error = merge_stores(&stores, &out, true, observer()).unwrap_err();
    assert!(matches!(error, Error::OutputExists { .. }), "{error}");
}

#[test]
fn stores_of_other_settings_are_refused_and_inputs_are_unchanged() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let off = ExtractOptions { audit: AuditMode::Off, ..ExtractOptions::default() };
    let (first, second, copied) = (dir.path().join("1"), dir.path().join("2"), dir.path().join("3"));
    run(music.path(), &first, &off).unwrap();
    let catalog = Catalog::open(music.path()).unwrap();
    extract(&catalog, &FeatureSpec { n_mfcc: 20, ..spec() }, &second, &off, &|_| {}).unwrap();
    run(music.path(), &copied, &copies()).unwrap();
    let before = bytes(&first);
    let out = dir.path().join("out");
    for (other, expected) in [(second, "n_mfcc = 13 there, 20 here"), (copied, "other augmented copies")] {
        let error = merge_stores(&[first.clone(), other], &out, true, observer()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let header = fs::read_to_string(first.join("store.toml")).unwrap();
    let newer = header.replacen("version = \"0", "version = \"9", 1);
    assert_ne!(header, newer);
    let other = dir.path().join("newer");
    fs::create_dir(&other).unwrap();
    for name in before.keys() {
        fs::copy(first.join(name), other.join(name)).unwrap();
    }
    fs::write(other.join("store.toml"), newer).unwrap();
    let error = merge_stores(&[first.clone(), other], &out, true, observer()).unwrap_err().to_string();
    assert!(error.contains("features of cantus 9"), "{error}");
    assert!(bytes(&first) == before && !out.exists());
}

#[test]
fn a_damaged_part_stops_a_merge_that_leaves_nothing() {
    let (music, dir) = (recordings(), tempfile::tempdir().unwrap());
    let off = ExtractOptions { audit: AuditMode::Off, ..ExtractOptions::default() };
    let stores = shards(music.path(), dir.path(), 2, &off);
    let part = stores[1].join("part-00001.arrow");
    let mut content = fs::read(&part).unwrap();
    content[5000] ^= 4;
    fs::write(&part, content).unwrap();
    let error = merge_stores(&stores, &dir.path().join("out"), false, observer()).unwrap_err();
    assert!(error.to_string().contains("part-00001.arrow: damaged"), "{error}");
    assert!(!dir.path().join("out").exists() && !dir.path().join(".out.partial").exists());
}
