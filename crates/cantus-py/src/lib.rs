//! `cantus._cantus`, the extension module of the Python package `cantus`.
//!
//! Its functions take values that the Python code in `python/cantus` has named and documented, and return NumPy arrays.
//! Each file adds its functions to the module in `register`; `python/cantus/_cantus.pyi` has their types.

mod arrays;
mod audit;
mod command;
mod compose;
mod effects;
mod embeddings;
mod errors;
mod extract;
mod feature;
mod feature_spec;
mod filters;
mod gil;
mod libraries;
mod load;
mod metrics;
mod model;
mod network;
mod progress;
mod recording;
mod rhythm;
mod segment_request;
mod segments;
mod selection;
mod spectrum;
mod split;
mod start;
mod store;
mod thread_pool;
mod train;
mod training_progress;

use pyo3::prelude::*;

#[pymodule]
fn _cantus(module: &Bound<'_, PyModule>) -> PyResult<()> {
    audit::register(module)?;
    command::register(module)?;
    compose::register(module)?;
    effects::register(module)?;
    extract::register(module)?;
    feature::register(module)?;
    filters::register(module)?;
    load::register(module)?;
    metrics::register(module)?;
    model::register(module)?;
    network::register(module)?;
    rhythm::register(module)?;
    segments::register(module)?;
    selection::register(module)?;
    spectrum::register(module)?;
    store::register(module)?;
    train::register(module)?;
    Ok(())
}
