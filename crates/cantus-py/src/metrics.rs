//! Confidence intervals, paired tests, calibration and curves of predictions.

use cantus_metrics::{Interval, bootstrap_interval, curves, paired, reliability, wilson_interval};
use pyo3::prelude::*;

use crate::gil;

/// Adds the functions of this file to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(wilson, module)?)?;
    module.add_function(wrap_pyfunction!(bootstrap, module)?)?;
    module.add_function(wrap_pyfunction!(paired_test, module)?)?;
    module.add_function(wrap_pyfunction!(calibration, module)?)?;
    module.add_function(wrap_pyfunction!(class_curves, module)?)
}

type Ends = (f64, f64);
type Points = Vec<(f64, f64)>;
type Paired = (f64, Option<Ends>, Option<f64>, usize, usize);
type Calibration = (f64, Vec<(usize, f64, f64)>);
type Curves = (Points, f64, Points, f64);

fn ends(interval: Interval) -> Ends {
    (interval.low, interval.high)
}

/// Wilson's interval.
#[pyfunction]
fn wilson(n_correct: usize, n: usize) -> Ends {
    ends(wilson_interval(n_correct, n))
}

/// Bootstrap interval of a mean over groups; `None` for fewer than two groups.
#[pyfunction]
fn bootstrap(py: Python<'_>, values: Vec<f64>, groups: Vec<usize>, seed: u64) -> PyResult<Option<Ends>> {
    gil::detached(py, || Ok(bootstrap_interval(&values, &groups, seed).map(ends)))
}

/// Difference in accuracy, its interval, p-value, and the numbers of tracks that only the first and only the second classify
/// correctly.
#[pyfunction]
fn paired_test(py: Python<'_>, tracks: Vec<(usize, bool, bool)>, seed: u64) -> PyResult<Paired> {
    gil::detached(py, || {
        let found = paired(&tracks, seed);
        let interval = found.interval.map(ends);
        Ok((found.difference, interval, found.p_value, found.n_only_first, found.n_only_second))
    })
}

/// Expected calibration error, and the bins: number of predictions, mean probability, accuracy.
#[pyfunction]
fn calibration(py: Python<'_>, predictions: Vec<(f64, bool)>) -> PyResult<Calibration> {
    gil::detached(py, || {
        let found = reliability(predictions.into_iter());
        let bins = found.bins.iter().map(|bin| (bin.n, bin.probability, bin.accuracy)).collect();
        Ok((found.expected_calibration_error, bins))
    })
}

/// ROC curve and its area, precision-recall curve and average precision; `None` if all or no examples are positive.
#[pyfunction]
fn class_curves(py: Python<'_>, examples: Vec<(f64, bool)>) -> PyResult<Option<Curves>> {
    gil::detached(py, || {
        let found = curves(examples.into_iter());
        Ok(found.map(|it| (it.roc, it.auc, it.precision_recall, it.average_precision)))
    })
}
