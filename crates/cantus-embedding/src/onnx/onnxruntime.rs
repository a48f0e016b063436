//! An ONNX graph, run with onnxruntime (feature `onnxruntime`) instead of tract, which is some three times slower.
//!
//! The library is not linked: it is loaded at run time from the path in `CANTUS_ONNXRUNTIME`. A run uses the calling thread
//! alone, as with tract. What a graph may demand is checked by tract before onnxruntime receives it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cantus_audio::feature::PlannedGraph;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::value::TensorRef;

use super::plan_key::PlanKey;
use crate::error::Error;

/// The environment variable with the path of the library.
const LIBRARY: &str = "CANTUS_ONNXRUNTIME";

/// The path of the library, if the user gives one.
pub(crate) fn library() -> Option<PathBuf> {
    std::env::var_os(LIBRARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A graph that onnxruntime can run.
pub(crate) struct OnnxRuntimePlan {
    bytes: Box<[u8]>,
    key: PlanKey,
    n_values: usize,
    /// Sessions that no thread uses at the moment: a session runs one input at a time.
    idle: Mutex<Vec<Session>>,
}

impl fmt::Debug for OnnxRuntimePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, n_values, .. } = self;
        write!(f, "OnnxRuntimePlan {{ input_shape: {:?}, n_values: {n_values} }}", key.shape)
    }
}

impl OnnxRuntimePlan {
    /// Loads the library at `path`, once, and a graph whose output has `n_values` values.
    ///
    /// # Errors
    /// [`Error::OnnxRuntime`] if the library cannot be loaded or refuses the graph, or the output is not one of the graph's.
    pub(crate) fn new(path: &Path, bytes: &[u8], key: &PlanKey, n_values: usize) -> Result<Self, Error> {
        load(path)?;
        let plan = Self { bytes: bytes.into(), key: key.clone(), n_values, idle: Mutex::default() };
        let session = plan.session().map_err(|error| failed(&error))?;
        if !session.outputs().iter().any(|output| output.name() == key.output) {
            let reason =
                format!("{:?} is the output of a node, not of the graph; unset {LIBRARY}", key.output);
            return Err(Error::OnnxRuntime { reason });
        }
        plan.release(session);
        Ok(plan)
    }

    fn session(&self) -> ort::Result<Session> {
        let builder = Session::builder()?.with_intra_threads(1)?.with_inter_threads(1)?;
        builder.with_log_level(LogLevel::Fatal)?.commit_from_memory(&self.bytes)
    }

    fn release(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    fn try_run(&self, input: &[f32]) -> ort::Result<Vec<f32>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = idle.map_or_else(|| self.session(), Ok)?;
        let input = TensorRef::from_array_view((self.key.shape.as_slice(), input))?;
        let outputs = session.run(ort::inputs![self.key.input.as_str() => input])?;
        let (_, values) = outputs[self.key.output.as_str()].try_extract_tensor::<f32>()?;
        let values = values.to_vec();
        drop(outputs);
        self.release(session);
        Ok(values)
    }
}

impl PlannedGraph for OnnxRuntimePlan {
    fn run(&self, input: &[f32]) -> Vec<f32> {
        let is_whole = |values: &Vec<f32>| values.len() == self.n_values;
        self.try_run(input).ok().filter(is_whole).unwrap_or_else(|| vec![f32::NAN; self.n_values])
    }
}

fn failed(error: &ort::Error) -> Error {
    Error::OnnxRuntime { reason: error.to_string().lines().collect::<Vec<_>>().join(" ") }
}

/// Loads the library on the first call, whose result later calls have: after a failure, `ort` must not be called again, since
/// it takes the library for loaded (2.0.0-rc.13).
fn load(path: &Path) -> Result<(), Error> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    let load = || {
        let environment = ort::init_from(path).map_err(|error| error.to_string())?;
        environment.with_telemetry(false).commit();
        Ok(())
    };
    LOADED.get_or_init(load).clone().map_err(|reason| {
        let reason = reason.lines().collect::<Vec<_>>().join(" ");
        Error::OnnxRuntime { reason: format!("{reason}; {LIBRARY} must be the path of libonnxruntime") }
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::testing::graphs::{DENSE, dense, description, encode};

    const INPUT: [f32; 4] = [1.0, 0.0, 0.0, 1.0];

    /// The library that `CANTUS_TEST_ONNXRUNTIME` names, without which a test is skipped.
    fn library_of_tests() -> Option<PathBuf> {
        let path = std::env::var_os("CANTUS_TEST_ONNXRUNTIME").map(PathBuf::from);
        if path.is_none() {
            println!("skipped: CANTUS_TEST_ONNXRUNTIME does not name a library of onnxruntime");
        }
        path
    }

    /// A plan for an output of a graph that has the output `y` alone.
    fn plan(library: &Path, output: &str) -> Result<OnnxRuntimePlan, Error> {
        let (mut model, mut described) = (dense(), description(DENSE));
        model.graph.as_mut().unwrap().output.truncate(1);
        described.output.name = output.into();
        OnnxRuntimePlan::new(library, &encode(&model), &PlanKey::new(&described), 2)
    }

    #[test]
    fn every_thread_gets_the_values_that_tract_gives() {
        let Some(library) = library_of_tests() else { return };
        let planned = plan(&library, "y").unwrap();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| planned.run(&INPUT))).collect();
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), [8.5, 9.5]));
        });
        assert!(planned.run(&INPUT[..3]).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn an_output_of_a_node_is_refused() {
        let Some(library) = library_of_tests() else { return };
        let error = plan(&library, "product").unwrap_err().to_string();
        assert!(error.starts_with("onnxruntime: \"product\" is the output of a node"), "{error}");
    }

    #[test]
    fn a_library_that_cannot_be_loaded_is_an_error_of_one_line() {
        if library_of_tests().is_none() {
            let found = || plan(Path::new("/nonexistent/libonnxruntime.so"), "y").unwrap_err().to_string();
            let error = found();
            assert!(
                error.contains("CANTUS_ONNXRUNTIME must be the path") && !error.contains('\n'),
                "{error}"
            );
            assert_eq!(error, found(), "a second call does not crash");
        }
    }
}
