//! Builder of ONNX graphs: adds nodes in topological order and names their values.

use std::ops::Range;

use super::proto::{
    AttributeProto, AttributeType, DOUBLE, Dimension, DimensionProto, FLOAT, FLOAT16, GraphProto, INT64,
    NodeProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// The operator set from which `ReduceMean` and `ReduceMax` take their axes as an input.
const REDUCTIONS_WITH_AXES_AS_INPUT: i64 = 18;

/// The name of a value in a graph.
pub(super) type Value = String;

/// An attribute of a node.
pub(super) enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Text(&'static str),
    Texts(Vec<&'static str>),
}

impl Attribute {
    /// A boolean as an integer.
    pub(super) fn flag(value: bool) -> Self {
        Self::Int(i64::from(value))
    }

    /// Sizes, such as those of a window.
    pub(super) fn sizes(sizes: &[usize]) -> Self {
        Self::Ints(sizes.iter().map(|&size| size as i64).collect())
    }
}

/// An axis of an input or output: of fixed size, or symbolic.
pub(super) enum Axis {
    Size(usize),
    Open(&'static str),
}

impl From<usize> for Axis {
    fn from(size: usize) -> Self {
        Self::Size(size)
    }
}

impl From<&'static str> for Axis {
    fn from(name: &'static str) -> Self {
        Self::Open(name)
    }
}

/// An ONNX graph under construction.
pub(super) struct Graph {
    proto: GraphProto,
    operator_set: i64,
}

impl Graph {
    /// An empty graph of an operator set from [`OPSET`](super::operator_versions::OPSET) on.
    pub(super) fn new(name: &str, operator_set: i64) -> Self {
        Self { proto: GraphProto { name: name.to_owned(), ..GraphProto::default() }, operator_set }
    }

    pub(super) fn operator_set(&self) -> i64 {
        self.operator_set
    }

    /// An input of floats `[batch, shape...]`, for any number of examples.
    pub(super) fn input(&mut self, name: &str, shape: &[usize], description: &str) -> Value {
        let axes: Vec<Axis> =
            std::iter::once("batch".into()).chain(shape.iter().map(|&n| n.into())).collect();
        self.proto.input.push(value_info(name, &axes, description));
        name.to_owned()
    }

    /// Makes `value` an output of that name.
    pub(super) fn output(&mut self, value: Value, name: &str, shape: &[Axis], description: &str) {
        self.push("Identity", vec![value], vec![name.to_owned()], &[]);
        self.proto.output.push(value_info(name, shape, description));
    }

    /// A constant of floats, row-major.
    pub(super) fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(FLOAT, shape, bytes)
    }

    /// A constant number.
    pub(super) fn number(&mut self, value: f32) -> Value {
        self.floats(&[], &[value])
    }

    /// A constant list of integers, such as a shape.
    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(INT64, &[values.len()], bytes)
    }

    /// A constant integer.
    pub(super) fn integer(&mut self, value: i64) -> Value {
        self.constant(INT64, &[], value.to_le_bytes().to_vec())
    }

    fn constant(&mut self, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let name = format!("constant_{}", self.proto.initializer.len());
        let dims = shape.iter().map(|&size| size as i64).collect();
        self.proto.initializer.push(TensorProto {
            dims,
            data_type,
            name: name.clone(),
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    /// A node with one output.
    pub(super) fn node<const N: usize>(&mut self, op: &str, inputs: [&Value; N]) -> Value {
        self.node_with(op, inputs, &[])
    }

    /// A node with one output and attributes.
    pub(super) fn node_with<const N: usize>(
        &mut self,
        op: &str,
        inputs: [&Value; N],
        attributes: &[(&str, Attribute)],
    ) -> Value {
        self.node_output(op, inputs, attributes, 0)
    }

    /// A node of which only output `index` is used; the outputs before it are omitted.
    pub(super) fn node_output<const N: usize>(
        &mut self,
        op: &str,
        inputs: [&Value; N],
        attributes: &[(&str, Attribute)],
        index: usize,
    ) -> Value {
        let output = self.next_name(op);
        let mut outputs = vec![String::new(); index];
        outputs.push(output.clone());
        self.push(op, inputs.map(Clone::clone).to_vec(), outputs, attributes);
        output
    }

    /// The `n` greatest values along the last axis, in descending order.
    pub(super) fn greatest(&mut self, value: &Value, n: usize) -> Value {
        let n = self.integers(&[n as i64]);
        let (values, places) = (self.next_name("TopK"), format!("{}_places", self.next_name("TopK")));
        self.push("TopK", vec![value.clone(), n], vec![values.clone(), places], &[]);
        values
    }

    /// Concatenates values along an axis.
    pub(super) fn concat(&mut self, values: Vec<Value>, axis: i64) -> Value {
        match <[Value; 1]>::try_from(values) {
            Ok([only]) => only,
            Err(values) => {
                let output = self.next_name("Concat");
                self.push("Concat", values, vec![output.clone()], &[("axis", Attribute::Int(axis))]);
                output
            }
        }
    }

    /// Reshapes; 0 keeps an axis, -1 is inferred.
    pub(super) fn reshape(&mut self, value: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.node("Reshape", [value, &shape])
    }

    /// Permutes the axes.
    pub(super) fn transpose(&mut self, value: &Value, order: &[i64]) -> Value {
        self.node_with("Transpose", [value], &[("perm", Attribute::Ints(order.to_vec()))])
    }

    /// Inserts an axis of size 1.
    pub(super) fn unsqueeze(&mut self, value: &Value, axis: i64) -> Value {
        let axis = self.integers(&[axis]);
        self.node("Unsqueeze", [value, &axis])
    }

    /// Removes an axis of size 1.
    pub(super) fn squeeze(&mut self, value: &Value, axis: i64) -> Value {
        let axis = self.integers(&[axis]);
        self.node("Squeeze", [value, &axis])
    }

    /// A range of an axis.
    pub(super) fn slice(&mut self, value: &Value, axis: i64, part: Range<usize>) -> Value {
        let (start, end) = (self.integers(&[part.start as i64]), self.integers(&[part.end as i64]));
        let axis = self.integers(&[axis]);
        self.node("Slice", [value, &start, &end, &axis])
    }

    /// The sum along the last axis, which is kept with size 1.
    pub(super) fn sum(&mut self, value: &Value) -> Value {
        let axis = self.integers(&[-1]);
        self.node("ReduceSum", [value, &axis])
    }

    /// The mean along some axes, which are kept with size 1 if `keep`.
    pub(super) fn mean(&mut self, value: &Value, axes: &[i64], keep: bool) -> Value {
        self.reduce("ReduceMean", value, axes, keep)
    }

    /// The maximum along some axes, which are kept with size 1.
    pub(super) fn max(&mut self, value: &Value, axes: &[i64]) -> Value {
        self.reduce("ReduceMax", value, axes, true)
    }

    /// The only operators of this builder that change after [`OPSET`](super::operator_versions::OPSET): the axes become an input.
    fn reduce(&mut self, op: &str, value: &Value, axes: &[i64], keep: bool) -> Value {
        let keep = ("keepdims", Attribute::flag(keep));
        if self.operator_set < REDUCTIONS_WITH_AXES_AS_INPUT {
            return self.node_with(op, [value], &[("axes", Attribute::Ints(axes.to_vec())), keep]);
        }
        let axes = self.integers(axes);
        self.node_with(op, [value, &axes], &[keep])
    }

    /// Multiplies all elements by `factor`.
    pub(super) fn times(&mut self, value: &Value, factor: f32) -> Value {
        let factor = self.number(factor);
        self.node("Mul", [value, &factor])
    }

    /// Raises all elements to at least `least`.
    pub(super) fn at_least(&mut self, value: &Value, least: f32) -> Value {
        let least = self.number(least);
        self.node("Max", [value, &least])
    }

    /// Softmax along the last axis.
    pub(super) fn softmax(&mut self, value: &Value) -> Value {
        self.node_with("Softmax", [value], &[("axis", Attribute::Int(-1))])
    }

    /// Converts to f32; booleans become 0 and 1.
    pub(super) fn as_float(&mut self, value: &Value) -> Value {
        self.node_with("Cast", [value], &[("to", Attribute::Int(i64::from(FLOAT)))])
    }

    /// Converts to 16-bit floating point, rounded to the nearest number.
    pub(super) fn as_half(&mut self, value: &Value) -> Value {
        self.node_with("Cast", [value], &[("to", Attribute::Int(i64::from(FLOAT16)))])
    }

    /// Converts to f64.
    pub(super) fn as_double(&mut self, value: &Value) -> Value {
        self.node_with("Cast", [value], &[("to", Attribute::Int(i64::from(DOUBLE)))])
    }

    /// Converts to i64, for indices.
    pub(super) fn as_integer(&mut self, value: &Value) -> Value {
        self.node_with("Cast", [value], &[("to", Attribute::Int(i64::from(INT64)))])
    }

    /// Adds nodes and constants of another graph, in topological order and with names that this one does not have.
    pub(super) fn append(
        &mut self,
        nodes: impl Iterator<Item = NodeProto>,
        constants: impl Iterator<Item = TensorProto>,
    ) {
        self.proto.node.extend(nodes);
        self.proto.initializer.extend(constants);
    }

    pub(super) fn finish(self) -> GraphProto {
        self.proto
    }

    fn next_name(&self, op: &str) -> Value {
        format!("{op}_{}", self.proto.node.len())
    }

    fn push(&mut self, op: &str, input: Vec<Value>, output: Vec<Value>, attributes: &[(&str, Attribute)]) {
        let name = self.next_name(op);
        let attribute = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
        self.proto.node.push(NodeProto {
            input,
            output,
            name,
            op_type: op.to_owned(),
            attribute,
            ..NodeProto::default()
        });
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Attribute::Int(value) => {
            proto.i = *value;
            AttributeType::Int
        }
        Attribute::Float(value) => {
            proto.f = *value;
            AttributeType::Float
        }
        Attribute::Ints(values) => {
            proto.ints.clone_from(values);
            AttributeType::Ints
        }
        Attribute::Text(text) => {
            proto.s = text.as_bytes().to_vec();
            AttributeType::String
        }
        Attribute::Texts(texts) => {
            proto.strings = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            AttributeType::Strings
        }
    };
    proto.set_type(kind);
    proto
}

/// Floats of that shape.
fn value_info(name: &str, shape: &[Axis], description: &str) -> ValueInfoProto {
    let dimension = |axis: &Axis| {
        let value = match axis {
            Axis::Size(size) => Dimension::Value(*size as i64),
            Axis::Open(name) => Dimension::Param((*name).to_owned()),
        };
        DimensionProto { value: Some(value) }
    };
    let dim = shape.iter().map(dimension).collect();
    let tensor_type = TensorTypeProto { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: description.to_owned(),
    }
}
