//! Properties of splits and folds over random catalogs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cantus_random::KeyedRng;

use super::cluster::{clusters, n_clusters_with};
use super::*;
use crate::{Error, Part, Track};

fn labels(n: usize) -> Vec<String> {
    (0..n).map(|label| format!("label-{label}")).collect()
}

fn track(number: usize, label: usize, group: Option<String>) -> Track {
    Track {
        path: format!("{label}/{number:04}.wav"),
        labels: vec![label],
        artist: None,
        group,
        part: None,
        fold: None,
        recording: None,
    }
}

/// A random catalog: 2 to 6 labels of 3 to 40 tracks; artists of 1 to 8 tracks, some in two labels.
fn random_tracks(seed: u64) -> (Vec<Track>, Vec<String>) {
    let mut rng = KeyedRng::new([seed]);
    let n_labels = 2 + rng.below(5);
    let mut tracks = Vec::new();
    for label in 0..n_labels {
        let mut artist = 0;
        for number in 0..3 + rng.below(38) {
            if number < 4 || rng.bernoulli(0.3) {
                artist += 1;
            }
            let shared = rng.bernoulli(0.05);
            let group = if shared { format!("shared-{artist}") } else { format!("{label}-{artist}") };
            tracks.push(track(number, label, rng.bernoulli(0.9).then_some(group)));
        }
    }
    (tracks, labels(n_labels))
}

fn count(tracks: &[Track], parts: &[Option<Part>], label: usize, part: Part) -> usize {
    tracks.iter().zip(parts).filter(|(track, p)| track.labels.contains(&label) && **p == Some(part)).count()
}

#[test]
fn a_split_by_track_is_stratified_by_label() {
    for seed in 0..200 {
        let (tracks, labels) = random_tracks(seed);
        let spec = SplitSpec { seed, ..SplitSpec::default() };
        let split = spec.split(&tracks, &labels).unwrap();
        assert!(split.missing.is_empty());
        for label in 0..labels.len() {
            let n = tracks.iter().filter(|track| track.labels.contains(&label)).count();
            for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
                let (found, expected) = (count(&tracks, &split.parts, label, part), share * n as f64);
                assert!((found as f64 - expected).abs() <= 1.5, "seed {seed}: {found} of {n} in {part:?}");
                assert!(found > 0);
            }
        }
        for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
            let found = split.parts.iter().filter(|p| **p == Some(part)).count() as f64;
            let off = (found - share * tracks.len() as f64).abs();
            assert!(off <= 1.0 + 0.5 * labels.len() as f64, "seed {seed}: {part:?} is {off} off");
        }
    }
}

#[test]
fn a_split_by_group_keeps_groups_together() {
    for seed in 0..200 {
        let (tracks, labels) = random_tracks(seed);
        let spec = SplitSpec { by: Unit::Group, seed, ..SplitSpec::default() };
        let split = spec.split(&tracks, &labels).unwrap();
        let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
        for (track, part) in tracks.iter().zip(&split.parts) {
            if let Some(group) = &track.group {
                assert_eq!(part_of.insert(group, *part).unwrap_or(*part), *part, "seed {seed}, {group}");
            }
        }
        let largest = part_of
            .keys()
            .map(|group| tracks.iter().filter(|t| t.group.as_deref() == Some(*group)).count())
            .max();
        for (part, share) in Part::ALL.into_iter().zip(spec.shares()) {
            let found = split.parts.iter().filter(|p| **p == Some(part)).count() as f64;
            let off = (found - share * tracks.len() as f64).abs();
            let allowed = largest.unwrap_or(1) as f64 + labels.len() as f64;
            assert!(off <= allowed, "seed {seed}: {part:?} is {off} off, {allowed} allowed");
        }
        assert!(split.missing.len() <= 1, "seed {seed}: {:?}", split.missing);
    }
}

#[test]
fn a_split_depends_on_the_seed_and_not_on_the_order_of_the_tracks() {
    let (tracks, labels) = random_tracks(7);
    let by_path = |tracks: &[Track], by, seed| -> BTreeMap<String, Option<Part>> {
        let spec = SplitSpec { by, seed, ..SplitSpec::default() };
        let split = spec.split(tracks, &labels).unwrap();
        tracks.iter().map(|track| track.path.clone()).zip(split.parts).collect()
    };
    let mut shuffled = tracks.clone();
    KeyedRng::new([1]).shuffle(&mut shuffled);
    for by in [Unit::Track, Unit::Group] {
        assert_eq!(by_path(&tracks, by, 3), by_path(&shuffled, by, 3));
        assert_ne!(by_path(&tracks, by, 3), by_path(&tracks, by, 4));
    }
}

/// The same catalog with duplicates: about a quarter of its tracks are of one of eight recordings.
fn with_duplicates(seed: u64) -> (Vec<Track>, Vec<String>) {
    let (mut tracks, labels) = random_tracks(seed);
    let mut rng = KeyedRng::new([seed]);
    for track in &mut tracks {
        let recording = rng.below(30);
        track.recording = (recording < 8).then(|| format!("recording-{recording}"));
    }
    (tracks, labels)
}

#[test]
fn duplicates_of_a_recording_are_in_one_part_and_one_fold_for_every_unit() {
    let mut n_splits = 0;
    for seed in 0..60 {
        let (tracks, labels) = with_duplicates(seed);
        for by in [Unit::Track, Unit::Group] {
            let assert_together = |assigned: &[usize]| {
                let mut of_name: HashMap<(u8, &str), usize> = HashMap::new();
                for (track, index) in tracks.iter().zip(assigned) {
                    let group = track.group.as_deref().filter(|_| by == Unit::Group);
                    for name in [(0, track.recording.as_deref()), (1, group)] {
                        let Some(text) = name.1 else { continue };
                        assert_eq!(of_name.entry((name.0, text)).or_insert(*index), index, "{seed} {text}");
                    }
                }
            };
            if let Ok(split) = (SplitSpec { by, seed, ..SplitSpec::default() }).split(&tracks, &labels) {
                assert_together(&split.parts.iter().flatten().map(|part| *part as usize).collect::<Vec<_>>());
                assert!(duplicates_across_split(&tracks, &split.parts).is_empty());
                n_splits += 1;
            }
            if let Ok(folds) = Folds::draw(&tracks, &labels, by, 2, seed) {
                assert_together(&folds.fold_of_track);
                n_splits += 1;
            }
        }
    }
    assert!(n_splits > 60, "only {n_splits} of the random catalogs could be split");
}

/// The same catalog with zero to three labels for each track.
fn with_tags(seed: u64) -> (Vec<Track>, Vec<String>) {
    let (mut tracks, labels) = with_duplicates(seed);
    let mut rng = KeyedRng::new([seed + 1000]);
    for track in &mut tracks {
        let drawn: BTreeSet<usize> = (0..rng.below(4)).map(|_| rng.below(labels.len())).collect();
        track.labels = drawn.into_iter().collect();
    }
    (tracks, labels)
}

#[test]
fn splits_of_tagged_tracks_keep_groups_and_recordings_together_and_report_missing_tags() {
    let mut n_missing = 0;
    for seed in 0..60 {
        let (tracks, labels) = with_tags(seed);
        for by in [Unit::Track, Unit::Group] {
            let spec = SplitSpec { by, seed, ..SplitSpec::default() };
            let split = match spec.split(&tracks, &labels) {
                Err(Error::NoGroups { .. }) => continue,
                split => split.unwrap(),
            };
            assert!(duplicates_across_split(&tracks, &split.parts).is_empty(), "seed {seed}");
            let mut part_of: HashMap<&str, Option<Part>> = HashMap::new();
            for (track, part) in tracks.iter().zip(&split.parts).filter(|_| by == Unit::Group) {
                if let Some(group) = &track.group {
                    assert_eq!(*part_of.entry(group).or_insert(*part), *part, "seed {seed}, {group}");
                }
            }
            for (label, part) in &split.missing {
                assert_eq!(count(&tracks, &split.parts, *label, *part), 0);
                let n_clusters = n_clusters_with(&clusters(&tracks, by), *label);
                assert!(n_clusters < 6, "seed {seed}, {by:?}: {n_clusters} clusters and none in {part:?}");
            }
            n_missing += split.missing.len();
            let folds = Folds::draw(&tracks, &labels, by, 3, seed).unwrap();
            assert!(folds.split(0, &tracks, &labels, &spec).is_ok(), "seed {seed}");
        }
    }
    assert!(n_missing < 60, "{n_missing} labels are missing in a part");
    let (mut tracks, labels) = with_tags(7);
    let split = |tracks: &[Track]| -> BTreeMap<String, Option<Part>> {
        let parts = SplitSpec::default().split(tracks, &labels).unwrap().parts;
        tracks.iter().map(|track| track.path.clone()).zip(parts).collect()
    };
    let before = split(&tracks);
    KeyedRng::new([1]).shuffle(&mut tracks);
    assert_eq!(before, split(&tracks), "the split depends on the order of the tracks");
}

#[test]
fn a_predefined_split_takes_precedence_and_its_validation_part_is_drawn_from_training() {
    let (mut tracks, labels) = random_tracks(11);
    let part = |i: usize| if i.is_multiple_of(4) { Part::Test } else { Part::Train };
    tracks.iter_mut().enumerate().for_each(|(i, track)| track.part = Some(part(i)));
    let split = SplitSpec { by: Unit::Track, ..SplitSpec::default() }.split(&tracks, &labels).unwrap();
    assert!(split.predefined);
    assert!(split.parts.iter().enumerate().all(|(i, p)| (*p == Some(Part::Test)) == (part(i) == Part::Test)));
    assert!(split.parts.contains(&Some(Part::Validation)));
    let none = SplitSpec { validation: 0.0, ..SplitSpec::default() }.split(&tracks, &labels).unwrap();
    assert_eq!(
        none.parts.iter().flatten().copied().collect::<BTreeSet<_>>(),
        [Part::Train, Part::Test].into()
    );
}

#[test]
fn tracks_that_a_predefined_split_does_not_name_are_left_out() {
    let (mut tracks, labels) = random_tracks(11);
    let part = |i: usize| [Some(Part::Train), Some(Part::Validation), Some(Part::Test), None][i % 4];
    tracks.iter_mut().enumerate().for_each(|(i, track)| track.part = part(i));
    let split = SplitSpec::default().split(&tracks, &labels).unwrap();
    assert!(split.parts.iter().enumerate().all(|(i, p)| *p == part(i)));
}

#[test]
fn a_label_with_too_few_tracks_or_groups_is_named() {
    let tracks = vec![track(0, 0, None), track(1, 0, None), track(2, 0, None), track(0, 1, None)];
    let message = |spec: SplitSpec, tracks: &[Track]| spec.split(tracks, &labels(2)).unwrap_err().to_string();
    assert!(message(SplitSpec::default(), &tracks).contains("class 'label-1' has 1 track,"));
    let one_artist: Vec<Track> =
        (0..8).map(|i| track(i, i % 2, (i % 2 == 0).then(|| "solo".to_owned()))).collect();
    let by_group = SplitSpec { by: Unit::Group, ..SplitSpec::default() };
    assert!(message(by_group, &one_artist).contains("class 'label-0' has 1 group,"));
    let two_parts = SplitSpec { validation: 0.0, ..SplitSpec::default() };
    assert!(two_parts.split(&tracks[..3], &labels(1)).is_ok());
}

#[test]
fn invalid_shares_are_refused() {
    let (tracks, labels) = random_tracks(0);
    for (validation, test) in [(-0.1, 0.2), (0.2, f64::NAN), (0.5, 0.5), (0.0, 1.0)] {
        let spec = SplitSpec { validation, test, ..SplitSpec::default() };
        assert!(matches!(spec.split(&tracks, &labels), Err(Error::InvalidSplit { .. })));
    }
}

/// A background of a few long recordings refuses no split: synthesised sounds are added to its training part.
#[test]
fn the_background_may_have_fewer_recordings_than_there_are_parts() {
    let mut tracks: Vec<Track> = (0..20).map(|number| track(number, 1 + number % 2, None)).collect();
    tracks.push(track(99, 0, None));
    let named = |first: &str| [first, "a", "b"].map(str::to_owned);
    let labels = named(crate::BACKGROUND_LABEL);
    let split = SplitSpec::default().split(&tracks, &labels).unwrap();
    assert_eq!((split.parts[20], split.missing.len()), (Some(Part::Train), 2));
    let folds = Folds::draw(&tracks, &labels, Unit::Track, 5, 0).unwrap();
    for fold in 0..5 {
        folds.split(fold, &tracks, &labels, &SplitSpec::default()).unwrap();
    }
    assert!(SplitSpec::default().split(&tracks, &named("rare")).is_err());
    assert!(Folds::draw(&tracks, &named("rare"), Unit::Track, 5, 0).is_err());
}
