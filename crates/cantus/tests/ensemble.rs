//! An ensemble has the networks that separate trainings of its members give, and survives an interruption.

#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests may; clippy exempts only #[test] fns")]

use std::cell::Cell;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use cantus::{Error, Model, Recipe, Run, RunOptions, Task, TrainEvent, TrainOptions, train};
use cantus_audio::{Audio, write_wav};
use cantus_dataset::{Catalog, Durations, ExtractOptions, FeatureStore, SplitSpec, extract};
use cantus_nn::Progress;
use cantus_random::KeyedRng;

const LABELS: [&str; 3] = ["high", "low", "middle"];

/// Six recordings of 9 s of each label: a tone that comes and goes, in noise.
fn recordings(dir: &Path) -> Catalog {
    for (label, hz) in LABELS.iter().zip([1500.0, 300.0, 700.0]) {
        fs::create_dir_all(dir.join(label)).unwrap();
        for index in 0..6 {
            let mut rng = KeyedRng::new([index, hz as u64, 0]);
            let hz = hz * (1.0 + 0.05 * index as f32);
            let sample = |i: usize| {
                let t = i as f32 / 22_050.0;
                let level = 0.02 * (1.0 + (t * 7.0).sin());
                level * (t * hz * std::f32::consts::TAU).sin() + 0.1 * (rng.uniform() as f32 - 0.5)
            };
            let audio = Audio { samples: (0..9 * 22_050).map(sample).collect(), sample_rate: 22_050 };
            write_wav(dir.join(format!("{label}/{index}.wav")), &audio).unwrap();
        }
    }
    Catalog::open(dir).unwrap()
}

/// The ensemble for these recordings, with two epochs of each network.
fn ensemble(catalog: &Catalog) -> Recipe {
    let mut recipe = Recipe::load("ensemble").unwrap().fitted_to(&Durations::of_catalog(catalog)).0;
    recipe.networks_mut().iter_mut().for_each(|network| network.training.epochs = 2);
    recipe
}

fn store(catalog: &Catalog, recipe: &Recipe, dir: &Path) -> FeatureStore {
    extract(catalog, &recipe.features, dir, &ExtractOptions::default(), &|_| {}).unwrap();
    FeatureStore::open(dir).unwrap()
}

fn options(seed: u64) -> TrainOptions<'static> {
    let split = SplitSpec { validation: 0.0, ..SplitSpec::default() };
    TrainOptions { split, seed, ..TrainOptions::default() }
}

/// The segments are as long as those of real music, so that all layers run at their real sizes; with room in memory for the
/// features of the first network only, and with none, they are read from the store.
#[test]
fn the_networks_are_those_that_separate_trainings_give() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = recordings(&dir.path().join("music"));
    let recipe = ensemble(&catalog);
    let all = store(&catalog, &recipe, &dir.path().join("all"));
    assert!(all.n_frames() > 87, "longer than a crop");
    let trained = train(&all, &recipe, &options(5)).unwrap();
    for memory in [0, 1 << 20] {
        let read = train(&all, &recipe, &TrainOptions { memory: Some(memory), ..options(5) }).unwrap();
        assert_eq!(read.model.to_bytes().unwrap(), trained.model.to_bytes().unwrap(), "{memory} bytes");
    }
    assert_eq!(trained.model.n_networks(), Some(3));
    assert_eq!(trained.history.n_epochs(), 6);
    let weights = trained.model.network.weights();
    for (index, member) in recipe.networks().iter().enumerate() {
        let own = store(&catalog, member, &dir.path().join(index.to_string()));
        let alone = train(&own, member, &options(5 + index as u64)).unwrap();
        let prefix = format!("layers.0.branches.{index}.");
        let of_member = weights.iter().filter(|tensor| tensor.name.starts_with(&prefix));
        let expected = alone.model.network.weights();
        assert_eq!(of_member.clone().count(), expected.len(), "{}", member.name);
        for (found, expected) in of_member.zip(&expected) {
            let name = expected.name.rsplit('.').next().unwrap();
            assert!(found.name.ends_with(name), "{} is not {}", found.name, expected.name);
            assert!(found.values == expected.values, "{}: {}", member.name, found.name);
        }
    }
}

#[test]
fn an_interrupted_training_ends_with_the_same_model_wherever_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = recordings(&dir.path().join("music"));
    let recipe = ensemble(&catalog);
    let store = store(&catalog, &recipe, &dir.path().join("features"));
    let model = |path: &Path| fs::read(path.join(Model::FILE_NAME)).unwrap();
    let whole = dir.path().join("whole");
    Run::create(&whole, RunOptions::default()).unwrap().train(&store, &recipe, &options(1)).unwrap();
    // After each epoch of each of the three networks.
    for stop_after in 1..6 {
        let (run, n_epochs) = (dir.path().join(format!("stopped-{stop_after}")), Cell::new(0));
        let observer = |event: &TrainEvent<'_>| {
            if let TrainEvent::Progress(Progress::Epoch(_)) = event {
                n_epochs.set(n_epochs.get() + 1);
            }
            if n_epochs.get() == stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let stopped = TrainOptions { observer: Some(&observer), ..options(1) };
        let result = Run::create(&run, RunOptions::default()).unwrap().train(&store, &recipe, &stopped);
        assert!(matches!(result, Err(Error::Interrupted)), "after epoch {stop_after}");
        let resume = RunOptions { resume: true, ..RunOptions::default() };
        Run::create(&run, resume).unwrap().train(&store, &recipe, &options(1)).unwrap();
        assert!(model(&run) == model(&whole), "stopped after epoch {stop_after}");
        let history = |run: &Path| fs::read_to_string(run.join("history.csv")).unwrap();
        assert_eq!(history(&run), history(&whole));
    }
    // The recipe of the run trains the same again.
    let recorded = Recipe::load(whole.join("recipe.toml").to_str().unwrap()).unwrap();
    let again = train(&store, &recorded, &options(1)).unwrap();
    assert_eq!(again.model.network.weights(), Model::load(&whole).unwrap().network.weights());
}

#[test]
fn a_loaded_ensemble_predicts_a_file_as_its_segments() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = recordings(&dir.path().join("music"));
    let recipe = ensemble(&catalog);
    let store = store(&catalog, &recipe, &dir.path().join("features"));
    let trained = train(&store, &recipe, &options(1)).unwrap();
    let path = dir.path().join("model.safetensors");
    trained.model.save(&path).unwrap();
    let model = Model::load(&path).unwrap();
    assert_eq!(model.task(), Task::Classification);
    let prediction = model.predict_file(dir.path().join("music/low/3.wav")).unwrap();
    let total: f32 = prediction.probabilities.0.iter().map(|(_, probability)| probability).sum();
    assert!((total - 1.0).abs() < 1e-5, "{prediction:?}");
    let track = store.tracks().iter().position(|track| track.path == "low/3.wav").unwrap();
    let features = store.read_segments(&store.segments_of(track).collect::<Vec<_>>()).unwrap();
    let expected = trained.model.predict_segments(&features).unwrap();
    let found: Vec<f32> =
        prediction.segments.iter().flat_map(|segment| segment.probabilities.clone()).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-3, "features in 16 bits: {found}, {expected}");
    }
}

#[test]
fn a_training_cannot_start_from_an_ensemble() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = recordings(&dir.path().join("music"));
    let recipe = ensemble(&catalog);
    let store = store(&catalog, &recipe, &dir.path().join("features"));
    let path = dir.path().join("model.safetensors");
    train(&store, &recipe, &options(1)).unwrap().model.save(&path).unwrap();
    let from_model = cantus::StartingModel::open(&path).unwrap_err().to_string();
    let with_recipe = recipe.fine_tuned(1, 0.1).unwrap_err().to_string();
    for error in [from_model, with_recipe] {
        assert!(error.contains("an ensemble of several"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
