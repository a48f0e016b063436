"""Estimators for scikit-learn: features and classifiers of recordings, and a classifier of matrices.

Needs scikit-learn 1.6 or later: ``pip install scikit-learn``.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _cantus
from cantus._recordings import arguments
from cantus.batch import planned
from cantus.errors import DecodeError, ParameterError
from cantus.model import Model
from cantus.nn import Network
from cantus.store import Models, extract, threads, to_json

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("cantus.sklearn needs scikit-learn 1.6 or later: pip install scikit-learn") from error

# Its types are not those of its documentation.
_validate: Any = validate_data

__all__ = ["AudioClassifier", "AudioFeatures", "CantusClassifier"]

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


class AudioClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of recordings, trained by a recipe.

    Parameters
    ----------
    recipe
        Name of a recipe, or a TOML file.
    embedding
        Embedding models of the recipes ``"embedding"``, ``"embedding-best"``, ...; see :func:`cantus.extract`.
    epochs, learning_rate, patience
        In place of the recipe's; see :func:`cantus.train`.
    validation_fraction
        Share of the validation part, if the recipe stops early; other recipes have none.
    n_jobs
        Number of threads; one for each processor by default. It does not change the result.
    random_state
        Seed of the initial weights and the order of segments; None for 0.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The classes, sorted.
    model_ : cantus.Model
        The trained model.

    Examples
    --------
    >>> clf = cantus.sklearn.AudioClassifier(recipe="best")  # doctest: +SKIP
    >>> clf.fit(paths, labels, groups=artists).predict(["song.mp3"])  # doctest: +SKIP
    """

    def __init__(
        self,
        recipe: str = "best",
        *,
        embedding: Models = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.15,
        n_jobs: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.recipe = recipe
        self.embedding = embedding
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self, X: Iterable[str | os.PathLike[str]], y: ArrayLike, groups: Iterable[object] | None = None
    ) -> "AudioClassifier":
        """Train on recordings.

        Parameters
        ----------
        X
            Paths of the recordings, each once.
        y : array_like, shape (n_recordings,)
            Their classes.
        groups
            Group (artist, session) of each; a validation part keeps groups whole.

        Raises
        ------
        DataError
            If there are fewer than two classes, or no recording of them can be used.
        TypeError
            If an element of ``X`` is not a path.
        """
        paths = list(X)
        for index, path in enumerate(paths):
            if not isinstance(path, str | os.PathLike):
                kind = type(path).__name__
                raise TypeError(f"X[{index}] is of type {kind}; fit takes paths of recordings")
        self.classes_, indices = np.unique(np.asarray(y), return_inverse=True)
        names = [str(label) for label in self.classes_]
        if len(set(names)) < len(names):
            raise ParameterError("two classes of y have the same text")
        labels = [names[index] for index in indices]
        with tempfile.TemporaryDirectory(prefix="cantus-features-") as folder:
            store = extract(
                paths,
                folder,
                recipe=self.recipe,
                embedding=self.embedding,
                labels=labels,
                groups=groups,
                n_jobs=self.n_jobs,
                progress=False,
            )
            request = {
                "store": store.path,
                "recipe": os.fspath(self.recipe),
                "epochs": self.epochs,
                "batch_size": None,
                "learning_rate": self.learning_rate,
                "patience": self.patience,
                "validation": self.validation_fraction,
                "seed": 0 if self.random_state is None else self.random_state,
                "n_jobs": threads(self.n_jobs),
            }
            self.model_ = Model(_cantus.fit_model(to_json(request), None))
        return self

    def predict_proba(self, X: Iterable[Any]) -> NDArray[np.float64]:
        """Return the probability of each class of :attr:`classes_`, ``(n_recordings, n_classes)``.

        ``X`` are recordings in any form that :meth:`cantus.Model.predict` accepts.
        """
        check_is_fitted(self, "model_")
        probabilities = self.model_.predict_proba(X)
        order = [self.model_.labels.index(str(label)) for label in self.classes_]
        return probabilities[:, order]

    def predict(self, X: Iterable[Any]) -> NDArray[Any]:
        """Return the most probable class of each recording, ``(n_recordings,)``."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags


class CantusClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of matrices by a neural network; features are standardised first.

    Parameters
    ----------
    network
        ``"mlp"``: dense layers with ReLU; ``"logistic"``: logistic regression; ``"kernel"``: a Gaussian
        kernel machine by random Fourier features.
    hidden_layer_sizes
        Neurons of each hidden layer of ``"mlp"``.
    n_components
        Random features of ``"kernel"``, rounded up to an even number.
    epochs
        Passes over all examples.
    batch_size
        Examples for each step.
    learning_rate
        Of the optimizer, AdamW, with a cosine schedule.
    weight_decay
        Of the optimizer.
    dropout
        Share of neurons of each hidden layer that are left out in training.
    n_jobs
        Number of threads; one for each processor by default. It does not change the result.
    random_state
        Seed, or generator of it, of the initial weights and the order of examples.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The classes, sorted.
    network_ : cantus.nn.Network
        The trained network.
    history_ : dict
        Loss and accuracy by epoch.
    """

    def __init__(
        self,
        network: str = "mlp",
        *,
        hidden_layer_sizes: Sequence[int] = (64,),
        n_components: int = 500,
        epochs: int = 60,
        batch_size: int = 32,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.01,
        dropout: float = 0.0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_components = n_components
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _layers(self, n_classes: int) -> list[dict[str, Any]]:
        output: dict[str, Any] = {"type": "Dense", "units": n_classes, "activation": "softmax"}
        if self.network == "logistic":
            return [output]
        if self.network == "kernel":
            units = 2 * max(1, (self.n_components + 1) // 2)
            features = {"type": "RandomFourierFeatures", "kernel": "gaussian", "units": units}
            return [features, output]
        if self.network != "mlp":
            raise ParameterError(f"network must be 'mlp', 'logistic' or 'kernel', found {self.network!r}")
        hidden: list[dict[str, Any]] = []
        for units in self.hidden_layer_sizes:
            hidden.append({"type": "Dense", "units": int(units), "activation": "relu"})
            if self.dropout > 0:
                hidden.append({"type": "Dropout", "rate": self.dropout})
        return [*hidden, output]

    def fit(self, X: ArrayLike, y: ArrayLike) -> "CantusClassifier":
        """Train the network.

        Parameters
        ----------
        X : array_like of float, shape (n_samples, n_features)
            The features.
        y : array_like, shape (n_samples,)
            The classes.

        Raises
        ------
        ValueError
            If there are fewer than two classes, or a parameter is out of range.
        """
        values, classes = _validate(self, X, y, dtype=np.float64)
        check_classification_targets(classes)
        self.classes_, targets = np.unique(classes, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError(
                f"the classifier needs two classes or more; y has one class, {self.classes_[0]!r}"
            )
        self.mean_, deviation = values.mean(axis=0), values.std(axis=0)
        self.scale_ = np.where(deviation > 1e-12, deviation, 1.0)
        seed = int(check_random_state(self.random_state).randint(2**31))
        layers = self._layers(len(self.classes_))
        self.network_ = Network({"input_shape": [values.shape[1]], "layers": layers}, seed=seed)
        optimizer = {"type": "AdamW", "learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        history = self.network_.fit(
            self._standardised(values),
            targets.astype(np.int64),
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer=optimizer,
            schedule={"type": "cosine"},
            seed=seed,
            n_jobs=self.n_jobs,
        )
        self.history_ = history.history
        return self

    def _standardised(self, X: NDArray[np.float64]) -> NDArray[np.float32]:
        standardised: NDArray[np.float32] = ((X - self.mean_) / self.scale_).astype(np.float32)
        return standardised

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class, ``(n_samples, n_classes)``."""
        check_is_fitted(self, "network_")
        values = _validate(self, X, dtype=np.float64, reset=False)
        outputs = self.network_.predict(self._standardised(values), n_jobs=self.n_jobs).astype(np.float64)
        probabilities: NDArray[np.float64] = outputs / outputs.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each sample, ``(n_samples,)``."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels
