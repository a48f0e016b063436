//! Splits and folds of a small catalog, pinned to those of an independent implementation (`reference/pinned_splits.py`).
//!
//! If they change, the same seed gives another split: models trained before and after cannot be compared, and the change
//! needs an entry in the changelog.

#![expect(clippy::unwrap_used, reason = "a test")]

use cantus_dataset::{Folds, Part, SplitSpec, Track, Unit};

/// 24 tracks of three labels, by 12 artists of two tracks each.
fn tracks() -> Vec<Track> {
    let track = |i: usize| Track {
        path: format!("{i:02}.wav"),
        labels: vec![i % 3],
        artist: None,
        group: Some(format!("artist-{:02}", i / 2)),
        part: None,
        fold: None,
        recording: None,
    };
    (0..24).map(track).collect()
}

fn labels() -> Vec<String> {
    ["blues", "jazz", "rock"].map(str::to_owned).to_vec()
}

/// One letter for each track: training, validation, test.
fn letters(spec: &SplitSpec, tracks: &[Track]) -> String {
    let letter = |part: &Option<Part>| match part {
        Some(Part::Train) => 't',
        Some(Part::Validation) => 'v',
        Some(Part::Test) => 'x',
        None => '-',
    };
    spec.split(tracks, &labels()).unwrap().parts.iter().map(letter).collect()
}

#[test]
fn stratified_splits_by_track_are_pinned() {
    let split = |seed| letters(&SplitSpec { seed, ..SplitSpec::default() }, &tracks());
    assert_eq!(split(0), "xttttttxxvttxtvtvtttttxx");
    assert_eq!(split(1), "xtttxttxtttxvttxvtttxttv");
}

#[test]
fn splits_by_group_are_pinned_and_keep_artists_together() {
    let split = letters(&SplitSpec { by: Unit::Group, ..SplitSpec::default() }, &tracks());
    assert_eq!(split, "vvttttxxttxxttvvttttxxtt");
    assert!(split.as_bytes().chunks(2).all(|artist| artist[0] == artist[1]));
}

#[test]
fn splits_of_tagged_tracks_are_pinned() {
    let mut tracks = tracks();
    tracks.iter_mut().step_by(4).for_each(|track| track.labels = vec![0, 2]);
    tracks[5].labels = Vec::new();
    assert_eq!(letters(&SplitSpec::default(), &tracks), "xtttvxtttxttxvxvttttttxv");
}

#[test]
fn folds_are_pinned() {
    let folds = |by| -> String {
        let folds = Folds::draw(&tracks(), &labels(), by, 4, 0).unwrap();
        folds.fold_of_track.iter().map(usize::to_string).collect()
    };
    assert_eq!(folds(Unit::Track), "000333121312203111022230");
    assert_eq!(folds(Unit::Group), "001122110011223300332233");
}
