"""Shape of the spectrum: centroid, bandwidth, roll-off, flatness, contrast, flux."""

from cantus import _arguments as check
from cantus._arguments import Floats, Samples
from cantus._compute import compute
from cantus._compute import framing as framing_of


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
