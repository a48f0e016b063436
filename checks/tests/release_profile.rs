//! Crates with kernels are compiled in one unit, without which the release profile does not inline functions into their loops.

use cantus_checks::Result;
use cantus_checks::workspace::{packages, read_files, root};
use toml::{Table, Value};

/// The attribute of a function that is compiled for several instruction sets.
const KERNEL: &str = "#[multiversion]";

#[test]
fn crates_with_kernels_are_one_unit_in_the_release_profile() {
    let crates = crates_with_kernels().unwrap();
    assert!(crates.len() >= 2, "{crates:?}");
    let manifest: Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let in_parts: Vec<String> =
        crates.into_iter().filter(|name| n_units(&manifest, name) != Some(1)).collect();
    assert!(
        in_parts.is_empty(),
        "codegen-units = 1 in [profile.release.package] for {}",
        in_parts.join(", ")
    );
}

/// Names of the packages under `crates/` whose sources have a kernel.
fn crates_with_kernels() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for package in packages(&root())?.iter().filter(|package| package.folder.starts_with("crates/")) {
        let sources =
            read_files(&root(), &[&format!("{}/src", package.folder)], |path| path.ends_with(".rs"))?;
        let has_kernel = |text: &String| text.lines().any(|line| line.trim() == KERNEL);
        if sources.values().any(has_kernel) {
            names.push(package.name.clone());
        }
    }
    Ok(names)
}

/// The number of codegen units that the release profile gives to a package by name.
fn n_units(manifest: &Table, package: &str) -> Option<i64> {
    let of_package = manifest.get("profile")?.get("release")?.get("package")?.get(package)?;
    of_package.get("codegen-units").and_then(Value::as_integer)
}

#[test]
fn the_number_of_units_is_that_of_the_package() {
    let manifest: Table =
        "[profile.release]\ncodegen-units = 1\n[profile.release.package]\na.codegen-units = 2\nb.opt-level = 3".parse().unwrap();
    assert_eq!(["a", "b", "c"].map(|name| n_units(&manifest, name)), [Some(2), None, None]);
}
