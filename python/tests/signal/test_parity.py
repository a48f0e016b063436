"""Every function of librosa 0.11 that the package has, beside librosa itself, on the same arrays; skipped without librosa."""

import numpy as np
import pytest

import cantus

from parity import CASES, difference, signal

librosa = pytest.importorskip("librosa")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_equals_librosas(case):
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
