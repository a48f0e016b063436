"""Audio features, training and evaluation of sound classifiers.

Signals have librosa's layout and names: a signal is ``(..., n)`` float32, a spectrogram ``(..., n_bins, n_frames)``.
"""

from typing import TYPE_CHECKING, Any

from cantus import errors, nn
from cantus._cantus import __version__
from cantus.batch import batch_schema, extract_batch
from cantus.errors import DataError, DecodeError, Error, InternalError, ModelError, ParameterError
from cantus.model import Model, Prediction
from cantus.run import Report, Run, evaluate, train
from cantus.store import Store, extract
from cantus.synthesis import compose

if TYPE_CHECKING:
    from cantus import sklearn

__all__ = [
    "DataError",
    "DecodeError",
    "Error",
    "InternalError",
    "Model",
    "ModelError",
    "ParameterError",
    "Prediction",
    "Report",
    "Run",
    "Store",
    "__version__",
    "batch_schema",
    "compose",
    "errors",
    "evaluate",
    "extract",
    "extract_batch",
    "nn",
    "sklearn",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import modules with optional dependencies when they are used."""
    if name == "sklearn":
        import importlib

        return importlib.import_module("cantus.sklearn")
    raise AttributeError(f"module 'cantus' has no attribute {name!r}")
