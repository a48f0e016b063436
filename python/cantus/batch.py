"""Features of many recordings as Arrow batches: the function for Spark, Ray Data, Daft and Dask."""

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cantus import _cantus
from cantus._warnings import warn_caller
from cantus.store import Models, listed_models, to_json

if TYPE_CHECKING:
    import pyarrow

__all__ = ["batch_schema", "extract_batch"]


@lru_cache(maxsize=8)
def _extractor(recipe: str | None, changes: str, embedding: tuple[str, ...]) -> "_cantus.NativeExtractor":
    """Return a planned specification; planning takes longer than one short recording."""
    extractor = _cantus.NativeExtractor(recipe, changes, list(embedding))
    for message in extractor.warnings:
        warn_caller(message)
    return extractor


def planned(
    recipe: str | os.PathLike[str] | None,
    features: Mapping[str, Any] | None,
    embedding: Models = None,
) -> "_cantus.NativeExtractor":
    """Return the planned features of a recipe with changes and embedding models."""
    name = None if recipe is None else os.fspath(recipe)
    return _extractor(name, to_json(dict(features or {})), tuple(listed_models(embedding)))


def _import_pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError("extract_batch needs pyarrow: pip install pyarrow") from error
    return pyarrow


def _segment_type(pa: Any, extractor: "_cantus.NativeExtractor", fixed_size: bool) -> Any:
    n_frames, n_bins = extractor.shape
    return pa.list_(pa.float32(), n_frames * n_bins) if fixed_size else pa.list_(pa.float32())


def batch_schema(
    recipe: str | os.PathLike[str] | None = None,
    features: Mapping[str, Any] | None = None,
    *,
    embedding: Models = None,
    fixed_size: bool = True,
) -> "pyarrow.Schema":
    """Return the schema of :func:`extract_batch`, which engines such as Dask ask for in advance."""
    pa = _import_pyarrow()
    return _schema(pa, planned(recipe, features, embedding), fixed_size)


def _schema(pa: Any, extractor: "_cantus.NativeExtractor", fixed_size: bool) -> Any:
    shape = json.dumps(list(extractor.shape))
    segment = _segment_type(pa, extractor, fixed_size)
    return pa.schema(
        [
            pa.field("path", pa.string()),
            pa.field("features", pa.list_(segment), metadata={"shape": shape}),
            pa.field("n_segments", pa.int32()),
            pa.field("failure", pa.string()),
        ]
    )


def extract_batch(
    paths: "pyarrow.Array[Any]",
    recipe: str | os.PathLike[str] | None = None,
    features: Mapping[str, Any] | None = None,
    *,
    embedding: Models = None,
    fixed_size: bool = True,
) -> "pyarrow.RecordBatch":
    """Extract the features of recordings: one row for each, in the same order.

    A recording that cannot be used is a row with the reason in ``failure``; it never stops the batch.

    Parameters
    ----------
    paths : pyarrow.Array or pyarrow.ChunkedArray
        Paths (string), or contents of files (binary).
    recipe
        Name or TOML file of the recipe whose features are extracted; by default the lecture course's 13
        MFCCs. Its segments are not fitted to the durations of the recordings, since a batch has only some of
        them.
    features
        Fields that replace those of the recipe's table ``[features]``, such as ``{"segments": {"duration_s":
        1.0}}``.
    embedding
        Embedding models; see :func:`cantus.extract`.
    fixed_size
        Whether a segment is a fixed-size list; False for engines that have none, such as Spark.

    Returns
    -------
    pyarrow.RecordBatch
        ``path`` (null for contents), ``features``: for each segment ``n_frames * n_bins`` float32, row-major
        (``cantus.batch_schema()`` has the shape), ``n_segments``, ``failure``.

    Raises
    ------
    ParameterError
        If there is no such recipe, or a field is out of range.
    TypeError
        If ``paths`` is neither of strings nor of binary values.

    Examples
    --------
    >>> batch = cantus.extract_batch(pyarrow.array(["a.wav", "b.mp3"]), recipe="best")  # doctest: +SKIP
    """
    pa = _import_pyarrow()
    extractor = planned(recipe, features, embedding)
    array = paths.combine_chunks() if isinstance(paths, pa.ChunkedArray) else paths
    if not isinstance(array, pa.Array):
        array = pa.array(array)
    is_content = _is_content(pa, array.type)
    values = array.to_pylist()
    known = [(row, value) for row, value in enumerate(values) if value is not None]
    recordings = [(f"row {row}", value) if is_content else value for row, value in known]
    segments, counts_of_known, failures_of_known = extractor.extract(recordings)
    counts = np.zeros(len(values), dtype=np.int32)
    failures: list[str | None] = ["the value is null"] * len(values)
    for (row, _), count, failure in zip(known, counts_of_known, failures_of_known, strict=True):
        counts[row], failures[row] = count, failure
    n_frames, n_bins = extractor.shape
    rows = pa.FixedSizeListArray.from_arrays(pa.array(segments.reshape(-1)), n_frames * n_bins)
    rows = rows.cast(_segment_type(pa, extractor, fixed_size))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    of_paths = pa.nulls(len(values), pa.string()) if is_content else array.cast(pa.string())
    columns = [
        of_paths,
        pa.ListArray.from_arrays(offsets, rows),
        pa.array(counts),
        pa.array(failures, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(pa, extractor, fixed_size))


def _is_content(pa: Any, kind: Any) -> bool:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return False
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    raise TypeError(f"paths must be a pyarrow array of strings or binary values, found {kind}")
