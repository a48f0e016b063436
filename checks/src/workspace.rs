//! The workspace on disk: its root, its member packages, the text of its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::Result;

/// Texts of files by their path from the root of the workspace, with `/`.
pub type Sources = BTreeMap<String, String>;

/// A member package.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its folder, from the root of the workspace.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest: Table,
}

/// The root of this workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// The member packages of the workspace at `root`, without that of these checks, sorted by folder.
///
/// # Errors
/// If a `Cargo.toml` cannot be read, or a pattern of `members` has a `*` that is not its last part.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let manifest = manifest(&root.join("Cargo.toml"))?;
    let members = manifest.get("workspace").and_then(|it| it.get("members")).and_then(Value::as_array);
    let patterns = members.into_iter().flatten().filter_map(Value::as_str);
    let folders: Vec<Vec<String>> =
        patterns.map(|pattern| member_folders(root, pattern)).collect::<Result<_>>()?;
    let mut folders = folders.concat();
    folders.sort();
    folders.iter().filter(|folder| *folder != "checks").map(|folder| package(root, folder)).collect()
}

/// The UTF-8 files in `places` (files or folders, from `root`) that `wanted` accepts; places that are absent are left out.
///
/// Hidden folders, `target`, `__pycache__` and symbolic links are not searched.
///
/// # Errors
/// If a folder or file cannot be read.
pub fn read_files(root: &Path, places: &[&str], wanted: impl Fn(&str) -> bool) -> Result<Sources> {
    let mut sources = Sources::new();
    let mut waiting: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        let full = root.join(&path);
        if full.is_symlink() {
            continue;
        }
        if full.is_dir() {
            waiting.extend(entries(&full)?.into_iter().map(|name| format!("{path}/{name}")));
        } else if full.is_file() && wanted(&path) {
            let bytes = fs::read(&full).map_err(|error| format!("{path}: {error}"))?;
            sources.extend(String::from_utf8(bytes).ok().map(|text| (path, text)));
        }
    }
    Ok(sources)
}

/// Names in a folder, without those that hold no sources.
fn entries(folder: &Path) -> Result<Vec<String>> {
    let describe = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(describe)? {
        let name = entry.map_err(describe)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && name != "target" && name != "__pycache__" {
            names.push(name);
        }
    }
    Ok(names)
}

/// The folders of one pattern of `members`.
fn member_folders(root: &Path, pattern: &str) -> Result<Vec<String>> {
    let Some(parent) = pattern.strip_suffix("/*") else {
        if pattern.contains('*') {
            return Err(format!("Cargo.toml: the pattern \"{pattern}\" of `members` is not supported"));
        }
        return Ok(vec![pattern.to_owned()]);
    };
    let names = entries(&root.join(parent))?;
    let folders = names.into_iter().map(|name| format!("{parent}/{name}"));
    Ok(folders.filter(|folder| root.join(folder).join("Cargo.toml").is_file()).collect())
}

fn package(root: &Path, folder: &str) -> Result<Package> {
    let manifest = manifest(&root.join(folder).join("Cargo.toml"))?;
    let name = manifest.get("package").and_then(|it| it.get("name")).and_then(Value::as_str);
    let name = name.ok_or_else(|| format!("{folder}/Cargo.toml: the package has no name"))?.to_owned();
    Ok(Package { folder: folder.to_owned(), name, manifest })
}

fn manifest(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_this_workspace_are_found() {
        let packages = packages(&root()).unwrap();
        assert!(packages.iter().any(|it| it.folder == "crates/cantus-random" && it.name == "cantus-random"));
        assert!(packages.iter().all(|it| it.name != "cantus-checks"));
    }

    #[test]
    fn files_are_read_from_folders_and_by_name() {
        let files = read_files(&root(), &["checks/src", "README.md", "no-such-place"], |_| true).unwrap();
        assert!(files.contains_key("checks/src/workspace.rs") && files.contains_key("README.md"));
        let none = read_files(&root(), &["checks/src"], |path| path.ends_with(".toml")).unwrap();
        assert!(none.is_empty());
    }
}
