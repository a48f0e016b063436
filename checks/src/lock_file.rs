//! `Cargo.lock`: the packages of a build, with their sources.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::Result;

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from; `None` for a folder of this repository.
    pub source: Option<String>,
    /// SHA-256 of its archive.
    pub checksum: Option<String>,
}

/// The packages of a lock file.
///
/// # Errors
/// If it is not one.
pub fn packages(text: &str) -> Result<Vec<LockedPackage>> {
    let lock: Table = text.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.get("package").and_then(Value::as_array).ok_or("Cargo.lock: no packages")?;
    let of = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    packages
        .iter()
        .map(|package| {
            let name = of(package, "name").ok_or("Cargo.lock: a package without a name")?;
            let version =
                of(package, "version").ok_or_else(|| format!("Cargo.lock: {name} has no version"))?;
            Ok(LockedPackage {
                name,
                version,
                source: of(package, "source"),
                checksum: of(package, "checksum"),
            })
        })
        .collect()
}

/// What is wrong with the sources: packages of other registries or repositories, without a checksum, or of no folder in `own`.
pub fn source_problems(
    packages: &[LockedPackage],
    registries: &[String],
    own: &BTreeSet<String>,
) -> Vec<String> {
    let problem = |package: &LockedPackage| match &package.source {
        None if own.contains(&package.name) => None,
        None => Some("is not of this repository and has no source".to_owned()),
        Some(source) if !registries.contains(source) => Some(format!("comes from {source}")),
        Some(_) if package.checksum.is_none() => Some("has no checksum".to_owned()),
        Some(_) => None,
    };
    packages.iter().filter_map(|it| Some(format!("{} {} {}", it.name, it.version, problem(it)?))).collect()
}

/// `name@version` of each package of which there is a newer version, too.
pub fn older_versions(packages: &[LockedPackage]) -> BTreeSet<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let mut older = BTreeSet::new();
    for (name, mut versions) in versions {
        versions.sort_by_key(|version| numbers(version));
        versions.pop();
        older.extend(versions.into_iter().map(|version| format!("{name}@{version}")));
    }
    older
}

/// The numbers of a version, to compare versions by: missing ones are 0, what follows `-` or `+` is left out.
pub fn numbers(version: &str) -> [u64; 3] {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = release.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://example.org/index";

    fn package(name: &str, version: &str, source: Option<&str>) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            source: source.map(str::to_owned),
            checksum: Some("0".to_owned()),
        }
    }

    #[test]
    fn packages_are_read_with_their_sources() {
        let text =
            format!("[[package]]\nname = 'a'\nversion = '1.0.0'\nsource = '{REGISTRY}'\nchecksum = '0'\n");
        assert_eq!(packages(&text), Ok(vec![package("a", "1.0.0", Some(REGISTRY))]));
        assert!(packages("").is_err() && packages("[[package]]\nname = 'a'").is_err());
    }

    #[test]
    fn a_git_repository_another_folder_and_a_missing_checksum_are_problems() {
        let mut unchecked = package("d", "1.0.0", Some(REGISTRY));
        unchecked.checksum = None;
        let packages = [
            package("a", "1.0.0", Some(REGISTRY)),
            package("b", "1.0.0", Some("git+https://example.org/b")),
            package("c", "1.0.0", None),
            unchecked,
            package("own", "0.1.0", None),
        ];
        let problems =
            source_problems(&packages, &[REGISTRY.to_owned()], &BTreeSet::from(["own".to_owned()]));
        assert_eq!(
            problems,
            [
                "b 1.0.0 comes from git+https://example.org/b",
                "c 1.0.0 is not of this repository and has no source",
                "d 1.0.0 has no checksum"
            ]
        );
    }

    #[test]
    fn all_versions_but_the_newest_are_older() {
        let packages = ["1.9.0", "1.10.0", "0.20.1"].map(|version| package("a", version, None));
        assert_eq!(older_versions(&packages), BTreeSet::from(["a@0.20.1".to_owned(), "a@1.9.0".to_owned()]));
        assert!(older_versions(&packages[..1]).is_empty());
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(numbers("1.88"), [1, 88, 0]);
        assert!(numbers("1.100.0") > numbers("1.89") && numbers("2.0.0-rc.13") > numbers("1.99.9"));
    }
}
