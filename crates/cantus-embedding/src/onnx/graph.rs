//! An ONNX graph, planned and run with tract, or run with onnxruntime where the user chooses it.
//!
//! tract runs on the calling thread alone (its feature `multithread-mm` is off), so that the values do not depend on the
//! number of threads.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cantus_audio::feature::{EmbeddingDescription, EmbeddingGraph, PlannedGraph};
use tract_onnx::prelude::*;

use super::file::OnnxFile;
#[cfg(feature = "onnxruntime")]
use super::onnxruntime::{self, OnnxRuntimePlan};
use super::plan_key::PlanKey;
use super::subgraph::{check_operators, reduce};
use super::tract_error::{catch_panic, plan_error};
use super::value_limits::{check_optimised_values, check_values, infer_within_limits};
use crate::error::Error;

/// A graph in the form of an ONNX file.
pub struct OnnxGraph {
    bytes: Arc<[u8]>,
    /// The plan of the last description, with what it depends on.
    plan: Mutex<Option<(PlanKey, Arc<dyn PlannedGraph>)>>,
}

impl fmt::Debug for OnnxGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxGraph").field("n_bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl OnnxGraph {
    /// Takes the contents of an ONNX file, which are decoded when the graph is planned.
    pub fn new(bytes: Arc<[u8]>) -> Self {
        Self { bytes, plan: Mutex::new(None) }
    }

    /// Plans the graph for the input shape and the output of a description; the last plan is kept.
    ///
    /// # Errors
    /// [`Error`] without a path: see its variants.
    fn plan_kept(&self, description: &EmbeddingDescription) -> Result<Arc<dyn PlannedGraph>, Error> {
        let key = PlanKey::new(description);
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, planned)) = &*plan
            && *known == key
        {
            return Ok(planned.clone());
        }
        let planned = catch_panic(|| planned(&self.bytes, &key))?;
        *plan = Some((key, planned.clone()));
        Ok(planned)
    }

    /// Checks that the graph can be planned for a description.
    ///
    /// # Errors
    /// As [`OnnxGraph::plan`], with its type.
    pub(crate) fn check_plan(&self, description: &EmbeddingDescription) -> Result<(), Error> {
        self.plan_kept(description).map(|_| ())
    }
}

impl EmbeddingGraph for OnnxGraph {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn plan(&self, description: &EmbeddingDescription) -> Result<Arc<dyn PlannedGraph>, String> {
        self.plan_kept(description).map_err(|error| error.to_string())
    }
}

/// A plan of the runtime that is to be used.
fn planned(bytes: &[u8], key: &PlanKey) -> Result<Arc<dyn PlannedGraph>, Error> {
    let model = checked(bytes, key)?;
    #[cfg(feature = "onnxruntime")]
    if let Some(library) = onnxruntime::library() {
        let n_values = key.check_output(model.output_fact(0).map_err(plan_error)?)?;
        return Ok(Arc::new(OnnxRuntimePlan::new(&library, bytes, key, n_values)?));
    }
    Ok(Arc::new(TractPlan::new(model, key)?))
}

/// A graph that tract can run.
struct TractPlan {
    plan: TypedSimplePlan<TypedModel>,
    input_shape: Vec<usize>,
    n_values: usize,
}

impl fmt::Debug for TractPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input_shape, n_values, .. } = self;
        write!(f, "TractPlan {{ input_shape: {input_shape:?}, n_values: {n_values} }}")
    }
}

impl TractPlan {
    fn new(model: TypedModel, key: &PlanKey) -> Result<Self, Error> {
        let model = optimised(model)?;
        let fact = model.output_fact(0).map_err(plan_error)?;
        let n_values = key.check_output(fact)?;
        let plan = model.into_runnable().map_err(plan_error)?;
        Ok(Self { plan, input_shape: key.shape.clone(), n_values })
    }

    fn try_run(&self, input: &[f32]) -> TractResult<Vec<f32>> {
        let input = Tensor::from_shape(&self.input_shape, input)?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        let output = outputs.first().map(|output| output.cast_to::<f32>()).transpose()?;
        output.map_or_else(|| Ok(Vec::new()), |output| output.as_slice::<f32>().map(<[f32]>::to_vec))
    }
}

impl PlannedGraph for TractPlan {
    fn run(&self, input: &[f32]) -> Vec<f32> {
        let result = catch_panic(|| self.try_run(input).map_err(plan_error));
        let is_whole = |values: &Vec<f32>| values.len() == self.n_values;
        result.ok().filter(is_whole).unwrap_or_else(|| vec![f32::NAN; self.n_values])
    }
}

/// Decodes a graph, reduces it to an output, and infers and checks the sizes of its values for an input shape.
fn checked(bytes: &[u8], key: &PlanKey) -> Result<TypedModel, Error> {
    let mut file = OnnxFile::decode(bytes)?;
    key.check_input(&file.inputs())?;
    let tract = onnx();
    if let Some(graph) = &mut file.model.graph {
        reduce(graph, &key.input, &key.output)?;
        check_operators(graph, |operator| tract.op_register.0.contains_key(operator))?;
    }
    let mut model = tract.model_for_proto_model(&file.model).map_err(plan_error)?;
    drop(file);
    model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), &*key.shape)).map_err(plan_error)?;
    infer_within_limits(&mut model)?;
    let model = model.into_typed().map_err(plan_error)?;
    check_values(&model)?;
    Ok(model)
}

/// A graph after tract's optimisation.
fn optimised(model: TypedModel) -> Result<TypedModel, Error> {
    // The optimiser of tract 0.22 fails on some graphs that run without it, such as those with overlapping slices.
    let optimised = catch_panic(|| model.clone().into_optimized().map_err(plan_error)).unwrap_or(model);
    check_optimised_values(&optimised)?;
    Ok(optimised)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use cantus_audio::feature::InputAxis;

    use super::*;
    use crate::testing::graphs::{self, DENSE, ModelProto, dense, description, encode, node, value};

    fn graph(model: &ModelProto) -> OnnxGraph {
        OnnxGraph::new(encode(model).into())
    }

    fn plan(
        model: &ModelProto,
        change: impl Fn(&mut EmbeddingDescription),
    ) -> Result<Arc<dyn PlannedGraph>, String> {
        let mut described = description(DENSE);
        change(&mut described);
        graph(model).plan(&described)
    }

    fn refused(model: &ModelProto, change: impl Fn(&mut EmbeddingDescription)) -> String {
        let error = plan(model, change).unwrap_err();
        assert!(!error.contains('\n') && error.chars().count() < 400, "{error}");
        error
    }

    #[test]
    fn a_planned_graph_computes_its_output() {
        let planned = plan(&dense(), |_| ()).unwrap();
        assert_eq!(planned.run(&[1.0, 0.0, 0.0, 1.0]), [8.5, 9.5]);
        let planned = plan(&dense(), |described| described.output.name = "product".into()).unwrap();
        assert_eq!(planned.run(&[1.0, 0.0, 0.0, 1.0]), [8.0, 10.0]);
        let planned = plan(&dense(), |described| described.patch.per_run = 2).unwrap();
        assert_eq!(planned.run(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]), [8.5, 9.5, 3.5, 3.5]);
    }

    #[test]
    fn an_input_of_the_wrong_length_gives_nan() {
        let planned = plan(&dense(), |_| ()).unwrap();
        let values = planned.run(&[1.0; 3]);
        assert_eq!(values.len(), 2);
        assert!(values.iter().all(|x| x.is_nan()));
    }

    #[test]
    fn a_plan_is_kept_until_another_description_needs_another() {
        let (graph, mut described) = (graph(&dense()), description(DENSE));
        let first = graph.plan_kept(&described).unwrap();
        described.name = "another".into();
        assert!(Arc::ptr_eq(&first, &graph.plan_kept(&described).unwrap()));
        described.patch.per_run = 3;
        assert!(!Arc::ptr_eq(&first, &graph.plan_kept(&described).unwrap()));
    }

    #[test]
    fn all_threads_give_the_same_bits() {
        let planned = plan(&dense(), |_| ()).unwrap();
        let input = [0.1, 0.2, 0.3, 0.7];
        let expected = planned.run(&input);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| planned.run(&input))).collect();
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), expected));
        });
    }

    #[test]
    fn wrong_names_and_shapes_are_errors_that_say_what_the_graph_has() {
        assert_eq!(
            refused(&dense(), |described| described.input.name = "mel".into()),
            "the model has no input \"mel\"; it has: \"x\" [patch, 4]"
        );
        assert_eq!(
            refused(&dense(), |described| described.patch.length = 5),
            "the description gives input \"x\" the shape [1, 5], the model [patch, 4]"
        );
        assert_eq!(
            refused(&dense(), |described| described.input.shape.push(InputAxis::One)),
            "the description gives input \"x\" the shape [1, 4, 1], the model [patch, 4]"
        );
        assert_eq!(
            refused(&dense(), |described| described.output.size = 3),
            "the description gives output \"y\" the shape [1, …, 3], the model [1, 2]"
        );
    }

    #[test]
    fn an_operator_that_cannot_run_is_named_unless_the_output_does_not_need_it() {
        let mut model = dense();
        let graph = model.graph.as_mut().unwrap();
        graph.node.push(node("GridSample", &["x"], &["grid"]));
        graph.output.push(value("grid", &[0, 2]));
        plan(&model, |_| ()).unwrap();
        let error = refused(&model, |described| described.output.name = "grid".into());
        assert_eq!(error, "the model needs operators that are not supported: GridSample (of \"grid\")");
    }

    #[test]
    fn a_graph_in_a_node_is_refused() {
        let mut model = dense();
        let graph = model.graph.as_mut().unwrap();
        let branch =
            graphs::AttributeProto { g: Some(dense().graph.unwrap()), r#type: 5, ..Default::default() };
        graph.node[1] = node("If", &["product"], &["y"]);
        graph.node[1].attribute = vec![branch];
        let error = refused(&model, |_| ());
        assert_eq!(error, "the model needs operators that are not supported: If (of \"y\")");
    }

    #[test]
    fn shapes_that_contradict_each_other_are_errors() {
        let mut model = dense();
        model.graph.as_mut().unwrap().initializer[1] = graphs::floats("b", &[3], &[0.0; 3]);
        assert!(refused(&model, |_| ()).starts_with("the model cannot be run: "));
        let mut model = dense();
        model.graph.as_mut().unwrap().node[0].input.truncate(1);
        assert!(refused(&model, |_| ()).starts_with("the model cannot be run: "));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic() {
        let (bytes, described) = (encode(&dense()), description(DENSE));
        for i in 0..bytes.len() {
            for value in [0, 0xff, bytes[i] ^ 1, bytes[i] ^ 0x10] {
                let mut damaged = bytes.clone();
                damaged[i] = value;
                if let Err(error) = OnnxGraph::new(damaged.into()).plan(&described) {
                    assert!(!error.contains('\n'), "{error}");
                }
            }
        }
    }
}
