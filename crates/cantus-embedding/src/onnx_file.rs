//! An ONNX file: its inputs, outputs and metadata, checked before anything of it is computed.
//!
//! Source: <https://github.com/onnx/onnx/blob/main/docs/IR.md>.

use std::collections::HashSet;
use std::fmt;

use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimensionValue;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};
use tract_onnx::prelude::Framework;

use crate::error::Error;
use crate::tensor_size::check_tensor;
use crate::tract_error::one_line;
use crate::wire_size::check_wire_size;

/// Maximum size of a file, in bytes: what Protocol Buffers can encode.
pub(crate) const MAX_FILE_BYTES: u64 = (1 << 31) - 1;
/// Maximum number of nodes; the time to plan a graph is quadratic in it.
const MAX_NODES: usize = 1 << 14;
/// `TensorProto.DataType.FLOAT`
const FLOAT: i32 = 1;

/// A decoded ONNX file.
#[derive(Debug, Clone)]
pub(crate) struct OnnxFile {
    pub(crate) model: ModelProto,
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GraphValue {
    pub(crate) name: String,
    pub(crate) is_f32: bool,
    /// Absent if the file does not say it.
    pub(crate) shape: Option<Vec<Dimension>>,
}

/// A dimension of an input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dimension {
    Fixed(usize),
    /// Any size; the name that the file gives it, or `?`.
    Any(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => size.fmt(f),
            Self::Any(name) => name.fmt(f),
        }
    }
}

impl GraphValue {
    /// The shape, with the element type if that is not f32.
    pub(crate) fn shape_text(&self) -> String {
        let dimensions = |shape: &Vec<Dimension>| shape.iter().map(ToString::to_string).collect::<Vec<_>>();
        let shape = self
            .shape
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), |shape| format!("[{}]", dimensions(shape).join(", ")));
        if self.is_f32 { shape } else { format!("{shape} of a type other than f32") }
    }

    /// Whether a tensor of this shape fits.
    pub(crate) fn accepts(&self, shape: &[usize]) -> bool {
        let fits = |(dimension, &size): (&Dimension, &usize)| match dimension {
            Dimension::Fixed(fixed) => *fixed == size,
            Dimension::Any(_) => true,
        };
        let shape_fits =
            |known: &Vec<Dimension>| known.len() == shape.len() && known.iter().zip(shape).all(fits);
        self.is_f32 && self.shape.as_ref().is_none_or(shape_fits)
    }
}

impl fmt::Display for GraphValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.name, self.shape_text())
    }
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

/// Checks the size of a file.
///
/// # Errors
/// [`Error::TooLarge`].
pub(crate) fn check_file_size(size: u64) -> Result<(), Error> {
    if size > MAX_FILE_BYTES { Err(Error::TooLarge { size, max: MAX_FILE_BYTES }) } else { Ok(()) }
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
    fn a_file_over_two_gigabytes_is_refused_with_its_size() {
        check_file_size(MAX_FILE_BYTES).unwrap();
        let error = check_file_size(1 << 31).unwrap_err().to_string();
        assert!(error.starts_with("2147483648 bytes"), "{error}");
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
