"""Features of frames without a window, and the spectrum of a whole signal."""

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus._compute import compute, matrix
from cantus.errors import ParameterError


def rms(
    *,
    y: Samples | None = None,
    S: Samples | None = None,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
) -> Floats:
    """Root mean square of each frame.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., frame_length // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``; of frames without a window they give the same.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
    """
    if check.one_of(y=y, S=S) == "y":
        framing = _spec.frames(frame_length, hop_length, center, pad_mode)
        return compute("rms", y, None, framing)
    length = check.integer("frame_length", frame_length)
    magnitude = matrix(S)
    if magnitude.shape[-2] != length // 2 + 1:
        raise ParameterError(
            f"S has {magnitude.shape[-2]} bins; expected {length // 2 + 1}, as frame_length = {length}"
        )
    power = np.abs(magnitude).astype(np.float32) ** 2
    # The spectrum of a real signal is symmetric; 0 Hz, and half the sample rate of even lengths, are there once.
    power[..., 0, :] *= 0.5
    if length % 2 == 0:
        power[..., -1, :] *= 0.5
    levels: Floats = np.sqrt(2 * power.sum(axis=-2, keepdims=True) / np.float32(length**2))
    return levels


def zero_crossing_rate(
    y: Samples, *, frame_length: int = 2048, hop_length: int = 512, center: bool = True
) -> Floats:
    """Zero crossings per sample of each frame.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
        From 0 to 1.
    """
    return compute("zero_crossing_rate", y, None, _spec.frames(frame_length, hop_length, center))


def amplitude_envelope(
    y: Samples, *, frame_length: int = 2048, hop_length: int = 512, center: bool = True
) -> Floats:
    """Largest sample of each frame; librosa has no such function.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
    """
    return compute("amplitude_envelope", y, None, _spec.frames(frame_length, hop_length, center))


def spectrum(
    y: Samples, *, sr: float = 22050, power: float = 1.0, full: bool = False
) -> tuple[Floats, NDArray[np.float64]]:
    """Spectrum of a whole signal; librosa has no such function.

    Parameters
    ----------
    y : array of shape (n,)
        The signal.
    sr : int
        Sample rate, in Hz.
    power : float
        1 for magnitudes, 2 for powers.
    full : bool
        Whether the mirrored half above half the sample rate is included.

    Returns
    -------
    values : array of shape (n // 2 + 1,) or (n,), float32
    frequencies : array of the same shape, float64
        In Hz.
    """
    signal = np.asarray(y)
    if signal.ndim != 1:
        raise ParameterError(f"y must have shape (n,), found {signal.shape}")
    name = check.choice("power", power, {1: "spectrum", 2: "power_spectrum"})
    name += "_full" if check.flag("full", full) else ""
    return _cantus.track_feature(y, name, _spec.document(_spec.framing(sr=sr)))
