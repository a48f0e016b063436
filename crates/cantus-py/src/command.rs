//! The `cantus` command: `python -m cantus` and the console script of the wheel.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(run_command, module)?)
}

/// Runs a command line and returns its exit code.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    gil::detached(py, || Ok(cantus_cli::run(arguments)))
}
