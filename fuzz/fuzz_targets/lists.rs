//! Split lists, group tables and exclusion lists, applied to the tracks of a catalog.
#![no_main]

use std::sync::LazyLock;

use cantus_dataset::audit::Exclusions;
use cantus_dataset::{Catalog, Grouping, Part, assign_groups, assign_parts};
use cantus_fuzz::files::check_message;

const MANIFEST: &str = "path,label\na/1.wav,a\na/2.wav,a\nb/1.mp3,b\nb/2.mp3,b\nb/.mp3,b\nc.d/é.flac,c\n";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::open(&cantus_fuzz::write_file("tracks.csv", MANIFEST)).expect("a valid manifest")
});

cantus_fuzz::target!(256, |input: (&[u8], &[u8])| {
    let (first, second) = input;
    let paths = [cantus_fuzz::write_file("first.csv", first), cantus_fuzz::write_file("second.csv", second)];
    let lists = [(Part::Train, paths[0].clone()), (Part::Test, paths[1].clone())];
    let mut catalog = CATALOG.clone();
    let _ = assign_parts(&mut catalog.tracks, &lists).map_err(|error| check_message(&error));
    let grouping = Grouping::Csv(paths[0].clone());
    let _ =
        assign_groups(&mut catalog.tracks, &catalog.labels, &grouping).map_err(|error| check_message(&error));
    match Exclusions::read(&paths[0]) {
        Ok(exclusions) => drop(catalog.exclude(&exclusions)),
        Err(error) => check_message(&error),
    }
});
