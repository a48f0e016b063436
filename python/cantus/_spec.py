"""Feature specifications from librosa's arguments: the JSON documents that the extension module takes."""

import json
from typing import Any

import numpy as np

from cantus import _arguments as check
from cantus.errors import ParameterError

Table = dict[str, Any]

WINDOWS = {
    name: name
    for name in ("hann", "hamming", "blackman", "blackmanharris", "nuttall", "flattop", "bartlett", "boxcar")
}
PAD_MODES = {name: name for name in ("constant", "edge", "reflect", "symmetric")}
NORMS = {np.inf: "max", 1: "l1", 2: "l2", None: "none"}
MEL_NORMS = {"slaney": "slaney", None: "none", 1: "l1", 2: "l2", np.inf: "inf"}
DCT_NORMS = {"ortho": "ortho", None: "none"}

#: The highest sample rate of a specification, in Hz.
MAX_SAMPLE_RATE = 768_000
#: The longest FFT, window or hop, in samples.
MAX_N_FFT = 1 << 20


def framing(
    *,
    sr: float = 22050,
    n_fft: int = 2048,
    hop_length: int | None = 512,
    win_length: int | None = None,
    window: str = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> Table:
    """Return the framing: librosa's arguments of an STFT."""
    n_fft = check.integer("n_fft", n_fft, most=MAX_N_FFT)
    # As in librosa: a quarter of the window.
    longest = n_fft if win_length is None else check.integer("win_length", win_length, most=MAX_N_FFT)
    hop = max(longest // 4, 1) if hop_length is None else hop_length
    table: Table = {
        "sample_rate": sample_rate(sr),
        "n_fft": n_fft,
        "hop_length": check.integer("hop_length", hop, most=MAX_N_FFT),
        "window": check.choice("window", window, WINDOWS),
        "center": check.flag("center", center),
        "pad_mode": check.choice("pad_mode", pad_mode, PAD_MODES),
    }
    if win_length is not None:
        table["win_length"] = longest
    return table


def frames(frame_length: int, hop_length: int, center: bool, pad_mode: str = "constant") -> Table:
    """Return the framing of a feature without a window."""
    return framing(
        n_fft=check.integer("frame_length", frame_length, most=MAX_N_FFT),
        hop_length=hop_length,
        center=center,
        pad_mode=pad_mode,
    )


def sample_rate(sr: float, name: str = "sr") -> int:
    """Return a sample rate in whole Hz."""
    return check.integer(name, sr, most=MAX_SAMPLE_RATE)


def mel(
    sr: float,
    *,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | float | None = "slaney",
    power: float = 2.0,
) -> Table:
    """Return the mel bands: librosa's arguments of a mel spectrogram."""
    table: Table = {
        "n_mels": check.integer("n_mels", n_mels, most=4096),
        "f_min": check.number("fmin", fmin, least=0.0),
        "htk": check.flag("htk", htk),
        "norm": check.choice("norm", norm, MEL_NORMS),
        "power": check.number("power", power, above=0.0),
    }
    half = sample_rate(sr) / 2
    top = half if fmax is None else check.number("fmax", fmax, above=0.0)
    # A specification rounds to float32, which may be above half the sample rate.
    if top > half:
        raise ParameterError(f"fmax = {top:g}: at most half the sample rate, {half:g} Hz")
    if fmax is not None and top < half:
        table["f_max"] = top
    if table["f_min"] >= top:
        raise ParameterError(f"fmin = {table['f_min']:g}: below fmax = {top:g}")
    return table


def chroma(n_chroma: int, ctroct: float, octwidth: float | None, base_c: bool, norm: float | None) -> Table:
    """Return the table of STFT chroma."""
    return {
        "n_chroma": check.integer("n_chroma", n_chroma, most=4096),
        "ctroct": check.number("ctroct", ctroct),
        "octwidth": 0.0 if octwidth is None else check.number("octwidth", octwidth, least=0.0),
        "base_c": check.flag("base_c", base_c),
        "norm": check.choice("norm", norm, NORMS),
    }


def document(*tables: Table, **entries: Any) -> str:
    """Return the JSON document of tables and further entries."""
    joined: Table = {}
    for table in tables:
        joined.update(table)
    joined.update(entries)
    return json.dumps(joined, allow_nan=False)
