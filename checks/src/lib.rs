//! Checks of the workspace's sources: circles of imports, unwanted words, public items, file headers, dependencies.
//!
//! The tests under `tests/` apply these functions to the workspace; README.md describes how to update each list.

pub mod crate_roots;
pub mod deny_file;
pub mod dependencies;
pub mod direct_calls;
pub mod file_graph;
pub mod file_headers;
pub mod license;
pub mod list_file;
pub mod lock_file;
pub mod metadata;
pub mod module_tree;
mod name_resolution;
mod paths;
pub mod public_api;
mod signature;
mod strong_components;
pub mod unused_dependencies;
pub mod words;
pub mod workspace;

/// What failed, as one readable text.
pub type Result<T> = std::result::Result<T, String>;
