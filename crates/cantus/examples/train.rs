//! Trains a model on a folder of recordings, with one subfolder per label, and prints its report.
//!
//!     cargo run --release --example train -- MUSIC out

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints to the terminal")]

use std::env::args_os;
use std::ops::ControlFlow;
use std::path::PathBuf;

use cantus::{Error, Recipe, TrainEvent, TrainOptions};
use cantus_dataset::{Catalog, ExtractOptions, FeatureStore, SplitSpec, extract};
use cantus_nn::Progress;

fn main() -> Result<(), Error> {
    let mut paths = args_os().skip(1).map(PathBuf::from);
    let music = paths.next().unwrap_or_else(|| "MUSIC".into());
    let out = paths.next().unwrap_or_else(|| "out".into());
    let recipe = Recipe::load("mlp-normalised")?;

    let features = out.join("features");
    let extraction =
        extract(&Catalog::open(&music)?, &recipe.features, &features, &ExtractOptions::default(), &|_| ())?;
    for failure in &extraction.failures {
        eprintln!("{}: {}", failure.path, failure.reason);
    }

    let mut store = FeatureStore::open(&features)?;
    let labels = store.labels().to_vec();
    // No artist in two parts, where tags name them.
    let split = SplitSpec::default().by_known_groups(store.tracks_mut(), &labels);
    let observer = |event: &TrainEvent<'_>| {
        if let TrainEvent::Progress(Progress::Epoch(end)) = event {
            println!("epoch {}: loss {:.3}", end.epoch + 1, end.log.train.loss);
        }
        ControlFlow::Continue(())
    };
    let options = TrainOptions { split, observer: Some(&observer), ..TrainOptions::default() };
    let trained = cantus::train(&store, &recipe, &options)?;

    println!("{}", cantus::evaluate(&trained, &store)?.report.to_text());
    trained.model.save(out.join("model.safetensors"))
}
