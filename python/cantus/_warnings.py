"""Warnings that librosa gives, too, at the line that called the package."""

import sys
import warnings
from functools import lru_cache

from cantus import _cantus


@lru_cache(maxsize=256)
def _empty_mel_bands(spec: str) -> str | None:
    return _cantus.empty_mel_bands(spec)


def warn_of_empty_mel_bands(spec: str) -> None:
    """Warn if mel bands of a specification are too narrow to contain a bin of the FFT: they are constant."""
    message = _empty_mel_bands(spec)
    if message is not None:
        warn_caller(message)


def warn_caller(message: str) -> None:
    """Warn at the line that called the package."""
    warnings.warn(message, UserWarning, stacklevel=_level_of_caller())


def _level_of_caller() -> int:
    """Return the ``stacklevel`` of the innermost frame outside of the package, for a warning of the caller."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "cantus":
        level, frame = level + 1, frame.f_back
    return level
