"""The classifier of recordings, trained by a recipe."""

import os
import tempfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from cantus import _cantus
from cantus._segments import Pad
from cantus.errors import ParameterError
from cantus.model import Model
from cantus.store import Models, extract, threads, to_json

#: The class of a background.
_BACKGROUND = "_background_"


def _classes(y: ArrayLike, has_background: bool) -> tuple[NDArray[Any], list[str]]:
    """Return the classes, sorted, with that of a background, and the text of the class of each recording."""
    values = np.asarray(y)
    if has_background:
        if not all(isinstance(label, str) for label in values):
            raise ParameterError(
                "background= is the class '_background_': give the classes of y as text, too"
            )
        classes = np.unique(np.append(values, _BACKGROUND))
    else:
        classes = np.unique(values)
    if len({str(label) for label in classes}) < len(classes):
        raise ParameterError("two classes of y have the same text")
    return classes, [str(label) for label in values]


class AudioClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of recordings, trained by a recipe.

    Parameters
    ----------
    recipe
        Name of a recipe, or a TOML file.
    embedding
        Embedding models of the recipes ``"embedding"``, ``"embedding-best"``, ...; see :func:`cantus.extract`.
    background
        Folder of recordings that belong to none of the classes: the class ``"_background_"``, which is then one
        of :attr:`classes_`; the classes of ``fit`` must be text.
    segment, hop, pad, n_segments
        How recordings are cut into segments; see :func:`cantus.extract`.
    epochs, batch_size, learning_rate, patience
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
        background: str | os.PathLike[str] | None = None,
        segment: float | None = None,
        hop: float | None = None,
        pad: Pad | None = None,
        n_segments: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.15,
        n_jobs: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.recipe = recipe
        self.embedding = embedding
        self.background = background
        self.segment = segment
        self.hop = hop
        self.pad: Pad | None = pad
        self.n_segments = n_segments
        self.epochs = epochs
        self.batch_size = batch_size
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
        ParameterError
            If a parameter of the classifier is out of range, or two classes have the same text.
        TypeError
            If an element of ``X`` is not a path.
        """
        paths = list(X)
        for index, path in enumerate(paths):
            if not isinstance(path, str | os.PathLike):
                kind = type(path).__name__
                raise TypeError(f"X[{index}] is of type {kind}; fit takes paths of recordings")
        self.classes_, labels = _classes(y, self.background is not None)
        with tempfile.TemporaryDirectory(prefix="cantus-features-") as folder:
            store = extract(
                paths,
                folder,
                recipe=self.recipe,
                embedding=self.embedding,
                background=self.background,
                segment=self.segment,
                hop=self.hop,
                pad=self.pad,
                n_segments=self.n_segments,
                labels=labels,
                groups=groups,
                n_jobs=self.n_jobs,
                progress=False,
            )
            request = {
                "store": store.path,
                "recipe": os.fspath(self.recipe),
                "epochs": self.epochs,
                "batch_size": self.batch_size,
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
