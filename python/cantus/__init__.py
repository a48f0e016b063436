"""Audio features, training and evaluation of sound classifiers.

Signals have librosa's layout and names: a signal is ``(..., n)`` float32, a spectrogram ``(..., n_bins, n_frames)``.
"""

from cantus import errors
from cantus._cantus import __version__
from cantus.errors import DataError, DecodeError, Error, InternalError, ModelError, ParameterError

__all__ = [
    "DataError",
    "DecodeError",
    "Error",
    "InternalError",
    "ModelError",
    "ParameterError",
    "__version__",
    "errors",
]
