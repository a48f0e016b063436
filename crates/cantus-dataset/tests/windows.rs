//! Windows in a feature store: their starts, also after tracks are removed from the opened store.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fs;
use std::path::Path;

use cantus_audio::feature::{FeatureSpec, SegmentWindows, Segments};
use cantus_audio::{Audio, write_wav};
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, extract};

fn write_tone(path: &Path, frequency: f32, duration_s: f32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let sample = |n: usize| 0.4 * (n as f32 * frequency * std::f32::consts::TAU / 22_050.0).sin();
    let samples = (0..(duration_s * 22_050.0) as usize).map(sample).collect();
    write_wav(path, &Audio { samples, sample_rate: 22_050 }).unwrap();
}

#[test]
fn the_starts_of_windows_are_stored_and_survive_the_removal_of_tracks() {
    let (audio, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, seconds) in [("a/1.wav", 1.0), ("a/2.wav", 0.3), ("b/3.wav", 2.0), ("b/4.wav", 0.7)] {
        write_tone(&audio.path().join(name), 440.0, seconds);
    }
    let windows = SegmentWindows { hop_s: 0.25, max_segments: 4, ..SegmentWindows::adjacent(0.5) };
    let spec = FeatureSpec { segments: Segments::Windows(windows), ..FeatureSpec::course() };
    let catalog = Catalog::open(audio.path()).unwrap();
    extract(&catalog, &spec, out.path(), &ExtractOptions::default(), &|_| {}).unwrap();
    assert!(fs::read_to_string(out.path().join("store.toml")).unwrap().contains("format = 6"));
    let mut store = FeatureStore::open(out.path()).unwrap();
    let starts = |store: &FeatureStore, track: usize| -> Vec<f64> {
        let starts = store.segments_of(track).map(|segment| store.segment_start_s(segment).unwrap());
        starts.map(|start| (start * 100.0).round() / 100.0).collect()
    };
    let expected = [vec![0.0, 0.25, 0.5], vec![0.0], vec![0.0, 0.5, 1.0, 1.5], vec![0.0, 0.2]];
    assert_eq!([0, 1, 2, 3].map(|track| starts(&store, track)), expected);
    let mut before = vec![0.0; store.n_frames() * store.n_bins()];
    store.read_segment(store.segments_of(3).start, &mut before).unwrap();
    store.retain_tracks(&[false, true, false, true]);
    assert_eq!((store.tracks().len(), store.n_segments()), (2, 3));
    assert_eq!([0, 1].map(|track| starts(&store, track)), [vec![0.0], vec![0.0, 0.2]]);
    let mut after = vec![0.0; before.len()];
    store.read_segment(store.segments_of(1).start, &mut after).unwrap();
    assert_eq!((before, store.track_of(2), store.label_of(0)), (after, 1, 0));
}
