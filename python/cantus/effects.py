"""Effects and random alterations of signals; ``y`` is an array of shape ``(..., n)`` of float32 or float64."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus.decibel import Reference, amplitude_to_db
from cantus.decompose import hpss_table
from cantus.errors import ParameterError
from cantus.feature import rms

__all__ = [
    "augment",
    "deemphasis",
    "harmonic",
    "hpss",
    "percussive",
    "pitch_shift",
    "preemphasis",
    "split",
    "time_stretch",
    "trim",
]


def time_stretch(y: Samples, *, rate: float) -> Floats:
    """Change the tempo at constant pitch, by a phase vocoder with phase locking.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    rate : float
        Factor of the tempo, from 0.01 to 100: 2 is half as long.

    Returns
    -------
    array of shape (..., round(n / rate)), float32
    """
    return _cantus.time_stretch(y, check.number("rate", rate, least=0.01, most=100.0))


def pitch_shift(
    y: Samples,
    *,
    sr: float,
    n_steps: float,
    bins_per_octave: int = 12,
    res_type: str = "soxr_hq",
    scale: bool = False,
) -> Floats:
    """Shift the pitch at constant tempo and length.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    sr : int
        Sample rate, in Hz.
    n_steps : float
        Number of steps, upwards if positive; at most four octaves.
    bins_per_octave : int
        Number of steps per octave.
    res_type : str
        ``soxr_hq``.
    scale : bool
        False: amplitudes are preserved.

    Returns
    -------
    array of the shape of ``y``, float32
    """
    check.only("res_type", res_type, "soxr_hq")
    check.only("scale", scale, False)
    steps = check.number("n_steps", n_steps)
    semitones = 12.0 * steps / check.integer("bins_per_octave", bins_per_octave)
    if abs(semitones) > 48:
        raise ParameterError(f"n_steps = {steps:g}: at most four octaves")
    return _cantus.pitch_shift(y, _spec.sample_rate(sr), semitones)


def hpss(
    y: Samples,
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    margin: float | tuple[float, float] = 1.0,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> tuple[Floats, Floats]:
    """Separate a signal into a harmonic and a percussive part, by medians over time and frequency.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    kernel_size, power, margin
        As in `cantus.decompose.hpss`.
    n_fft, hop_length, win_length, window, center, pad_mode
        As in `cantus.stft`.

    Returns
    -------
    harmonic, percussive : arrays of the shape of ``y``, float32
        They add up to ``y`` if the margins are 1.
    """
    framing = _spec.framing(
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    return _cantus.hpss(y, _spec.document(framing, hpss=hpss_table(kernel_size, power, margin)))


def harmonic(y: Samples, **arguments: Any) -> Floats:
    """Return the harmonic part of `hpss`, with its arguments."""
    return hpss(y, **arguments)[0]


def percussive(y: Samples, **arguments: Any) -> Floats:
    """Return the percussive part of `hpss`, with its arguments."""
    return hpss(y, **arguments)[1]


def trim(
    y: ArrayLike,
    *,
    top_db: float = 60,
    ref: Reference = np.max,
    frame_length: int = 2048,
    hop_length: int = 512,
    aggregate: Callable[..., Any] = np.max,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Remove silence at the beginning and the end.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    top_db : float
        Frames more than this below ``ref`` are silence, in dB.
    ref : float or function
        The amplitude of 0 dB.
    frame_length, hop_length : int
        Framing, in samples.
    aggregate : function
        How the levels of the channels are combined.

    Returns
    -------
    y_trimmed : array of shape (..., m)
        A view of ``y``.
    index : array of shape (2,)
        Its first sample and the one after its last.
    """
    signal = np.asarray(y)
    loud = np.flatnonzero(_is_loud(signal, top_db, ref, frame_length, hop_length, aggregate))
    if not loud.size:
        return signal[..., :0], np.zeros(2, dtype=np.int64)
    first = int(loud[0]) * hop_length
    end = min(signal.shape[-1], (int(loud[-1]) + 1) * hop_length)
    return signal[..., first:end], np.array([first, end], dtype=np.int64)


def split(
    y: ArrayLike,
    *,
    top_db: float = 60,
    ref: Reference = np.max,
    frame_length: int = 2048,
    hop_length: int = 512,
    aggregate: Callable[..., Any] = np.max,
) -> NDArray[np.int64]:
    """Find the parts that are not silent.

    Parameters
    ----------
    y, top_db, ref, frame_length, hop_length, aggregate
        As in `trim`.

    Returns
    -------
    array of shape (n_parts, 2)
        The first sample of each, and the one after its last.
    """
    signal = np.asarray(y)
    loud = _is_loud(signal, top_db, ref, frame_length, hop_length, aggregate)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    return np.minimum(edges.reshape(-1, 2) * hop_length, signal.shape[-1]).astype(np.int64)


def preemphasis(y: ArrayLike, *, coef: float = 0.97) -> NDArray[Any]:
    """Amplify high frequencies: ``y[n] - coef * y[n - 1]``; the first sample is ``3 * y[0] - y[1]``, as in librosa.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    coef : float
        From 0 to 1.

    Returns
    -------
    array of the shape of ``y``
    """
    signal = _signal(y, 2)
    emphasised = np.empty_like(signal)
    emphasised[..., 0] = 3 * signal[..., 0] - signal[..., 1]
    emphasised[..., 1:] = signal[..., 1:] - signal.dtype.type(check.number("coef", coef)) * signal[..., :-1]
    return emphasised


def deemphasis(y: Samples, *, coef: float = 0.97) -> Floats:
    """Invert `preemphasis`.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    coef : float
        From 0 to below 1.

    Returns
    -------
    array of the shape of ``y``, float32
    """
    return _cantus.deemphasis(y, check.number("coef", coef, least=0.0, most=1.0))


def augment(
    y: Samples,
    *,
    sr: float,
    audio: Sequence[dict[str, Any]],
    seed: int = 0,
    name: str = "",
    number: int = 1,
) -> Floats:
    """Make a randomly altered copy of a signal; librosa has no such function.

    Parameters
    ----------
    y : array of shape (n,)
        The signal.
    sr : int
        Sample rate, in Hz.
    audio : list of dict
        The alterations in their order, as in a recipe: ``{"type": "pitch_shift", "range": [-2, 2]}``; types are
        ``pitch_shift``, ``time_stretch``, ``gain``, ``noise``, ``reverb``, ``low_pass``, ``high_pass``, ``polarity`` and
        ``random_crop``.
    seed, name, number
        Key of the random numbers: seed, name of the recording, number of the copy.

    Returns
    -------
    array of shape (m,), float32
    """
    signal = np.asarray(y)
    if signal.ndim != 1:
        raise ParameterError(f"y must have shape (n,), found {signal.shape}")
    copies = {"seed": check.integer("seed", seed, least=0, most=2**63 - 1), "copies": 1}
    try:
        spec = json.dumps({**copies, "audio": list(audio)}, allow_nan=False)
    except (TypeError, ValueError):
        raise TypeError(f"audio must be a list of dictionaries, found {check.short(audio)}") from None
    copy = check.integer("number", number)
    return _cantus.augment(y, _spec.sample_rate(sr), spec, check.text("name", name), copy)


def _is_loud(
    signal: NDArray[Any],
    top_db: float,
    ref: Reference,
    frame_length: int,
    hop_length: int,
    aggregate: Callable[..., Any],
) -> NDArray[np.bool_]:
    levels = rms(y=signal, frame_length=frame_length, hop_length=hop_length)[..., 0, :]
    decibels: NDArray[Any] = amplitude_to_db(levels, ref=ref, top_db=None)
    while decibels.ndim > 1:
        decibels = np.asarray(aggregate(decibels, axis=0))
    loud: NDArray[np.bool_] = decibels > -check.number("top_db", top_db)
    return loud


def _signal(y: ArrayLike, n_least: int) -> NDArray[Any]:
    signal = np.asarray(y)
    if signal.dtype.kind != "f":
        raise TypeError(f"y must be an array of float32 or float64, found {signal.dtype}")
    if not signal.ndim or signal.shape[-1] < n_least or not signal.size:
        raise ParameterError(f"y must have at least {n_least} samples, found the shape {signal.shape}")
    if not np.isfinite(signal).all():
        raise ParameterError("y contains NaN or infinity")
    return signal
