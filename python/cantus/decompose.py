"""Separation of spectrograms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec

__all__ = ["hpss"]


def hpss(
    S: ArrayLike,
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    mask: bool = False,
    margin: float | tuple[float, float] = 1.0,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Separate a spectrogram into a harmonic and a percussive part, by medians over time and frequency.

    Parameters
    ----------
    S : array of shape (..., n_bins, n_frames)
        Magnitudes, or complex numbers.
    kernel_size : int or pair
        Length of the medians over frames and over bins.
    power : float
        Exponent of the soft masks; ``np.inf`` is not supported here, hard masks are ``power=1000``.
    mask : bool
        Whether the masks are returned instead of the parts.
    margin : float or pair
        Factors, at least 1, of the other part in the masks.

    Returns
    -------
    harmonic, percussive : arrays of the shape of ``S``
    """
    spectrogram = np.asarray(S)
    magnitude = np.abs(spectrogram) if np.iscomplexobj(spectrogram) else spectrogram
    spec = _spec.document(hpss=hpss_table(kernel_size, power, margin))
    masks = _cantus.hpss_masks(magnitude, spec)
    return masks if check.flag("mask", mask) else (spectrogram * masks[0], spectrogram * masks[1])


def hpss_table(
    kernel_size: int | tuple[int, int], power: float, margin: float | tuple[float, float]
) -> dict[str, Any]:
    """Return the table of a separation; for the package itself."""
    frames, bins = kernel_size if isinstance(kernel_size, tuple | list) else (kernel_size, kernel_size)
    harmonic, percussive = margin if isinstance(margin, tuple | list) else (margin, margin)
    return {
        "kernel_frames": check.integer("kernel_size", frames, most=4096),
        "kernel_bins": check.integer("kernel_size", bins, most=4096),
        "power": check.number("power", power, above=0.0),
        "margin_harmonic": check.number("margin", harmonic, least=1.0),
        "margin_percussive": check.number("margin", percussive, least=1.0),
    }
