//! The selection of a recipe reads nothing of the test part.

#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests may; clippy exempts only #[test] fns")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cantus::selection::{Selection, Trial, TrialOptions, candidates, without_test_part};
use cantus::{Calibration, TrainOptions};
use cantus_audio::{Audio, write_wav};
use cantus_dataset::{Catalog, Durations, ExtractOptions, FeatureStore, SplitSpec, extract};
use cantus_random::KeyedRng;

const LABELS: [&str; 3] = ["high", "low", "middle"];
const N_TRACKS: usize = 12;

/// 12 recordings of 0.3 s of each label: a tone in noise, or only noise for the paths in `noise_only`.
fn recordings(dir: &Path, noise_only: &BTreeSet<String>) {
    for (label, hz) in LABELS.iter().zip([1500.0, 300.0, 700.0]) {
        fs::create_dir_all(dir.join(label)).unwrap();
        for index in 0..N_TRACKS {
            let path = format!("{label}/{index:02}.wav");
            let level = if noise_only.contains(&path) { 0.0 } else { 0.02 };
            let mut rng = KeyedRng::new([index as u64, hz as u64, 0]);
            let hz = hz * (1.0 + 0.05 * index as f32);
            let sample = |i: usize| {
                let noise = rng.uniform() as f32 - 0.5;
                level * (i as f32 * hz * std::f32::consts::TAU / 22_050.0).sin() + 0.1 * noise
            };
            let audio = Audio { samples: (0..6615).map(sample).collect(), sample_rate: 22_050 };
            write_wav(dir.join(path), &audio).unwrap();
        }
    }
}

/// The trials of all candidates on the recordings of a folder, and the paths of the test part.
fn select(dir: &Path) -> (Selection, BTreeSet<String>) {
    let catalog = Catalog::open(dir).unwrap();
    let split = SplitSpec { test_first: true, ..SplitSpec::default() };
    let options = TrialOptions {
        train: TrainOptions { split: split.clone(), ..TrainOptions::default() },
        deadline: None,
    };
    let (mut selection, mut test) = (Selection::default(), BTreeSet::new());
    for mut candidate in candidates(&Durations::of_catalog(&catalog), &[]).unwrap() {
        candidate.recipe.networks_mut().iter_mut().for_each(|network| network.training.epochs = 3);
        let features = tempfile::tempdir().unwrap();
        let spec = &candidate.recipe.features;
        candidate.recipe.augmentation.copies = candidate.recipe.augmentation.copies.min(1);
        let augmentation = Some(candidate.recipe.augmentation.copy_spec());
        let options_of_extraction = ExtractOptions { augmentation, ..ExtractOptions::default() };
        extract(&catalog, spec, features.path(), &options_of_extraction, &|_| {}).unwrap();
        let mut store = FeatureStore::open(features.path()).unwrap();
        let all: BTreeSet<String> = store.tracks().iter().map(|track| track.path.clone()).collect();
        without_test_part(&mut store, &split).unwrap();
        let kept = store.tracks().iter().map(|track| track.path.clone()).collect();
        test = all.difference(&kept).cloned().collect();
        selection.trials.push(Trial::run(&candidate, &store, &options, &Selection::default()).unwrap());
    }
    (selection, test)
}

#[test]
fn trials_are_the_same_whatever_the_recordings_of_the_test_part_are() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    recordings(one.path(), &BTreeSet::new());
    let (selection, test) = select(one.path());
    assert_eq!(test.len(), 9, "a quarter of 36 tracks");
    recordings(other.path(), &test);
    let (again, test_again) = select(other.path());
    assert_eq!(test, test_again);
    let scores = |selection: &Selection| -> Vec<(String, Option<f64>, String)> {
        let row = |trial: &Trial| (trial.name.clone(), trial.score(), trial.fingerprint.clone());
        selection.trials.iter().map(row).collect()
    };
    assert_eq!(scores(&selection), scores(&again));
    assert_eq!(selection.trials.len(), 5);
    // None of the candidates has a validation part, so that temperatures are fitted on the folds' predictions.
    for (trial, other) in selection.trials.iter().zip(&again.trials) {
        assert_eq!(trial.calibration, other.calibration);
        assert!(
            trial.calibration.is_some_and(|calibration| calibration != Calibration::default()),
            "{}",
            trial.name
        );
    }
    assert!(selection.trials.iter().all(|trial| trial.score().is_some()), "{}", selection.to_text());
    let changed: BTreeSet<String> = ["high/00.wav", "low/05.wav", "middle/11.wav"].map(str::to_owned).into();
    let changed: BTreeSet<String> = changed.difference(&test).cloned().collect();
    assert!(!changed.is_empty());
    recordings(other.path(), &changed);
    assert_ne!(scores(&select(other.path()).0), scores(&selection), "the other recordings do matter");
}

#[test]
fn the_test_part_is_the_same_for_every_validation_share() {
    let dir = tempfile::tempdir().unwrap();
    recordings(dir.path(), &BTreeSet::new());
    let catalog = Catalog::open(dir.path()).unwrap();
    let test_of = |validation: f64| {
        let spec = SplitSpec { validation, test_first: true, ..SplitSpec::default() };
        let parts = spec.split(&catalog.tracks, &catalog.labels).unwrap().parts;
        let of = |part| parts.iter().filter(|of| **of == Some(part)).count();
        let expected = (validation * 36.0 / 0.75 * 0.75).round() as usize;
        assert!(of(cantus_dataset::Part::Validation).abs_diff(expected) <= 1);
        parts.iter().map(|part| *part == Some(cantus_dataset::Part::Test)).collect::<Vec<bool>>()
    };
    assert_eq!(test_of(0.0), test_of(0.15));
    assert_eq!(test_of(0.0), test_of(0.3));
}
