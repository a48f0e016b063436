"""The forms of a recording that the package accepts, and its form for the extension module."""

import os
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus.errors import ParameterError

#: A path, the content of a file, a file object, ``(y, sr)``, or a mapping with ``array`` and
#: ``sampling_rate``.
Recording = str | os.PathLike[str] | bytes | IO[bytes] | tuple[ArrayLike, float] | Mapping[str, Any]

#: A path; a name and the content of a file; a name, samples and their rate.
Argument = str | tuple[str, bytes] | tuple[str, NDArray[Any], int]

_EXPECTED = (
    "a recording is a path, bytes, a file object, (y, sr), or a mapping with 'array' and 'sampling_rate'"
)


def is_one(value: object) -> bool:
    """Whether the value is one recording and not a collection of them."""
    if isinstance(value, str | os.PathLike | bytes | bytearray | memoryview | Mapping):
        return True
    return hasattr(value, "read") or hasattr(value, "get_all_samples") or _is_pair(value)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int | float | np.number)


def argument(value: object, name: str) -> Argument:
    """Return the form of one recording for the extension module; ``name`` is for messages."""
    if isinstance(value, str | os.PathLike):
        path = os.fspath(value)
        if isinstance(path, str):
            return path
        return os.fsdecode(path)
    if isinstance(value, bytes | bytearray | memoryview):
        return name, bytes(value)
    if isinstance(value, Mapping):
        return _of_mapping(value, name)
    if isinstance(value, tuple) and _is_pair(value):
        return _samples(value[0], value[1], name)
    decode = getattr(value, "get_all_samples", None)
    if decode is not None:
        # torchcodec's AudioDecoder, the audio of Hugging Face data sets since datasets 4.
        samples = decode()
        return _samples(samples.data, samples.sample_rate, name)
    read = getattr(value, "read", None)
    if read is not None:
        content = read()
        if isinstance(content, bytes):
            return str(getattr(value, "name", name)), content
        raise TypeError(f"{name}: open the file in binary mode")
    if isinstance(value, np.ndarray) and value.dtype != object:
        raise TypeError(f"{name}: samples need their rate; give the pair (y, sr)")
    raise TypeError(f"{name} is of type {type(value).__name__}; {_EXPECTED}")


def _of_mapping(value: Mapping[str, Any], name: str) -> Argument:
    name = str(value.get("path") or name)
    if value.get("array") is not None and value.get("sampling_rate") is not None:
        return _samples(value["array"], value["sampling_rate"], name)
    if value.get("bytes") is not None:
        return name, bytes(value["bytes"])
    if value.get("path") is not None:
        return str(os.fspath(value["path"]))
    raise TypeError(f"{name} is a mapping without 'array' and 'sampling_rate'; {_EXPECTED}")


def _samples(y: ArrayLike, sr: float, name: str) -> Argument:
    samples = np.asarray(y)
    if samples.ndim not in (1, 2):
        raise ParameterError(f"{name}: y must have shape (n,) or (n_channels, n), found {samples.shape}")
    if samples.ndim == 2:
        if samples.shape[0] > samples.shape[1]:
            raise ParameterError(
                f"{name}: y of shape {samples.shape} has more channels than samples; transpose it"
            )
        samples = samples.mean(axis=0)
    if not 1 <= sr <= 4_294_967_295 or sr != int(sr):
        raise ParameterError(f"{name}: sr must be a whole number of Hz, found {sr}")
    return name, samples, int(sr)


def arguments(values: Iterable[object], name: str = "recordings") -> list[Argument]:
    """Return the forms of several recordings for the extension module."""
    if isinstance(values, np.ndarray) and values.dtype != object and values.dtype.kind not in "US":
        raise TypeError(f"{name} is an array of {values.dtype}; {_EXPECTED}, or a list of these")
    try:
        iterator = iter(values)
    except TypeError:
        raise TypeError(
            f"{name} is of type {type(values).__name__}; {_EXPECTED}, or a list of these"
        ) from None
    return [argument(value, f"{name}[{index}]") for index, value in enumerate(iterator)]
