//! The dependencies between the workspace's packages are those of a table.

use cantus_checks::dependencies::{Row, compare};
use cantus_checks::workspace::{packages, root};

/// Each package, what it depends on, what its tests and examples use besides.
const TABLE: &[Row<'_>] = &[
    ("cantus-random", &[], &[]),
    ("cantus-audio", &["cantus-random"], &[]),
    ("cantus-nn", &["cantus-random"], &[]),
    ("cantus-dataset", &["cantus-audio", "cantus-random"], &[]),
    ("cantus", &["cantus-audio", "cantus-dataset", "cantus-nn", "cantus-random"], &[]),
];

#[test]
fn packages_depend_on_each_other_only_as_the_table_says() {
    if let Err(problems) = compare(TABLE, &packages(&root()).unwrap()) {
        panic!("{problems}\nA change that is meant is made in the table of checks/tests/dependencies.rs.");
    }
}
