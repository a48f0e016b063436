"""Recordings as samples: decoding, resampling, duration. All names are in ``cantus`` itself."""

import os
import warnings
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cantus import _arguments as check
from cantus import _cantus, _recordings, _spec
from cantus._arguments import Floats, Samples
from cantus.errors import ParameterError
from cantus.spectrum import _real

#: A path, the content of a file, or a file object.
AudioFile = str | os.PathLike[str] | bytes | IO[bytes]


class DamageWarning(UserWarning):
    """Damage in a recording that was replaced by silence or skipped."""


def load(
    path: AudioFile,
    *,
    sr: float | None = 22050,
    mono: bool = True,
    offset: float = 0.0,
    duration: float | None = None,
    dtype: DTypeLike = np.float32,
    res_type: str = "soxr_hq",
) -> tuple[Floats, int]:
    """Decode a recording: wav, aiff, caf, au, flac, mp3, ogg vorbis, opus, m4a (aac, alac), mka, webm.

    Parameters
    ----------
    path : str, path, bytes or file object
        The file, its content, or a file object that is open for reading in binary mode.
    sr : int, optional
        Sample rate to which it is resampled, in Hz; None for its own.
    mono : bool
        Whether the channels are averaged.
    offset : float
        Where to begin, in seconds.
    duration : float, optional
        How much to decode, in seconds; all if absent.
    dtype : dtype
        ``float32`` or ``float64``.
    res_type : str
        ``soxr_hq``.

    Returns
    -------
    y : array of shape (n,), or (n_channels, n) if ``mono`` is False and there are several
        Samples, nominally from -1 to 1.
    sr : int
        Sample rate, in Hz.

    Raises
    ------
    FileNotFoundError, PermissionError, IsADirectoryError
        If the file cannot be read.
    cantus.DecodeError
        If it is not audio, or of a format that is not supported.

    Warns
    -----
    DamageWarning
        If a part of the file is damaged and was replaced by silence.
    """
    check.only("res_type", res_type, "soxr_hq")
    recording = _recordings.argument(path, "path")
    if isinstance(recording, tuple) and len(recording) == 3:
        raise TypeError("path must be a path, bytes or a file object, found samples")
    y, rate, damage = _cantus.load(
        recording,
        None if sr is None else _spec.sample_rate(sr),
        check.flag("mono", mono),
        check.number("offset", offset, least=0.0, most=1e9),
        None if duration is None else check.number("duration", duration, least=0.0, most=1e9),
    )
    name = recording if isinstance(recording, str) else recording[0]
    for text in damage:
        warnings.warn(f"{name}: {text}", DamageWarning, stacklevel=2)
    return _real(y, dtype), rate


def resample(
    y: Samples,
    *,
    orig_sr: float,
    target_sr: float,
    res_type: str = "soxr_hq",
    fix: bool = True,
    scale: bool = False,
    axis: int = -1,
) -> Floats:
    """Resample a signal by soxr's HQ filter.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    orig_sr, target_sr : int
        Its sample rate and the new one, in Hz.
    res_type : str
        ``soxr_hq``.
    fix : bool
        True: the length is ``ceil(n * target_sr / orig_sr)``.
    scale : bool
        Whether the energy is preserved instead of the amplitude.
    axis : int
        The axis of time.

    Returns
    -------
    array of shape (..., ceil(n * target_sr / orig_sr)), float32
    """
    check.only("res_type", res_type, "soxr_hq")
    check.only("fix", fix, True)
    rates = _spec.sample_rate(orig_sr, "orig_sr"), _spec.sample_rate(target_sr, "target_sr")
    resampled = _along(axis, y, lambda signal: _cantus.resample(signal, *rates))
    return resampled / np.float32(np.sqrt(rates[1] / rates[0])) if scale else resampled


def to_mono(y: ArrayLike) -> NDArray[Any]:
    """Average the channels of a signal ``(..., n)``: the mean of all axes but the last."""
    signal = np.asarray(y)
    if signal.dtype.kind != "f":
        raise TypeError(f"y must be an array of float32 or float64, found {signal.dtype}")
    return signal if signal.ndim < 2 else signal.mean(axis=tuple(range(signal.ndim - 1)))


def get_duration(
    *,
    y: ArrayLike | None = None,
    sr: float = 22050,
    S: ArrayLike | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    path: str | os.PathLike[str] | None = None,
) -> float:
    """Duration of a file, a signal or a spectrogram, in seconds.

    Parameters
    ----------
    y : array of shape (..., n), optional
        A signal.
    sr : int
        Its sample rate, in Hz.
    S : array of shape (..., n_frames), optional
        A spectrogram, or a feature.
    n_fft, hop_length, center
        Its framing.
    path : str or path, optional
        A file, whose duration is read from its header if that is exact.

    Returns
    -------
    float
    """
    if path is not None:
        return float(_cantus.duration(_path(path))[0])
    name = check.one_of(y=y, S=S)
    shape = np.asarray(y if y is not None else S).shape
    if not shape:
        raise ParameterError(f"{name} is a single number; expected an array")
    n_samples = shape[-1]
    if name == "S":
        n_samples = n_fft + hop_length * (shape[-1] - 1) - (2 * (n_fft // 2) if center else 0)
    return float(n_samples / check.number("sr", sr, above=0.0))


def get_samplerate(path: str | os.PathLike[str]) -> int:
    """Sample rate of a file, in Hz."""
    return int(_cantus.duration(_path(path))[1])


def _path(path: str | os.PathLike[str]) -> str:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a string or a path, found {check.short(path)}")
    return os.fspath(path)


def _along(axis: int, y: Samples, work: Any) -> Floats:
    """Return ``work`` of a signal whose time is not on the last axis."""
    if axis == -1:
        return np.asarray(work(y))
    signal = np.asarray(y)
    if not -signal.ndim <= axis < signal.ndim:
        raise ParameterError(f"axis = {axis}: the signal has {signal.ndim} axes")
    return np.moveaxis(np.asarray(work(np.moveaxis(signal, axis, -1))), -1, axis)
