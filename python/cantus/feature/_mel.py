"""Mel spectrogram, MFCCs and their derivatives."""

import numpy as np

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus._compute import compute, n_bins
from cantus._compute import framing as framing_of
from cantus.errors import ParameterError


def melspectrogram(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | float | None = "slaney",
) -> Floats:
    """Mel spectrogram.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        A spectrogram in place of ``y``; ``power`` is not applied to it.
    power : float
        Exponent of the magnitude: 2 for power, 1 for amplitude.
    n_mels : int
        Number of bands, at most 4096.
    fmin, fmax : float
        Edges of the lowest and the highest band, in Hz; half the sample rate if absent.
    htk : bool
        HTK's scale instead of Slaney's.
    norm : str or float, optional
        ``slaney`` for bands of unit area, 1, 2 or ``np.inf`` for unit norm, None for unit height.

    Returns
    -------
    array of shape (..., n_mels, n_frames), float32
    """
    exponent = 1.0 if S is not None else power
    bands = _spec.mel(sr, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm, power=exponent)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    return compute("mel", y, S, framing, bands)


def mfcc(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    n_mfcc: int = 20,
    dct_type: int = 2,
    norm: str | None = "ortho",
    lifter: float = 0,
    mel_norm: str | float | None = "slaney",
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
) -> Floats:
    """Mel-frequency cepstral coefficients.

    Levels below 80 dB under the largest of a channel are clamped, as by `cantus.power_to_db`.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_mels, n_frames), optional
        A mel spectrogram in dB in place of ``y``.
    n_mfcc : int
        Number of coefficients, at most ``n_mels``.
    dct_type : int
        Type of the cosine transform, 1 to 4.
    norm : str, optional
        ``ortho`` or None.
    lifter : float
        Cepstral lifter; 0 for none.
    mel_norm
        ``norm`` of `melspectrogram`.

    Returns
    -------
    array of shape (..., n_mfcc, n_frames), float32
    """
    coefficients = {
        "n_mfcc": check.integer("n_mfcc", n_mfcc, most=4096),
        "dct_type": check.integer("dct_type", dct_type, most=4),
        "dct_norm": check.choice("norm", norm, _spec.DCT_NORMS),
        "lifter": check.number("lifter", lifter, least=0.0),
    }
    if S is not None:
        bands = {"n_mels": n_bins(S, most=4096)}
    else:
        bands = _spec.mel(sr, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=mel_norm, power=power)
    framing = _spec.framing(
        sr=sr,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=win_length,
        window=window,
        center=center,
        pad_mode=pad_mode,
    )
    return compute("mfcc", y, S, framing, bands, coefficients, stage="log_mel")


def delta(data: Samples, *, width: int = 9, order: int = 1, axis: int = -1, mode: str = "interp") -> Floats:
    """Derivative of a feature over time, by a Savitzky-Golay filter.

    Parameters
    ----------
    data : array of shape (..., n_frames)
        The feature.
    width : int
        Width of the window, in frames: odd, at least 3, at most the number of frames.
    order : int
        Order of the derivative, below ``width``.
    axis : int
        The axis of time.
    mode : str
        ``interp``.

    Returns
    -------
    array of the shape of ``data``, float32
    """
    check.only("mode", mode, "interp")
    values = np.asarray(data)
    axis = check.integer("axis", axis, least=-values.ndim, most=max(values.ndim - 1, 0))
    width = check.integer("width", width, least=3, most=1001)
    order = check.integer("order", order, most=width - 1)
    if width % 2 == 0:
        raise ParameterError(f"width = {width}: an odd number")
    n_frames = values.shape[axis] if values.ndim else 0
    if n_frames < width:
        raise ParameterError(f"width = {width}: at most the {n_frames} frames of data")
    last = np.moveaxis(values, axis, -1)
    rows = last[np.newaxis] if last.ndim == 1 else last
    deltas: Floats = np.asarray(_cantus.delta(rows, width, order)).reshape(last.shape)
    return np.moveaxis(deltas, -1, axis)
