//! Manifests, and the splits and folds of their tracks.
#![no_main]

use cantus_dataset::{Catalog, Folds, Grouping, SplitSpec, Unit, assign_groups, read_manifest};
use cantus_fuzz::files::check_message;

cantus_fuzz::target!(256, |bytes| {
    let path = cantus_fuzz::write_file("tracks.csv", bytes);
    if let Err(error) = read_manifest(&path) {
        check_message(&error);
    }
    let mut catalog = match Catalog::open(&path) {
        Ok(catalog) => catalog,
        Err(error) => return check_message(&error),
    };
    for grouping in [Grouping::Given, Grouping::Parent] {
        let _ = assign_groups(&mut catalog.tracks, &catalog.labels, &grouping)
            .map_err(|error| check_message(&error));
        for by in [Unit::Track, Unit::Group] {
            let spec = SplitSpec { by, ..SplitSpec::default() };
            let _ = spec.split(&catalog.tracks, &catalog.labels).map_err(|error| check_message(&error));
            let folds = Folds::given_or_drawn(&catalog.tracks, &catalog.labels, 3, &spec);
            match folds {
                Ok(folds) => {
                    let split = folds.split(0, &catalog.tracks, &catalog.labels, &spec);
                    let _ = split.map_err(|error| check_message(&error));
                }
                Err(error) => check_message(&error),
            }
        }
    }
});
