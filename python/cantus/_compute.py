"""The computation of a feature, of a signal or of a spectrogram in its place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus._warnings import warn_of_empty_mel_bands
from cantus.errors import ParameterError

#: Kinds of features that are computed from a mel spectrogram.
_OF_MEL_BANDS = frozenset({"mel", "mfcc", "onset_strength"})


def framing(
    S: Samples | None,
    sr: float,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: str,
    center: bool,
    pad_mode: str,
) -> dict[str, Any]:
    """Return the framing; a spectrogram determines ``n_fft``, as in librosa, unless that is given and fits."""
    if S is not None and n_bins(S) != check.integer("n_fft", n_fft, most=_spec.MAX_N_FFT) // 2 + 1:
        n_fft, win_length = 2 * (n_bins(S) - 1), None
    return _spec.framing(
        sr=sr,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )


def compute(
    kind: str,
    y: Samples | None,
    S: Samples | None,
    *tables: dict[str, Any],
    stage: str = "magnitude",
) -> Floats:
    """Return a feature of ``S``, or of ``y`` where it is absent."""
    spec = _spec.document(*tables, kinds=[kind])
    if S is not None:
        values = _cantus.spectrogram_features(S, stage, spec)
    elif y is not None:
        values = _cantus.features(y, spec)
    else:
        raise ParameterError("give one of y and S")
    # Only these arrive with mel bands that are computed here.
    if kind in _OF_MEL_BANDS and (S is None or stage == "magnitude"):
        warn_of_empty_mel_bands(spec)
    return values


def matrix(S: Samples | None) -> NDArray[Any]:
    """Return a spectrogram as an array, if it has the shape and the type of one."""
    values = np.asarray(S)
    if values.dtype.kind != "f":
        raise TypeError(f"S must be an array of float32 or float64, found {values.dtype}")
    if values.ndim < 2:
        raise ParameterError(f"S must have shape (..., n_bins, n_frames), found {values.shape}")
    return values


def n_bins(S: Samples, most: int = check.MAX_SIZE) -> int:
    """Return the number of bins of a spectrogram."""
    return check.integer("the number of bins of S", matrix(S).shape[-2], most=most)
