"""Spectra: the STFT and its inverse, the constant-Q transform, PCEN. All names are in ``cantus`` itself."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus.convert import note_to_hz
from cantus.errors import ParameterError

Complex = NDArray[np.complex64]


def stft(
    y: Samples,
    *,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    dtype: DTypeLike | None = None,
    pad_mode: str = "constant",
) -> Complex:
    """Short-time Fourier transform.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal, float32 or float64.
    n_fft : int
        Length of the FFT, in samples.
    hop_length : int, optional
        Samples from one frame to the next; a quarter of ``win_length`` if absent.
    win_length : int, optional
        Length of the window, in samples, at most ``n_fft``, its default.
    window : str
        ``hann``, ``hamming``, ``blackman``, ``blackmanharris``, ``nuttall``, ``flattop``, ``bartlett`` or ``boxcar``.
    center : bool
        Whether frame ``t`` is centred at sample ``t * hop_length``.
    dtype : dtype, optional
        ``complex64`` (the precision of the computation) or ``complex128``.
    pad_mode : str
        ``constant``, ``edge``, ``reflect`` or ``symmetric``.

    Returns
    -------
    array of shape (..., n_fft // 2 + 1, n_frames), complex64
        A view of rows of frames, without a copy.

    Raises
    ------
    cantus.ParameterError
        If an argument is out of range, or the signal has NaN.
    """
    spec = _spec.document(
        _spec.framing(
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=win_length,
            window=window,
            center=center,
            pad_mode=pad_mode,
        )
    )
    return _complex(_cantus.stft(y, spec), dtype)


def istft(
    stft_matrix: ArrayLike,
    *,
    hop_length: int | None = None,
    win_length: int | None = None,
    n_fft: int | None = None,
    window: str = "hann",
    center: bool = True,
    dtype: DTypeLike = np.float32,
    length: int | None = None,
) -> Floats:
    """Inverse short-time Fourier transform: the signal of a spectrogram of complex numbers.

    Parameters
    ----------
    stft_matrix : array of shape (..., n_fft // 2 + 1, n_frames)
        The spectrogram, complex64 or complex128.
    hop_length, win_length, n_fft, window, center
        As in `stft`; ``n_fft`` is that of the shape if absent.
    dtype : dtype
        ``float32`` (the precision of the computation) or ``float64``.
    length : int, optional
        Number of samples; as many as the frames cover if absent.

    Returns
    -------
    array of shape (..., length), float32
    """
    matrix = np.asarray(stft_matrix)
    if matrix.ndim < 2:
        raise ParameterError(f"stft_matrix must have shape (..., n_bins, n_frames), found {matrix.shape}")
    framing = _spec.framing(
        n_fft=2 * (matrix.shape[-2] - 1) if n_fft is None else n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
    )
    n = None if length is None else check.integer("length", length, least=0)
    return _real(_cantus.istft(stft_matrix, _spec.document(framing), n), dtype)


def cqt(
    y: Samples,
    *,
    sr: float = 22050,
    hop_length: int = 512,
    fmin: float | None = None,
    n_bins: int = 84,
    bins_per_octave: int = 12,
    tuning: float | None = 0.0,
    filter_scale: float = 1,
    norm: float | None = 1,
    sparsity: float = 0.01,
    window: str = "hann",
    scale: bool = True,
    pad_mode: str = "constant",
    res_type: str | None = "soxr_hq",
    dtype: DTypeLike | None = None,
) -> Complex:
    """Constant-Q transform: bins that are equally spaced in pitch.

    Parameters
    ----------
    y : array of shape (..., n)
        The signal.
    sr : int
        Sample rate, in Hz.
    hop_length : int
        Samples from one frame to the next.
    fmin : float, optional
        Frequency of the lowest bin, in Hz; C1, 32.7 Hz, if absent.
    n_bins, bins_per_octave : int
        Number of bins, and of bins per octave.
    tuning : float, optional
        Deviation from A4 = 440 Hz, in bins; estimated if None.
    filter_scale, norm, sparsity, window, scale, pad_mode
        As in librosa; ``norm`` is 1, 2, ``np.inf`` or None.
    res_type : str, optional
        ``soxr_hq``.
    dtype : dtype, optional
        ``complex64`` (the precision of the computation) or ``complex128``.

    Returns
    -------
    array of shape (..., n_bins, n_frames), complex64
    """
    check.choice("res_type", res_type, {"soxr_hq": "soxr_hq", None: "soxr_hq"})
    bins_per_octave = check.integer("bins_per_octave", bins_per_octave)
    if tuning is None:
        tuning = estimate_tuning(y=y, sr=sr, bins_per_octave=bins_per_octave)
    table = {
        "f_min": check.number("fmin", note_to_hz("C1") if fmin is None else fmin, above=0.0),
        "n_bins": check.integer("n_bins", n_bins),
        "bins_per_octave": bins_per_octave,
        "tuning": check.number("tuning", tuning),
        "filter_scale": check.number("filter_scale", filter_scale, above=0.0),
        "norm": check.choice("norm", norm, _spec.NORMS),
        "sparsity": check.number("sparsity", sparsity, least=0.0),
        "scale": check.flag("scale", scale),
    }
    framing = _spec.framing(sr=sr, hop_length=hop_length, window=window, pad_mode=pad_mode)
    return _complex(_cantus.cqt(y, _spec.document(framing, cqt=table)), dtype)


def estimate_tuning(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    n_fft: int = 2048,
    resolution: float = 0.01,
    bins_per_octave: int = 12,
) -> float:
    """Deviation of a recording from A4 = 440 Hz.

    Parameters
    ----------
    y : array of shape (n,), optional
        The signal.
    sr : int
        Sample rate, in Hz.
    S : array of shape (n_bins, n_frames), optional
        Magnitudes or powers, in place of ``y``.
    n_fft : int
        Length of the FFT, in samples.
    resolution : float
        0.01.
    bins_per_octave : int
        Number of bins per octave.

    Returns
    -------
    float
        In fractions of a bin, from -0.5 to below 0.5.
    """
    check.only("resolution", resolution, 0.01)
    if check.one_of(S=S, y=y) == "y":
        S = np.abs(stft(y if y is not None else [], n_fft=n_fft))
    bins = check.integer("bins_per_octave", bins_per_octave, most=4096)
    return _cantus.estimate_tuning(S, _spec.sample_rate(sr), bins)


def magphase(D: ArrayLike, *, power: float = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    """Magnitude and phase of a spectrogram of complex numbers: ``D = S * P``.

    Parameters
    ----------
    D : array of complex numbers
        The spectrogram.
    power : float
        Exponent of the magnitude.

    Returns
    -------
    S, P : arrays of the shape of ``D``
        Magnitudes, and complex numbers of magnitude 1; 1 where ``D`` is 0.
    """
    values = np.asarray(D)
    magnitude = np.abs(values)
    phase = np.where(magnitude > 0, values / np.where(magnitude > 0, magnitude, 1), 1)
    return magnitude ** check.number("power", power, above=0.0), phase.astype(values.dtype)


def pcen(
    S: Samples,
    *,
    sr: float = 22050,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
    max_size: int = 1,
    ref: None = None,
) -> Floats:
    """Per-channel energy normalisation of a mel spectrogram.

    Parameters
    ----------
    S : array of shape (..., n_mels, n_frames)
        Magnitudes or powers of at most 4096 bands.
    sr : int
        Sample rate, in Hz.
    hop_length : int
        Samples from one frame to the next.
    gain, bias, power, time_constant, eps, b, max_size
        As in librosa.
    ref : None
        The reference is computed from ``S``.

    Returns
    -------
    array of the shape of ``S``, float32
    """
    check.only("ref", ref, None)
    shape = np.shape(S)
    if len(shape) < 2:
        raise ParameterError(f"S must have shape (..., n_bins, n_frames), found {shape}")
    settings = {
        "gain": check.number("gain", gain, least=0.0),
        "bias": check.number("bias", bias, least=0.0),
        "power": check.number("power", power, least=0.0),
        "time_constant": check.number("time_constant", time_constant, above=0.0),
        "eps": check.number("eps", eps, above=0.0),
        "max_size": check.integer("max_size", max_size),
    }
    if b is not None:
        settings["b"] = check.number("b", b, least=0.0, most=1.0)
    spec = _spec.document(
        _spec.framing(sr=sr, hop_length=hop_length),
        kinds=["pcen"],
        n_mels=check.integer("the number of bands of S", shape[-2], most=4096),
        pcen=settings,
    )
    return _cantus.spectrogram_features(S, "mel", spec)


def _complex(values: Complex, dtype: DTypeLike | None) -> Complex:
    return values if dtype is None else _cast(values, dtype, "c")


def _real(values: Floats, dtype: DTypeLike) -> Floats:
    return _cast(values, dtype, "f")


def _cast(values: NDArray[Any], dtype: DTypeLike, kind: str) -> NDArray[Any]:
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype = {check.short(dtype)} is no type of NumPy") from None
    if wanted.kind != kind:
        known = "complex64 or complex128" if kind == "c" else "float32 or float64"
        raise ParameterError(f"dtype = {wanted} is not supported; supported: {known}")
    return values if values.dtype == wanted else values.astype(wanted)
