"""Trained models: loading, prediction, export."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _cantus
from cantus._progress import Progress
from cantus._recordings import Recording, argument, arguments, is_one
from cantus.errors import ParameterError

__all__ = ["Model", "Prediction"]


@dataclass(frozen=True)
class Prediction:
    """The prediction for one recording.

    Attributes
    ----------
    label
        The most probable label.
    probability
        Its probability, 0 to 1.
    probabilities
        The probability of each label; those of classes sum to 1.
    tags
        Of a tagger: the tags with a probability above ½, the most probable first. None of a classifier.
    duration
        Length of the recording, in seconds.
    segments
        Probabilities of the segments, ``(n_segments, n_labels)``, in the order of ``probabilities``.
    times
        Start and end of each segment in seconds, ``(n_segments, 2)``.
    warnings
        Damage in the file that was skipped.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    tags: list[str] | None
    duration: float
    segments: NDArray[np.float32] = field(repr=False)
    times: NDArray[np.float64] = field(repr=False)
    warnings: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        tags = "" if self.tags is None else f", tags={self.tags}"
        n_segments = len(self.segments)
        return (
            f"Prediction({self.label!r}, probability={self.probability:.3f}{tags}, "
            f"duration={self.duration:.1f}, n_segments={n_segments})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as plain values that JSON can hold."""
        segments = [
            {"start": start, "end": end, "probabilities": dict(zip(self.probabilities, row, strict=True))}
            for (start, end), row in zip(self.times.tolist(), self.segments.tolist(), strict=True)
        ]
        plain: dict[str, Any] = {
            "label": self.label,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "duration": self.duration,
            "segments": segments,
            "warnings": list(self.warnings),
        }
        return plain if self.tags is None else {**plain, "tags": list(self.tags)}


class Model:
    """A trained classifier or tagger with all that prediction needs.

    :meth:`load` reads one. Models can be pickled and are shared by threads.

    Examples
    --------
    >>> model = cantus.Model.load("run/model.safetensors")  # doctest: +SKIP
    >>> model.predict("song.mp3").label  # doctest: +SKIP
    'jazz'
    """

    def __init__(self, native: "_cantus.NativeModel") -> None:
        self._native = native

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
        """Load a model file, or the model of a run folder.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelError
            If it is not a model, damaged, or was written by a later version.
        """
        return cls(_cantus.NativeModel.load(os.fspath(path)))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Model":
        """Return the model of the content of a model file."""
        return cls(_cantus.NativeModel.from_bytes(content))

    def to_bytes(self) -> bytes:
        """Return the content of its file, ``model.safetensors``."""
        return self._native.to_bytes()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file."""
        self._native.save(os.fspath(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return Model.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        labels = ", ".join(self.labels)
        return f"<Model of recipe {self.recipe}: {self.task} as {labels}>"

    @cached_property
    def labels(self) -> list[str]:
        """Names of the classes or tags, in the order of the probabilities."""
        return self._native.labels

    @property
    def task(self) -> str:
        """``"classification"``: one label for each recording; ``"tagging"``: any number of them."""
        return self._native.task

    @property
    def recipe(self) -> str:
        """Name of the recipe that it was trained with."""
        return self._native.provenance[0]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Specification of its features."""
        spec: dict[str, Any] = json.loads(self._native.spec)
        return spec

    @property
    def input_shape(self) -> tuple[int, int]:
        """Frames and bins of a segment, ``(n_frames, n_bins)``."""
        return self._native.shape

    def summary(self) -> str:
        """Return a table of layers, output shapes and numbers of parameters, as Keras prints it."""
        return self._native.summary()

    @overload
    def predict(
        self, x: Recording, *, on_error: Literal["raise"] = ..., progress: bool = ...
    ) -> Prediction: ...

    @overload
    def predict(
        self, x: list[Any], *, on_error: Literal["raise"] = ..., progress: bool = ...
    ) -> list[Prediction]: ...

    @overload
    def predict(
        self, x: list[Any], *, on_error: Literal["return"], progress: bool = ...
    ) -> list[Prediction | Exception]: ...

    def predict(
        self,
        x: Recording | Iterable[Recording],
        *,
        on_error: Literal["raise", "return"] = "raise",
        progress: bool = False,
    ) -> Prediction | list[Prediction] | list[Prediction | Exception]:
        """Predict the label of a recording, or of each of several.

        Parameters
        ----------
        x
            A path, the content of a file as bytes, a binary file object, ``(y, sr)``, a mapping with
            ``array`` and ``sampling_rate`` or a decoder (as in Hugging Face data sets), or a list of these. ``y`` is
            ``(n,)`` or ``(n_channels, n)``.
        on_error
            For a list: ``"raise"`` raises the error of the first recording that cannot be predicted,
            ``"return"`` puts the errors in place of the predictions.
        progress
            Whether a progress bar is shown.

        Returns
        -------
        Prediction or list of Prediction

        Raises
        ------
        DecodeError
            If a recording cannot be decoded, is silent, or is shorter than one segment.
        FileNotFoundError
            If a file does not exist.
        TypeError
            If ``x`` is none of these.
        """
        if on_error not in ("raise", "return"):
            raise ParameterError(f"on_error must be 'raise' or 'return', found {on_error!r}")
        if is_one(x):
            (result,) = self._native.predict([argument(x, "x")])
            if isinstance(result, Exception):
                raise result
            return self._prediction(result)
        with Progress("predict", progress) as bar:
            results = self._native.predict(arguments(cast(Iterable[object], x), "x"), bar.function)
        if on_error == "return":
            return [r if isinstance(r, Exception) else self._prediction(r) for r in results]
        return [self._prediction(_or_raise(result)) for result in results]

    def predict_proba(self, x: Iterable[Recording]) -> NDArray[np.float64]:
        """Return the probabilities of several recordings, ``(n, n_labels)``; see :meth:`predict`."""
        rows = [list(prediction.probabilities.values()) for prediction in self.predict(list(x))]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.labels))

    def _prediction(self, fields: "_cantus.PredictionFields") -> Prediction:
        label, probability, probabilities, tags, duration, segments, starts, ends, warnings = fields
        named = dict(zip(self.labels, probabilities.tolist(), strict=True))
        times = np.stack([starts, ends], axis=1)
        return Prediction(label, probability, named, tags, duration, segments, times, warnings)

    def predict_features(self, features: ArrayLike) -> NDArray[np.float32]:
        """Return calibrated probabilities of segments from their features.

        Parameters
        ----------
        features : array_like of float, shape (n_segments, n_frames, n_bins)
            Features as :meth:`cantus.Store.to_numpy` returns them, not normalised; one segment may be
            ``(n_frames, n_bins)``.

        Returns
        -------
        ndarray of float32, shape (n_segments, n_labels)

        Raises
        ------
        ParameterError
            If the shape is another, or a value is NaN or infinite.
        """
        values = np.asarray(features)
        if values.shape[-2:] != self.input_shape or values.ndim not in (2, 3):
            expected = ", ".join(map(str, self.input_shape))
            raise ParameterError(f"features must have shape (n_segments, {expected}), found {values.shape}")
        return self._native.predict_features(values)

    def export_onnx(
        self, path: str | os.PathLike[str], *, input: Literal["features", "samples"] = "features"
    ) -> None:
        """Write the model as an ONNX file.

        Parameters
        ----------
        path
            The file.
        input
            ``"features"``: the graph takes ``(batch, n_frames, n_bins)``. ``"samples"``: it takes samples of
            segments, and computes the features itself.

        Raises
        ------
        ModelError
            If a feature cannot be expressed in ONNX.
        """
        if input not in ("features", "samples"):
            raise ParameterError(f"input must be 'features' or 'samples', found {input!r}")
        self._native.export_onnx(os.fspath(path), input == "samples")


def _or_raise(result: "_cantus.PredictionFields | Exception") -> "_cantus.PredictionFields":
    if isinstance(result, Exception):
        raise result
    return result
