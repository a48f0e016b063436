"""Every function of librosa 0.11 that the package has: beside librosa itself, or beside sampled values of its results."""

from pathlib import Path

import numpy as np
import pytest
from parity import CASES, difference, sampled, signal

import cantus

#: Made by ``python python/tests/signal/parity.py python/tests/signal/librosa.npz``, librosa 0.11.0, NumPy 2.4.
REFERENCE = np.load(Path(__file__).with_name("librosa.npz"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_equals_the_sampled_values_of_librosa(case):
    found = np.asarray(case.call(cantus, signal()))
    assert found.shape == tuple(REFERENCE[f"{case.name}/shape"])
    largest = float(REFERENCE[f"{case.name}/largest"])
    # The values are stored in single precision.
    tolerance = max(case.tolerance, 1e-7 if REFERENCE[f"{case.name}/values"].dtype.itemsize < 8 else 0.0)
    np.testing.assert_allclose(
        sampled(found), REFERENCE[f"{case.name}/values"], rtol=0, atol=tolerance * largest
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_equals_librosas(case):
    librosa = pytest.importorskip("librosa")
    assert difference(case, cantus, librosa) <= case.tolerance


@pytest.mark.parametrize("case", [case for case in CASES if case.is_multichannel], ids=lambda case: case.name)
def test_a_function_of_two_channels_equals_that_of_each(case):
    y = np.stack([signal(), signal()[::-1]])
    together = np.asarray(case.call(cantus, y))
    for n, channel in enumerate(y):
        np.testing.assert_array_equal(together[n], np.asarray(case.call(cantus, channel)))


@pytest.mark.parametrize("case", [case for case in CASES if case.is_multichannel], ids=lambda case: case.name)
def test_float64_gives_the_result_of_float32(case):
    y = signal().astype(np.float32)
    np.testing.assert_array_equal(case.call(cantus, y.astype(np.float64)), case.call(cantus, y))
