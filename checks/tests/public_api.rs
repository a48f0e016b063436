//! The public items of each library are those of its reviewed list, `public-api/CRATE.txt`.

use std::fs;

use cantus_checks::module_tree::ModuleTree;
use cantus_checks::public_api::public_api;
use cantus_checks::workspace::{packages, read_files, root};
use cantus_checks::{Result, list_file};

const UPDATE: &str = "CANTUS_WRITE_API=1 cargo test -p cantus-checks --test public_api";

#[test]
fn the_public_items_of_each_library_are_those_of_its_list() {
    let is_writing = std::env::var_os("CANTUS_WRITE_API").is_some();
    let folder = root().join("checks/public-api");
    let mut problems: Vec<String> = Vec::new();
    let libraries = libraries().unwrap();
    for (name, lines) in &libraries {
        let path = folder.join(format!("{name}.txt"));
        if is_writing {
            list_file::write(&path, lines).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let compared = list_file::compare(text.lines(), lines.iter().map(String::as_str));
        problems.extend(
            compared.err().map(|difference| format!("{name} (`+` is new, `-` is gone):\n{difference}")),
        );
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if !libraries.iter().any(|(name, _)| file == format!("{name}.txt")) {
            problems.push(format!("checks/public-api/{file} is of no library: remove it"));
        }
    }
    assert!(
        problems.is_empty(),
        "Public items differ from their lists in checks/public-api/.\n{}\nIf the change is meant:\n  {UPDATE}",
        problems.join("\n")
    );
}

/// The libraries under `crates/`, each with the lines of its public items.
fn libraries() -> Result<Vec<(String, Vec<String>)>> {
    let sources = read_files(&root(), &["crates"], |path| path.ends_with(".rs"))?;
    let mut found = Vec::new();
    for package in packages(&root())? {
        let root_file = format!("{}/src/lib.rs", package.folder);
        if sources.contains_key(&root_file) {
            let tree = ModuleTree::read(&package.name.replace('-', "_"), &root_file, &sources)?;
            found.push((package.name, public_api(&tree)));
        }
    }
    Ok(found)
}
