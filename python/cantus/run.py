"""Runs of a training: their model, report, history and predictions; evaluation."""

import csv
import html
import json
import os
import tempfile
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cantus import _cantus
from cantus._plot import plot_history
from cantus._selection import Trials, trials_of_json
from cantus.errors import DataError
from cantus.model import Model
from cantus.store import Store, threads

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "Run", "evaluate"]


class Report(dict[str, Any]):
    """The content of ``report.json``; Jupyter shows the report's page, ``print`` its text."""

    def __init__(self, values: Mapping[str, Any], text: str = "", page: str = "") -> None:
        super().__init__(values)
        self._text, self._page = text, page

    def __reduce__(self) -> tuple[Any, ...]:
        return Report, (dict(self), self._text, self._page)

    def __str__(self) -> str:
        return self._text or json.dumps(self, indent=2)

    def _repr_html_(self) -> str | None:
        if not self._page:
            return None
        return (
            f'<iframe srcdoc="{html.escape(self._page)}" title="report" '
            'style="width: 100%; height: 40em; border: 0"></iframe>'
        )


class Run:
    """A run folder, which :func:`cantus.train` writes.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    DataError
        If it is not a finished run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if not os.path.isdir(self._path):
            raise FileNotFoundError(2, "No such folder", self._path)
        if not os.path.isfile(self._file("report.json")):
            raise DataError(f"{self._path}: not a finished run (it has no report.json)")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Run":
        """Open a run folder."""
        return cls(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Run, (os.path.abspath(self._path),)

    def __repr__(self) -> str:
        accuracy = self.report.get("track_accuracy")
        score = "" if accuracy is None else f", track accuracy {accuracy:.3f}"
        return f"<Run {self._path}{score}>"

    def _file(self, name: str) -> str:
        return os.path.join(self._path, name)

    def _text(self, name: str) -> str:
        path = self._file(name)
        if not os.path.isfile(path):
            advice = "; its folds have: see Run.folds" if self.folds else ""
            raise DataError(f"{self._path}: the run has no {name}{advice}")
        with open(path, encoding="utf-8") as file:
            return file.read()

    @property
    def path(self) -> str:
        """The folder."""
        return self._path

    @cached_property
    def report(self) -> Report:
        """Scores on the test part, with intervals, remarks and diagnostics."""
        values = json.loads(self._text("report.json"))
        return Report(values, self._text("report.txt"), self._text("report.html"))

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """One number for each epoch under Keras's keys: ``loss``, ``val_accuracy``, ..."""
        history: dict[str, list[float]] = json.loads(self._text("history.json"))
        return history

    def plot_history(self) -> "Figure":
        """Draw loss and accuracy by epoch with matplotlib; of a cross-validation, those of all folds."""
        return plot_history(*(fold.history for fold in self.folds or [self]))

    @cached_property
    def model(self) -> Model:
        """The model."""
        if self.folds and not os.path.isfile(self._file("model.safetensors")):
            raise DataError(
                f"{self._path}: a cross-validation without a model: set final=True, or take one of Run.folds"
            )
        return Model.load(self._path)

    @cached_property
    def predictions(self) -> list[dict[str, str]]:
        """Rows of ``predictions.csv``, one for each track of the test part."""
        return list(csv.DictReader(self._text("predictions.csv").splitlines()))

    @cached_property
    def split(self) -> list[dict[str, str]]:
        """Rows of ``split.csv``, the part of each track."""
        return list(csv.DictReader(self._text("split.csv").splitlines()))

    @cached_property
    def trials(self) -> Trials:
        """The recipes that were tried, and their scores; empty if :func:`cantus.train` was given a recipe."""
        if not os.path.isfile(self._file("selection.json")):
            return Trials()
        return trials_of_json(self._text("selection.json"))

    @property
    def folds(self) -> list["Run"]:
        """The runs of the folds of a cross-validation; empty if it is none."""
        paths = (self._file(f"fold-{number}") for number in range(1, 1001))
        folds = []
        for path in paths:
            if not os.path.isfile(os.path.join(path, "report.json")):
                break
            folds.append(Run(path))
        return folds

    def evaluate(self, features: "Store | str | os.PathLike[str] | None" = None) -> Report:
        """Score the model on its test part again; see :func:`evaluate`."""
        return evaluate(self, features)


def evaluate(
    run: Run | str | os.PathLike[str],
    features: Store | str | os.PathLike[str] | None = None,
    *,
    n_jobs: int | None = None,
) -> Report:
    """Score the model of a run on its test part again, from the features.

    Parameters
    ----------
    run
        The run, or its folder.
    features
        The feature store, if it is no longer where the run was trained.
    n_jobs
        Number of threads; one for each processor by default.

    Raises
    ------
    DataError
        If the run is incomplete, or its features are missing or changed.
    """
    folder = run.path if isinstance(run, Run) else os.fspath(run)
    store = features.path if isinstance(features, Store) else features
    report = _cantus.evaluate(folder, None if store is None else os.fspath(store), threads(n_jobs))
    return Report(json.loads(report))
