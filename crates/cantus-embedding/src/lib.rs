#![doc = include_str!("../README.md")]

mod check;
mod description_file;
mod error;
mod library;
mod onnx_file;
mod onnx_graph;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod plan_key;
mod subgraph;
mod template;
mod tensor_size;
#[cfg(test)]
mod testing;
mod tract_error;
mod value_limits;
mod wire_size;

pub use check::{CheckReport, check, check_path};
pub use description_file::{describe, from_parts, load};
pub use error::Error;
pub use library::{Library, LibraryEntry};
pub use onnx_graph::OnnxGraph;
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
