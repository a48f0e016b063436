//! Runs the binary and checks exit code, standard output and standard error.

use std::path::Path;
use std::process::{Command, Output};

/// Result of one call of `cantus`.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// `cantus` without arguments, without `CANTUS_*` variables of the environment and without embedding models of the user.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CANTUS_")) {
        command.env_remove(name);
    }
    // Not the user's own models.
    command.env("CANTUS_EMBEDDINGS", "/nonexistent");
    command
}

/// Runs `cantus` with these arguments.
pub fn cantus<Word: AsRef<std::ffi::OsStr>>(words: &[Word]) -> Ran {
    command().args(words).output().expect("the binary starts").into()
}

/// Runs `cantus` with the arguments of a line, split at spaces, in which `@` stands for `dir`.
pub fn cantus_in(dir: &Path, line: &str) -> Ran {
    let dir = dir.to_str().expect("temporary folders have plain names");
    let words: Vec<String> = line.split_whitespace().map(|word| word.replace('@', dir)).collect();
    cantus(&words)
}

/// Runs `cantus` with the arguments of a line, split at spaces, in the folder `dir`, under a limit as `ulimit` has it.
#[track_caller]
pub fn cantus_with_limit(dir: &Path, limit: &str, line: &str) -> Ran {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]);
    limited.arg(command().get_program()).args(line.split_whitespace()).current_dir(dir);
    Ran::from(limited.env("CANTUS_EMBEDDINGS", "/nonexistent").output().expect("the shell starts")).ok()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ran {
    /// Asserts exit code 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Asserts that standard error is one line that contains all of these texts.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        assert_eq!(self.stderr.trim_end().lines().count(), 1, "not one line: {}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}
