//! An ONNX file: its inputs, outputs and metadata, checked before anything of it is computed.
//!
//! Source: <https://github.com/onnx/onnx/blob/main/docs/IR.md>.

use std::collections::HashSet;

use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimensionValue;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};
use tract_onnx::prelude::Framework;

use super::tensor_size::check_tensor;
use super::tract_error::one_line;
use super::wire_size::check_wire_size;
use crate::error::Error;
use crate::file_size::check_file_size;
use crate::graph_value::{Dimension, GraphValue};

/// Maximum number of nodes; the time to plan a graph is quadratic in it.
const MAX_NODES: usize = 1 << 14;
/// `TensorProto.DataType.FLOAT`
const FLOAT: i32 = 1;

/// A decoded ONNX file.
#[derive(Debug, Clone)]
pub(crate) struct OnnxFile {
    pub(crate) model: ModelProto,
}

impl From<&ValueInfoProto> for GraphValue {
    fn from(value: &ValueInfoProto) -> Self {
        let tensor = value.r#type.as_ref().and_then(|r#type| r#type.value.as_ref());
        let tensor = tensor.map(|TypeValue::TensorType(tensor)| tensor);
        let dimension = |value: &Option<DimensionValue>| match value {
            Some(DimensionValue::DimValue(size)) if *size > 0 => {
                usize::try_from(*size).map_or_else(|_| Dimension::Any("?".to_owned()), Dimension::Fixed)
            }
            Some(DimensionValue::DimParam(name)) if !name.is_empty() => Dimension::Any(name.clone()),
            _ => Dimension::Any("?".to_owned()),
        };
        Self {
            name: value.name.clone(),
            is_f32: tensor.is_some_and(|tensor| tensor.elem_type == FLOAT),
            shape: tensor
                .and_then(|tensor| tensor.shape.as_ref())
                .map(|shape| shape.dim.iter().map(|dim| dimension(&dim.value)).collect()),
        }
    }
}

impl OnnxFile {
    /// Decodes a file and checks its limits and its tensors.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NotOnnx`], [`Error::OverLimit`], [`Error::ExternalData`], [`Error::MalformedTensor`].
    pub(crate) fn decode(mut bytes: &[u8]) -> Result<Self, Error> {
        check_file_size(bytes.len() as u64)?;
        check_wire_size(bytes)?;
        let model = tract_onnx::onnx()
            .proto_model_for_read(&mut bytes)
            .map_err(|error| Error::NotOnnx { reason: one_line(&error) })?;
        let file = Self { model };
        let graph =
            file.model.graph.as_ref().ok_or_else(|| Error::NotOnnx { reason: "it has no graph".into() })?;
        if graph.output.is_empty() {
            return Err(Error::NotOnnx { reason: "its graph has no outputs".into() });
        }
        check_graph(graph)?;
        Ok(file)
    }

    pub(crate) fn graph(&self) -> Option<&GraphProto> {
        self.model.graph.as_ref()
    }

    /// The inputs, without those that have a value in the file.
    pub(crate) fn inputs(&self) -> Vec<GraphValue> {
        self.graph().map_or_else(Vec::new, |graph| {
            let values: HashSet<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
            graph.input.iter().filter(|input| !values.contains(&*input.name)).map(GraphValue::from).collect()
        })
    }

    /// The outputs.
    pub(crate) fn outputs(&self) -> Vec<GraphValue> {
        self.graph().map_or_else(Vec::new, |graph| graph.output.iter().map(GraphValue::from).collect())
    }

    /// A metadata entry.
    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| &*entry.value)
    }
}

fn check_graph(graph: &GraphProto) -> Result<(), Error> {
    for (unit, found) in [("nodes", graph.node.len()), ("initializers", graph.initializer.len())] {
        if found > MAX_NODES {
            let (what, found) = ("the graph".to_owned(), found.to_string());
            return Err(Error::OverLimit { what, found, unit, max: MAX_NODES as u64 });
        }
    }
    graph.initializer.iter().try_for_each(check_tensor)?;
    let attributes = || graph.node.iter().flat_map(|node| &node.attribute);
    attributes().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors)).try_for_each(check_tensor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::graphs::{self, dense, encode};

    #[test]
    fn inputs_and_outputs_have_names_and_shapes() {
        let file = OnnxFile::decode(&encode(&dense())).unwrap();
        let texts = |values: Vec<GraphValue>| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(file.inputs()), ["\"x\" [patch, 4]"]);
        assert_eq!(texts(file.outputs()), ["\"y\" [patch, 2]", "\"product\" [patch, 2]"]);
        let input = &file.inputs()[0];
        assert!(input.accepts(&[1, 4]) && input.accepts(&[7, 4]));
        assert!(!input.accepts(&[4]) && !input.accepts(&[1, 5]));
        assert_eq!(file.metadata("cantus"), None);
    }

    #[test]
    fn what_is_not_onnx_is_an_error() {
        for bytes in [&b""[..], b"RIFF....WAVE", &[0; 100], b"\x08\x08"] {
            let error = OnnxFile::decode(bytes).unwrap_err();
            assert!(matches!(error, Error::NotOnnx { .. }), "{error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn too_many_nodes_are_refused() {
        let mut model = dense();
        let graph = model.graph.as_mut().unwrap();
        graph.node = vec![graphs::node("Relu", &["x"], &["y"]); MAX_NODES + 1];
        let error = OnnxFile::decode(&encode(&model)).unwrap_err().to_string();
        assert_eq!(error, "the graph: 16385 nodes; at most 16384 are accepted");
    }
}
