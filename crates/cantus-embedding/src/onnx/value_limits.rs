//! Limits of the size of a graph's values, checked before tract computes any of them.
//!
//! Values that do not depend on the input are computed while a graph is planned, so that a file of some bytes with
//! `ConstantOfShape`, `Expand`, `Tile` or `Range` could exhaust the memory. Here the nodes are visited in the order of
//! evaluation; the shapes of each node's outputs are inferred and checked before its values are.

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::{Factoid, InferenceFact, InferenceModel, InferenceOp};
use tract_onnx::tract_hir::internal::OutletId;

use super::tensor_size::{MAX_VALUES, over_limit};
use super::tract_error::plan_error;
use crate::error::Error;

/// tract's names of operators whose output can be much larger than their inputs.
const GENERATORS: [&str; 8] =
    ["ConstantOfShape", "EinSum", "MultiBroadcastTo", "OneHot", "Pad", "Range", "Resize", "Tile"];

/// Infers the shapes of a graph whose input is known, and its constant values.
///
/// # Errors
/// [`Error::OverLimit`] for a value with more than 2^28 elements, or for constant values with more in total; [`Error::Plan`]
/// if the shapes contradict each other.
pub(crate) fn infer_within_limits(model: &mut InferenceModel) -> Result<(), Error> {
    infer_within(model, MAX_VALUES)
}

fn infer_within(model: &mut InferenceModel, max_constants: u64) -> Result<(), Error> {
    let mut n_constants = 0u64;
    for node in model.eval_order().map_err(plan_error)? {
        n_constants = n_constants.saturating_add(infer_node(model, node)?);
        if n_constants > max_constants {
            let (what, found) = ("all constants of the graph together".to_owned(), n_constants.to_string());
            return Err(Error::OverLimit { what, found, unit: "values", max: max_constants });
        }
    }
    Ok(())
}

type Facts = TVec<InferenceFact>;

/// What is known of the values around a node.
struct NodeFacts {
    name: String,
    operator: String,
    outlets: Vec<OutletId>,
    inputs: Facts,
    outputs: Facts,
    /// Of further values that the operator depends on.
    observed: Facts,
}

impl NodeFacts {
    fn new(model: &InferenceModel, id: usize) -> TractResult<Self> {
        let node = model.node(id);
        let facts = |outlets: &[OutletId]| -> TractResult<Facts> {
            outlets.iter().map(|&outlet| model.outlet_fact(outlet).cloned()).collect()
        };
        let outlets: Vec<OutletId> = (0..node.outputs.len()).map(|slot| OutletId::new(id, slot)).collect();
        Ok(Self {
            name: node.name.clone(),
            operator: node.op.name().into_owned(),
            inputs: facts(&node.inputs)?,
            outputs: facts(&outlets)?,
            observed: facts(&node.op.observe_outlets(model, node)?)?,
            outlets,
        })
    }

    fn is_generator(&self) -> bool {
        GENERATORS.contains(&&*self.operator)
    }

    fn error(&self, error: TractError) -> Error {
        plan_error(error.context(format!("{:?} ({})", self.name, self.operator)))
    }

    /// Infers the shapes of the inputs and outputs, without their values.
    fn infer_shapes(&self, op: &mut dyn InferenceOp) -> Result<(Facts, Facts), Error> {
        let (inputs, outputs, observed) = (self.inputs.iter(), self.outputs.iter(), self.observed.iter());
        let inferred = op.infer_facts(inputs.collect(), outputs.collect(), observed.collect());
        inferred.map(|(inputs, outputs, _)| (inputs, outputs)).map_err(|error| self.error(error))
    }

    /// Infers the outputs, with their values if those of the inputs are known.
    fn infer_values(&self, op: &mut dyn InferenceOp) -> Result<Facts, Error> {
        let (inputs, outputs, observed) = (self.inputs.iter(), self.outputs.iter(), self.observed.iter());
        let inferred = op.infer(inputs.collect(), outputs.collect(), observed.collect());
        let (_, inferred, _) = inferred.map_err(|error| self.error(error))?;
        let unified = self.outputs.iter().zip(&inferred).map(|(known, inferred)| known.unify(inferred));
        unified.collect::<TractResult<Facts>>().map_err(|error| self.error(error))
    }
}

/// Infers the outputs of a node; returns the number of constant values that it computed.
fn infer_node(model: &mut InferenceModel, id: usize) -> Result<u64, Error> {
    if model.node(id).inputs.is_empty() {
        return Ok(0);
    }
    let facts = NodeFacts::new(model, id).map_err(plan_error)?;
    check_ranks(&facts)?;
    check_parameters(&facts)?;
    let op = &mut *model.node_mut(id).op;
    let (inputs, shapes) = facts.infer_shapes(op)?;
    let is_constant = op.is_stateless() && inputs.iter().all(|input| input.value.is_concrete());
    let n_values = check_outputs(&facts.name, &shapes, is_constant && facts.is_generator())?;
    for (outlet, fact) in facts.outlets.iter().zip(facts.infer_values(op)?) {
        model.set_outlet_fact(*outlet, fact).map_err(plan_error)?;
    }
    Ok(if is_constant { n_values } else { 0 })
}

/// Checks the numbers that tract's rules of shapes subtract from a rank. A difference below 0 is 2^64 or nearly so there, and the rule
/// visits as many axes, until the memory is exhausted.
fn check_ranks(facts: &NodeFacts) -> Result<(), Error> {
    let shape =
        |fact: Option<&InferenceFact>| fact.map(|fact| &fact.shape).filter(|shape| !shape.is_open()).cloned();
    let reason = match &*facts.operator {
        "DFT" => {
            let known = [shape(facts.inputs.first()), shape(facts.outputs.first())];
            let has_no_axes = known.iter().flatten().any(|shape| shape.dims().count() == 0);
            has_no_axes.then(|| "its input has no axes".to_owned())
        }
        // By the standard the rank of the data is the limit; tract has the rank of the indices in its place.
        "GatherNd" => shape(facts.inputs.get(1)).and_then(|shape| {
            let n_axes = shape.dims().count();
            let n_indices =
                shape.dims().last().and_then(|size| size.concretize()).and_then(|size| size.to_i64().ok());
            let fits = n_axes > 0 && n_indices.is_none_or(|n| (0..=n_axes as i64).contains(&n));
            (!fits).then(|| format!("its indices have {n_axes} axes, and address more"))
        }),
        _ => None,
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            Err(Error::Plan { reason: format!("{:?} ({}): {reason}", facts.name, facts.operator) })
        }
    }
}

/// Checks the numbers that determine the size of an operator's output: tract takes dimensions modulo 2^32 in places, so that
/// an inferred shape is only right if they are small.
fn check_parameters(facts: &NodeFacts) -> Result<(), Error> {
    if !facts.is_generator() {
        return Ok(());
    }
    let operator = &*facts.operator;
    let n_data = usize::from(!["ConstantOfShape", "Range"].contains(&operator));
    let parameters = facts.inputs.iter().skip(n_data).filter_map(|input| input.value.concretize());
    for tensor in parameters.filter(|tensor| operator == "Range" || !tensor.datum_type().is_float()) {
        let largest = largest(&tensor).map_err(plan_error)?;
        if largest > MAX_VALUES as f64 {
            return Err(over_limit(&facts.name, largest as u64));
        }
    }
    Ok(())
}

/// The largest absolute value of a tensor of numbers.
fn largest(tensor: &Tensor) -> TractResult<f64> {
    // tract cannot convert its type of dimensions to floats.
    let numbers =
        if tensor.datum_type().is_float() { tensor.cast_to::<f64>()? } else { tensor.cast_to::<i64>()? };
    let numbers = numbers.cast_to::<f64>()?;
    Ok(numbers.as_slice::<f64>()?.iter().fold(0.0, |max, x| x.abs().max(max)))
}

/// Checks the inferred outputs of a node, and returns the number of their values, as far as it is known.
fn check_outputs(name: &str, outputs: &[InferenceFact], is_size_needed: bool) -> Result<u64, Error> {
    let mut total = 0u64;
    for fact in outputs {
        let n_values = n_values(fact).unwrap_or(if is_size_needed { u64::MAX } else { 0 });
        if n_values > MAX_VALUES {
            return Err(over_limit(name, n_values));
        }
        total = total.saturating_add(n_values);
    }
    Ok(total)
}

/// Number of values; absent if a dimension is not known. A negative dimension counts as over the limit.
fn n_values(fact: &InferenceFact) -> Option<u64> {
    if fact.shape.is_open() {
        return None;
    }
    fact.shape.dims().try_fold(1u64, |n, dim| {
        let size = dim.concretize()?.to_i64().ok()?;
        Some(n.saturating_mul(u64::try_from(size).unwrap_or(u64::MAX)))
    })
}

/// Checks the values of a graph before it is optimised.
///
/// # Errors
/// [`Error::OverLimit`].
pub(crate) fn check_values(model: &TypedModel) -> Result<(), Error> {
    let values =
        model.nodes().iter().flat_map(|node| node.outputs.iter().map(move |output| (node, &output.fact)));
    for (node, fact) in values {
        let shape = fact.shape.as_concrete().unwrap_or_default();
        let n_values = shape.iter().fold(1u64, |n, &size| n.saturating_mul(size as u64));
        if n_values > MAX_VALUES {
            return Err(over_limit(&node.name, n_values));
        }
    }
    Ok(())
}

/// Checks the values of an optimised graph.
///
/// # Errors
/// [`Error::OverLimit`]; [`Error::Plan`] for a value whose shape depends on the numbers in the input, and so has no limit.
pub(crate) fn check_optimised_values(model: &TypedModel) -> Result<(), Error> {
    let is_fixed = |node: &&TypedNode| node.outputs.iter().all(|output| output.fact.shape.is_concrete());
    if let Some(node) = model.nodes().iter().find(|node| !is_fixed(node)) {
        let reason =
            format!("the shape of {:?} ({}) is not fixed by that of the input", node.name, node.op.name());
        return Err(Error::Plan { reason });
    }
    check_values(model)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use cantus_audio::feature::EmbeddingGraph;

    use super::*;
    use crate::OnnxGraph;
    use crate::testing::graphs::{
        AttributeProto, DENSE, NodeProto, TensorProto, dense_with, description, encode, floats, integer,
        integers, node,
    };

    /// What planning says about a graph with a constant `extra`.
    fn plan(nodes: Vec<NodeProto>, initializers: Vec<TensorProto>) -> Result<(), String> {
        let mut described = description(DENSE);
        described.output.name = "z".into();
        let graph = OnnxGraph::new(encode(&dense_with(nodes, initializers)).into());
        let start = Instant::now();
        let result = graph.plan(&described).map(|_| ());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
        result
    }

    #[test]
    fn constants_within_the_limit_are_computed() {
        plan(vec![node("ConstantOfShape", &["n"], &["extra"])], vec![integers("n", &[10])]).unwrap();
        plan(
            vec![node("Tile", &["v", "n"], &["extra"])],
            vec![integers("n", &[10]), floats("v", &[1], &[1.0])],
        )
        .unwrap();
    }

    #[test]
    fn constants_without_bound_are_refused_before_they_are_computed() {
        let v = || floats("v", &[1], &[1.0]);
        let huge = |name: &str| integers(name, &[1 << 40]);
        for operator in ["Tile", "Expand"] {
            let error =
                plan(vec![node(operator, &["v", "n"], &["extra"])], vec![huge("n"), v()]).unwrap_err();
            assert!(error.contains("at most 268435456") && error.contains("extra"), "{operator}: {error}");
        }
        let error = plan(vec![node("ConstantOfShape", &["n"], &["extra"])], vec![huge("n")]).unwrap_err();
        assert!(error.contains("1099511627776 values"), "{error}");
        // The same, with the sizes multiplied in the graph.
        let nodes = vec![node("Mul", &["n", "n"], &["nn"]), node("ConstantOfShape", &["nn"], &["extra"])];
        let error = plan(nodes, vec![integers("n", &[1 << 20])]).unwrap_err();
        assert!(error.contains("1099511627776 values"), "{error}");
    }

    #[test]
    fn ranges_and_outer_products_without_bound_are_refused() {
        let scalars = vec![integer("start", 0), integer("end", 1 << 40), integer("step", 1)];
        let cast = AttributeProto { name: "to".into(), i: 1, r#type: 2, ..AttributeProto::default() };
        let mut to_f32 = node("Cast", &["range"], &["extra"]);
        to_f32.attribute.push(cast);
        let nodes = vec![node("Range", &["start", "end", "step"], &["range"]), to_f32];
        let error = plan(nodes, scalars).unwrap_err();
        assert!(error.contains("at most 268435456"), "{error}");
        let nodes = vec![
            node("ConstantOfShape", &["column"], &["a"]),
            node("ConstantOfShape", &["row"], &["b"]),
            node("Add", &["a", "b"], &["extra"]),
        ];
        let error =
            plan(nodes, vec![integers("column", &[1 << 20, 1]), integers("row", &[1, 1 << 20])]).unwrap_err();
        assert!(error.contains("1099511627776 values"), "{error}");
    }

    /// Found by fuzzing: tract's rules visited 2^64 axes.
    #[test]
    fn ranks_below_what_tract_subtracts_from_them_are_refused() {
        let indices = |dims: &[i64]| {
            let n = dims.iter().product::<i64>() as usize;
            TensorProto { dims: dims.to_vec(), ..integers("i", &vec![0; n]) }
        };
        let v = || floats("v", &[1], &[1.0]);
        for dims in [&[][..], &[2], &[1, 3]] {
            let nodes = vec![node("GatherND", &["v", "i"], &["extra"])];
            let error = plan(nodes, vec![v(), indices(dims)]).unwrap_err();
            assert!(error.contains("(GatherNd): its indices have"), "{dims:?}: {error}");
        }
        let error = plan(vec![node("DFT", &["s"], &["extra"])], vec![floats("s", &[], &[1.0])]).unwrap_err();
        assert!(error.contains("(DFT): its input has no axes"), "{error}");
    }

    #[test]
    fn a_value_whose_shape_depends_on_the_input_is_refused() {
        let cast = |input: &str, output: &str, to: i64| {
            let attribute =
                AttributeProto { name: "to".into(), i: to, r#type: 2, ..AttributeProto::default() };
            NodeProto { attribute: vec![attribute], ..node("Cast", &[input], &[output]) }
        };
        let nodes = vec![node("NonZero", &["x"], &["indices"]), cast("indices", "extra", 1)];
        let error = plan(nodes, vec![]).unwrap_err();
        assert!(error.contains("is not fixed by that of the input"), "{error}");
    }

    #[test]
    fn many_constants_that_exceed_the_limit_together_are_refused() {
        let nodes = vec![
            node("ConstantOfShape", &["n"], &["a"]),
            node("ConstantOfShape", &["n"], &["b"]),
            node("Add", &["a", "b"], &["extra"]),
        ];
        let bytes = encode(&dense_with(nodes, vec![integers("n", &[1000])]));
        let model = || {
            let model = onnx().model_for_read(&mut &*bytes).unwrap();
            model.with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), [1, 4])).unwrap()
        };
        // a, b and their sum, and the sum over its values.
        infer_within(&mut model(), 3001).unwrap();
        let error = infer_within(&mut model(), 2999).unwrap_err().to_string();
        assert_eq!(error, "all constants of the graph together: 3000 values; at most 2999 are accepted");
    }
}
