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

/// Damage that did not exclude the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Path relative to the catalog's root.
    pub path: String,
    /// What was wrong with it.
    pub reason: String,
}
