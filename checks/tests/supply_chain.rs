//! What the dependencies are: sources, versions, licences, build scripts, the oldest Rust; `deny.toml` lists what they may be.

use std::collections::BTreeSet;
use std::fs;

use cantus_checks::deny_file::DenyFile;
use cantus_checks::lock_file::{LockedPackage, numbers, older_versions, packages, source_problems};
use cantus_checks::metadata::Metadata;
use cantus_checks::unused_dependencies::unused;
use cantus_checks::workspace::{read_files, root};
use cantus_checks::{Result, license, list_file, workspace};

/// Libraries that connect to other machines, which nothing that a build runs may use.
const CLIENTS: [&str; 12] = [
    "attohttpc",
    "curl",
    "h2",
    "hyper",
    "isahc",
    "minreq",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "ureq",
    "ureq-proto",
];

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn deny_file() -> Result<DenyFile> {
    DenyFile::parse(&read("deny.toml")?)
}

/// The packages of every `Cargo.lock` of the repository: the workspace's, the fuzz targets', a benchmark's.
fn all_locked() -> Result<Vec<LockedPackage>> {
    let files = read_files(&root(), &["Cargo.lock", "bench", "fuzz"], |path| path.ends_with("Cargo.lock"))?;
    assert!(files.len() >= 3, "{:?}", files.keys());
    let all: Vec<_> = files.values().map(|text| packages(text)).collect::<Result<_>>()?;
    Ok(all.concat())
}

/// The metadata of the workspace; says what it lacks.
#[expect(clippy::print_stdout, reason = "a test says what it passes over")]
fn metadata() -> Result<Metadata> {
    let metadata = Metadata::of_workspace(&root())?;
    if !metadata.is_complete {
        println!(
            "passed over: packages of other platforms and features, which are not downloaded (`cargo fetch` does it)"
        );
    }
    Ok(metadata)
}

fn assert_none(problems: &[String], advice: &str) {
    assert!(problems.is_empty(), "{}\n{advice}", problems.join("\n"));
}

#[test]
fn packages_come_from_the_registry_with_a_checksum_or_from_this_repository() {
    let mut own: BTreeSet<String> =
        workspace::packages(&root()).unwrap().into_iter().map(|package| package.name).collect();
    own.extend(["cantus-checks", "cantus-fuzz", "bench-products"].map(str::to_owned));
    let problems = source_problems(&all_locked().unwrap(), &deny_file().unwrap().registries, &own);
    assert_none(&problems, "deny.toml lists the registries.");
}

#[test]
fn crates_in_several_versions_are_those_of_the_list() {
    let lock = packages(&read("Cargo.lock").unwrap()).unwrap();
    let (listed, found) = (deny_file().unwrap().older_versions, older_versions(&lock));
    if let Err(differences) =
        list_file::compare(listed.iter().map(String::as_str), found.iter().map(String::as_str))
    {
        panic!("{differences}\nOlder versions are listed in `skip` of deny.toml, each with a reason.");
    }
}

#[test]
fn licences_are_allowed_and_every_allowed_one_is_used() {
    let (deny, metadata) = (deny_file().unwrap(), metadata().unwrap());
    let mut problems = Vec::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for package in metadata.packages.iter().filter(|package| !package.is_member) {
        let license = deny.license(&package.name, package.license.as_deref());
        named.extend(license::names(license));
        if !deny.allows(&package.name, license) {
            problems.push(format!(
                "{} {}: the licence \"{license}\" is not allowed",
                package.name, package.version
            ));
        } else if deny.exceptions.contains_key(&package.name) && !deny.needs_exception(license) {
            problems.push(format!("{}: needs no exception", package.name));
        }
    }
    let locked: BTreeSet<String> = all_locked().unwrap().into_iter().map(|package| package.name).collect();
    problems.extend(
        deny.exceptions
            .keys()
            .chain(deny.clarified.keys())
            .filter(|name| !locked.contains(*name))
            .map(|name| format!("{name}: is gone")),
    );
    if metadata.is_complete {
        problems.extend(
            deny.licenses.difference(&named).map(|name| format!("{name}: no package has this licence")),
        );
    }
    assert_none(&problems, "Licences are listed in `allow` and `exceptions` of deny.toml.");
}

#[test]
fn build_scripts_are_those_of_the_list() {
    let (deny, metadata) = (deny_file().unwrap(), metadata().unwrap());
    let with_script = metadata.packages.iter().filter(|package| package.has_build_script);
    let with_script: BTreeSet<&str> = with_script.map(|package| package.name.as_str()).collect();
    let listed: BTreeSet<&str> = deny.build_scripts.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let locked: BTreeSet<String> = all_locked().unwrap().into_iter().map(|package| package.name).collect();
    let new =
        with_script.difference(&listed).map(|name| format!("{name}: its build script is not in the list"));
    let gone =
        listed.difference(&with_script).filter(|name| known.contains(**name) || !locked.contains(**name));
    let problems: Vec<String> = new.chain(gone.map(|name| format!("{name}: has no build script"))).collect();
    assert_none(
        &problems,
        "Read what a new build script does, and add it to `allow-build-scripts` of deny.toml.",
    );
}

#[test]
fn nothing_that_a_build_runs_can_download() {
    let metadata = metadata().unwrap();
    let run = metadata.run_by_builds();
    assert!(run.contains("cc") && run.contains("syn"), "{run:?}");
    let problems: Vec<String> = CLIENTS
        .iter()
        .filter(|name| run.contains(**name))
        .map(|name| format!("{name} is used by a build script or a macro"))
        .collect();
    assert_none(&problems, "`cargo tree --invert NAME --edges build` shows which.");
}

#[test]
fn no_package_needs_a_newer_rust_than_the_workspace_states() {
    let metadata = metadata().unwrap();
    let (members, others): (Vec<_>, Vec<_>) = metadata.packages.iter().partition(|package| package.is_member);
    let stated: BTreeSet<&str> =
        members.iter().filter_map(|package| package.rust_version.as_deref()).collect();
    assert!(stated.len() == 1 && members.iter().all(|package| package.rust_version.is_some()), "{stated:?}");
    let stated = stated.into_iter().next().unwrap();
    let newer = others.into_iter().filter_map(|package| {
        let needs = package.rust_version.as_deref().filter(|needs| numbers(needs) > numbers(stated))?;
        Some(format!("{} {} needs Rust {needs}", package.name, package.version))
    });
    assert_none(&newer.collect::<Vec<_>>(), &format!("`rust-version` of the root Cargo.toml is {stated}."));
}

#[test]
fn every_dependency_is_named_by_the_code_of_its_package() {
    let metadata = metadata().unwrap();
    let members = metadata.packages.iter().filter(|package| package.is_member);
    let problems: Vec<String> = members
        .flat_map(|package| {
            unused(package).unwrap().into_iter().map(|name| format!("{}: does not use {name}", package.name))
        })
        .collect();
    assert_none(&problems, "Remove it from the Cargo.toml of the package.");
}
