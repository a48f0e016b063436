//! Small ONNX graphs.

use prost::Message;

pub(crate) use super::proto::*;

const FLOAT: i32 = 1;
pub(crate) const INT64: i32 = 7;

pub(crate) fn encode(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

pub(crate) fn node(op_type: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(ToString::to_string).collect(),
        output: outputs.iter().map(ToString::to_string).collect(),
        op_type: op_type.into(),
        ..NodeProto::default()
    }
}

/// An f32 tensor.
pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: FLOAT,
        raw_data: values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// An int64 tensor of one axis.
pub(crate) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: INT64,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// An int64 tensor without axes.
pub(crate) fn integer(name: &str, value: i64) -> TensorProto {
    TensorProto { dims: vec![], ..integers(name, &[value]) }
}

/// An f32 input or output; an axis of size 0 is named `patch`, and has any size.
pub(crate) fn value(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dimension = |&size: &i64| DimensionProto {
        value: Some(if size == 0 { Dimension::Param("patch".into()) } else { Dimension::Value(size) }),
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dimension).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type: FLOAT, shape: Some(shape) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

pub(crate) fn model(graph: GraphProto) -> ModelProto {
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        metadata_props: vec![],
    }
}

/// `product = x w`, `y = product + b`: `x` is `[patch, 4]`, both outputs are `[patch, 2]`.
pub(crate) fn dense() -> ModelProto {
    model(GraphProto {
        name: "dense".into(),
        node: vec![node("MatMul", &["x", "w"], &["product"]), node("Add", &["product", "b"], &["y"])],
        initializer: vec![
            floats("w", &[4, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
            floats("b", &[2], &[0.5, -0.5]),
        ],
        input: vec![value("x", &[0, 4])],
        output: vec![value("y", &[0, 2]), value("product", &[0, 2])],
    })
}

/// `dense` with nodes before it whose output `extra`, `[n]`, is summed and added to `y`.
pub(crate) fn dense_with(nodes: Vec<NodeProto>, initializers: Vec<TensorProto>) -> ModelProto {
    let mut model = dense();
    let graph = model.graph.as_mut().unwrap();
    graph.node.splice(0..0, nodes);
    graph.node.push(node("ReduceSum", &["extra"], &["sum"]));
    graph.node.last_mut().unwrap().attribute =
        vec![AttributeProto { name: "keepdims".into(), i: 0, r#type: 2, ..AttributeProto::default() }];
    graph.node.push(node("Add", &["y", "sum"], &["z"]));
    graph.initializer.extend(initializers);
    graph.output.insert(0, value("z", &[0, 2]));
    model
}

/// A description of `dense`: samples at 8000 Hz in patches of 4.
pub(crate) const DENSE: &str = r#"
name = "dense test model"
source = "made for tests"
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

pub(crate) fn description(text: &str) -> cantus_audio::feature::EmbeddingDescription {
    toml::from_str(text).unwrap()
}
