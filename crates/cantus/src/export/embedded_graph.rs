//! The graph of an embedding model as a part of an exported graph: the nodes that its output needs, with prefixed names.

use std::collections::{HashMap, HashSet};

use cantus_audio::feature::{Embedding, EmbeddingGraph, InputAxis};
use prost::Message;

use super::ExportError;
use super::graph::{Graph, Value};
use super::operator_versions::{KNOWN, is_same};
use super::proto::{AttributeProto, ModelProto, NodeProto};

/// Names of the operators of ONNX's own domain.
const DOMAINS: [&str; 2] = ["", "ai.onnx"];
/// Largest difference of a value, relative to the largest value, if other patches are in a run: that of other sums in f32.
const TOLERANCE: f32 = 1e-3;

/// Adds the graph of the embedding model `number` and returns its output.
///
/// # Shapes
/// - `input`: `[n, ...]`: n patches, in the shape of the description
/// - returns: `[n, n_rows, size]`, rows that are to be averaged
///
/// # Errors
/// [`ExportError::UnsupportedEmbedding`] if the model is held by reference, does not take any number of patches, or has an operator
/// that means something else in the operator set of the exported graph.
pub(super) fn add(
    graph: &mut Graph,
    embedding: &Embedding,
    number: usize,
    input: &Value,
) -> Result<Value, ExportError> {
    add_graph(graph, embedding, number, input).map_err(|reason| ExportError::UnsupportedEmbedding {
        name: embedding.description.name.clone(),
        reason,
    })
}

fn add_graph(
    graph: &mut Graph,
    embedding: &Embedding,
    number: usize,
    input: &Value,
) -> Result<Value, String> {
    let description = &embedding.description;
    if description.by_reference {
        return Err("it is held by reference, and the exported file would contain it".to_owned());
    }
    let embedded_graph = embedding.graph.as_deref().ok_or("it is not loaded")?;
    let model = ModelProto::decode(embedded_graph.bytes())
        .map_err(|error| format!("it cannot be decoded: {error}"))?;
    let version = version(&model);
    if !KNOWN.contains(&version) {
        return Err(format!(
            "its operator set is {version}, and those from {} to {} are known",
            KNOWN.start(),
            KNOWN.end()
        ));
    }
    let embedded = model.graph.unwrap_or_default();
    if !embedded.sparse_initializer.is_empty() {
        return Err("it has sparse tensors".to_owned());
    }
    let nodes = needed(&embedded.node, &description.output.name);
    nodes.iter().try_for_each(|node| check(node, version, graph.operator_set()))?;
    let n_rows = rows_of_patch(embedding, embedded_graph)?;
    // No name of the exported graph contains a slash.
    let names =
        Names { prefix: format!("embedding_{number}/"), input: &description.input.name, given: input };
    let values: HashSet<&str> = nodes.iter().flat_map(|node| &node.input).map(|name| &**name).collect();
    let constants = embedded.initializer.iter().filter(|tensor| values.contains(&*tensor.name));
    let constants = constants.cloned().map(|mut tensor| {
        tensor.name = names.of(&tensor.name);
        tensor
    });
    graph.append(nodes.iter().map(|node| names.renamed(node)), constants);
    let output = graph.as_float(&names.of(&description.output.name));
    Ok(graph.reshape(&output, &[-1, n_rows as i64, description.output.size as i64]))
}

/// The operator set of an embedding model's graph, if that is loaded.
pub(super) fn operator_set(embedding: &Embedding) -> Option<i64> {
    let model = ModelProto::decode(embedding.graph.as_deref()?.bytes()).ok()?;
    Some(version(&model))
}

/// The version of ONNX's own operator set in a file; 1 if it has none, as in the first versions of the format.
fn version(model: &ModelProto) -> i64 {
    let own = model.opset_import.iter().find(|import| DOMAINS.contains(&&*import.domain));
    own.map_or(1, |import| import.version)
}

/// The number of rows that the graph gives for a patch, after a check that it takes any number of patches: that it gives the same for two
/// patches in one run as for each of them alone.
fn rows_of_patch(embedding: &Embedding, graph: &dyn EmbeddingGraph) -> Result<usize, String> {
    let description = &embedding.description;
    if description.input.shape.first() != Some(&InputAxis::Patch) {
        return Err("it takes one patch at a time, not any number".to_owned());
    }
    let plan = |per_run: usize| {
        let mut described = description.clone();
        described.patch.per_run = per_run;
        graph.plan(&described).map_err(|error| format!("it does not take any number of patches: {error}"))
    };
    let (one, two) = (plan(1)?, plan(2)?);
    let n = description.patch_values();
    // Numbers from 0 to 1, different for all values of both patches.
    let input: Vec<f32> =
        (0..2 * n as u32).map(|k| k.wrapping_mul(2_654_435_761) as f32 / 4_294_967_296.0).collect();
    let (mut alone, together) = (one.run(&input[..n]), two.run(&input));
    let n_rows = alone.len() / description.output.size;
    alone.extend(one.run(&input[n..]));
    let largest = alone.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let is_close = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest;
    if alone.len() != together.len() || !alone.iter().zip(&together).all(is_close) {
        return Err("what it gives for a patch depends on the other patches of a run".to_owned());
    }
    Ok(n_rows)
}

/// The nodes that the value `output` needs, in their order.
fn needed<'a>(nodes: &'a [NodeProto], output: &'a str) -> Vec<&'a NodeProto> {
    let outputs = |(i, node): (usize, &'a NodeProto)| node.output.iter().map(move |name| (&**name, i));
    let producers: HashMap<&str, usize> = nodes.iter().enumerate().flat_map(outputs).collect();
    let (mut is_needed, mut open) = (vec![false; nodes.len()], vec![output]);
    while let Some(value) = open.pop() {
        let Some(&i) = producers.get(value).filter(|_| !value.is_empty()) else { continue };
        if !std::mem::replace(&mut is_needed[i], true) {
            open.extend(nodes[i].input.iter().map(|name| &**name));
        }
    }
    nodes.iter().zip(is_needed).filter(|(_, is_needed)| *is_needed).map(|(node, _)| node).collect()
}

/// Checks that a node of the operator set `version` means the same in the exported one.
fn check(node: &NodeProto, version: i64, exported: i64) -> Result<(), String> {
    let operator = &node.op_type;
    if !DOMAINS.contains(&&*node.domain) {
        return Err(format!("its operator {operator} is of the domain {}", node.domain));
    }
    let is_plain = |attribute: &AttributeProto| {
        attribute.g.is_none() && attribute.graphs.is_empty() && attribute.sparse_tensor.is_none()
    };
    if !node.attribute.iter().all(is_plain) {
        return Err(format!("its operator {operator} contains a graph or a sparse tensor"));
    }
    if !is_same(operator, version, exported) {
        return Err(format!(
            "its operator {operator} is that of operator set {version}, which differs from that of set {exported}, the exported one; \
             convert its file to set {exported} (in Python, onnx.version_converter.convert_version) and train with it"
        ));
    }
    Ok(())
}

/// The names of an embedded graph's values in the exported graph.
struct Names<'a> {
    prefix: String,
    /// The name of the input, and of the value that it is.
    input: &'a str,
    given: &'a str,
}

impl Names<'_> {
    fn of(&self, name: &str) -> String {
        match name {
            // An optional input or output that is absent.
            "" => String::new(),
            name if name == self.input => self.given.to_owned(),
            name => format!("{}{name}", self.prefix),
        }
    }

    fn renamed(&self, node: &NodeProto) -> NodeProto {
        let mut renamed = node.clone();
        renamed.input.iter_mut().chain(&mut renamed.output).for_each(|name| *name = self.of(name));
        // Names of nodes need not be unique; that of an output is.
        renamed.name = renamed.output.first().cloned().unwrap_or_default();
        renamed
    }
}
