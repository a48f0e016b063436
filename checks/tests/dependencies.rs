//! The dependencies between the workspace's packages are those of a table.

use cantus_checks::dependencies::{Row, compare};
use cantus_checks::workspace::{packages, root};

/// Each package, what it depends on, what its tests and examples use besides.
const TABLE: &[Row<'_>] = &[
    ("cantus-random", &[], &[]),
    ("cantus-simd-macros", &[], &[]),
    ("cantus-simd", &["cantus-simd-macros"], &[]),
    ("cantus-audio", &["cantus-random", "cantus-simd"], &["cantus-synth"]),
    ("cantus-synth", &["cantus-audio", "cantus-random"], &[]),
    ("cantus-nn", &["cantus-random", "cantus-simd"], &[]),
    ("cantus-embedding", &["cantus-audio"], &[]),
    ("cantus-dataset", &["cantus-audio", "cantus-embedding", "cantus-random"], &["cantus-synth"]),
    ("cantus-metrics", &["cantus-random"], &[]),
    ("cantus-plot", &["cantus-nn"], &[]),
    (
        "cantus",
        &[
            "cantus-audio",
            "cantus-dataset",
            "cantus-embedding",
            "cantus-metrics",
            "cantus-nn",
            "cantus-plot",
            "cantus-random",
        ],
        &["cantus-synth"],
    ),
    ("cantus-serve", &["cantus", "cantus-audio", "cantus-nn", "cantus-plot"], &["cantus-synth"]),
    ("cantus-fetch", &["cantus-audio"], &[]),
    (
        "cantus-lessons",
        &[
            "cantus",
            "cantus-audio",
            "cantus-dataset",
            "cantus-nn",
            "cantus-plot",
            "cantus-random",
            "cantus-synth",
        ],
        &[],
    ),
    (
        "cantus-cli",
        &[
            "cantus",
            "cantus-audio",
            "cantus-dataset",
            "cantus-embedding",
            "cantus-fetch",
            "cantus-lessons",
            "cantus-metrics",
            "cantus-nn",
            "cantus-plot",
            "cantus-serve",
            "cantus-simd",
            "cantus-synth",
        ],
        &[],
    ),
    (
        "cantus-py",
        &[
            "cantus",
            "cantus-audio",
            "cantus-cli",
            "cantus-dataset",
            "cantus-embedding",
            "cantus-metrics",
            "cantus-nn",
            "cantus-synth",
        ],
        &[],
    ),
];

#[test]
fn packages_depend_on_each_other_only_as_the_table_says() {
    if let Err(problems) = compare(TABLE, &packages(&root()).unwrap()) {
        panic!("{problems}\nA change that is meant is made in the table of checks/tests/dependencies.rs.");
    }
}
