"""Pictures of spectrograms and waveforms, with matplotlib, which is an optional dependency (``pip install cantus[plot]``)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cantus import _arguments as check
from cantus import convert
from cantus.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

__all__ = ["specshow", "waveshow"]

_CHROMA = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
_X_AXES = {name: str(name) for name in (None, "time", "s", "ms", "frames")}
_FREQUENCIES = ("linear", "hz", "log", "mel", "cqt_hz", "cqt_note")
_Y_AXES = {name: str(name) for name in (None, *_FREQUENCIES, "chroma", "tempo")}


def specshow(
    data: ArrayLike,
    *,
    x_axis: str | None = None,
    y_axis: str | None = None,
    sr: float = 22050,
    hop_length: int = 512,
    n_fft: int | None = None,
    fmin: float | None = None,
    fmax: float | None = None,
    htk: bool = False,
    bins_per_octave: int = 12,
    ax: "Axes | None" = None,
    **kwargs: Any,
) -> "QuadMesh":
    """Draw a spectrogram, chroma or another matrix over time.

    Parameters
    ----------
    data : array of shape (n_bins, n_frames)
        The matrix; of complex numbers, the magnitudes are drawn.
    x_axis : str, optional
        ``time`` or ``s``, ``ms``, ``frames``; no labels if absent.
    y_axis : str, optional
        ``linear`` or ``hz``, ``log``, ``mel``, ``cqt_hz`` or, with names of notes, ``cqt_note``, ``chroma``,
        ``tempo``; no labels if absent.
    sr, hop_length, n_fft
        Sample rate, in Hz, and framing; ``n_fft`` is that of the shape if absent.
    fmin, fmax : float, optional
        Edges of the mel bands, or the lowest frequency of a constant-Q transform, in Hz.
    htk : bool
        HTK's mel scale instead of Slaney's.
    bins_per_octave : int
        Bins per octave of a constant-Q transform.
    ax : matplotlib axes, optional
        Where it is drawn; the current axes if absent.
    **kwargs
        Arguments of matplotlib's ``pcolormesh``, such as ``cmap``.

    Returns
    -------
    matplotlib.collections.QuadMesh
        For ``plt.colorbar``.
    """
    matrix = np.asarray(data)
    matrix = np.abs(matrix) if np.iscomplexobj(matrix) else matrix
    if matrix.ndim != 2 or not matrix.size:
        raise ParameterError(f"data must have shape (n_bins, n_frames), found {matrix.shape}")
    x_axis = check.choice("x_axis", x_axis, _X_AXES)
    y_axis = check.choice("y_axis", y_axis, _Y_AXES)
    axes = _axes(ax)
    x = np.arange(matrix.shape[1] + 1) * _step(x_axis, hop_length, sr)
    y = _y_edges(y_axis, matrix.shape[0], sr, n_fft, hop_length, fmin, fmax, htk, bins_per_octave)
    signed = matrix.min() < 0 < matrix.max()
    style: dict[str, Any] = {"cmap": "coolwarm" if signed else "magma", "rasterized": True, **kwargs}
    mesh: QuadMesh = axes.pcolormesh(x, y, matrix, **style)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    _label(axes, x_axis, y_axis)
    return mesh


def waveshow(
    y: ArrayLike, *, sr: float = 22050, offset: float = 0.0, ax: "Axes | None" = None, **kwargs: Any
) -> list[Any]:
    """Draw a waveform; a long one as the range of its samples in each of 4000 intervals.

    Parameters
    ----------
    y : array of shape (n,) or (n_channels, n)
        The signal; channels are averaged.
    sr : int
        Sample rate, in Hz.
    offset : float
        Time of the first sample, in seconds.
    ax : matplotlib axes, optional
        Where it is drawn; the current axes if absent.
    **kwargs
        Arguments of matplotlib's ``plot`` or ``fill_between``, such as ``color``.

    Returns
    -------
    list of matplotlib artists
    """
    signal = np.asarray(y)
    if signal.ndim not in (1, 2) or not signal.size:
        raise ParameterError(f"y must have shape (n,) or (n_channels, n), found {signal.shape}")
    mono = signal if signal.ndim == 1 else signal.mean(axis=0)
    rate = check.number("sr", sr, above=0.0)
    axes, n_intervals = _axes(ax), 4000
    if mono.size <= 2 * n_intervals:
        drawn: list[Any] = list(axes.plot(offset + np.arange(mono.size) / rate, mono, **kwargs))
    else:
        starts = np.linspace(0, mono.size, n_intervals, endpoint=False).astype(int)
        low, high = np.minimum.reduceat(mono, starts), np.maximum.reduceat(mono, starts)
        drawn = [axes.fill_between(offset + starts / rate, low, high, step="post", **kwargs)]
    axes.set_xlabel("Time (s)")
    return drawn


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("matplotlib is not installed; pip install cantus[plot]") from None
    return plt.gca()


def _step(x_axis: str, hop_length: int, sr: float) -> float:
    hop_s = check.integer("hop_length", hop_length) / check.number("sr", sr, above=0.0)
    return {"time": hop_s, "s": hop_s, "ms": 1000 * hop_s}.get(x_axis, 1.0)


def _y_edges(
    y_axis: str,
    n_bins: int,
    sr: float,
    n_fft: int | None,
    hop_length: int,
    fmin: float | None,
    fmax: float | None,
    htk: bool,
    bins_per_octave: int,
) -> Any:
    """Return the edges of the bins: halfway between their centres."""
    if y_axis in ("linear", "hz", "log"):
        centres = convert.fft_frequencies(sr=sr, n_fft=n_fft or max(2 * (n_bins - 1), 1))
        if centres.size != n_bins:
            raise ParameterError(f"data has {n_bins} bins, but n_fft = {n_fft}")
    elif y_axis == "mel":
        top = sr / 2 if fmax is None else fmax
        return convert.mel_frequencies(n_bins + 1, fmin=fmin or 0.0, fmax=top, htk=htk)
    elif y_axis in ("cqt_hz", "cqt_note"):
        lowest = (convert.note_to_hz("C1") if fmin is None else fmin) / 2 ** (0.5 / bins_per_octave)
        return convert.cqt_frequencies(n_bins + 1, fmin=lowest, bins_per_octave=bins_per_octave)
    elif y_axis == "tempo":
        # Bin 0 is infinite; it is drawn above the next one.
        centres = convert.tempo_frequencies(n_bins, hop_length=hop_length, sr=sr)
        centres[0] = 2 * centres[1] if n_bins > 1 else 1.0
    else:
        return np.arange(n_bins + 1) - 0.5
    if n_bins == 1:
        return np.array([0.0, max(centres[0], 1.0) * 2])
    between = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[centres[0]], between, [centres[-1]]])


def _label(axes: "Axes", x_axis: str, y_axis: str) -> None:
    names = {"time": "Time (s)", "s": "Time (s)", "ms": "Time (ms)", "frames": "Frame"}
    axes.set_xlabel(names.get(x_axis, ""))
    if x_axis == "None":
        axes.set_xticks([])
    if y_axis == "None":
        axes.set_yticks([])
    elif y_axis == "chroma":
        axes.set_yticks(np.arange(12)[[0, 2, 4, 5, 7, 9, 11]], [_CHROMA[n] for n in (0, 2, 4, 5, 7, 9, 11)])
        axes.set_ylabel("Pitch class")
    elif y_axis == "tempo":
        axes.set_yscale("log", base=2)
        axes.set_ylabel("Tempo (BPM)")
    else:
        if y_axis == "log":
            axes.set_yscale("symlog", base=2, linthresh=64)
        elif y_axis in ("cqt_hz", "cqt_note"):
            axes.set_yscale("log", base=2)
        elif y_axis == "mel":
            axes.set_yscale("symlog", base=2, linthresh=1000)
        axes.set_ylabel("Frequency (Hz)")
        if y_axis == "cqt_note":
            axes.set_ylabel("Note")
            # Octaves of C, which are the labels of a logarithmic axis to base 2 that begins at one.
            octaves = convert.note_to_hz([f"C{octave}" for octave in range(10)])
            low, high = axes.get_ylim()
            shown = octaves[(octaves >= low) & (octaves <= high)]
            axes.set_yticks(shown, list(convert.hz_to_note(shown)))
            axes.minorticks_off()
