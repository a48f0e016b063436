"""Training: from a feature store or recordings to a run."""

import operator
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from cantus import _cantus
from cantus._arguments import integer
from cantus._progress import Progress
from cantus._segments import Pad, folder_argument, segment_arguments
from cantus.errors import ParameterError
from cantus.run import Run
from cantus.store import Models, Store, listed_models, threads, to_json, warn

__all__ = ["train"]


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
    background: str | os.PathLike[str] | None = None,
    segment: float | None = None,
    hop: float | None = None,
    pad: Pad | None = None,
    n_segments: int | None = None,
    groups: str | os.PathLike[str] | Mapping[str, object] | Iterable[object] | None = None,
    split: str | None = None,
    split_lists: Sequence[str | os.PathLike[str]] = (),
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
    memory: int | None = None,
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
    background
        Folder of recordings, of any depth, that belong to none of the classes: the class ``_background_``.
    segment
        Duration of a segment, in seconds; by default that of the recipe or one that fits the durations of the
        recordings. Needs a recipe, since without one several durations are tried.
    hop
        Time from one segment to the next, in seconds; less than ``segment`` for an overlap, by default
        ``segment``.
    pad
        How recordings that are shorter than a segment are padded: with ``"zero"``, by ``"repeat"``, the default
        of most recipes, or ``"none"``, which leaves them out.
    n_segments
        Most segments of a recording to train on, 30 by default; of longer ones, segments are taken at equal
        distances. ``segment``, ``hop``, ``pad``, ``n_segments`` and ``background`` are for recordings: those of
        a store are chosen in :func:`cantus.extract`.
    groups
        What a split keeps whole: ``"artist"`` (the tag), ``"parent"`` (the folder), a CSV file
        ``path,group``, a dict of groups by path, or a group for each track of a store. By default the groups
        of the manifest, or else artist tags if half of the tracks have one.
    split
        Unit that the split keeps whole: ``"track"``, ``"group"`` or ``"segment"`` (which leaks, and is
        reported).
    split_lists
        Files of an official split, one path in each line: training and test, or training, validation and test;
        tracks in none are left out.
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
    memory
        Bytes of memory for features, 2 GiB by default; of a store that is larger, they are read as they are
        needed. It does not change the result.
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
        If the data cannot be split, all recordings are shorter than a segment, or ``out`` holds something
        else.
    ModelError
        If recipe and features do not fit, or the training diverges.

    Examples
    --------
    >>> run = cantus.train("features", recipe="best", groups="artist", folds=5)  # doctest: +SKIP
    >>> print(run.report)  # doctest: +SKIP
    """
    _check(split, folds, epochs, batch_size, learning_rate)
    path = data.path if isinstance(data, Store) else os.fspath(data)
    chosen, selects = _chosen_recipe(path, recipe, from_run is not None)
    start = _start(from_run, freeze, layer_rate)
    models = listed_models(embedding)
    temporary = tempfile.TemporaryDirectory(prefix="cantus-run-") if out is None else None
    folder = temporary.name if temporary else os.fspath(out or "")
    settings = {
        "budget": _minutes(budget, selects),
        "model": chosen,
        "seed": seed,
        "folds": folds,
        "final": final if folds or final else None,
        "validation": validation,
        "test": None if folds else test,
        "split": split,
        "group": os.fspath(groups) if isinstance(groups, str | os.PathLike) else None,
        "split_lists": [os.fspath(path) for path in split_lists] or None,
        **segment_arguments(segment, hop, pad, n_segments),
        "embedding": models or None,
        "embedding_by_reference": bool(embedding_by_reference) if models else None,
        "background": folder_argument(background),
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
        "split_lists": settings["split_lists"] or [],
        "final": final,
        "test": test,
        "overwrite": overwrite,
        "resume": resume,
        "memory": None if memory is None else integer("memory", memory, least=1000, most=64 << 30),
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


def _check(
    split: str | None,
    folds: int | None,
    epochs: int | None,
    batch_size: int | None,
    learning_rate: float | None,
) -> None:
    """Check arguments that are one of some words, or positive."""
    if split not in (None, "track", "group", "segment"):
        raise ParameterError(f"split must be 'track', 'group' or 'segment', found {split!r}")
    if folds is not None and not 2 <= folds <= 1000:
        raise ParameterError(f"folds must be from 2 to 1000, found {folds}")
    for name, value in [("epochs", epochs), ("batch_size", batch_size), ("learning_rate", learning_rate)]:
        if value is not None and not value > 0:
            raise ParameterError(f"{name} must be more than 0, found {value}")


def _chosen_recipe(
    path: str, recipe: str | os.PathLike[str] | None, has_start: bool
) -> tuple[str | None, bool]:
    """Return the name of the recipe, if there is one, and whether one is to be selected."""
    if recipe is not None:
        return os.fspath(recipe), False
    if has_start:
        return None, False
    chosen = _recipe_of_store(path)
    return chosen, chosen is None


def _minutes(budget: float | None, selects: bool) -> float | None:
    """Return the minutes in which recipes are tried; None if none is to be selected."""
    if not selects:
        if budget is not None:
            raise ParameterError("budget= is for recordings without a recipe, for which several are tried")
        return None
    minutes = 10.0 if budget is None else float(budget)
    if not 0 <= minutes <= 1e6:
        raise ParameterError(f"budget must be from 0 to 1000000 minutes, found {budget}")
    return minutes
