//! Trains a model on a folder of recordings, with one subfolder per label, and prints its report.
//!
//!     cargo run --release --example train -- MUSIC out

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints to the terminal")]

use std::env::args_os;
use std::ops::ControlFlow;
use std::path::PathBuf;

use cantus::evaluation::data_sha256;
use cantus::training::Job;
use cantus::{Error, Recipe};
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

    let (store, spec) = (FeatureStore::open(&features)?, SplitSpec::default());
    let (split, data_sha256) = (store.split(&spec)?, data_sha256(&store)?);
    let job =
        Job { store: &store, recipe: &recipe, split, spec, data_sha256: &data_sha256, seed: 0, n_threads: 0 };
    let trained = job.prepare()?.train(None, |progress| {
        if let Progress::Epoch(end) = progress {
            println!("epoch {}: loss {:.3}", end.epoch + 1, end.log.train.loss);
        }
        ControlFlow::Continue(())
    })?;

    println!("{}", trained.evaluate(&store)?.report.to_text());
    trained.model.save(out.join("model.safetensors"))
}
