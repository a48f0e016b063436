"""Checks of arguments: each gives one line that names the argument, its value and what is accepted."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus.errors import ParameterError

#: Samples or a spectrogram: an array of float32 or float64, or what NumPy converts to one.
Samples = ArrayLike
Floats = NDArray[np.float32]

#: Sizes and counts are below this.
MAX_SIZE = 2**31 - 1


def integer(name: str, value: object, least: int = 1, most: int = MAX_SIZE) -> int:
    """Return a whole number from ``least`` to ``most``; a float that is whole is accepted."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a whole number, found {value}")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    try:
        found = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a whole number, found {short(value)}") from None
    if not least <= found <= most:
        limit = f"at least {least}" if most == MAX_SIZE else f"from {least} to {most}"
        raise ParameterError(f"{name} = {short(found)}: {limit}")
    return found


def number(
    name: str, value: object, least: float | None = None, above: float | None = None, most: float = 3e38
) -> float:
    """Return a finite number, at least ``least`` or above ``above``."""
    if isinstance(value, bool | np.bool_ | str | bytes) or value is None:
        raise TypeError(f"{name} must be a number, found {short(value)}")
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a number, found {short(value)}") from None
    if not np.isfinite(found) or abs(found) > most:
        raise ParameterError(f"{name} = {found:g}: a finite number, at most {most:g}")
    if least is not None and found < least:
        raise ParameterError(f"{name} = {found:g}: at least {least:g}")
    if above is not None and found <= above:
        raise ParameterError(f"{name} = {found:g}: above {above:g}")
    return found


def flag(name: str, value: object) -> bool:
    """Return a truth value."""
    if not isinstance(value, bool | np.bool_ | int):
        raise TypeError(f"{name} must be True or False, found {short(value)}")
    return bool(value)


def choice(name: str, value: object, choices: Mapping[Any, str]) -> str:
    """Return the entry of ``choices`` for a value."""
    try:
        return choices[value]
    except (KeyError, TypeError):
        known = ", ".join(repr(known) for known in choices)
        raise ParameterError(f"{name} = {short(value)} is not supported; supported: {known}") from None


def text(name: str, value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, found {short(value)}")
    return value


def only(name: str, value: object, default: object, reason: str = "") -> None:
    """Raise an error if an argument of librosa has a value that is not supported."""
    if value is not default and not (isinstance(value, str | int | float) and value == default):
        because = f"; {reason}" if reason else ""
        raise ParameterError(f"{name} = {short(value)} is not supported; supported: {default!r}{because}")


def no_more(function: str, arguments: Mapping[str, object]) -> None:
    """Raise an error if there are arguments that a function does not have."""
    for name in arguments:
        raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")


def one_of(**arguments: object) -> str:
    """Return the name of the argument that is not None; the first that is not, as in librosa, where several are."""
    for name, value in arguments.items():
        if value is not None:
            return name
    raise ParameterError(f"give one of {' and '.join(arguments)}")


def is_function(value: object, *functions: Callable[..., Any] | None) -> bool:
    """Whether the value is one of some functions, such as ``np.max``."""
    return any(value is function for function in functions)


def short(value: object) -> str:
    """Return a representation of at most a line."""
    described = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
    described = " ".join(described.split())
    return described if len(described) <= 60 else f"{described[:57]}..."
