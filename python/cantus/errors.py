"""The exceptions of the package; the message of each is one line that says what is wrong and what to do.

A file that is missing or not readable is Python's own ``FileNotFoundError``, ``PermissionError`` or ``OSError``; an argument
of a wrong type is a ``TypeError``.
"""


class Error(Exception):
    """Base class of the exceptions of this package."""


class ParameterError(Error, ValueError):
    """An argument out of range, or an array of an invalid shape or with NaN."""


class DecodeError(Error):
    """A recording that cannot be decoded: not audio, damaged, or of a format that is not supported."""


class DataError(Error):
    """A data set or feature store that is invalid or does not fit."""


class ModelError(Error):
    """A model that cannot be read, built or trained."""


class InternalError(Error):
    """A defect of Cantus."""
