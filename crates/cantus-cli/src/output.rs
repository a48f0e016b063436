//! What a command leaves behind: its exit code, one line on standard error, one document on standard output.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use cantus::input_files::Failed;
use cantus_audio::atomic_file;
use serde::Serialize;

use crate::interrupt;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// Nothing came of it.
    Failed,
    /// The command line made no sense.
    WrongUsage,
    /// Done, but some files failed, and each was named.
    SomeFilesFailed,
    /// Stopped by Ctrl-C; what was finished stays.
    Interrupted,
}

impl Outcome {
    /// `Done`, or `SomeFilesFailed` if any did.
    pub fn from_failures(n_failed: usize) -> Self {
        if n_failed == 0 { Self::Done } else { Self::SomeFilesFailed }
    }

    /// The same, but `Failed` if not one file succeeded.
    pub fn of_job(n_done: usize, n_failed: usize) -> Self {
        if n_done == 0 && n_failed > 0 { Self::Failed } else { Self::from_failures(n_failed) }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::FAILURE,
            Outcome::WrongUsage => Self::from(2),
            Outcome::SomeFilesFailed => Self::from(3),
            Outcome::Interrupted => Self::from(interrupt::EXIT_CODE),
        }
    }
}

/// An error of whoever typed the command, which exits with 2 as clap's do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// Prints one document on standard output.
pub fn json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(document).context("cannot write JSON")?;
    text.push('\n');
    print(&text)
}

/// Prints text on standard output. A reader that has seen enough (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Says on standard error, in one line, why the command failed.
pub fn error(error: &anyhow::Error) -> Outcome {
    let line = in_one_line(error);
    note(&format!("error: {line}"));
    if error.is::<WrongUsage>() { Outcome::WrongUsage } else { Outcome::Failed }
}

/// The message and its causes, each said once: many errors say their cause in their own message.
pub fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    if let Some(advice) = error.chain().find_map(dataset_error).and_then(advice) {
        text = format!("{text}; {advice}");
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The data set's error, which the library's error passes through.
fn dataset_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a cantus_dataset::Error> {
    match cause.downcast_ref::<cantus::Error>() {
        Some(cantus::Error::Dataset(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// What to type after an error of the data set or the feature store.
fn advice(error: &cantus_dataset::Error) -> Option<&'static str> {
    use cantus_dataset::Error;
    match error {
        Error::AuditIssues { .. } => Some(
            "exclude files with --exclude (`cantus inspect --exclusions` writes a list), or run the same command without --audit strict, which only has to finish it",
        ),
        Error::Cancelled { .. } => Some("the same command goes on from there"),
        Error::Threads { .. } => Some("ask for fewer with --jobs"),
        Error::SettingsDiffer { .. } => Some("--overwrite it, or choose another folder"),
        Error::NotAStore { .. } => Some("make one with `cantus extract`"),
        Error::Incomplete { .. } => {
            Some("run the same `cantus extract` again, and it continues where it stopped")
        }
        Error::OlderFormat { .. } => Some("extract it again with --overwrite"),
        Error::Damaged { .. } => Some("delete the file and run the same `cantus extract` again"),
        _ => None,
    }
}

/// Writes a file, whole or not at all.
pub fn save(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    atomic_file::write(path, content).with_context(|| path.display().to_string())
}

/// Names every file of which nothing could be made.
pub fn failures(failed: &[Failed]) {
    for Failed { path, reason } in failed {
        note(&format!("{path}: {reason}"));
    }
}

/// Says that Ctrl-C stopped a command that has nothing to go on from.
pub fn stopped() -> Outcome {
    note("stopped");
    Outcome::Interrupted
}

/// What became of `path`, of which the reason does not say the name again.
pub fn failure(path: &Path, error: &anyhow::Error) -> Failed {
    let path = path.display().to_string();
    let reason = in_one_line(error);
    let reason = reason.strip_prefix(&format!("{path}: ")).unwrap_or(&reason).to_owned();
    Failed { path, reason }
}

/// A remark for the person at the terminal.
pub fn note(line: &str) {
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "cantus: {}", printable(line));
}

/// `1 track`, `2 tracks`, `2 classes`.
pub fn count(n: usize, what: &str) -> String {
    let plural = if what.ends_with('s') { "es" } else { "s" };
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}{plural}") }
}

/// A text as a terminal may show it: the name of a file may hold what moves the cursor or begins a line.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_shown_and_not_done() {
        assert_eq!(printable("a\u{1b}[31mb\nc é"), "a\\u{1b}[31mb\\nc é");
    }

    #[test]
    fn one_is_one_and_a_class_is_of_classes() {
        assert_eq!(
            [count(1, "track"), count(0, "track"), count(2, "class")],
            ["1 track", "0 tracks", "2 classes"]
        );
    }
}
