//! NumPy arrays → values, with one clear error for each kind of unusable input; values → NumPy arrays, without a copy.
//!
//! Arguments are copied before the lock is released, so that no other thread changes them during the work. Rows of results
//! are frames, as everywhere in the crates; [`columns`] shows them as librosa does, `(..., n_bins, n_frames)`.

use cantus_audio::transform::Complex32;
use numpy::{
    Element, PyArray1, PyArrayDescrMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{type_error, value_error};

/// Values in row-major order and their shape.
#[derive(Debug)]
pub struct Array<T> {
    /// The values.
    pub values: Vec<T>,
    /// Length of each axis; at least one axis.
    pub shape: Vec<usize>,
}

impl<T> Array<T> {
    /// Length of the last axis, at least 1.
    pub fn n_columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// The axes before the last: those of a signal's channels.
    pub fn channels(&self) -> &[usize] {
        &self.shape[..self.shape.len().saturating_sub(1)]
    }

    /// The axes before the last two: those of a spectrogram's channels.
    pub fn outer_shape(&self) -> &[usize] {
        &self.shape[..self.shape.len().saturating_sub(2)]
    }

    /// The rows along the last axis: the channels of a signal.
    pub fn rows(&self) -> impl Iterator<Item = &[T]> {
        self.values.chunks_exact(self.n_columns())
    }

    /// The matrices of the last two axes: the spectrogram of each channel.
    pub fn matrices(&self) -> impl Iterator<Item = &[T]> {
        self.values.chunks_exact(self.n_values_of_matrix())
    }

    /// Number of values of such a matrix, at least 1.
    pub fn n_values_of_matrix(&self) -> usize {
        self.shape.iter().rev().take(2).product()
    }
}

/// A signal: `(..., n)`, n ≥ 1, finite.
///
/// # Errors
/// `TypeError` if it is no array of real floating-point numbers, `cantus.ParameterError` if its shape or values are invalid.
pub fn signal(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Array<f32>> {
    let signal = floats(object, name)?;
    finite(&signal.values, name)?;
    Ok(signal)
}

/// A spectrogram `(..., n_bins, n_frames)` as rows of frames, `[..., n_frames, n_bins]`, finite.
///
/// # Errors
/// As [`signal`].
pub fn spectrogram(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Array<f32>> {
    let spectrogram = floats(&transposed(object, name)?, name)?;
    finite(&spectrogram.values, name)?;
    Ok(spectrogram)
}

/// A spectrogram of complex numbers as rows of frames, `[..., n_frames, n_bins]`, finite.
///
/// # Errors
/// As [`signal`], for complex numbers.
pub fn complex_spectrogram(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Array<Complex32>> {
    let array = ndarray(&transposed(object, name)?, name)?;
    if array.dtype().kind() != b'c' {
        return Err(wrong_type(&array, name, "complex64 or complex128"));
    }
    let spectrogram: Array<Complex32> = read(&array, "complex64", name)?;
    if spectrogram.values.iter().all(|value| value.is_finite()) {
        Ok(spectrogram)
    } else {
        Err(not_finite(name))
    }
}

/// Any array of real floating-point numbers with at least one axis and one value.
///
/// # Errors
/// As [`signal`], but NaN and infinity are accepted.
pub fn floats(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Array<f32>> {
    let array = ndarray(object, name)?;
    match (array.dtype().kind(), array.dtype().itemsize()) {
        (b'f', 4) => read(&array, "float32", name),
        (b'f', _) => {
            let wide: Array<f64> = read(&array, "float64", name)?;
            let values = wide.values.iter().map(|&value| value as f32).collect();
            Ok(Array { values, shape: wide.shape })
        }
        _ => Err(wrong_type(&array, name, "float32 or float64")),
    }
}

/// `values` as an array of `shape`, which NumPy owns: nothing is copied.
///
/// # Errors
/// If the shape is not that of as many values.
pub fn array<'py, T: Element>(
    py: Python<'py>,
    values: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    PyArray1::from_vec(py, values).call_method1("reshape", (shape.to_vec(),))
}

/// Appends to `rows`; without a copy if there are none.
pub fn append<T>(rows: &mut Vec<T>, mut values: Vec<T>) {
    if rows.is_empty() { *rows = values } else { rows.append(&mut values) }
}

/// Rows of `n_bins` values as [`columns`], with the axes `outer` before them.
///
/// # Errors
/// As [`array()`].
pub fn frames<'py, T: Element>(
    py: Python<'py>,
    rows: Vec<T>,
    n_bins: usize,
    outer: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let n_frames = rows.len() / (n_bins * outer.iter().product::<usize>()).max(1);
    columns(py, rows, &[outer, &[n_frames, n_bins]].concat())
}

/// Rows of frames, `[..., n_frames, n_bins]`, as a view of shape `(..., n_bins, n_frames)`: nothing is copied.
///
/// # Errors
/// As [`array()`].
pub fn columns<'py, T: Element>(
    py: Python<'py>,
    values: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    array(py, values, shape)?.call_method1("swapaxes", (-1, -2))
}

/// `object` as an array, whatever its type of values.
fn ndarray<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let expected = || {
        let found = object.get_type().name().map_or_else(|_| "another type".into(), |name| name.to_string());
        type_error(format!("{name} must be a NumPy array of float32 or float64, found {found}"))
    };
    let made = object.py().import("numpy")?.call_method1("asarray", (object,)).map_err(|_| expected())?;
    let array = made.cast_into::<PyUntypedArray>().map_err(|_| expected())?;
    if matches!(array.dtype().kind(), b'f' | b'c' | b'i' | b'u') { Ok(array) } else { Err(expected()) }
}

/// The view of `object` with its last two axes exchanged.
fn transposed<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let array = ndarray(object, name)?;
    if array.ndim() < 2 {
        let shape = array.shape();
        return Err(value_error(format!("{name} must have shape (..., n_bins, n_frames), found {shape:?}")));
    }
    array.call_method1("swapaxes", (-1, -2))
}

/// The values of an array as `dtype`, which is that of `T`, in row-major order.
fn read<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>, dtype: &str, name: &str) -> PyResult<Array<T>> {
    let shape = array.shape().to_vec();
    if shape.is_empty() {
        return Err(value_error(format!(
            "{name} is a single number; expected an array of at least one axis"
        )));
    }
    if shape.contains(&0) {
        return Err(value_error(format!("{name} is empty: its shape is {shape:?}")));
    }
    let arguments = PyDict::new(array.py());
    arguments.set_item("dtype", dtype)?;
    // Native byte order, contiguous, aligned: the same array if it is all of these already.
    arguments.set_item("requirements", "CA")?;
    let native = array.py().import("numpy")?.call_method("require", (array,), Some(&arguments))?;
    let native: PyReadonlyArrayDyn<'_, T> = native.extract()?;
    Ok(Array { values: native.as_slice()?.to_vec(), shape })
}

fn wrong_type(array: &Bound<'_, PyUntypedArray>, name: &str, expected: &str) -> PyErr {
    let message = format!("{name} must be an array of {expected}, found {}", array.dtype());
    let is_integer = matches!(array.dtype().kind(), b'i' | b'u');
    let advice =
        if is_integer { "; convert it with astype, and scale samples to the range -1 to 1" } else { "" };
    type_error(format!("{message}{advice}"))
}

fn finite(values: &[f32], name: &str) -> PyResult<()> {
    // Without a branch for each value, so that the loop is vectorised.
    let all_of = |values: &[f32]| values.iter().fold(true, |all, value| all & value.is_finite());
    if values.chunks(4096).all(all_of) { Ok(()) } else { Err(not_finite(name)) }
}

fn not_finite(name: &str) -> PyErr {
    value_error(format!("{name} contains NaN, infinity, or a number beyond the range of float32"))
}
