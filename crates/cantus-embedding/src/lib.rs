#![doc = include_str!("../README.md")]

mod check;
mod description_file;
mod error;
mod file_size;
mod graph_value;
mod library;
#[cfg(not(feature = "tract"))]
mod no_runtime;
#[cfg(feature = "tract")]
mod onnx;
mod template;
#[cfg(test)]
#[cfg(feature = "tract")]
mod testing;

#[cfg(not(feature = "tract"))]
use no_runtime as onnx;

pub use check::{CheckReport, check, check_path};
pub use description_file::{describe, from_parts, load};
pub use error::Error;
pub use library::{Library, LibraryEntry};
pub use onnx::OnnxGraph;
pub use template::template;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_shared_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<CheckReport>();
        is_send_and_sync::<Error>();
        is_send_and_sync::<Library>();
        is_send_and_sync::<OnnxGraph>();
    }
}
