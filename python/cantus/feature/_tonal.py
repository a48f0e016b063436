"""Pitch classes: chroma of the STFT and of the constant-Q transform, tonal centroid."""

from typing import Any

import numpy as np

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus._compute import compute, matrix
from cantus._compute import framing as framing_of


def chroma_stft(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    norm: float | None = np.inf,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    tuning: float | None = None,
    n_chroma: int = 12,
    ctroct: float = 5.0,
    octwidth: float | None = 2,
    base_c: bool = True,
) -> Floats:
    """Chroma of the STFT: energy per pitch class.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Powers in place of ``y``.
    norm : float, optional
        Norm of each frame: ``np.inf``, 1, 2, or None for no normalisation.
    tuning : float, optional
        Deviation from A4 = 440 Hz, in pitch classes; estimated for each channel if absent.
    n_chroma : int
        Number of pitch classes.
    ctroct, octwidth, base_c
        As in `cantus.filters.chroma`.

    Returns
    -------
    array of shape (..., n_chroma, n_frames), float32
    """
    table = _spec.chroma(n_chroma, ctroct, octwidth, base_c, norm)
    if tuning is not None:
        table["tuning"] = check.number("tuning", tuning)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    # The kind is computed from magnitudes.
    magnitude = None if S is None else np.sqrt(np.maximum(matrix(S), 0))
    return compute("chroma_stft", y, magnitude, framing, {"chroma_stft": table})


def chroma_cqt(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    C: None = None,
    hop_length: int = 512,
    fmin: float | None = None,
    norm: float | None = np.inf,
    threshold: float = 0.0,
    tuning: float | None = None,
    n_chroma: int = 12,
    n_octaves: int = 7,
    bins_per_octave: int = 36,
) -> Floats:
    """Chroma of the constant-Q transform.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    C : None
        The transform is computed from ``y``.
    fmin : float, optional
        Frequency of the lowest bin, in Hz; C1 if absent.
    norm : float, optional
        Norm of each frame: ``np.inf``, 1, 2, or None for no normalisation.
    threshold : float
        Smaller values are set to 0 before the normalisation.
    tuning : float, optional
        Deviation from A4 = 440 Hz, in bins of the transform; estimated if absent.
    n_chroma, n_octaves, bins_per_octave : int
        Number of pitch classes, of octaves, and of bins per octave.

    Returns
    -------
    array of shape (..., n_chroma, n_frames), float32
    """
    check.only("C", C, None, "give y")
    check.one_of(y=y)
    spec = _chroma_cqt_table(fmin, norm, threshold, tuning, n_chroma, n_octaves, bins_per_octave)
    return compute("chroma_cqt", y, None, _spec.framing(sr=sr, hop_length=hop_length), spec)


def tonnetz(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    chroma: Samples | None = None,
    hop_length: int = 512,
    fmin: float | None = None,
    tuning: float | None = None,
    n_octaves: int = 7,
    bins_per_octave: int = 36,
) -> Floats:
    """Tonal centroid: chroma projected on the circles of fifths, minor and major thirds.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    chroma : array of shape (..., n_chroma, n_frames), optional
        Chroma in place of ``y``.
    hop_length, fmin, tuning, n_octaves, bins_per_octave
        As in `chroma_cqt`.

    Returns
    -------
    array of shape (..., 6, n_frames), float32
    """
    if check.one_of(chroma=chroma, y=y) == "chroma":
        return _cantus.tonnetz(chroma)
    spec = _chroma_cqt_table(fmin, np.inf, 0.0, tuning, 12, n_octaves, bins_per_octave)
    return compute("tonnetz", y, None, _spec.framing(sr=sr, hop_length=hop_length), spec)


def _chroma_cqt_table(
    fmin: float | None,
    norm: float | None,
    threshold: float,
    tuning: float | None,
    n_chroma: int,
    n_octaves: int,
    bins_per_octave: int,
) -> dict[str, Any]:
    table: dict[str, Any] = {
        "norm": check.choice("norm", norm, _spec.NORMS),
        "threshold": check.number("threshold", threshold),
        "n_chroma": check.integer("n_chroma", n_chroma),
        "n_octaves": check.integer("n_octaves", n_octaves, most=64),
        "bins_per_octave": check.integer("bins_per_octave", bins_per_octave, most=4096),
    }
    if fmin is not None:
        table["f_min"] = check.number("fmin", fmin, above=0.0)
    if tuning is not None:
        table["tuning"] = check.number("tuning", tuning)
    return {"chroma_cqt": table}
