//! The audit of a folder of recordings.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use pyo3::prelude::*;

use crate::errors::{Class, Failure};
use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(audit, module)?)
}

/// The audit of a folder or a manifest, as JSON.
#[pyfunction]
fn audit(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    let stop = AtomicBool::new(false);
    gil::interruptible(py, &stop, || {
        let document = cantus_cli::audit_document(&path, &stop);
        let document = document.map_err(|error| match error.downcast::<cantus::Error>() {
            Ok(error) => error.into(),
            Err(error) => Failure::of(Class::Data, error.as_ref()),
        })?;
        // Stopped: the exception of the signal is raised.
        Ok(document.unwrap_or_default())
    })
}
