"""Training and evaluation: runs, with their model, report, history and predictions."""

import csv
import html
import json
import operator
import os
import tempfile
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from cantus import _cantus
from cantus._plot import plot_history
from cantus._progress import Progress
from cantus._selection import Trials, trials_of_json
from cantus.errors import DataError, ParameterError
from cantus.model import Model
from cantus.store import Models, Store, listed_models, threads, to_json, warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "Run", "evaluate", "train"]


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
    """A run folder, which :func:`train` writes.

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
        """The recipes that were tried, and their scores; empty if :func:`train` was given a recipe."""
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


def _groups(
    groups: str | os.PathLike[str] | Mapping[str, object] | Iterable[object] | None, data: object
) -> object:
    """Return groups for the extension module: a name, or the group of each path."""
    if groups is None or isinstance(groups, str | os.PathLike):
        return None if groups is None else os.fspath(groups)
    if isinstance(groups, Mapping):
        return {str(path): None if group is None else str(group) for path, group in groups.items()}
    if not isinstance(data, Store):
        raise ParameterError(
            "a sequence of groups is for a Store, in the order of its tracks; give a dict by path"
        )
    values = [None if group is None else str(group) for group in groups]
    if len(values) != len(data.tracks):
        raise ParameterError(f"{len(data.tracks)} tracks, but {len(values)} groups")
    return {track.path: group for track, group in zip(data.tracks, values, strict=True)}


def _recipe_of_store(path: str) -> str | None:
    """Return the recipe for a store where none is named; None for recordings, for which one is selected."""
    if not _cantus.is_store(path):
        return None
    return "embedding" if "embedding" in Store(path).spec["kinds"] else "mlp-normalised"


def _start(
    from_run: Run | str | os.PathLike[str] | None, freeze: int | str | None, layer_rate: float | None
) -> dict[str, object]:
    """Check the arguments of a training that starts from a trained model; return them for the extension module."""
    if from_run is None and not (freeze is None and layer_rate is None):
        raise ParameterError(
            "freeze and layer_rate are for a training that starts from a model: give from_run"
        )
    if freeze is not None and freeze != "all":
        if isinstance(freeze, str) or freeze < 0:
            raise ParameterError(f"freeze must be a number of layers, or 'all', found {freeze!r}")
        freeze = operator.index(freeze)
    if layer_rate is not None and not 0 < layer_rate < float("inf"):
        raise ParameterError(f"layer_rate must be more than 0, found {layer_rate}")
    path = from_run.path if isinstance(from_run, Run) else from_run
    return {"from_run": None if path is None else os.fspath(path), "freeze": freeze, "layer_rate": layer_rate}


def train(
    data: Store | str | os.PathLike[str],
    recipe: str | os.PathLike[str] | None = None,
    *,
    budget: float | None = None,
    embedding: Models = None,
    embedding_by_reference: bool = False,
    groups: str | os.PathLike[str] | Mapping[str, object] | Iterable[object] | None = None,
    split: str | None = None,
    folds: int | None = None,
    final: bool = False,
    validation: float = 0.15,
    test: float = 0.25,
    from_run: Run | str | os.PathLike[str] | None = None,
    freeze: int | Literal["all"] | None = None,
    layer_rate: float | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    n_jobs: int | None = None,
    progress: bool = True,
) -> Run:
    """Train a recipe and evaluate it on tracks that it was not trained on.

    Without a recipe, several are tried by cross-validation on the training part, and the best one is trained;
    the test part takes no part in the choice. :attr:`Run.trials` has their scores.

    The result is that of the command ``cantus train`` with the same options, to the last bit.

    Parameters
    ----------
    data
        A store, its folder, or a folder or manifest of recordings, whose features are extracted into the run.
    recipe
        Name of a recipe, or a TOML file. Without one, recipes are tried on a folder or manifest of recordings; a
        store is trained with ``"mlp-normalised"`` or, if its features are embeddings, ``"embedding"``; with
        ``from_run``, the recipe is that of the run.
    budget
        Minutes in which recipes are tried, 10 by default; the training of the chosen one comes after them.
    embedding
        Embedding models; see :func:`cantus.extract`. Without a recipe, also those that ``cantus embeddings add``
        has added are tried.
    embedding_by_reference
        Whether the model refers to the embedding models by their SHA-256 instead of containing them.
    groups
        What a split keeps whole: ``"artist"`` (the tag), ``"parent"`` (the folder), a CSV file
        ``path,group``, a dict of groups by path, or a group for each track of a store. By default the groups
        of the manifest, or else artist tags if half of the tracks have one.
    split
        Unit that the split keeps whole: ``"track"``, ``"group"`` or ``"segment"`` (which leaks, and is
        reported).
    folds
        Number of folds of a cross-validation, in which every track is tested once.
    final
        Whether a final model is trained on all tracks except a validation part, after the evaluation.
    validation, test
        Shares of the validation and of the test part; ``test`` has no effect with ``folds``.
    from_run
        Run, or its folder or model file, whose layers the training starts from (fine-tuning). Features,
        normalisation and layers are those of its model; its output layer is kept if the labels are the same.
    freeze
        With ``from_run``, number of layers that are not trained, from the input on and as listed in its
        ``recipe.toml``; ``"all"`` but the output layer; none by default.
    layer_rate
        With ``from_run``, factor of the learning rate of all layers but frozen ones and the output layer; 0.1
        by default.
    epochs, batch_size, learning_rate
        In place of the recipe's.
    patience
        Epochs without a lower validation loss before training stops, in place of the recipe's; 0 never stops
        early.
    seed
        Seed of the split, the initial weights and the order of segments.
    out
        Run folder; by default a temporary one that is deleted with the returned object.
    overwrite
        Whether a run in ``out`` is replaced.
    resume
        Whether an interrupted training in ``out`` is continued.
    n_jobs
        Number of threads; one for each processor by default. It does not change the result.
    progress
        Whether a progress bar is shown.

    Returns
    -------
    Run

    Raises
    ------
    ParameterError
        If an argument is out of range, or arguments exclude each other.
    DataError
        If the data cannot be split, or ``out`` holds something else.
    ModelError
        If recipe and features do not fit, or the training diverges.

    Examples
    --------
    >>> run = cantus.train("features", recipe="best", groups="artist", folds=5)  # doctest: +SKIP
    >>> print(run.report)  # doctest: +SKIP
    """
    if split not in (None, "track", "group", "segment"):
        raise ParameterError(f"split must be 'track', 'group' or 'segment', found {split!r}")
    if folds is not None and not 2 <= folds <= 1000:
        raise ParameterError(f"folds must be from 2 to 1000, found {folds}")
    for name, value in [("epochs", epochs), ("batch_size", batch_size), ("learning_rate", learning_rate)]:
        if value is not None and not value > 0:
            raise ParameterError(f"{name} must be more than 0, found {value}")
    start = _start(from_run, freeze, layer_rate)
    path = data.path if isinstance(data, Store) else os.fspath(data)
    if recipe is not None:
        chosen: str | None = os.fspath(recipe)
    else:
        chosen = _recipe_of_store(path) if from_run is None else None
    selects = chosen is None and from_run is None
    if selects and folds is not None:
        raise ParameterError(
            "folds= needs a recipe, such as 'best': without one, recipes are tried by cross-validation already"
        )
    if not selects and budget is not None:
        raise ParameterError("budget= is for recordings without a recipe, for which several are tried")
    minutes = 10.0 if budget is None else float(budget)
    if not 0 <= minutes <= 1e6:
        raise ParameterError(f"budget must be from 0 to 1000000 minutes, found {budget}")
    models = listed_models(embedding)
    temporary = tempfile.TemporaryDirectory(prefix="cantus-run-") if out is None else None
    folder = temporary.name if temporary else os.fspath(out or "")
    settings = {
        "budget": minutes if selects else None,
        "model": chosen,
        "seed": seed,
        "folds": folds,
        "final": final if folds or final else None,
        "validation": validation,
        "test": None if folds else test,
        "split": split,
        "group": os.fspath(groups) if isinstance(groups, str | os.PathLike) else None,
        "embedding": models or None,
        "embedding_by_reference": bool(embedding_by_reference) if models else None,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "patience": patience,
        "from": start["from_run"],
        "freeze": None if freeze is None else str(freeze),
        "layer_rate": layer_rate,
    }
    request = {
        **settings,
        **start,
        "data": path,
        "out": folder,
        "recipe": chosen,
        "embedding": models,
        "embedding_by_reference": bool(embedding_by_reference),
        "groups": _groups(groups, data),
        "final": final,
        "test": test,
        "overwrite": overwrite,
        "resume": resume,
        "n_jobs": threads(n_jobs),
        "settings": {name: value for name, value in settings.items() if value is not None},
    }
    with Progress("extract", progress) as bar:
        train_request = _cantus.train_best if selects else _cantus.train
        remarks = train_request(to_json(request), bar.function)
    warn(remarks)
    run = Run(folder)
    run._temporary = temporary
    return run


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
