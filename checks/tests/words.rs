//! Sources and documentation do not use the words of `banned-words.txt`, but for the exceptions of `allowed-words.txt`.

use cantus_checks::Result;
use cantus_checks::words::{BannedWords, Exception, apply};
use cantus_checks::workspace::{Sources, read_files, root};

const PLACES: &[&str] = &[
    "crates",
    "lessons",
    "docs",
    "bench",
    "fuzz",
    "packaging",
    "python",
    "pyproject.toml",
    "justfile",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
];
const SOURCES: &[&str] =
    &[".rs", ".toml", ".py", ".sh", ".js", ".html", ".css", ".md", ".service", "Dockerfile", "justfile"];

#[test]
fn banned_words_are_not_used() {
    let banned = BannedWords::parse(include_str!("../banned-words.txt")).unwrap();
    let exceptions = Exception::parse_list(include_str!("../allowed-words.txt"), &banned).unwrap();
    let (uses, unneeded) = apply(&exceptions, banned.uses(&sources().unwrap()), &banned);
    let mut problems: Vec<String> = Vec::new();
    for found in &uses {
        let word = &banned.words()[found.word];
        let place =
            if found.line == 0 { "the name of the file".to_owned() } else { format!("line {}", found.line) };
        problems.push(format!("{}, {place}: \"{}\": write: {}", found.path, word.pattern, word.instead));
    }
    problems.extend(unneeded.iter().map(|it| {
        format!("checks/allowed-words.txt: \"{}\" is not in {}: remove the exception", it.pattern, it.path)
    }));
    assert!(
        problems.is_empty(),
        "{}\nWhere the word is right, add the file, the word and the reason to checks/allowed-words.txt.",
        problems.join("\n")
    );
}

/// Generated files are left out: the lessons' outputs.
fn sources() -> Result<Sources> {
    read_files(&root(), PLACES, |path| {
        let endings = if path.starts_with("docs/") { &[".md"] } else { SOURCES };
        endings.iter().any(|ending| path.ends_with(ending)) && !path.starts_with("docs/src/lessons/")
    })
}
