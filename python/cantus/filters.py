"""Filter banks and windows."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats
from cantus._warnings import warn_of_empty_mel_bands
from cantus.spectrum import _real

__all__ = ["chroma", "get_window", "mel"]


def mel(
    *,
    sr: float,
    n_fft: int,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | float | None = "slaney",
    dtype: DTypeLike = np.float32,
) -> Floats:
    """Mel filter bank.

    Parameters
    ----------
    sr : int
        Sample rate, in Hz.
    n_fft : int
        Length of the FFT, in samples.
    n_mels : int
        Number of bands.
    fmin, fmax : float
        Edges of the lowest and the highest band, in Hz; half the sample rate if absent.
    htk : bool
        HTK's scale instead of Slaney's.
    norm : str or float, optional
        ``slaney`` for unit area, 1, 2 or ``np.inf`` for unit norm, None for unit height.
    dtype : dtype
        ``float32`` or ``float64``.

    Returns
    -------
    array of shape (n_mels, n_fft // 2 + 1), float32
    """
    bands = _spec.mel(sr, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    spec = _spec.document(_spec.framing(sr=sr, n_fft=n_fft), bands, kinds=["mel"])
    weights = _real(_cantus.mel_filters(spec), dtype)
    warn_of_empty_mel_bands(spec)
    return weights


def chroma(
    *,
    sr: float,
    n_fft: int,
    n_chroma: int = 12,
    tuning: float = 0.0,
    ctroct: float = 5.0,
    octwidth: float | None = 2,
    norm: float | None = 2,
    base_c: bool = True,
    dtype: DTypeLike = np.float32,
) -> Floats:
    """Chroma filter bank.

    Parameters
    ----------
    sr : int
        Sample rate, in Hz.
    n_fft : int
        Length of the FFT, in samples.
    n_chroma : int
        Number of pitch classes.
    tuning : float
        Deviation from A4 = 440 Hz, in pitch classes.
    ctroct, octwidth : float
        Octave of the largest weight above A0, and standard deviation of the weight, in octaves; None for equal weights.
    norm : float
        2: the weights of a bin have unit L2 norm.
    base_c : bool
        Whether the first pitch class is C instead of A.
    dtype : dtype
        ``float32`` or ``float64``.

    Returns
    -------
    array of shape (n_chroma, n_fft // 2 + 1), float32
    """
    check.only("norm", norm, 2)
    table = _spec.chroma(n_chroma, ctroct, octwidth, base_c, np.inf)
    table["tuning"] = check.number("tuning", tuning)
    spec = _spec.document(_spec.framing(sr=sr, n_fft=n_fft), kinds=["chroma_stft"], chroma_stft=table)
    return _real(_cantus.chroma_filters(spec), dtype)


def get_window(window: str, Nx: int, *, fftbins: bool = True) -> NDArray[Any]:
    """Weights of a window function.

    Parameters
    ----------
    window : str
        ``hann``, ``hamming``, ``blackman``, ``blackmanharris``, ``nuttall``, ``flattop``, ``bartlett`` or ``boxcar``.
    Nx : int
        Number of samples.
    fftbins : bool
        Periodic, for spectral analysis; False: symmetric, for the design of filters.

    Returns
    -------
    array of shape (Nx,), float64
    """
    n = check.integer("Nx", Nx)
    spec = _spec.document(_spec.framing(window=window))
    if fftbins or n == 1:
        return _cantus.window(spec, n)
    # A symmetric window is one period of n - 1 samples, and its first sample again.
    weights = _cantus.window(spec, n - 1) if n > 2 else _cantus.window(spec, 2)[:1]
    return np.append(weights, weights[:1])
