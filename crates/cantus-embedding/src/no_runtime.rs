//! What takes the place of the ONNX runtime in a build without the feature `tract`: it refuses every file.

use std::convert::Infallible;
use std::sync::Arc;

use cantus_audio::feature::{EmbeddingDescription, EmbeddingGraph, PlannedGraph};

use crate::error::Error;
use crate::graph_value::GraphValue;

/// A decoded ONNX file, which does not exist in this build.
#[derive(Debug, Clone)]
pub(crate) struct OnnxFile(Infallible);

impl OnnxFile {
    /// # Errors
    /// [`Error::NoRuntime`], always.
    pub(crate) fn decode(_: &[u8]) -> Result<Self, Error> {
        Err(Error::NoRuntime)
    }

    pub(crate) fn inputs(&self) -> Vec<GraphValue> {
        match self.0 {}
    }

    pub(crate) fn outputs(&self) -> Vec<GraphValue> {
        match self.0 {}
    }

    pub(crate) fn metadata(&self, _: &str) -> Option<&str> {
        match self.0 {}
    }
}

/// A graph in the form of an ONNX file, which this build can keep but not run.
#[derive(Debug)]
pub struct OnnxGraph {
    bytes: Arc<[u8]>,
}

impl OnnxGraph {
    /// Takes the contents of an ONNX file.
    pub fn new(bytes: Arc<[u8]>) -> Self {
        Self { bytes }
    }

    /// # Errors
    /// [`Error::NoRuntime`], always.
    pub(crate) fn check_plan(&self, _: &EmbeddingDescription) -> Result<(), Error> {
        Err(Error::NoRuntime)
    }
}

impl EmbeddingGraph for OnnxGraph {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn plan(&self, _: &EmbeddingDescription) -> Result<Arc<dyn PlannedGraph>, String> {
        Err(Error::NoRuntime.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_refused_with_what_is_missing() {
        let error = OnnxFile::decode(b"").unwrap_err();
        assert!(matches!(error, Error::NoRuntime));
        assert!(error.to_string().contains("feature `tract`"), "{error}");
        assert_eq!(crate::template(b"").unwrap_err().to_string(), error.to_string());
    }
}
