//! Dependencies of a package that its code does not name.

use regex::Regex;

use crate::Result;
use crate::metadata::ResolvedPackage;
use crate::workspace::read_files;

/// Names of the libraries that `package` depends on, for any purpose, and none of its Rust files names.
///
/// # Errors
/// If a file cannot be read.
pub fn unused(package: &ResolvedPackage) -> Result<Vec<&str>> {
    let files = read_files(
        &package.folder,
        &["src", "tests", "examples", "benches", "fuzz_targets", "build.rs"],
        |path| path.ends_with(".rs"),
    )?;
    let code: String = files.values().flat_map(|text| text.lines()).filter(|line| !is_comment(line)).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    );
    let names = package.dependencies.iter().map(|it| it.crate_name.as_str());
    let mut unused = Vec::new();
    for name in names {
        if !is_named(name, &code)? {
            unused.push(name);
        }
    }
    Ok(unused)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Whether the code has a path that begins with the library, or imports it.
fn is_named(name: &str, code: &str) -> Result<bool> {
    let pattern = format!(r"\b{name}::|\b(use|extern crate)\s+{name}\b");
    Ok(Regex::new(&pattern).map_err(|error| error.to_string())?.is_match(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_imports_name_a_library() {
        for code in [
            "let a = serde::de();",
            "#[derive(serde::Serialize)]",
            "use serde as s;",
            "pub use serde;",
            "::serde::x!()",
        ] {
            assert_eq!(is_named("serde", code), Ok(true), "{code}");
        }
    }

    #[test]
    fn other_libraries_words_and_comments_do_not() {
        for code in ["serde_json::Value", "let serde = 1;", "myserde::a()", "use serde_json::x;"] {
            assert_eq!(is_named("serde", code), Ok(false), "{code}");
        }
        assert!(is_comment("    // serde::de()") && !is_comment("serde::de() // of serde"));
    }
}
