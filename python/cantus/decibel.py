"""Decibels of powers and amplitudes. All names are in ``cantus`` itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _arguments as check
from cantus import _cantus
from cantus._arguments import Floats

#: A level, or a function of the values such as ``np.max``.
Reference = float | Callable[..., Any]


def power_to_db(
    S: ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Floats:
    """Levels of powers: ``10 * log10(max(S, amin) / ref)``.

    Parameters
    ----------
    S : array of any shape
        Powers.
    ref : float or function
        The power of 0 dB; a function, such as ``np.max``, is applied to ``S``.
    amin : float
        Lower limit of the powers and of ``ref``.
    top_db : float, optional
        Range below the largest level, in dB; None for no limit.

    Returns
    -------
    array of the shape of ``S``, float32
    """
    return _to_db(np.asarray(S), True, ref, amin, top_db)


def amplitude_to_db(
    S: ArrayLike, *, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Floats:
    """Levels of amplitudes: ``20 * log10(max(S, amin) / ref)``.

    Parameters
    ----------
    S : array of any shape
        Amplitudes.
    ref, amin, top_db
        As in `power_to_db`, for amplitudes.

    Returns
    -------
    array of the shape of ``S``, float32
    """
    return _to_db(np.asarray(S), False, ref, amin, top_db)


def db_to_power(S_db: ArrayLike, *, ref: float = 1.0) -> NDArray[Any]:
    """Powers of levels in dB: ``ref * 10 ** (S_db / 10)``."""
    levels: NDArray[Any] = check.number("ref", ref) * np.power(10.0, np.asarray(S_db) * 0.1)
    return levels


def db_to_amplitude(S_db: ArrayLike, *, ref: float = 1.0) -> NDArray[Any]:
    """Amplitudes of levels in dB: ``ref * 10 ** (S_db / 20)``."""
    levels: NDArray[Any] = check.number("ref", ref) * np.power(10.0, np.asarray(S_db) * 0.05)
    return levels


def _to_db(S: NDArray[Any], is_power: bool, ref: Reference, amin: float, top_db: float | None) -> Floats:
    if np.iscomplexobj(S):
        raise TypeError("S must be an array of magnitudes or powers, found complex numbers; use np.abs(S)")
    reference = ref(S) if callable(ref) else ref
    values: Floats = _cantus.to_db(
        S if S.ndim else S.reshape(1),
        is_power,
        abs(check.number("ref", reference)),
        check.number("amin", amin, above=0.0),
        None if top_db is None else check.number("top_db", top_db, least=0.0),
    )
    return values.reshape(S.shape)
