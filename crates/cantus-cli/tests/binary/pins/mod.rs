//! What must not change from one commit to the next: the command line, and every byte that Cantus writes for programs.
//!
//! - `surface.txt`: commands, flags, their values, environment variables, exit codes. It holds everywhere.
//! - `artifacts.txt`: a SHA-256 of each file and `--json` document that is made from composed music. The last bits of a
//!   product of matrices depend on the processor's instructions and caches, so it holds for processors of the kind that
//!   its first line names; on another kind the test is skipped.
//!
//! After an intended change, write both again, review the difference, and describe it in the changelog:
//!
//!     CANTUS_WRITE_PINS=1 cargo test --test binary pins
//!
//! Pictures, reports in Markdown and HTML, and help are written for people, may be reworded, and are not pinned.

mod artifacts;
mod processor;
mod surface;

use std::path::{Path, PathBuf};

/// Compares lines with those that are pinned in a file beside this one, or writes them there.
#[track_caller]
fn compare(name: &str, found: &str) {
    let file = folder().join(name);
    if std::env::var_os("CANTUS_WRITE_PINS").is_some() {
        std::fs::write(&file, found).unwrap();
        return;
    }
    let pinned = std::fs::read_to_string(&file).unwrap();
    let missing = pinned.lines().filter(|line| !found.lines().any(|other| other == *line));
    let further = found.lines().filter(|line| !pinned.lines().any(|other| other == *line));
    let differences: Vec<String> =
        missing.map(|line| format!("- {line}")).chain(further.map(|line| format!("+ {line}"))).collect();
    assert!(differences.is_empty(), "{name}, pinned (-) and found (+):\n{}", differences.join("\n"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/binary/pins")
}
