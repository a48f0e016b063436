//! Which package of the workspace depends on which.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::Result;
use crate::workspace::Package;

/// A row of the table of dependencies: a package, those that it needs, those that only its tests and examples need.
pub type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

/// The packages that a package names under `dependencies` or `build-dependencies`, for any target.
pub fn needed<'a>(package: &'a Package, names: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    tables(&package.manifest, &["dependencies", "build-dependencies"], names)
}

/// The packages that a package names under `dev-dependencies`, for any target.
pub fn needed_by_tests<'a>(package: &'a Package, names: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    tables(&package.manifest, &["dev-dependencies"], names)
}

/// Compares the table with the manifests, in both directions.
///
/// # Errors
/// Every package without a row, row without a package, and dependency that stands only in one of the two.
pub fn compare(table: &[Row<'_>], packages: &[Package]) -> Result<()> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let rows: BTreeMap<&str, &Row<'_>> = table.iter().map(|row| (row.0, row)).collect();
    let mut problems: Vec<String> = Vec::new();
    for package in packages {
        let Some((name, normal, tests)) = rows.get(package.name.as_str()) else {
            problems.push(format!("{} has no row in the table", package.name));
            continue;
        };
        problems.extend(differences(name, "dependency", normal, &needed(package, &names)));
        problems.extend(differences(name, "dev-dependency", tests, &needed_by_tests(package, &names)));
    }
    problems.extend(
        rows.keys()
            .filter(|name| !names.contains(*name))
            .map(|it| format!("{it} is in the table, but no package")),
    );
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn differences(name: &str, kind: &str, allowed: &[&str], found: &BTreeSet<&str>) -> Vec<String> {
    let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
    let new = found.difference(&allowed).map(|it| format!("{name}: the {kind} {it} is not in the table"));
    let gone = allowed.difference(found).map(|it| format!("{name}: the {kind} {it} is only in the table"));
    new.chain(gone).collect()
}

fn tables<'a>(manifest: &'a Table, kinds: &[&str], names: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let of_targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(of_targets)
        .flat_map(|it| kinds.iter().filter_map(|kind| it.get(*kind).and_then(Value::as_table)))
        .flatten()
        .map(|(key, value)| value.get("package").and_then(Value::as_str).unwrap_or(key))
        .filter(|name| names.contains(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, manifest: &str) -> Package {
        Package {
            folder: format!("crates/{name}"),
            name: name.to_owned(),
            manifest: manifest.parse().unwrap(),
        }
    }

    fn two() -> Vec<Package> {
        let b = "dependencies = { serde = '1', renamed = { package = 'a', path = '.', optional = true } }";
        vec![package("a", ""), package("b", b)]
    }

    #[test]
    fn a_table_equal_to_the_manifests_passes() {
        assert_eq!(compare(&[("a", &[], &[]), ("b", &["a"], &[])], &two()), Ok(()));
    }

    #[test]
    fn a_dependency_that_the_table_does_not_allow_fails() {
        let error = compare(&[("a", &[], &[]), ("b", &[], &[])], &two()).unwrap_err();
        assert_eq!(error, "b: the dependency a is not in the table");
    }

    #[test]
    fn a_dependency_of_tests_or_of_one_target_is_found() {
        let packages = [
            package("a", "[target.'cfg(unix)'.dependencies]\nb = '1'"),
            package("b", "[dev-dependencies]\na = '1'"),
        ];
        assert_eq!(compare(&[("a", &["b"], &[]), ("b", &[], &["a"])], &packages), Ok(()));
        assert!(
            compare(&[("a", &[], &[]), ("b", &[], &[])], &packages).is_err_and(|it| it.lines().count() == 2)
        );
    }

    #[test]
    fn rows_and_packages_must_match() {
        let error = compare(&[("b", &["a"], &["a"]), ("c", &[], &[])], &two()).unwrap_err();
        assert_eq!(
            error,
            "a has no row in the table\nb: the dev-dependency a is only in the table\n\
             c is in the table, but no package"
        );
    }
}
