//! No files of a crate use each other in a circle, but for the known ones of `known-circles.txt`.

use cantus_checks::crate_roots::root_files;
use cantus_checks::file_graph::{Circle, circles, file_graph};
use cantus_checks::module_tree::ModuleTree;
use cantus_checks::workspace::{packages, read_files, root};
use cantus_checks::{Result, list_file};

const UPDATE: &str = "CANTUS_WRITE_CIRCLES=1 cargo test -p cantus-checks --test no_circles";

#[test]
fn files_do_not_use_each_other_in_circles() {
    let found = circles_of_the_workspace().unwrap();
    let lines: Vec<String> = found.iter().map(Circle::line).collect();
    if std::env::var_os("CANTUS_WRITE_CIRCLES").is_some() {
        return list_file::write(&root().join("checks/known-circles.txt"), &lines).unwrap();
    }
    let listed = list_file::entries(include_str!("../known-circles.txt"));
    if let Err(difference) = list_file::compare(listed.iter().copied(), lines.iter().map(String::as_str)) {
        let new = found.iter().filter(|circle| !listed.contains(&circle.line().as_str()));
        let uses: Vec<String> = new.map(|circle| circle.uses.join("\n  ")).collect();
        panic!(
            "The circles of files are not those of checks/known-circles.txt (`+` is new, `-` is gone):\n{difference}\n\
             What closes the new ones:\n  {}\n\
             Break a new circle by moving what both files use into a third. Where circles have gone or become \
             smaller, update the list:\n  {UPDATE}",
            uses.join("\n\n  ")
        );
    }
}

fn circles_of_the_workspace() -> Result<Vec<Circle>> {
    let packages = packages(&root())?;
    let folders: Vec<&str> = packages.iter().map(|package| package.folder.as_str()).collect();
    let sources = read_files(&root(), &folders, |path| path.ends_with(".rs"))?;
    let mut found = Vec::new();
    for package in &packages {
        for root_file in root_files(package, &sources) {
            let name = package.name.replace('-', "_");
            found.extend(circles(&file_graph(&ModuleTree::read(&name, &root_file, &sources)?)));
        }
    }
    Ok(found)
}
