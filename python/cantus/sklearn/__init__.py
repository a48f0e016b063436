"""Estimators for scikit-learn: features and classifiers of recordings, and a classifier of matrices.

Needs scikit-learn 1.6 or later: ``pip install scikit-learn``.
"""

try:
    from sklearn.utils.validation import validate_data  # noqa: F401
except ImportError as error:
    raise ImportError("cantus.sklearn needs scikit-learn 1.6 or later: pip install scikit-learn") from error

from cantus.sklearn._classifier import AudioClassifier
from cantus.sklearn._features import AudioFeatures
from cantus.sklearn._matrix import CantusClassifier

__all__ = ["AudioClassifier", "AudioFeatures", "CantusClassifier"]
