//! What fuzz targets share: their start, the limit of memory, files, valid documents and changes of them, checksums.
//!
//! A target fails by a panic, by an abort, by memory beyond its limit, or by an input that takes longer than the time limit of
//! `fuzz/run`. Here, `expect` is how a target reports that it could not be prepared.

pub mod archive;
pub mod changes;
pub mod checksums;
pub mod files;
pub mod http;
pub mod memory;
pub mod model;
pub mod mpeg;
pub mod onnx;
pub mod recipe;
pub mod recording;
pub mod run;
pub mod start;
pub mod store;

pub use files::{folder, write_file};
pub use recording::decode;
