//! Files that could not be used, and damage that was tolerated.

use serde::{Deserialize, Serialize};

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Path relative to the catalog's root.
    pub path: String,
    /// What was wrong with it.
    pub reason: String,
}

impl Failure {
    /// Whether the recording is shorter than a segment.
    #[must_use]
    pub fn is_too_short(&self) -> bool {
        self.kind() == "too short"
    }

    /// The reason without the details of a single recording, such as `too short`: messages have these behind a colon or a
    /// comma.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.reason.split([':', ';', ',', '(']).next().unwrap_or(&self.reason).trim()
    }
}

/// Damage that did not exclude the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Path relative to the catalog's root.
    pub path: String,
    /// What was wrong with it.
    pub reason: String,
}
