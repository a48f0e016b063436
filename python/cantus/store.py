"""Feature stores: extraction of recordings, and the features as NumPy, Arrow and pandas."""

import glob
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cantus import _cantus
from cantus._progress import Progress
from cantus._segments import Pad, folder_argument, segment_arguments
from cantus.errors import ParameterError

if TYPE_CHECKING:
    import pandas
    import pyarrow

__all__ = ["Failure", "Store", "Track", "extract"]


class Track(NamedTuple):
    """A recording of a store."""

    #: As in the folder or manifest, with ``/``.
    path: str
    #: Its class, or its tags.
    labels: list[str]
    #: Group that a split by group keeps whole, if it was given.
    group: str | None
    #: Its number of segments.
    n_segments: int


class Failure(NamedTuple):
    """A recording without features."""

    path: str
    reason: str


class Store:
    """A folder of features, which :func:`extract` writes and :func:`cantus.train` reads.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    DataError
        If it is not a feature store, incomplete or damaged.

    Examples
    --------
    >>> store = cantus.Store("features")  # doctest: +SKIP
    >>> X, y = store.to_numpy()  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._native = _cantus.NativeStore(self._path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Store":
        """Open the store in a folder."""
        return cls(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (os.path.abspath(self._path),)

    def __repr__(self) -> str:
        kinds = ", ".join(self.spec["kinds"])
        n_tracks = len(self.tracks)
        return f"<Store {self._path}: {len(self)} segments {self.shape} of {n_tracks} tracks, {kinds}>"

    def __len__(self) -> int:
        """Return the number of segments, without those of augmented copies."""
        return self._native.n_segments

    @property
    def path(self) -> str:
        """The folder."""
        return self._path

    @cached_property
    def labels(self) -> list[str]:
        """Names of the classes or tags, sorted."""
        return self._native.labels

    @property
    def is_tagged(self) -> bool:
        """Whether labels are tags, any number of them for a track, and not classes."""
        return self._native.is_tagged

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and bins of a segment, ``(n_frames, n_bins)``."""
        return self._native.shape

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Specification of the features, with the names of a recipe's table ``[features]``."""
        spec: dict[str, Any] = json.loads(self._native.spec)
        return spec

    @cached_property
    def tracks(self) -> list[Track]:
        """The recordings, sorted by label and path."""
        return [Track(*fields) for fields in self._native.tracks]

    @cached_property
    def failures(self) -> list[Failure]:
        """The recordings without features."""
        return [Failure(*fields) for fields in self._native.failures]

    @property
    def track_of_segments(self) -> NDArray[np.int64]:
        """Index into :attr:`tracks` of each segment, ``(n_segments,)``."""
        return self._native.track_of_segments()

    @property
    def groups(self) -> NDArray[np.object_]:
        """Group of each segment, for scikit-learn's ``GroupKFold``: the track's group, or else its path."""
        of_tracks = np.array([track.group or track.path for track in self.tracks], dtype=object)
        groups: NDArray[np.object_] = of_tracks[self.track_of_segments]
        return groups

    def to_numpy(self) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Read the features and labels of all segments.

        Returns
        -------
        X : ndarray of float32, shape (n_segments, n_frames, n_bins)
            The features, frames first: librosa's layout of a segment is ``X[i].T``.
        y : ndarray of str, shape (n_segments,), or of bool, shape (n_segments, n_labels)
            The class of each segment, or its tags in the order of :attr:`labels`.

        Raises
        ------
        DataError
            If a part of the store is damaged.
        """
        features = self._native.read()
        if self.is_tagged:
            rows = [[label in track.labels for label in self.labels] for track in self.tracks]
            return features, np.array(rows, dtype=bool)[self.track_of_segments]
        classes = np.array([track.labels[0] for track in self.tracks])
        return features, classes[self.track_of_segments]

    def to_arrow(self) -> "pyarrow.Table":
        """Read the store as a pyarrow table, one row for each segment, memory-mapped.

        Rows with ``copy > 0`` are augmented copies, for training only. The column ``features`` is row-major
        ``(n_frames, n_bins)``.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        try:
            import pyarrow
            import pyarrow.ipc
        except ImportError as error:
            raise ImportError("Store.to_arrow needs pyarrow: pip install pyarrow") from error
        parts = sorted(glob.glob(os.path.join(glob.escape(self._path), "part-*.arrow")))
        tables = [pyarrow.ipc.open_file(pyarrow.memory_map(part)).read_all() for part in parts]
        return pyarrow.concat_tables(table.replace_schema_metadata() for table in tables)

    def to_pandas(self) -> "pandas.DataFrame":
        """Read the store as a pandas data frame, one row for each segment; see :meth:`to_arrow`.

        Raises
        ------
        ImportError
            If pandas or pyarrow is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "Store.to_pandas needs pandas and pyarrow: pip install pandas pyarrow"
            ) from error
        return self.to_arrow().to_pandas()


def listed(
    paths: Iterable[str | os.PathLike[str]],
    labels: Iterable[object] | None,
    groups: Iterable[object] | None,
) -> list[dict[str, str | None]]:
    """Return recordings with their labels and groups for the extension module."""
    names = [os.fspath(path) for path in paths]
    if not names:
        raise ParameterError("the list of recordings is empty")
    of_paths = [os.path.basename(os.path.dirname(os.path.abspath(name))) for name in names]
    classes = of_paths if labels is None else [str(label) for label in labels]
    of_groups = [None] * len(names) if groups is None else [None if g is None else str(g) for g in groups]
    for name, values in [("labels", classes), ("groups", of_groups)]:
        if len(values) != len(names):
            raise ParameterError(f"{len(names)} recordings, but {len(values)} {name}")
    columns = zip(names, classes, of_groups, strict=True)
    return [{"path": path, "label": label, "group": group} for path, label, group in columns]


#: An embedding model, or several: ONNX files, or names of models that ``cantus embeddings add`` has added.
Models = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None


def listed_models(embedding: Models) -> list[str]:
    """Return embedding models as a list."""
    if embedding is None:
        return []
    if isinstance(embedding, str | os.PathLike):
        return [os.fspath(embedding)]
    return [os.fspath(model) for model in embedding]


def extract(
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    recipe: str | os.PathLike[str] | None = None,
    labels: Iterable[object] | None = None,
    groups: Iterable[object] | None = None,
    features: Mapping[str, Any] | None = None,
    embedding: Models = None,
    embedding_by_reference: bool = False,
    background: str | os.PathLike[str] | None = None,
    segment: float | None = None,
    hop: float | None = None,
    pad: Pad | None = None,
    n_segments: int | None = None,
    augment: str | os.PathLike[str] | None = None,
    audit: str = "note",
    exclude: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    n_jobs: int | None = None,
    progress: bool = True,
) -> Store:
    """Extract the features of recordings into a store.

    If it is interrupted, the same call continues it. A recording that cannot be used does not stop the
    others: it is in :attr:`Store.failures`, and a ``UserWarning`` names the first.

    Parameters
    ----------
    data
        A folder of label folders, a manifest (``.csv`` or ``.tsv`` with the columns ``path,label`` or
        ``path,labels``), or a list of paths.
    out
        Folder of the store.
    recipe
        Name or TOML file of the recipe whose features and augmented copies are extracted, such as ``"best"``.
        The default are the lecture course's 13 MFCCs.
    labels
        Class of each path of a list; by default the name of its folder.
    groups
        Group of each path of a list (artist, session) that a split keeps whole.
    features
        Fields that replace those of the recipe's table ``[features]``: ``{"kinds": ["log_mel"], "n_mels":
        64}``. Its ``"segments"`` exclude the arguments of segments below.
    embedding
        Embedding model whose values are features: an ONNX file with its description beside it, or the name of
        one that ``cantus embeddings add`` has added; several are concatenated. The recipe is ``"embedding"``
        if none is given.
    embedding_by_reference
        Whether the store, and models trained on it, refer to the embedding model by its SHA-256 instead of
        containing it.
    background
        Folder of recordings, of any depth, that belong to none of the classes: the class ``_background_``.
    segment
        Duration of a segment, in seconds; by default that of the recipe, or one that fits the durations of the
        recordings.
    hop
        Time from one segment to the next, in seconds; less than ``segment`` for an overlap, by default
        ``segment``.
    pad
        How recordings that are shorter than a segment are padded: with ``"zero"``, by ``"repeat"``, the default
        of most recipes, or ``"none"``, which leaves them out.
    n_segments
        Most segments of a recording, 30 by default; of longer ones, segments are taken at equal distances.
    augment
        Name or TOML file of the recipe whose augmented copies of each track are extracted, in place of those of
        ``recipe``.
    audit
        What to do with issues such as damage and duplicates: ``"note"``, ``"strict"`` (an error) or
        ``"off"``.
    exclude
        CSV file of recordings to leave out, ``path,reason``.
    overwrite
        Whether a store with other settings in ``out`` is replaced.
    n_jobs
        Number of threads; one for each processor by default. It does not change the result.
    progress
        Whether a progress bar is shown.

    Returns
    -------
    Store

    Raises
    ------
    ParameterError
        If an argument is out of range, or recipe and embedding models do not fit.
    DataError
        If ``data`` has no labelled recordings, none has features, all are shorter than a segment, or ``out``
        holds something else.
    FileNotFoundError
        If ``data`` does not exist.

    Examples
    --------
    >>> store = cantus.extract("MUSIC", "features", recipe="best")  # doctest: +SKIP
    """
    if audit not in ("note", "strict", "off"):
        raise ParameterError(f"audit must be 'note', 'strict' or 'off', found {audit!r}")
    if isinstance(data, str | os.PathLike):
        if labels is not None or groups is not None:
            raise ParameterError(
                "labels and groups are for a list of paths; a folder or manifest has its own"
            )
        source: object = os.fspath(data)
    else:
        source = listed(data, labels, groups)
    request = {
        "source": source,
        "out": os.fspath(out),
        "recipe": None if recipe is None else os.fspath(recipe),
        "features": dict(features or {}),
        "embedding": listed_models(embedding),
        "embedding_by_reference": bool(embedding_by_reference),
        "background": folder_argument(background),
        **segment_arguments(segment, hop, pad, n_segments),
        "augment": None if augment is None else os.fspath(augment),
        "audit": audit,
        "exclude": None if exclude is None else os.fspath(exclude),
        "overwrite": bool(overwrite),
        "n_jobs": threads(n_jobs),
    }
    with Progress("extract", progress) as bar:
        remarks = _cantus.extract(to_json(request), bar.function)
    warn(remarks)
    return Store(out)


def to_json(request: object) -> str:
    """Return the arguments of a call as JSON; NumPy's numbers are accepted."""

    def plain(value: object) -> object:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        raise TypeError(
            f"an argument has the type {type(value).__name__}, which is not a number, text, list or dict"
        )

    return json.dumps(request, default=plain, allow_nan=False)


def threads(n_jobs: int | None) -> int:
    """Return the number of threads for the extension module; 0 is one for each processor."""
    if n_jobs is None or n_jobs == -1:
        return 0
    if n_jobs < 1:
        raise ParameterError(f"n_jobs must be None, -1 or at least 1, found {n_jobs}")
    return n_jobs


def warn(remarks: Iterable[str]) -> None:
    """Issue remarks on recordings that were left out or are damaged as warnings of the caller."""
    for remark in remarks:
        warnings.warn(remark, UserWarning, stacklevel=3)
