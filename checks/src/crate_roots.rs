//! The root files of a package's crates, as Cargo finds them.

use crate::workspace::{Package, Sources};

/// The root files of a package's library, binaries and examples.
pub fn root_files(package: &Package, sources: &Sources) -> Vec<String> {
    let folder = &package.folder;
    let declared = declared_paths(package).into_iter().map(|path| normalize(&format!("{folder}/{path}")));
    let mut files: Vec<String> = declared.collect();
    files.extend([format!("{folder}/src/lib.rs"), format!("{folder}/src/main.rs")]);
    files.extend(sources.keys().filter(|path| is_program(path, folder)).cloned());
    files.retain(|file| sources.contains_key(file));
    files.sort();
    files.dedup();
    files
}

/// Whether Cargo finds a program in that file by itself.
fn is_program(path: &str, folder: &str) -> bool {
    let within = |programs| path.strip_prefix(&format!("{folder}/{programs}/"));
    let inner = ["src/bin", "examples"].into_iter().find_map(within);
    inner.is_some_and(|inner| inner.split_once('/').is_none_or(|(_, file)| file == "main.rs"))
}

/// The paths that a manifest gives for its library, binaries and examples.
fn declared_paths(package: &Package) -> Vec<&str> {
    let kinds = ["bin", "example"].iter().filter_map(|kind| package.manifest.get(*kind)?.as_array());
    let targets = kinds.flatten().chain(package.manifest.get("lib"));
    targets.filter_map(|target| target.get("path")?.as_str()).collect()
}

/// A path without `.` and `..`.
pub(crate) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_binaries_and_examples_have_root_files() {
        let manifest = "bin = [{ path = 'tool/main.rs' }]\nlib = { path = 'lib.rs' }".parse().unwrap();
        let package = Package { folder: "c".to_owned(), name: "c".to_owned(), manifest };
        let roots = [
            "c/examples/f.rs",
            "c/lib.rs",
            "c/src/bin/b.rs",
            "c/src/bin/d/main.rs",
            "c/src/lib.rs",
            "c/tool/main.rs",
        ];
        let others = ["c/examples/g/h.rs", "c/src/bin/d/e.rs", "c/tests/i.rs"];
        let sources =
            [&roots[..], &others].concat().into_iter().map(|it| (it.to_owned(), String::new())).collect();
        assert_eq!(root_files(&package, &sources), roots);
    }
}
