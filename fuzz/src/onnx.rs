//! ONNX graphs of arbitrary nodes, and a description that fits most of them.

use std::sync::Arc;

use arbitrary::Arbitrary;
use cantus_audio::feature::{Embedding, EmbeddingDescription};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};

use crate::files::check_message;

/// A description of a graph with an input `x`, `[patch, 4]`, and an output `y`, `[patch, 2]`.
pub const DESCRIPTION: &str = r#"
name = "graph"
source = "composed"
licence = "MIT OR Apache-2.0"
citation = "none"
training_data = ["nothing"]

[input]
name = "x"
shape = ["patch", "sample"]
sample_rate = 8000

[patch]
length = 4
hop = 4

[output]
name = "y"
size = 2
"#;

/// Operators, of which those that make large values come first.
const OPERATORS: [&str; 56] = [
    "ConstantOfShape",
    "Expand",
    "Tile",
    "Range",
    "Pad",
    "Resize",
    "OneHot",
    "Upsample",
    "Gather",
    "GatherND",
    "ScatterND",
    "Slice",
    "Reshape",
    "Transpose",
    "Concat",
    "Split",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Shape",
    "Size",
    "Cast",
    "MatMul",
    "Gemm",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Mod",
    "Pow",
    "Where",
    "Equal",
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "BatchNormalization",
    "LayerNormalization",
    "Softmax",
    "Relu",
    "Sigmoid",
    "LSTM",
    "GRU",
    "RNN",
    "ReduceSum",
    "ReduceMean",
    "ArgMax",
    "TopK",
    "NonZero",
    "CumSum",
    "DFT",
    "STFT",
    "If",
    "Loop",
    "Constant",
];

/// Names of attributes that these operators have.
const ATTRIBUTES: [&str; 28] = [
    "value",
    "axis",
    "axes",
    "perm",
    "to",
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "group",
    "auto_pad",
    "mode",
    "keepdims",
    "hidden_size",
    "direction",
    "epsilon",
    "alpha",
    "transA",
    "transB",
    "k",
    "largest",
    "output_padding",
    "ceil_mode",
    "body",
    "then_branch",
    "else_branch",
    "value_ints",
    "num_outputs",
];

/// A graph; the names of values are numbers, `x` is the input and the last output is `y`.
#[derive(Debug, Arbitrary)]
pub struct ArbitraryGraph {
    initializers: Vec<ArbitraryTensor>,
    nodes: Vec<ArbitraryNode>,
    output_dims: [u8; 2],
}

#[derive(Debug, Arbitrary)]
struct ArbitraryTensor {
    dims: Vec<u8>,
    large_dim: Option<i64>,
    is_integer: bool,
    /// Repeated as often as the shape needs, if that is not much.
    values: Vec<i16>,
    is_short: bool,
}

#[derive(Debug, Arbitrary)]
struct ArbitraryNode {
    operator: u8,
    inputs: Vec<u8>,
    n_outputs: u8,
    attributes: Vec<ArbitraryAttribute>,
}

#[derive(Debug, Arbitrary)]
enum ArbitraryAttribute {
    Integer(u8, i64),
    Integers(u8, Vec<i64>),
    Float(u8, f32),
    Text(u8, String),
    Tensor(u8, ArbitraryTensor),
}

impl ArbitraryGraph {
    /// The bytes of an ONNX file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut names = vec!["x".to_owned()];
        let mut initializer = Vec::new();
        for tensor in self.initializers.iter().take(8) {
            names.push(format!("v{}", names.len()));
            initializer.push(tensor.to_proto(&names[names.len() - 1]));
        }
        let mut node = Vec::new();
        for arbitrary in self.nodes.iter().take(12) {
            let input = arbitrary
                .inputs
                .iter()
                .take(6)
                .map(|i| names[usize::from(*i) % names.len()].clone())
                .collect();
            let output: Vec<String> = (0..1 + arbitrary.n_outputs % 3)
                .map(|i| format!("v{}", names.len() + usize::from(i)))
                .collect();
            names.extend(output.iter().cloned());
            node.push(arbitrary.to_proto(input, output));
        }
        // The first output of the last node is that of the graph.
        if let Some(last) = node.last_mut() {
            last.output[0] = "y".to_owned();
        }
        let [a, b] = self.output_dims.map(|size| i64::from(size % 4));
        let graph = GraphProto {
            name: "graph".to_owned(),
            node,
            initializer,
            input: vec![value("x", &[0, 4])],
            output: vec![value("y", &[a, b])],
            ..GraphProto::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
        ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }
            .encode_to_vec()
    }
}

impl ArbitraryTensor {
    fn to_proto(&self, name: &str) -> TensorProto {
        let mut dims: Vec<i64> = self.dims.iter().take(4).map(|size| i64::from(size % 8)).collect();
        dims.extend(self.large_dim);
        let n_values =
            dims.iter().try_fold(1i64, |n, size| n.checked_mul(*size)).unwrap_or(0).clamp(0, 4096) as usize;
        let n_values = n_values.saturating_sub(usize::from(self.is_short));
        let values = self.values.iter().copied().chain([0]).cycle().take(n_values);
        let (data_type, raw_data) = match self.is_integer {
            true => (7, values.flat_map(|n| i64::from(n).to_le_bytes()).collect()),
            false => (1, values.flat_map(|n| (f32::from(n) / 16.0).to_le_bytes()).collect()),
        };
        TensorProto { name: name.to_owned(), dims, data_type, raw_data, ..TensorProto::default() }
    }
}

impl ArbitraryNode {
    fn to_proto(&self, input: Vec<String>, output: Vec<String>) -> NodeProto {
        NodeProto {
            name: format!("node of {}", output[0]),
            op_type: OPERATORS[usize::from(self.operator) % OPERATORS.len()].to_owned(),
            attribute: self.attributes.iter().take(6).map(ArbitraryAttribute::to_proto).collect(),
            input,
            output,
            ..NodeProto::default()
        }
    }
}

impl ArbitraryAttribute {
    /// Types are those of `AttributeProto.AttributeType`.
    fn to_proto(&self) -> AttributeProto {
        let of = |name: &u8, r#type: i32| AttributeProto {
            name: ATTRIBUTES[usize::from(*name) % ATTRIBUTES.len()].to_owned(),
            r#type,
            ..AttributeProto::default()
        };
        match self {
            Self::Float(name, f) => AttributeProto { f: *f, ..of(name, 1) },
            Self::Integer(name, i) => AttributeProto { i: *i, ..of(name, 2) },
            Self::Text(name, text) => AttributeProto { s: text.as_bytes().to_vec(), ..of(name, 3) },
            Self::Tensor(name, tensor) => AttributeProto { t: Some(tensor.to_proto("")), ..of(name, 4) },
            Self::Integers(name, ints) => {
                AttributeProto { ints: ints.iter().take(8).copied().collect(), ..of(name, 7) }
            }
        }
    }
}

/// An f32 input or output; an axis of size 0 is of any size.
fn value(name: &str, shape: &[i64]) -> ValueInfoProto {
    use tensor_shape_proto::dimension::Value;
    let dimension = |&size: &i64| tensor_shape_proto::Dimension {
        value: Some(if size == 0 { Value::DimParam("patch".to_owned()) } else { Value::DimValue(size) }),
        ..tensor_shape_proto::Dimension::default()
    };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() });
    let tensor = type_proto::Value::TensorType(type_proto::Tensor { elem_type: 1, shape });
    let r#type = Some(TypeProto { value: Some(tensor), ..TypeProto::default() });
    ValueInfoProto { name: name.to_owned(), r#type, ..ValueInfoProto::default() }
}

/// `y = x w + b`, with a description that fits.
pub fn dense() -> Vec<u8> {
    let tensor = |name: &str, dims: &[i64]| {
        let n = dims.iter().product::<i64>() as usize;
        let raw_data = (0..n).flat_map(|i| (i as f32).to_le_bytes()).collect();
        TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: 1,
            raw_data,
            ..TensorProto::default()
        }
    };
    let node = |op_type: &str, input: [&str; 2], output: &str| NodeProto {
        op_type: op_type.to_owned(),
        input: input.map(str::to_owned).to_vec(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    };
    let graph = GraphProto {
        name: "dense".to_owned(),
        node: vec![node("MatMul", ["x", "w"], "product"), node("Add", ["product", "b"], "y")],
        initializer: vec![tensor("w", &[4, 2]), tensor("b", &[2])],
        input: vec![value("x", &[0, 4])],
        output: vec![value("y", &[0, 2])],
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

/// Makes a template for a graph, plans it and, if it is small, runs it.
pub fn check(bytes: &[u8]) {
    let _ = cantus_embedding::template(bytes).map_err(|error| check_message(&error));
    let description: EmbeddingDescription = toml::from_str(DESCRIPTION).expect("a valid description");
    match cantus_embedding::from_parts(Arc::from(bytes), description) {
        Ok(embedding) => run(&embedding),
        Err(error) => check_message(&error),
    }
}

/// Runs a planned graph on zeros, if it is small.
pub fn run(embedding: &Embedding) {
    let description = &embedding.description;
    let n_values = description.input_shape().iter().fold(1usize, |n, size| n.saturating_mul(*size));
    let Some(graph) = embedding.graph.as_ref().filter(|_| n_values < 1 << 16) else { return };
    if let Ok(planned) = graph.plan(description) {
        let _ = planned.run(&vec![0.0; n_values]);
    }
}
