"""Intervals, tests and curves, beside NumPy and SciPy's published values."""

import numpy as np
import pytest

import cantus
from cantus import metrics


def test_wilsons_interval_has_published_values():
    # scipy.stats.binomtest(81, 263).proportion_ci(method="wilson")
    interval = metrics.wilson_interval(81, 263)
    assert (interval.low, interval.high) == (
        pytest.approx(0.2552885198782742),
        pytest.approx(0.36620957698280004),
    )


def test_a_bootstrap_interval_is_near_that_of_numpy():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 200)
    means = values[rng.integers(0, 200, (4000, 200))].mean(axis=1)
    interval = metrics.bootstrap_interval(values)
    np.testing.assert_allclose([interval.low, interval.high], np.percentile(means, [2.5, 97.5]), atol=0.05)


def test_groups_widen_an_interval():
    correct = np.repeat([True, False, True, True, False, True], 30)
    alone = metrics.bootstrap_interval(correct)
    grouped = metrics.bootstrap_interval(correct, groups=[f"artist {n // 30}" for n in range(180)])
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    assert metrics.bootstrap_interval([1.0, 0.0], groups=["a", "a"]) is None


def test_mcnemars_test_has_the_binomial_p_value():
    first = [True] * 12 + [False] * 3 + [True] * 20
    second = [False] * 12 + [True] * 3 + [True] * 20
    found = metrics.paired_test(first, second)
    assert (found.n_only_first, found.n_only_second) == (12, 3)
    assert found.difference == pytest.approx(9 / 35)
    # scipy.stats.binomtest(3, 15, 0.5).pvalue
    assert found.p_value == pytest.approx(0.03515625)


def test_calibration_is_the_mean_difference_of_the_bins():
    found = metrics.calibration([0.9, 0.9, 0.9, 0.9, 0.6, 0.6], [True, True, True, False, True, False])
    assert found.expected_calibration_error == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.1)
    assert found.n.tolist() == [2, 4]


def test_the_areas_are_those_of_counted_pairs():
    score = np.array([0.1, 0.4, 0.35, 0.8])
    found = metrics.curves(score, [False, False, True, True])
    # scikit-learn's documentation of roc_auc_score and average_precision_score
    assert found.auc == pytest.approx(0.75)
    assert found.average_precision == pytest.approx(0.8333333333)


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.wilson_interval(5, 3),
        lambda: metrics.bootstrap_interval([np.nan, 1.0]),
        lambda: metrics.bootstrap_interval([[1.0]]),
        lambda: metrics.bootstrap_interval(["a"]),
        lambda: metrics.bootstrap_interval([1.0, 2.0], groups=["a"]),
        lambda: metrics.bootstrap_interval([1.0, 2.0], seed=-1),
        lambda: metrics.paired_test([True], [True, False]),
        lambda: metrics.paired_test([2], [0]),
        lambda: metrics.calibration([0.5], [True, False]),
        lambda: metrics.curves([0.5, 0.6], [True, True]),
    ],
)
def test_values_that_do_not_fit_are_named(call):
    with pytest.raises((TypeError, cantus.ParameterError)) as error:
        call()
    assert "\n" not in str(error.value)
