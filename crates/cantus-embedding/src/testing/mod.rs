//! ONNX graphs and descriptions for tests.

pub(crate) mod graphs;
mod proto;
