"""The classifier of matrices: a neural network on standardised features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from cantus.errors import ParameterError
from cantus.nn import Network

# Its types are not those of its documentation.
_validate: Any = validate_data


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
