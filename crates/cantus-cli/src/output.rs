//! Output of a command: exit code, messages on standard error, results on standard output.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use cantus::input_files::Failed;
pub use cantus::printable;
use cantus_audio::atomic_file;
use serde::Serialize;

use crate::{advice, interrupt};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Success.
    Done,
    /// The command failed.
    Failed,
    /// The command line is invalid.
    WrongUsage,
    /// Done, but some files failed; each is reported.
    SomeFilesFailed,
    /// Stopped by Ctrl-C, SIGTERM or SIGHUP; finished results are kept.
    Interrupted,
}

impl Outcome {
    /// `Done`, or `SomeFilesFailed` if any did.
    pub fn from_failures(n_failed: usize) -> Self {
        if n_failed == 0 { Self::Done } else { Self::SomeFilesFailed }
    }

    /// The same, but `Failed` if no file succeeded.
    pub fn of_job(n_done: usize, n_failed: usize) -> Self {
        if n_done == 0 && n_failed > 0 { Self::Failed } else { Self::from_failures(n_failed) }
    }

    /// Exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongUsage => 2,
            Self::SomeFilesFailed => 3,
            Self::Interrupted => interrupt::exit_code(),
        }
    }
}

/// Wrong usage that is found after parsing; exits with 2, as clap's errors do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// Prints one document on standard output.
pub fn json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(document).context("cannot write JSON")?;
    text.push('\n');
    exact(&text)
}

/// Prints text for people on standard output; what a terminal would execute is escaped, except the ends of lines.
pub fn print(text: &str) -> anyhow::Result<()> {
    exact(&printable_lines(text))
}

/// Escapes each line; see [`printable`].
fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Prints text for programs on standard output, to the byte. A closed pipe (`| head`) is no error.
pub fn exact(text: &str) -> anyhow::Result<()> {
    bytes(text.as_bytes())
}

/// The same for bytes.
pub fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    unless_closed(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// The error of writing to standard output, unless it is a closed pipe.
pub fn unless_closed(written: std::io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Prints on standard error, in one line, why the command failed.
pub fn error(error: &anyhow::Error) -> Outcome {
    let line = in_one_line(error);
    note(&format!("error: {line}"));
    if is_wrong_usage(error) { Outcome::WrongUsage } else { Outcome::Failed }
}

/// Whether options of the command line are wrong, and not the data.
fn is_wrong_usage(error: &anyhow::Error) -> bool {
    let is_invalid = matches!(error.downcast_ref(), Some(cantus::Error::InvalidOptions(_)));
    is_invalid || error.is::<WrongUsage>()
}

/// The message and its causes; a cause that the message contains already is omitted.
pub fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    if let Some(advice) = error.chain().find_map(advice::of) {
        text = format!("{text}; {advice}");
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Writes a file atomically.
pub fn save(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    atomic_file::write(path, content).with_context(|| path.display().to_string())
}

/// Prints each failed file with its reason.
pub fn failures(failed: &[Failed]) {
    for Failed { path, reason } in failed {
        note(&format!("{path}: {reason}"));
    }
}

/// Reports that a signal stopped a command that cannot be continued.
pub fn stopped() -> Outcome {
    note("stopped");
    Outcome::Interrupted
}

/// The failure of `path`, whose reason does not repeat the path.
pub fn failure(path: &Path, error: &anyhow::Error) -> Failed {
    let path = path.display().to_string();
    let reason = in_one_line(error);
    let reason = reason.strip_prefix(&format!("{path}: ")).unwrap_or(&reason).to_owned();
    Failed { path, reason }
}

/// Prints a line on standard error, behind `cantus: `.
pub fn note(line: &str) {
    // Standard error may be closed; then the line is lost.
    let _ = writeln!(std::io::stderr(), "cantus: {}", printable(line));
}

/// `1 track`, `2 tracks`, `2 classes`.
pub fn count(n: usize, what: &str) -> String {
    let plural = if what.ends_with('s') { "es" } else { "s" };
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_and_other_control_characters_escaped() {
        assert_eq!(printable_lines("a\u{1b}[31mb\n\tc\u{202e}\n"), "a\\u{1b}[31mb\n\\tc\\u{202e}\n");
        assert_eq!(printable_lines("no end"), "no end");
    }

    #[test]
    fn counts_have_singular_and_plural() {
        assert_eq!(
            [count(1, "track"), count(0, "track"), count(2, "class")],
            ["1 track", "0 tracks", "2 classes"]
        );
    }
}
