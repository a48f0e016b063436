"""Beats of music."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cantus import _arguments as check
from cantus import _cantus, _spec, convert
from cantus._arguments import Samples
from cantus.feature import tempo
from cantus.feature._rhythm import tempo_table
from cantus.onset import _UNITS, onset_strength

__all__ = ["beat_track", "tempo"]


def beat_track(
    *,
    y: Samples | None = None,
    sr: float = 22050,
    onset_envelope: Samples | None = None,
    hop_length: int = 512,
    start_bpm: float = 120.0,
    tightness: float = 100,
    trim: bool = True,
    bpm: float | None = None,
    prior: None = None,
    units: str = "frames",
    sparse: bool = True,
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Track beats by dynamic programming.

    Parameters
    ----------
    y : array of shape (n,), optional
        The signal.
    sr : int
        Sample rate, in Hz.
    onset_envelope : array of shape (n_frames,), optional
        Onset strength in place of ``y``.
    hop_length : int
        Samples from one frame to the next.
    start_bpm : float
        Mean of the prior of the tempo, in beats per minute.
    tightness : float
        Weight of the deviations from the tempo.
    trim : bool
        Whether weak beats at the beginning and the end are removed.
    bpm : float, optional
        The tempo, in beats per minute; estimated if absent.
    prior : None
        The prior is log-normal.
    units : str
        ``frames``, ``samples`` or ``time``, in seconds.
    sparse : bool
        True: the beats are returned as a list of their positions.

    Returns
    -------
    tempo : array of shape (1,), float64
        In beats per minute; 0 for silence.
    beats : array of shape (n_beats,)
    """
    check.only("prior", prior, None)
    check.only("sparse", sparse, True)
    units = check.choice("units", units, _UNITS)
    table: dict[str, Any] = {
        "tightness": check.number("tightness", tightness, above=0.0),
        "trim": check.flag("trim", trim),
    }
    if bpm is not None:
        table["bpm"] = check.number("bpm", np.asarray(bpm).item() if np.size(bpm) == 1 else bpm, above=0.0)
    if check.one_of(onset_envelope=onset_envelope, y=y) == "y":
        curve: Any = onset_strength(y=y, sr=sr, hop_length=hop_length, aggregate=np.median)
    else:
        curve = onset_envelope
    framing = _spec.framing(sr=sr, hop_length=hop_length)
    spec = _spec.document(framing, tempo=tempo_table(start_bpm), beat=table)
    found, frames = _cantus.beat_track(curve, spec)
    if units == "frames":
        return np.array([found]), frames
    samples = convert.frames_to_samples(frames, hop_length=hop_length)
    return np.array([found]), samples if units == "samples" else convert.samples_to_time(samples, sr=sr)
