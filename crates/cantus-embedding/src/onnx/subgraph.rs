//! The part of a graph that computes one output from one input.
//!
//! Nodes of other outputs need not be supported, and take neither time nor memory.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto};

use crate::error::Error;
use crate::graph_value::GraphValue;

/// Domains of the operators that tract implements.
const DOMAINS: [&str; 3] = ["", "ai.onnx", "ai.onnx.ml"];

/// Reduces a graph to the nodes, initializers and inputs that `output` needs; `output` is then the only one.
///
/// Declared shapes of intermediate values are left out: they may have been written for another number of patches.
///
/// # Errors
/// [`Error::UnknownOutput`], [`Error::FurtherInputs`], [`Error::Unconnected`], [`Error::NotOnnx`] for a value that is not
/// defined.
pub(crate) fn reduce(graph: &mut GraphProto, input: &str, output: &str) -> Result<(), Error> {
    let outputs = || graph.output.iter().map(|output| GraphValue::from(output).to_string()).collect();
    if !graph.output.iter().any(|found| found.name == output) {
        return Err(Error::UnknownOutput { name: output.to_owned(), outputs: outputs() });
    }
    let (needed, values) = needed(graph, output);
    if !values.contains(input) {
        return Err(Error::Unconnected { input: input.to_owned(), output: output.to_owned() });
    }
    let mut is_needed = needed.into_iter();
    graph.node.retain(|_| is_needed.next().unwrap_or(false));
    graph.node.iter_mut().for_each(normalise);
    graph.initializer.retain(|tensor| values.contains(&tensor.name));
    graph.input.retain(|value| values.contains(&value.name));
    graph.output.retain(|found| found.name == output);
    graph.output.truncate(1);
    graph.value_info.clear();
    check_inputs(graph, input, output)?;
    check_definitions(graph, values)
}

/// Removes the name of a node, which need not be unique, as that of its output is; and empty names of absent inputs at the
/// end, which tract counts as inputs of `Pad`.
fn normalise(node: &mut NodeProto) {
    node.name.clear();
    let n_inputs = node.input.iter().rposition(|input| !input.is_empty()).map_or(0, |last| last + 1);
    node.input.truncate(n_inputs);
}

/// For each node whether `output` needs it, and the names of all values that it needs.
fn needed(graph: &GraphProto, output: &str) -> (Vec<bool>, HashSet<String>) {
    let producers: HashMap<&str, usize> = graph
        .node
        .iter()
        .enumerate()
        .flat_map(|(i, node)| node.output.iter().map(move |output| (&**output, i)))
        .filter(|(output, _)| !output.is_empty())
        .collect();
    let mut needed = vec![false; graph.node.len()];
    let mut values = HashSet::from([output.to_owned()]);
    let mut open = vec![output];
    while let Some(value) = open.pop() {
        let Some(&producer) = producers.get(value) else { continue };
        let (Some(is_needed), Some(node)) = (needed.get_mut(producer), graph.node.get(producer)) else {
            continue;
        };
        if !std::mem::replace(is_needed, true) {
            let inputs = node.input.iter().filter(|input| !input.is_empty());
            open.extend(inputs.filter(|input| values.insert((*input).clone())).map(|input| &**input));
        }
    }
    (needed, values)
}

fn check_inputs(graph: &GraphProto, input: &str, output: &str) -> Result<(), Error> {
    let is_initialized = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let further = graph.input.iter().filter(|found| found.name != input && !is_initialized(&found.name));
    let inputs: Vec<String> = further.map(|found| GraphValue::from(found).to_string()).collect();
    if inputs.is_empty() { Ok(()) } else { Err(Error::FurtherInputs { output: output.to_owned(), inputs }) }
}

fn check_definitions(graph: &GraphProto, mut values: HashSet<String>) -> Result<(), Error> {
    graph.input.iter().for_each(|input| _ = values.remove(&input.name));
    graph.initializer.iter().for_each(|tensor| _ = values.remove(&tensor.name));
    graph.node.iter().flat_map(|node| &node.output).for_each(|output| _ = values.remove(output));
    match values.into_iter().min() {
        None => Ok(()),
        Some(value) => Err(Error::NotOnnx { reason: format!("its graph does not define {value:?}") }),
    }
}

/// Checks that tract has every operator of a graph, and that none contains a graph of its own.
///
/// The size of the values in inner graphs cannot be checked before tract computes them.
///
/// # Errors
/// [`Error::UnsupportedOperators`] names each with its first output.
pub(crate) fn check_operators(graph: &GraphProto, is_known: impl Fn(&str) -> bool) -> Result<(), Error> {
    let has_graph = |node: &NodeProto| {
        node.attribute.iter().any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
    };
    let is_supported =
        |node: &NodeProto| DOMAINS.contains(&&*node.domain) && is_known(&node.op_type) && !has_graph(node);
    let mut seen = HashSet::new();
    let unsupported = graph.node.iter().filter(|node| !is_supported(node));
    let operators: Vec<String> = unsupported
        .filter(|node| seen.insert((&node.domain, &node.op_type)))
        .take(8)
        .map(|node| {
            let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
            format!("{domain}{} (of {:?})", node.op_type, node.output.first().map_or("", |output| &**output))
        })
        .collect();
    if operators.is_empty() { Ok(()) } else { Err(Error::UnsupportedOperators { operators }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::file::OnnxFile;
    use crate::testing::graphs::{self, ModelProto, dense, encode, node};

    fn decoded(model: &ModelProto) -> GraphProto {
        OnnxFile::decode(&encode(model)).unwrap().model.graph.unwrap()
    }

    #[test]
    fn only_what_the_output_needs_stays() {
        let mut graph = decoded(&dense());
        reduce(&mut graph, "x", "product").unwrap();
        assert_eq!((graph.node.len(), graph.initializer.len(), graph.output.len()), (1, 1, 1));
        assert_eq!(graph.initializer[0].name, "w");
        let mut graph = decoded(&dense());
        reduce(&mut graph, "x", "y").unwrap();
        assert_eq!((graph.node.len(), graph.initializer.len(), graph.output.len()), (2, 2, 1));
    }

    #[test]
    fn errors_list_what_the_graph_has() {
        let refused = |model: &ModelProto, input: &str, output: &str| {
            reduce(&mut decoded(model), input, output).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&dense(), "x", "z"),
            "the model has no output \"z\"; it has: \"y\" [patch, 2], \"product\" [patch, 2]"
        );
        let mut two = dense();
        let graph = two.graph.as_mut().unwrap();
        graph.input.push(graphs::value("state", &[2]));
        graph.node[1].input[1] = "state".into();
        assert_eq!(
            refused(&two, "x", "y"),
            "output \"y\" needs further inputs, which a description cannot have: \"state\" [2]"
        );
        reduce(&mut decoded(&two), "x", "product").unwrap();
        assert_eq!(
            refused(&two, "state", "product"),
            "output \"product\" does not depend on input \"state\""
        );
        let mut undefined = dense();
        undefined.graph.as_mut().unwrap().node[1].input[1] = "nowhere".into();
        assert_eq!(refused(&undefined, "x", "y"), "not an ONNX model: its graph does not define \"nowhere\"");
    }

    #[test]
    fn operators_that_cannot_run_are_named_once_each() {
        let mut model = dense();
        let graph = model.graph.as_mut().unwrap();
        graph.node = ["a", "b"].map(|output| node("Made up", &["x"], &[output])).to_vec();
        graph.node.push(node("Relu", &["x"], &["c"]));
        graph.node[2].domain = "com.example".into();
        let error = check_operators(&decoded(&model), |operator| operator == "Relu").unwrap_err().to_string();
        assert_eq!(
            error,
            "the model needs operators that are not supported: Made up (of \"a\"), com.example.Relu (of \"c\")"
        );
    }
}
