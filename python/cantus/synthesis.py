"""Synthesised music: a labelled corpus for examples, courses and tests."""

import os

from cantus import _cantus
from cantus._progress import Progress
from cantus.errors import ParameterError


def compose(
    folder: str | os.PathLike[str],
    *,
    n_tracks: int = 20,
    duration: float = 30.0,
    seed: int = 0,
    sr: int = 22050,
    progress: bool = True,
) -> int:
    """Write a labelled corpus of synthesised music: ten genres, every track different.

    The first track of jazz is ``folder/jazz/jazz.00000.wav``, 16-bit mono.

    Parameters
    ----------
    folder
        Folder to write to.
    n_tracks
        Tracks of each genre, 1 to 100000.
    duration
        Length of a track, in seconds, up to 3600.
    seed
        The same seed composes the same music.
    sr
        Sample rate, 8000 to 192000 Hz.
    progress
        Whether a progress bar is shown.

    Returns
    -------
    int
        Number of tracks.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    OSError
        If a file cannot be written.
    """
    for name, value, low, high in [
        ("n_tracks", n_tracks, 1, 100_000),
        ("duration", duration, 0.001, 3600),
        ("sr", sr, 8000, 192_000),
    ]:
        if not low <= value <= high:
            raise ParameterError(f"{name} must be from {low} to {high}, found {value}")
    with Progress("compose", progress) as bar:
        return _cantus.compose(os.fspath(folder), n_tracks, duration, seed, sr, bar.function)
