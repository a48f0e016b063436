"""Neural networks from scratch: layers, training and prediction, with Keras's names.

The layers and their settings are those of a recipe's ``[[layers]]``: Dense, Conv2D, LSTM, GRU, Dropout,
BatchNormalization and others; ``cantus lesson`` and the notebooks show them at work.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _cantus
from cantus._plot import plot_history
from cantus._progress import Progress
from cantus.errors import ParameterError
from cantus.store import threads, to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History", "Network"]

#: An array of inputs and one of targets, and optionally a weight for each example.
Examples = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]

_OPTIMIZERS = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
_CLASS_LOSS = "sparse_categorical_crossentropy"


class History:
    """The history of a training, as Keras's ``History``.

    Attributes
    ----------
    history
        One number for each epoch: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``learning_rate``.
    epoch
        Numbers of the epochs, from 0.
    """

    def __init__(self, history: dict[str, list[float]]) -> None:
        self.history = history
        self.epoch = list(range(len(history.get("loss", []))))

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4f}" for name, values in self.history.items() if values)
        return f"<History of {len(self.epoch)} epochs: {last}>"

    def plot(self) -> "Figure":
        """Draw loss and accuracy by epoch with matplotlib."""
        return plot_history(self.history)


class Network:
    """Layers with weights, as ``keras.Sequential``.

    Parameters
    ----------
    architecture
        ``{"input_shape": [...], "layers": [{"type": "Dense", "units": 10, "activation": "softmax"}, ...]}``,
        or the same as JSON or TOML text. Shapes are those of one example: ``[n_frames, n_bins]``, ``[height,
        width, channels]``.
    seed
        The same seed gives the same initial weights.

    Raises
    ------
    ParameterError
        If the architecture is malformed.
    ModelError
        If a layer does not fit the output of the one before.

    Examples
    --------
    >>> layers = [{"type": "Dense", "units": 2, "activation": "softmax"}]
    >>> network = cantus.nn.Network({"input_shape": [1], "layers": layers})
    >>> history = network.fit([[-1.0], [1.0]], [0, 1], epochs=5)
    >>> network.predict([[1.5]]).shape
    (1, 2)
    """

    def __init__(self, architecture: Mapping[str, Any] | str, *, seed: int = 0) -> None:
        text = architecture if isinstance(architecture, str) else to_json(dict(architecture))
        self._native = _cantus.NativeNetwork(text, seed)
        self._n_jobs: int | None = None

    def __repr__(self) -> str:
        return f"<Network {self.input_shape} → {self.output_shape}, {self.count_params()} parameters>"

    def __getstate__(self) -> dict[str, Any]:
        return {"architecture": self._native.architecture, "weights": self.weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._native, self._n_jobs = _cantus.NativeNetwork(state["architecture"], 0), None
        self.weights = state["weights"]

    def _repr_svg_(self) -> str:
        return self._native.drawing()

    @property
    def architecture(self) -> dict[str, Any]:
        """Input shape and layers, with all settings."""
        architecture: dict[str, Any] = json.loads(self._native.architecture)
        return architecture

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self._native.input_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self._native.output_shape)

    def count_params(self) -> int:
        """Return the number of weights, trained or not."""
        return self._native.n_parameters

    def summary(self) -> str:
        """Return a table of layers, output shapes and numbers of parameters, as Keras prints it."""
        return self._native.summary()

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights by name: ``layers.0.kernel``, ...; may be assigned, all or some of them."""
        return self._native.weights()

    @weights.setter
    def weights(self, weights: Mapping[str, ArrayLike]) -> None:
        self._native.set_weights(
            [(name, np.asarray(values, dtype=np.float32)) for name, values in weights.items()]
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write architecture and weights as a NumPy archive, ``.npz``."""
        np.savez(path, architecture=np.array(self._native.architecture), allow_pickle=False, **self.weights)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Network":
        """Read a network that :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as archive:
            if "architecture" not in archive:
                raise ParameterError(
                    f"{os.fspath(path)}: not a network of cantus.nn (it has no architecture)"
                )
            network = cls(str(archive["architecture"]))
            network.weights = {name: archive[name] for name in archive.files if name.startswith("layers.")}
        return network

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        optimizer: str | Mapping[str, Any] = "adam",
        learning_rate: float | None = None,
        loss: str | Mapping[str, Any] | None = None,
        validation_data: Examples | None = None,
        class_weight: Sequence[float] | None = None,
        sample_weight: ArrayLike | None = None,
        patience: int | None = None,
        schedule: Mapping[str, Any] | None = None,
        shuffle: bool = True,
        seed: int = 0,
        n_jobs: int | None = None,
        progress: bool = False,
    ) -> History:
        """Train; an interrupted training keeps the weights of the last whole epoch.

        Parameters
        ----------
        x : array_like of float, shape (n, *input_shape)
            Inputs.
        y : array_like, shape (n,) or (n, *output_shape)
            Classes as whole numbers from 0, or values.
        epochs
            Passes over all examples.
        batch_size
            Examples for each step; None for all of them.
        optimizer
            ``"sgd"``, ``"rmsprop"``, ``"adam"`` or ``"adamw"``, or a dict with its settings:
            ``{"type": "SGD", "learning_rate": 0.1, "momentum": 0.9}``. Defaults are Keras's.
        learning_rate
            In place of the optimizer's.
        loss
            ``"sparse_categorical_crossentropy"`` (the default for classes), ``"mean_squared_error"`` (the
            default for values), ``"categorical_crossentropy"`` or ``"binary_crossentropy"``.
        validation_data
            ``(x, y)`` or ``(x, y, sample_weight)``, evaluated after each epoch.
        class_weight
            Weight of each class in the loss.
        sample_weight : array_like of float, shape (n,)
            Weight of each example in the loss.
        patience
            Epochs without a lower validation loss (training loss without validation) before training stops,
            with the weights of the best epoch.
        schedule
            Learning rate schedule: ``{"type": "cosine", "warm_up_epochs": 5.0}``, or of type ``step`` or
            ``reduce_on_plateau``.
        shuffle
            Whether each epoch has its own random order.
        seed
            Seed of the order of examples and of dropout.
        n_jobs
            Number of threads; one for each processor by default. It does not change the result.
        progress
            Whether a progress bar is shown.

        Returns
        -------
        History

        Raises
        ------
        ParameterError
            If a setting is out of range, or the examples do not fit the network or the loss.
        ModelError
            If a loss or a weight becomes NaN or infinite.
        """
        targets = _targets(y)
        training: dict[str, Any] = {
            "epochs": epochs,
            "batching": "full" if batch_size is None else {"mini": batch_size},
            "loss": loss or _default_loss(targets),
            "optimizer": _optimizer(optimizer, learning_rate),
            "shuffle": shuffle,
            "seed": seed,
            "n_threads": threads(n_jobs),
        }
        if class_weight is not None:
            training["class_weights"] = [float(weight) for weight in class_weight]
        if patience is not None:
            training["early_stopping"] = {"patience": patience}
        if schedule is not None:
            training["schedule"] = dict(schedule)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float32)
        validation = None if validation_data is None else self._examples(*validation_data)
        inputs = self._inputs(x)
        with Progress("train", progress) as bar:
            history = self._native.fit(
                (inputs, targets, weights), validation, to_json(training), bar.function
            )
        return History(json.loads(history))

    def predict(self, x: ArrayLike, *, n_jobs: int | None = None) -> NDArray[np.float32]:
        """Return the outputs of some inputs.

        Parameters
        ----------
        x : array_like of float, shape (n, *input_shape)
            Inputs.
        n_jobs
            Number of threads; one for each processor by default.

        Returns
        -------
        ndarray of float32, shape (n, *output_shape)
        """
        if n_jobs != self._n_jobs:
            self._native.set_threads(threads(n_jobs))
            self._n_jobs = n_jobs
        return self._native.predict(self._inputs(x))

    def evaluate(
        self, x: ArrayLike, y: ArrayLike, *, loss: str | Mapping[str, Any] | None = None
    ) -> dict[str, float]:
        """Return ``loss`` and, for a classifier, ``accuracy``; parameters as in :meth:`fit`."""
        examples = self._examples(x, y)
        name = to_json(loss or _default_loss(examples[1]))
        value, accuracy = self._native.evaluate(examples, name)
        return {"loss": value} if accuracy is None else {"loss": value, "accuracy": accuracy}

    def _examples(self, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None) -> "_cantus.Examples":
        weights = None if weight is None else np.asarray(weight, dtype=np.float32)
        return self._inputs(x), _targets(y), weights

    def _inputs(self, x: ArrayLike) -> NDArray[np.float32]:
        """Return inputs as float32; an axis of length 1 at the end may be missing."""
        inputs = np.asarray(x, dtype=np.float32)
        shape = self.input_shape
        if inputs.shape[1:] == shape or (shape[-1:] == (1,) and inputs.shape[1:] == shape[:-1]):
            return inputs
        expected = ", ".join(["n", *map(str, shape)])
        raise ParameterError(f"x must have shape ({expected}), found {inputs.shape}")


def _targets(y: ArrayLike) -> "_cantus.Targets":
    """Return classes as int64, values as float32."""
    targets = np.asarray(y)
    if targets.dtype.kind in "iu" and targets.ndim == 1:
        return np.ascontiguousarray(targets, dtype=np.int64)
    if targets.dtype.kind in "biuf":
        return np.asarray(targets, dtype=np.float32)
    raise TypeError(f"y must be classes as whole numbers, or values, found an array of {targets.dtype}")


def _default_loss(targets: "_cantus.Targets") -> str:
    return _CLASS_LOSS if targets.dtype.kind == "i" else "mean_squared_error"


def _optimizer(optimizer: str | Mapping[str, Any], learning_rate: float | None) -> dict[str, Any]:
    if isinstance(optimizer, str):
        name = _OPTIMIZERS.get(optimizer.lower())
        if name is None:
            raise ParameterError(f"optimizer must be one of {', '.join(_OPTIMIZERS)}, found {optimizer!r}")
        settings: dict[str, Any] = {"type": name}
    else:
        settings = dict(optimizer)
    if learning_rate is not None:
        settings["learning_rate"] = learning_rate
    return settings
