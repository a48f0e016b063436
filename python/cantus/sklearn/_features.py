"""The transformer of recordings to a matrix of statistics of their features."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cantus._recordings import arguments
from cantus.batch import planned
from cantus.errors import DecodeError, ParameterError
from cantus.store import Models

_STATISTICS: dict[str, Any] = {
    "mean": np.mean,
    "std": np.std,
    "min": np.min,
    "max": np.max,
    "median": np.median,
}


class AudioFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Recordings → a matrix of statistics of their features, one row for each recording.

    Parameters
    ----------
    recipe
        Name or TOML file of the recipe whose features are computed; by default the lecture course's 13 MFCCs.
    features
        Fields that replace those of the recipe's table ``[features]``: ``{"kinds": ["mfcc", "chroma_stft"],
        "n_mfcc": 20}``.
    embedding
        Embedding models; see :func:`cantus.extract`.
    statistics
        Statistics over all frames of a recording: ``"mean"``, ``"std"``, ``"min"``, ``"max"``, ``"median"``.
    on_error
        What to do with a recording that cannot be used: ``"raise"``, or ``"nan"`` for a row of NaN.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline  # doctest: +SKIP
    >>> from sklearn.svm import SVC  # doctest: +SKIP
    >>> make_pipeline(cantus.sklearn.AudioFeatures(), SVC()).fit(paths, labels)  # doctest: +SKIP
    """

    def __init__(
        self,
        recipe: str | None = None,
        *,
        features: Mapping[str, Any] | None = None,
        embedding: Models = None,
        statistics: Sequence[str] = ("mean", "std"),
        on_error: str = "raise",
    ) -> None:
        self.recipe = recipe
        self.features = features
        self.embedding = embedding
        self.statistics = statistics
        self.on_error = on_error

    def fit(self, X: Iterable[Any], y: object = None) -> "AudioFeatures":
        """Check the parameters; nothing is estimated from the recordings."""
        unknown = [name for name in self.statistics if name not in _STATISTICS]
        if unknown or len(self.statistics) == 0:
            raise ParameterError(
                f"statistics must be some of {', '.join(_STATISTICS)}, found {self.statistics!r}"
            )
        if self.on_error not in ("raise", "nan"):
            raise ParameterError(f"on_error must be 'raise' or 'nan', found {self.on_error!r}")
        self.columns_ = planned(self.recipe, self.features, self.embedding).columns
        return self

    def transform(self, X: Iterable[Any]) -> NDArray[np.float64]:
        """Compute the features of recordings.

        Parameters
        ----------
        X
            Paths, contents of files as bytes, or pairs ``(y, sr)``.

        Returns
        -------
        ndarray of float64, shape (n_recordings, n_statistics * n_bins)

        Raises
        ------
        DecodeError
            If a recording cannot be used, unless ``on_error="nan"``.
        """
        check_is_fitted(self, "columns_")
        recordings = arguments(X, "X")
        extractor = planned(self.recipe, self.features, self.embedding)
        segments, counts, failures = extractor.extract(recordings)
        rows = np.full((len(counts), len(self.statistics) * len(self.columns_)), np.nan)
        ends = np.cumsum(counts)
        for row, (count, end, failure) in enumerate(zip(counts, ends, failures, strict=True)):
            if failure is not None:
                if self.on_error == "raise":
                    recording = recordings[row]
                    name = recording if isinstance(recording, str) else recording[0]
                    raise DecodeError(f"{name}: {failure}")
                continue
            frames = segments[end - count : end].reshape(-1, len(self.columns_)).astype(np.float64)
            rows[row] = np.concatenate([_STATISTICS[name](frames, axis=0) for name in self.statistics])
        return rows

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns: ``mfcc_0_mean``, ..."""
        check_is_fitted(self, "columns_")
        names = [f"{column}_{statistic}" for statistic in self.statistics for column in self.columns_]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        tags.requires_fit = True
        return tags
