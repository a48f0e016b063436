//! Neural networks: architecture, training, prediction and weights.

use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};

use cantus_nn::{Architecture, InMemory, Loss, Network, Progress as Step, Tensor, Training};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Failure, value_error};
use crate::progress::Progress;
use crate::training_progress;
use crate::{arrays, gil};

/// Adds the class of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NativeNetwork>()
}

/// A network with its weights, which threads of Python share.
#[pyclass(frozen)]
struct NativeNetwork {
    /// Waited for without the interpreter's lock, which a training needs to show its progress.
    network: RwLock<Network>,
}

/// Targets as Python passes them.
#[derive(FromPyObject)]
enum Targets<'py> {
    /// Indices of classes, `[n]`.
    Classes(PyReadonlyArray1<'py, i64>),
    /// Values, `[n, ...]`.
    Values(Bound<'py, PyAny>),
}

/// Targets, copied.
enum Values {
    Classes(Vec<usize>),
    Values(Vec<f32>, usize),
}

/// Examples as Python passes them: inputs, targets, and the weight of each example or none.
type ExamplesArgument<'py> = (Bound<'py, PyAny>, Targets<'py>, Option<Bound<'py, PyAny>>);

/// Inputs, targets and weights, copied.
struct ExampleData {
    inputs: Vec<f32>,
    targets: Values,
    weights: Option<Vec<f32>>,
}

#[pymethods]
impl NativeNetwork {
    /// From an architecture as JSON or TOML; the same seed gives the same weights.
    #[new]
    fn new(architecture: &str, seed: u64) -> PyResult<Self> {
        let network = Network::new(&parse(architecture)?, seed).map_err(Failure::from)?;
        Ok(Self { network: RwLock::new(network) })
    }

    /// As JSON.
    #[getter]
    fn architecture(&self, py: Python<'_>) -> PyResult<String> {
        self.read(py, |network| {
            serde_json::to_string(network.architecture()).map_err(|error| Failure::json(&error))
        })
    }

    #[getter]
    fn input_shape(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        self.read(py, |network| Ok(network.input_shape().to_vec()))
    }

    #[getter]
    fn output_shape(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        self.read(py, |network| Ok(network.output_shape().to_vec()))
    }

    #[getter]
    fn n_parameters(&self, py: Python<'_>) -> PyResult<usize> {
        self.read(py, |network| Ok(network.n_parameters()))
    }

    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        self.read(py, |network| Ok(network.summary()))
    }

    /// A drawing as SVG.
    fn drawing(&self, py: Python<'_>) -> PyResult<String> {
        self.read(py, |network| Ok(network.drawing().to_svg()))
    }

    /// Limits the threads of prediction and evaluation; 0 for one for each processor.
    fn set_threads(&self, py: Python<'_>, n_threads: usize) -> PyResult<()> {
        self.write(py, |network| {
            network.set_threads(n_threads);
            Ok(())
        })
    }

    /// Trains; returns the history as JSON, with Keras's keys.
    fn fit(
        &self,
        py: Python<'_>,
        train: ExamplesArgument<'_>,
        validation: Option<ExamplesArgument<'_>>,
        training: &str,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let training: Training = serde_json::from_str(training).map_err(|error| Failure::json(&error))?;
        let train = ExampleData::new(train)?;
        let validation = validation.map(ExampleData::new).transpose()?;
        let progress = Progress::new(on_progress);
        progress.run(py, || {
            let network = &mut self.network.write().unwrap_or_else(PoisonError::into_inner);
            fit(network, &train, validation.as_ref(), &training, &progress)
        })
    }

    /// Outputs `[n, ...]` of inputs `[n, ...]`.
    fn predict<'py>(&self, py: Python<'py>, inputs: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let inputs = arrays::signal(&inputs, "x")?;
        let (outputs, mut shape) =
            self.read(py, |network| Ok((network.predict(&inputs.values)?, network.output_shape().to_vec())))?;
        let n_outputs: usize = shape.iter().product();
        shape.insert(0, outputs.len() / n_outputs.max(1));
        arrays::array(py, outputs, &shape)
    }

    /// Loss and accuracy.
    fn evaluate(
        &self,
        py: Python<'_>,
        examples: ExamplesArgument<'_>,
        loss: &str,
    ) -> PyResult<(f64, Option<f64>)> {
        let loss: Loss = serde_json::from_str(loss).map_err(|error| Failure::json(&error))?;
        let examples = ExampleData::new(examples)?;
        let scores = self.read(py, |network| Ok(network.evaluate(&examples.in_memory(), loss)?))?;
        Ok((scores.loss, scores.accuracy))
    }

    /// All weights by name.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let weights = PyDict::new(py);
        for Tensor { name, shape, values } in self.read(py, |network| Ok(network.weights()))? {
            weights.set_item(name, arrays::array(py, values, &shape)?)?;
        }
        Ok(weights)
    }

    /// Replaces weights by name.
    fn set_weights(&self, py: Python<'_>, weights: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<()> {
        let tensors = weights.into_iter().map(|(name, values)| {
            let values = arrays::floats(&values, &name)?;
            Ok(Tensor { name, shape: values.shape, values: values.values })
        });
        let tensors: Vec<Tensor> = tensors.collect::<PyResult<_>>()?;
        self.write(py, |network| Ok(network.set_weights(&tensors)?))
    }
}

impl NativeNetwork {
    /// Uses the network with the interpreter's lock released.
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Network) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        gil::detached(py, || work(&self.network.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Changes the network with the interpreter's lock released.
    fn write<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Network) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        gil::detached(py, || work(&mut self.network.write().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// An architecture as JSON, or as TOML.
fn parse(text: &str) -> Result<Architecture, Failure> {
    let parsed = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        cantus::parse_toml(text)
    };
    parsed.map_err(|reason| Failure::parameter(format!("architecture: {reason}")))
}

fn fit(
    network: &mut Network,
    train: &ExampleData,
    validation: Option<&ExampleData>,
    training: &Training,
    progress: &Progress,
) -> Result<String, Failure> {
    let validation = validation.map(ExampleData::in_memory);
    let validation = validation.as_ref().map(|examples| examples as &dyn cantus_nn::Examples);
    let observe = |step: Step<'_>| {
        if let Step::Epoch(end) = &step {
            let scores = training_progress::scores(end);
            progress.show(("train".to_owned(), end.epoch + 1, training.epochs, scores));
        }
        if progress.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let history = network.fit(&train.in_memory(), validation, training, observe)?;
    serde_json::to_string(&history).map_err(|error| Failure::json(&error))
}

impl ExampleData {
    fn new((inputs, targets, weights): ExamplesArgument<'_>) -> PyResult<Self> {
        let inputs = arrays::signal(&inputs, "x")?;
        let n = inputs.shape.first().copied().unwrap_or_default();
        let targets = Values::new(targets, n)?;
        let weights = weights.map(|weights| arrays::signal(&weights, "sample_weight")).transpose()?;
        let weights = weights.map(|weights| weights.values);
        if weights.as_ref().is_some_and(|weights| weights.len() != n) {
            return Err(value_error(format!("sample_weight must have {n} values, one for each example")));
        }
        Ok(Self { inputs: inputs.values, targets, weights })
    }

    fn in_memory(&self) -> InMemory<'_> {
        let examples = match &self.targets {
            Values::Classes(classes) => InMemory::classes(&self.inputs, classes),
            Values::Values(values, width) => InMemory::values(&self.inputs, values, *width),
        };
        match &self.weights {
            Some(weights) => examples.weighted(weights),
            None => examples,
        }
    }
}

impl Values {
    fn new(targets: Targets<'_>, n: usize) -> PyResult<Self> {
        let (targets, found) = match targets {
            Targets::Classes(classes) => {
                let index = |&class: &i64| {
                    usize::try_from(class)
                        .map_err(|_| value_error(format!("y has the class {class}; count classes from 0")))
                };
                let classes = classes.as_slice()?.iter().map(index).collect::<PyResult<Vec<_>>>()?;
                let found = classes.len();
                (Self::Classes(classes), found)
            }
            Targets::Values(values) => {
                let values = arrays::signal(&values, "y")?;
                let found = values.shape.first().copied().unwrap_or_default();
                let width = values.values.len() / found.max(1);
                (Self::Values(values.values, width), found)
            }
        };
        if found != n {
            return Err(value_error(format!("x has {n} examples, but y has {found}")));
        }
        Ok(targets)
    }
}
