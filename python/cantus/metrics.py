"""Confidence intervals, paired tests and calibration of predictions.

Tracks are independent observations; segments of one track are not, and neither are tracks of one artist. Functions that take
``groups`` resample whole groups, so that their intervals are those of independent observations.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _arguments as check
from cantus import _cantus
from cantus.errors import ParameterError

__all__ = [
    "Calibration",
    "Curves",
    "Interval",
    "PairedTest",
    "bootstrap_interval",
    "calibration",
    "curves",
    "paired_test",
    "wilson_interval",
]


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Comparison of two classifiers on the same tracks."""

    #: Accuracy of the first minus that of the second.
    difference: float
    #: Interval of the difference; None for fewer than two groups.
    interval: Interval | None
    #: Two-sided p-value: of McNemar's exact test or, with groups, of a permutation test; None for fewer than six groups.
    p_value: float | None
    #: Tracks that only the first, and only the second, classifies correctly.
    n_only_first: int
    n_only_second: int


@dataclass(frozen=True)
class Calibration:
    """Calibration of predicted probabilities, in bins that are not empty."""

    expected_calibration_error: float
    #: Number of predictions, mean probability and accuracy of each bin.
    n: NDArray[np.int64]
    probability: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """ROC and precision-recall curve of a class, and the areas under them."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    auc: float
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    average_precision: float


def wilson_interval(n_correct: int, n: int) -> Interval:
    """Wilson's score interval of a proportion of independent observations.

    Parameters
    ----------
    n_correct, n : int
        Number of correct predictions, and of all.

    Returns
    -------
    Interval
    """
    total = check.integer("n", n, least=0)
    return Interval(*_cantus.wilson(check.integer("n_correct", n_correct, least=0, most=total), total))


def bootstrap_interval(
    values: ArrayLike, *, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> Interval | None:
    """Percentile bootstrap interval of a mean.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers, or truth values: whether each prediction is correct.
    groups : sequence of length n, optional
        The group of each value, such as the track of a segment or the artist of a track; each alone if absent.
    seed : int
        Key of the random numbers.

    Returns
    -------
    Interval or None
        None for fewer than two groups.
    """
    numbers = _numbers("values", values)
    interval = _cantus.bootstrap(numbers.tolist(), _codes(groups, len(numbers)), _seed(seed))
    return interval and Interval(*interval)


def paired_test(
    first: ArrayLike, second: ArrayLike, *, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> PairedTest:
    """Compare two classifiers on the same tracks.

    Parameters
    ----------
    first, second : arrays of shape (n,)
        Whether each classifier is correct, track by track.
    groups : sequence of length n, optional
        The group of each track.
    seed : int
        Key of the random numbers.

    Returns
    -------
    PairedTest
    """
    pair = [_truths("first", first), _truths("second", second)]
    if pair[0].shape != pair[1].shape:
        raise ParameterError(f"first has {pair[0].size} tracks, second {pair[1].size}")
    tracks = list(zip(_codes(groups, pair[0].size), pair[0].tolist(), pair[1].tolist(), strict=True))
    difference, interval, p_value, n_first, n_second = _cantus.paired_test(tracks, _seed(seed))
    return PairedTest(difference, interval and Interval(*interval), p_value, n_first, n_second)


def calibration(probability: ArrayLike, correct: ArrayLike) -> Calibration:
    """Expected calibration error of predictions, in 15 bins.

    Parameters
    ----------
    probability : array of shape (n,)
        Probability of each predicted label, from 0 to 1.
    correct : array of shape (n,)
        Whether it is correct.

    Returns
    -------
    Calibration
    """
    error, bins = _cantus.calibration(_examples("probability", probability, "correct", correct))
    table = np.array(bins, dtype=float).reshape(-1, 3)
    return Calibration(error, table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def curves(score: ArrayLike, is_positive: ArrayLike) -> Curves:
    """ROC and precision-recall curve of one class against the rest.

    Parameters
    ----------
    score : array of shape (n,)
        Probability or score of the class.
    is_positive : array of shape (n,)
        Whether each example is of the class.

    Returns
    -------
    Curves
        By falling threshold.

    Raises
    ------
    cantus.ParameterError
        If all or no examples are positive.
    """
    found = _cantus.class_curves(_examples("score", score, "is_positive", is_positive))
    if found is None:
        raise ParameterError("is_positive: at least one example of the class and one of another are needed")
    roc, auc, precision_recall, average_precision = found
    rates, precisions = np.array(roc), np.array(precision_recall)
    return Curves(rates[:, 0], rates[:, 1], auc, precisions[:, 0], precisions[:, 1], average_precision)


def _examples(number: str, numbers: ArrayLike, truth: str, truths: ArrayLike) -> list[tuple[float, bool]]:
    values, flags = _numbers(number, numbers), _truths(truth, truths)
    if values.shape != flags.shape:
        raise ParameterError(f"{number} has {values.size} values, {truth} {flags.size}")
    return list(zip(values.tolist(), flags.tolist(), strict=True))


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    numbers: NDArray[Any] = np.asarray(values)
    if numbers.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of numbers, found {numbers.dtype}")
    if numbers.ndim != 1:
        raise ParameterError(f"{name} must have shape (n,), found {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise ParameterError(f"{name} contains NaN or infinity")
    return numbers.astype(float)


def _truths(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    numbers = _numbers(name, values)
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise ParameterError(f"{name} must be an array of True and False, or of 0 and 1")
    return numbers.astype(bool)


def _codes(groups: Sequence[Hashable] | None, n: int) -> list[int]:
    """Return a number for each group."""
    if groups is None:
        return list(range(n))
    if len(groups) != n:
        raise ParameterError(f"groups has {len(groups)} entries for {n} values")
    known: dict[Hashable, int] = {}
    return [known.setdefault(group, len(known)) for group in groups]


def _seed(seed: int) -> int:
    return check.integer("seed", seed, least=0, most=2**63 - 1)
