"""Onsets: their strength, and their times."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _spec, convert
from cantus._arguments import Floats, Samples
from cantus._compute import compute, n_bins
from cantus.errors import ParameterError

__all__ = ["onset_backtrack", "onset_detect", "onset_strength", "peak_pick"]

_UNITS = {"frames": "frames", "samples": "samples", "time": "time"}


def onset_strength(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    lag: int = 1,
    max_size: int = 1,
    ref: None = None,
    detrend: bool = False,
    center: bool = True,
    feature: None = None,
    aggregate: Callable[..., Any] | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
) -> Floats:
    """Onset strength: the mean increase of the mel bands' levels, in dB.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    sr : int
        Sample rate, in Hz.
    S : array of shape (..., n_mels, n_frames), optional
        A mel spectrogram in dB in place of ``y``.
    lag : int
        Distance of the compared frames, in frames.
    max_size : int
        Width of the maximum filter over bands; 1 for none.
    ref, feature : None
        Not supported: the reference is computed, the feature is the mel spectrogram in dB.
    detrend : bool
        Whether the curve is high-pass filtered.
    center : bool
        Whether the frames are centred, and the curve is delayed by half an FFT.
    aggregate : function, optional
        ``np.mean``, the default, or ``np.median``.
    n_fft, hop_length, n_mels, fmin, fmax
        As in `cantus.feature.melspectrogram`.

    Returns
    -------
    array of shape (..., n_frames), float32
    """
    check.only("ref", ref, None)
    check.only("feature", feature, None)
    if aggregate is not None and not check.is_function(aggregate, np.mean, np.median):
        raise ParameterError(
            f"aggregate = {check.short(aggregate)} is not supported; supported: mean, median"
        )
    table = {
        "lag": check.integer("lag", lag, most=1 << 16),
        "max_size": check.integer("max_size", max_size, most=1 << 16),
        "detrend": check.flag("detrend", detrend),
        "aggregate": "median" if check.is_function(aggregate, np.median) else "mean",
    }
    if S is None:
        bands = _spec.mel(sr, n_mels=n_mels, fmin=fmin, fmax=fmax)
    else:
        bands = {"n_mels": n_bins(S, most=4096)}
    framing = _spec.framing(sr=sr, n_fft=n_fft, hop_length=hop_length, center=center)
    strength = compute("onset_strength", y, S, framing, bands, {"onset": table}, stage="log_mel")
    return strength[..., 0, :]


def onset_detect(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    onset_envelope: Samples | None = None,
    hop_length: int = 512,
    backtrack: bool = False,
    units: str = "frames",
    normalize: bool = True,
    pre_max: int | None = None,
    post_max: int | None = None,
    pre_avg: int | None = None,
    post_avg: int | None = None,
    delta: float = 0.07,
    wait: int | None = None,
) -> NDArray[Any]:
    """Onsets: the peaks of the onset strength.

    Parameters
    ----------
    y : array of shape (n,), optional
        The signal.
    sr : int
        Sample rate, in Hz.
    onset_envelope : array of shape (n_frames,), optional
        Onset strength in place of ``y``.
    hop_length : int
        Samples from one frame to the next.
    backtrack : bool
        Whether onsets are moved back to the preceding minimum.
    units : str
        ``frames``, ``samples`` or ``time``, in seconds.
    normalize : bool
        Whether the curve is scaled to the range from 0 to 1.
    pre_max, post_max, pre_avg, post_avg, delta, wait
        As in `peak_pick`; the defaults are 30 ms, 0 ms, 100 ms, 100 ms, 0.07 and 30 ms.

    Returns
    -------
    array of shape (n_onsets,)
    """
    units = check.choice("units", units, _UNITS)
    if check.one_of(onset_envelope=onset_envelope, y=y) == "y":
        curve = np.asarray(onset_strength(y=y, sr=sr, hop_length=hop_length))
    else:
        curve = np.asarray(onset_envelope, dtype=float)
    if curve.ndim != 1 or not np.isfinite(curve).all():
        raise ParameterError(f"onset_envelope must be finite, of shape (n_frames,); found {curve.shape}")
    if not curve.any():
        return np.array([], dtype=float if units == "time" else int)
    strength = curve
    if check.flag("normalize", normalize):
        strength = curve - curve.min()
        strength = strength / (strength.max() + np.finfo(curve.dtype).tiny)

    def at(milliseconds: int) -> int:
        """Return a duration in frames, rounded down."""
        return int(milliseconds / 1000 * check.number("sr", sr, above=0.0) // hop_length)

    frames = peak_pick(
        strength,
        pre_max=at(30) if pre_max is None else pre_max,
        post_max=at(0) + 1 if post_max is None else post_max,
        pre_avg=at(100) if pre_avg is None else pre_avg,
        post_avg=at(100) + 1 if post_avg is None else post_avg,
        delta=delta,
        wait=at(30) if wait is None else wait,
    )
    if backtrack:
        frames = onset_backtrack(frames, curve)
    if units == "frames":
        return frames
    samples: NDArray[Any] = convert.frames_to_samples(frames, hop_length=hop_length)
    return samples if units == "samples" else np.asarray(convert.samples_to_time(samples, sr=sr))


def onset_backtrack(events: NDArray[np.int64], energy: NDArray[Any]) -> NDArray[np.int64]:
    """Move onsets back to the last minimum of a curve.

    Parameters
    ----------
    events : array of shape (n_onsets,)
        Frames.
    energy : array of shape (n_frames,)
        The curve.

    Returns
    -------
    array of shape (n_onsets,)
    """
    inner = energy[1:-1]
    minima = 1 + np.flatnonzero((inner <= energy[:-2]) & (inner < energy[2:]))
    minima = np.concatenate([[0], minima]).astype(np.int64)
    found: NDArray[np.int64] = minima[np.searchsorted(minima, events, side="right") - 1]
    return found


def peak_pick(
    x: Samples, *, pre_max: int, post_max: int, pre_avg: int, post_avg: int, delta: float, wait: int
) -> NDArray[np.int64]:
    """Peaks of a curve, which are a maximum around them, above the mean around them, and apart.

    Parameters
    ----------
    x : array of shape (n,)
        The curve.
    pre_max, post_max : int
        A peak is the largest of the values from ``pre_max`` before it to ``post_max - 1`` after it.
    pre_avg, post_avg : int
        The mean is that of the values from ``pre_avg`` before it to ``post_avg - 1`` after it.
    delta : float
        A peak is at least this above the mean.
    wait : int
        A peak is more than this many frames after the last.

    Returns
    -------
    array of shape (n_peaks,)
        Indices.

    References
    ----------
    Böck, Krebs & Schedl, "Evaluating the online capabilities of onset detection methods", 2012.
    """
    curve = np.asarray(x, dtype=float)
    if curve.ndim != 1:
        raise ParameterError(f"x must have shape (n,), found {curve.shape}")
    before, after = check.integer("pre_max", pre_max, least=0), check.integer("post_max", post_max)
    mean_before, mean_after = check.integer("pre_avg", pre_avg, least=0), check.integer("post_avg", post_avg)
    margin, pause = check.number("delta", delta, least=0.0), check.integer("wait", wait, least=0)
    peaks: list[int] = []
    for n, value in enumerate(curve):
        largest = curve[max(n - before, 0) : n + after].max()
        mean = curve[max(n - mean_before, 0) : n + mean_after].mean()
        if value == largest and value >= mean + margin and (not peaks or n > peaks[-1] + pause):
            peaks.append(n)
    return np.array(peaks, dtype=np.int64)
