"""Features of signals, with librosa's names, arguments, defaults and shapes ``(..., n_bins, n_frames)``.

A signal ``y`` is an array of shape ``(..., n)`` of float32 or float64; features are computed in float32, channel by
channel, and returned as views of rows of frames, without a copy. Where a function takes ``S``, a spectrogram that has been
computed before, it is used in place of ``y``. Arguments that several functions have:

- ``sr``: sample rate, in Hz;
- ``n_fft``, ``hop_length``, ``win_length``, ``window``, ``center``, ``pad_mode``: framing, as in `cantus.stft`;
- ``n_mels``, ``fmin``, ``fmax``, ``htk``, ``norm``, ``power``: mel bands, as in `melspectrogram`.

Errors: `cantus.ParameterError` for an argument out of range or an array with NaN, ``TypeError`` for one of a wrong type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec
from cantus._arguments import Floats, Samples
from cantus._compute import compute, matrix, n_bins
from cantus._compute import framing as framing_of
from cantus.errors import ParameterError
from cantus.onset import onset_strength

__all__ = [
    "amplitude_envelope",
    "chroma_cqt",
    "chroma_stft",
    "delta",
    "melspectrogram",
    "mfcc",
    "rms",
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_contrast",
    "spectral_flatness",
    "spectral_flux",
    "spectral_rolloff",
    "spectrum",
    "tempo",
    "tempogram",
    "tonnetz",
    "zero_crossing_rate",
]


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


def spectral_centroid(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    S: Samples | None = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    freq: None = None,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> Floats:
    """Centre of mass of the magnitude spectrum, in Hz.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.
    freq : None
        The frequencies are those of the FFT.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
    """
    check.only("freq", freq, None)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    return compute("spectral_centroid", y, S, framing)


def spectral_bandwidth(
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
    freq: None = None,
    centroid: None = None,
    norm: bool = True,
    p: float = 2,
) -> Floats:
    """Spread of the magnitude spectrum about its centroid, in Hz.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.
    freq, centroid : None
        The frequencies are those of the FFT, the centroid is computed.
    norm : bool
        Whether the magnitudes of a frame are divided by their sum.
    p : float
        Order of the mean of the deviations.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
    """
    check.only("freq", freq, None)
    check.only("centroid", centroid, None)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    table = {"norm": check.flag("norm", norm), "p": check.number("p", p, above=0.0)}
    return compute("spectral_bandwidth", y, S, framing, {"bandwidth": table})


def spectral_rolloff(
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
    freq: None = None,
    roll_percent: float = 0.85,
) -> Floats:
    """Frequency below which a share of the magnitudes lies, in Hz.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.
    freq : None
        The frequencies are those of the FFT.
    roll_percent : float
        The share, between 0 and 1.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
    """
    check.only("freq", freq, None)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    table = {"roll_percent": check.number("roll_percent", roll_percent, above=0.0)}
    return compute("spectral_rolloff", y, S, framing, {"rolloff": table})


def spectral_flatness(
    *,
    y: Samples | None = None,
    S: Samples | None = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    amin: float = 1e-10,
    power: float = 2.0,
) -> Floats:
    """Geometric over arithmetic mean of the spectrum: 1 for noise, 0 for a tone.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.
    amin : float
        Lower limit of the values.
    power : float
        Exponent of the magnitudes.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
        From 0 to 1.
    """
    framing = framing_of(S, 22050, n_fft, hop_length, win_length, window, center, pad_mode)
    table = {"amin": check.number("amin", amin, above=0.0), "power": check.number("power", power, above=0.0)}
    return compute("spectral_flatness", y, S, framing, {"flatness": table})


def spectral_contrast(
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
    freq: None = None,
    fmin: float = 200.0,
    n_bands: int = 6,
    quantile: float = 0.02,
    linear: bool = False,
) -> Floats:
    """Level of peaks above valleys in each octave, in dB.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.
    freq : None
        The frequencies are those of the FFT.
    fmin : float
        Upper edge of the lowest band, in Hz.
    n_bands : int
        Number of octaves above it.
    quantile : float
        Share of a band's bins that form its peak, and its valley.
    linear : bool
        Difference of magnitudes instead of levels.

    Returns
    -------
    array of shape (..., n_bands + 1, n_frames), float32
    """
    check.only("freq", freq, None)
    framing = framing_of(S, sr, n_fft, hop_length, win_length, window, center, pad_mode)
    table = {
        "f_min": check.number("fmin", fmin, above=0.0),
        "n_bands": check.integer("n_bands", n_bands, most=32),
        "quantile": check.number("quantile", quantile, above=0.0),
        "linear": check.flag("linear", linear),
    }
    return compute("spectral_contrast", y, S, framing, {"contrast": table})


def spectral_flux(
    *,
    y: Samples | None = None,
    S: Samples | None = None,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> Floats:
    """Euclidean distance of successive magnitude spectra; librosa has no such function.

    Parameters
    ----------
    y : array of shape (..., n), optional
        The signal.
    S : array of shape (..., n_fft // 2 + 1, n_frames), optional
        Magnitudes in place of ``y``.

    Returns
    -------
    array of shape (..., 1, n_frames), float32
        0 in the first frame.
    """
    framing = framing_of(S, 22050, n_fft, hop_length, win_length, window, center, pad_mode)
    return compute("spectral_flux", y, S, framing)


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
    aggregate : function
        ``np.mean``.

    Returns
    -------
    array of shape (..., 1), float64
    """
    check.only("tg", tg, None)
    check.only("prior", prior, None)
    check.only("aggregate", aggregate, np.mean)
    table = tempo_table(start_bpm, std_bpm, ac_size, max_tempo)
    curve = _onset_curve(y, sr, onset_envelope, hop_length)
    return _cantus.tempo(curve, _spec.document(_spec.framing(sr=sr, hop_length=hop_length), tempo=table))


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


def _onset_curve(y: Samples | None, sr: float, onset_envelope: Samples | None, hop_length: int) -> Samples:
    if check.one_of(onset_envelope=onset_envelope, y=y) == "y":
        return onset_strength(y=y, sr=sr, hop_length=hop_length)
    return [] if onset_envelope is None else onset_envelope
