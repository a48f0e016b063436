"""Rhythm: tempogram and tempo."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus.convert import tempo_frequencies, time_to_frames
from cantus.onset import onset_strength


def tempogram(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    onset_envelope: Samples | None = None,
    hop_length: int = 512,
    win_length: int = 384,
    center: bool = True,
    window: str = "hann",
    norm: float | None = np.inf,
) -> Floats:
    """Local autocorrelation of the onset strength.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    onset_envelope : array of shape (..., n_frames), optional
        Onset strength in place of ``y``.
    win_length : int
        Length of the window, in frames.
    center : bool
        Whether row ``t`` is centred on frame ``t``.
    norm : float, optional
        Norm of each frame: ``np.inf``, 1, 2, or None for no normalisation.

    Returns
    -------
    array of shape (..., win_length, n_frames), float32
    """
    table = {
        "win_length": check.integer("win_length", win_length, most=1 << 16),
        "window": check.choice("window", window, _spec.WINDOWS),
        "norm": check.choice("norm", norm, _spec.NORMS),
    }
    curve = _onset_curve(y, sr, onset_envelope, hop_length)
    spec = _spec.document(_spec.framing(sr=sr, hop_length=hop_length), tempogram=table)
    return _cantus.tempogram(curve, spec, check.flag("center", center))


def tempo(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    onset_envelope: Samples | None = None,
    tg: None = None,
    hop_length: int = 512,
    start_bpm: float = 120.0,
    std_bpm: float = 1.0,
    ac_size: float = 8.0,
    max_tempo: float | None = 320.0,
    aggregate: Callable[..., Any] | None = np.mean,
    prior: None = None,
) -> NDArray[np.float64]:
    """Tempo, in beats per minute.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    onset_envelope : array of shape (..., n_frames), optional
        Onset strength in place of ``y``.
    tg, prior : None
        The tempogram is computed, the prior is log-normal.
    start_bpm, std_bpm : float
        Mean of the prior, in beats per minute, and its standard deviation, in octaves.
    ac_size : float
        Length of the autocorrelation window, in seconds.
    max_tempo : float, optional
        Upper bound, in beats per minute; None for none.
    aggregate : function, optional
        ``np.mean``, or None for a tempo for each frame.

    Returns
    -------
    array of shape (..., 1), or (..., n_frames) without an aggregate, float64
    """
    check.only("tg", tg, None)
    check.only("prior", prior, None)
    table = tempo_table(start_bpm, std_bpm, ac_size, max_tempo)
    curve = _onset_curve(y, sr, onset_envelope, hop_length)
    if aggregate is None:
        return _tempo_of_frames(curve, sr, hop_length, table)
    check.only("aggregate", aggregate, np.mean)
    return _cantus.tempo(curve, _spec.document(_spec.framing(sr=sr, hop_length=hop_length), tempo=table))


def _tempo_of_frames(
    curve: Samples, sr: float, hop_length: int, table: dict[str, float]
) -> NDArray[np.float64]:
    """Return the tempo with the largest product of autocorrelation and prior in each frame."""
    n_lags = int(time_to_frames(table["ac_size"], sr=sr, hop_length=hop_length))
    correlations = tempogram(onset_envelope=curve, sr=sr, hop_length=hop_length, win_length=max(n_lags, 1))
    tempi = tempo_frequencies(correlations.shape[-2], hop_length=hop_length, sr=sr)
    prior = -0.5 * ((np.log2(tempi) - np.log2(table["start_bpm"])) / table["std_bpm"]) ** 2
    if table["max_tempo"] > 0:
        # The tempo of lag 0 is infinite.
        prior[tempi >= table["max_tempo"]] = -np.inf
    scores = np.log1p(1e6 * correlations.astype(np.float64)) + prior[:, np.newaxis]
    frames: NDArray[np.float64] = tempi[np.argmax(scores, axis=-2)]
    return frames


def tempo_table(
    start_bpm: float, std_bpm: float = 1.0, ac_size: float = 8.0, max_tempo: float | None = 320.0
) -> dict[str, float]:
    """Return the table of a tempo; for the package itself."""
    return {
        "start_bpm": check.number("start_bpm", start_bpm, above=0.0),
        "std_bpm": check.number("std_bpm", std_bpm, above=0.0),
        "ac_size": check.number("ac_size", ac_size, above=0.0, most=1e4),
        "max_tempo": 0.0 if max_tempo is None else check.number("max_tempo", max_tempo, above=0.0),
    }


def _onset_curve(y: Samples | None, sr: float, onset_envelope: Samples | None, hop_length: int) -> Samples:
    if check.one_of(onset_envelope=onset_envelope, y=y) == "y":
        return onset_strength(y=y, sr=sr, hop_length=hop_length)
    return [] if onset_envelope is None else onset_envelope
