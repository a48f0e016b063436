//! The packages that Cargo resolves for the workspace, with what their manifests say (`cargo metadata`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;

/// The packages of the workspace and their dependencies.
#[derive(Debug)]
pub struct Metadata {
    /// All packages, those of the workspace included.
    pub packages: Vec<ResolvedPackage>,
    /// Whether those for other platforms and for features that are off are included.
    pub is_complete: bool,
}

/// A package with its manifest's properties.
#[derive(Debug)]
pub struct ResolvedPackage {
    id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence expression.
    pub license: Option<String>,
    /// The oldest version of Rust that it supports.
    pub rust_version: Option<String>,
    /// Whether the build runs a program of it.
    pub has_build_script: bool,
    /// Whether it is a part of the compiler while others are built.
    pub is_proc_macro: bool,
    /// Whether it is a package of the workspace.
    pub is_member: bool,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// What it depends on.
    pub dependencies: Vec<ResolvedDependency>,
}

/// A dependency of a package.
#[derive(Debug)]
pub struct ResolvedDependency {
    id: String,
    /// The name of its library in the code of the package.
    pub crate_name: String,
    /// `normal`, `build` and `dev`: what uses it.
    pub kinds: BTreeSet<String>,
}

impl Metadata {
    /// Reads the metadata of the workspace at `root`: of all platforms and features if their packages are downloaded, otherwise what a
    /// build here needs, which is downloaded if it is not there.
    ///
    /// # Errors
    /// If Cargo fails.
    pub fn of_workspace(root: &Path) -> Result<Self> {
        if let Ok(json) = cargo_metadata(root, &["--offline", "--all-features"]) {
            return Self::parse(&json, true);
        }
        let platform = host()?;
        Self::parse(&cargo_metadata(root, &["--filter-platform", &platform])?, false)
    }

    /// The packages in the output of `cargo metadata`.
    ///
    /// # Errors
    /// If it is not what Cargo writes.
    pub fn parse(json: &str, is_complete: bool) -> Result<Self> {
        let all: Value = serde_json::from_str(json).map_err(|error| format!("cargo metadata: {error}"))?;
        let members: BTreeSet<&str> = array(&all["workspace_members"]).filter_map(Value::as_str).collect();
        let mut dependencies: BTreeMap<&str, Vec<ResolvedDependency>> = BTreeMap::new();
        for node in array(&all["resolve"]["nodes"]) {
            dependencies
                .insert(text(&node["id"])?, array(&node["deps"]).map(dependency).collect::<Result<_>>()?);
        }
        let mut packages = Vec::new();
        for package in array(&all["packages"]) {
            let id = text(&package["id"])?;
            let manifest = Path::new(text(&package["manifest_path"])?);
            let has_target = |kind: &str| {
                array(&package["targets"]).any(|target| array(&target["kind"]).any(|it| it == kind))
            };
            packages.push(ResolvedPackage {
                id: id.to_owned(),
                name: text(&package["name"])?.to_owned(),
                version: text(&package["version"])?.to_owned(),
                license: package["license"].as_str().map(str::to_owned),
                rust_version: package["rust_version"].as_str().map(str::to_owned),
                has_build_script: has_target("custom-build"),
                is_proc_macro: has_target("proc-macro"),
                is_member: members.contains(id),
                folder: manifest.parent().unwrap_or(manifest).to_path_buf(),
                dependencies: dependencies.remove(id).unwrap_or_default(),
            });
        }
        if packages.is_empty() {
            Err("cargo metadata: no packages".to_owned())
        } else {
            Ok(Self { packages, is_complete })
        }
    }

    /// Names of the packages whose code may run during a build: build scripts, procedural macros, and what these use.
    pub fn run_by_builds(&self) -> BTreeSet<&str> {
        let by_id: BTreeMap<&str, &ResolvedPackage> =
            self.packages.iter().map(|it| (it.id.as_str(), it)).collect();
        let edges = |package: &ResolvedPackage, kinds: &[&str]| -> Vec<&ResolvedPackage> {
            let of_kind =
                package.dependencies.iter().filter(|it| kinds.iter().any(|kind| it.kinds.contains(*kind)));
            of_kind.filter_map(|it| by_id.get(it.id.as_str()).copied()).collect()
        };
        let mut waiting: Vec<&ResolvedPackage> = self.packages.iter().filter(|it| it.is_proc_macro).collect();
        waiting.extend(self.packages.iter().flat_map(|package| edges(package, &["build"])));
        let mut ids = BTreeSet::new();
        while let Some(package) = waiting.pop() {
            if ids.insert(package.id.as_str()) {
                waiting.extend(edges(package, &["normal", "build"]));
            }
        }
        ids.into_iter().filter_map(|id| by_id.get(id)).map(|package| package.name.as_str()).collect()
    }
}

fn dependency(value: &Value) -> Result<ResolvedDependency> {
    let kinds = array(&value["dep_kinds"]).map(|it| it["kind"].as_str().unwrap_or("normal").to_owned());
    Ok(ResolvedDependency {
        id: text(&value["pkg"])?.to_owned(),
        crate_name: text(&value["name"])?.to_owned(),
        kinds: kinds.collect(),
    })
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| "cargo metadata: a string is missing".to_owned())
}

fn cargo_metadata(root: &Path, options: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]).args(options);
    output(command.arg("--manifest-path").arg(root.join("Cargo.toml")))
}

/// The platform that the compiler runs on.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output(Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV: no host".to_owned())
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member `a` with a build script, which uses `b`, which uses `c`; its tests use `d`, and `e` is a procedural macro.
    fn example() -> Metadata {
        let package = |name: &str, kind: &str| {
            format!(
                r#"{{"id": "{name}", "name": "{name}", "version": "1.0.0", "license": "MIT", "rust_version": null,
                    "manifest_path": "/{name}/Cargo.toml", "targets": [{{"kind": ["{kind}"]}}]}}"#
            )
        };
        let edge = |name: &str, kind: &str| {
            format!(r#"{{"name": "{name}", "pkg": "{name}", "dep_kinds": [{{"kind": {kind}}}]}}"#)
        };
        let packages = [("a", "custom-build"), ("b", "lib"), ("c", "lib"), ("d", "lib"), ("e", "proc-macro")];
        let packages = packages.map(|(name, kind)| package(name, kind)).join(",");
        let of_a = [edge("b", "\"build\""), edge("d", "\"dev\""), edge("e", "null")].join(",");
        let json = format!(
            r#"{{"workspace_members": ["a"], "packages": [{packages}], "resolve": {{"nodes": [
                {{"id": "a", "deps": [{of_a}]}}, {{"id": "b", "deps": [{}]}}]}}}}"#,
            edge("c", "null")
        );
        Metadata::parse(&json, true).unwrap()
    }

    #[test]
    fn packages_have_their_manifests_properties() {
        let metadata = example();
        let a = &metadata.packages[0];
        assert!(a.is_member && a.has_build_script && a.folder == Path::new("/a"));
        assert!(metadata.packages[1..].iter().all(|it| !it.is_member && !it.has_build_script));
        assert_eq!(a.dependencies[2].kinds, BTreeSet::from(["normal".to_owned()]));
    }

    #[test]
    fn builds_run_what_build_scripts_and_macros_use_and_nothing_else() {
        assert_eq!(example().run_by_builds(), BTreeSet::from(["b", "c", "e"]));
    }

    #[test]
    fn text_that_is_not_of_cargo_is_an_error() {
        assert!(Metadata::parse("{", true).is_err() && Metadata::parse("{}", true).is_err());
    }
}
