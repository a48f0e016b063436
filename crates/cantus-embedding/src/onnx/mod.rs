//! ONNX files: decoding, checks and limits, and running their graphs with tract, or with onnxruntime where the user chooses it.

mod file;
mod graph;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod plan_key;
mod subgraph;
mod tensor_size;
mod tract_error;
mod value_limits;
mod wire_size;

pub(crate) use file::OnnxFile;
pub use graph::OnnxGraph;
