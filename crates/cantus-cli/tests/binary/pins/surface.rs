//! The command line as scripts see it: commands, flags, values, environment variables, exit codes.

use std::fmt::Write;

use crate::run::{cantus, cantus_in, command};

/// Commands that are wrong, or about nothing, and how each exits.
const LINES: [&str; 14] = [
    "",
    "--help",
    "--version",
    "--no-such-flag",
    "no-such-command",
    "train",
    "train @/none -o @/run",
    "predict @/none.safetensors @/none.wav",
    "extract @/empty -o @/features",
    "features @/text.mp3 -k mfcc -o @/x.npy",
    "inspect @/none",
    "evaluate @/none",
    "lesson 99",
    "completions bash",
];

#[test]
fn commands_flags_variables_and_exit_codes_are_those_that_are_pinned() {
    let mut found = String::new();
    for name in commands() {
        let _ = writeln!(found, "{name}");
        for option in options(&cantus(&[&name, "--help"]).ok().stdout) {
            let _ = writeln!(found, "{name} {option}");
        }
    }
    for (variable, line) in
        [("CANTUS_TRACKS", "compose @/a --duration 1 -q"), ("CANTUS_JOBS", "inspect @/empty")]
    {
        let dir = tempfile::tempdir().unwrap();
        let words = line.split(' ').map(|word| word.replace('@', dir.path().to_str().unwrap()));
        let ran = command().args(words).env(variable, "no number").output().unwrap();
        let _ = writeln!(found, "{variable} is read: exit code {:?}", ran.status.code());
    }
    for line in LINES {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("empty")).unwrap();
        std::fs::write(dir.path().join("text.mp3"), "no music").unwrap();
        let _ = writeln!(found, "`cantus {line}` exits with {}", cantus_in(dir.path(), line).code);
    }
    super::compare("surface.txt", &found);
}

/// The names of all commands, from the list that `cantus --help` prints.
fn commands() -> Vec<String> {
    let help = cantus(&["--help"]).ok().stdout;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = list.take_while(|line| !line.is_empty());
    names
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect()
}

/// The options and arguments of a command's help, without what is said about them, with the values that are possible
/// and defaults of one word.
fn options(help: &str) -> Vec<String> {
    let (mut found, mut within) = (Vec::<String>::new(), false);
    for line in help.lines() {
        if line.ends_with(':') && !line.starts_with(' ') {
            within = line != "Examples:" && line != "Example:";
        }
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if within && (2..=6).contains(&indent) && text.starts_with(['-', '<', '[']) {
            found.push(text.split("  ").next().unwrap_or(text).to_owned());
        }
        if let (true, Some(last)) = (within && text.starts_with("- "), found.last_mut()) {
            let _ = write!(last, " {}", text.split(':').next().unwrap_or(text));
        }
        for mark in ["[possible values: ", "[default: "] {
            let note =
                text.find(mark).map(|start| &text[start..]).and_then(|rest| Some(&rest[..=rest.find(']')?]));
            let is_word = note.is_some_and(|note| mark.starts_with("[p") || note.split(' ').count() == 2);
            if let (true, true, Some(note), Some(last)) = (within, is_word, note, found.last_mut()) {
                let _ = write!(last, " {note}");
            }
        }
    }
    found
}
