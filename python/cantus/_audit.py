"""The audit of a folder of recordings: `cantus.audit`."""

import json
import os
from typing import Any

from cantus import _cantus


def audit(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Audit recordings: damage, silence, clipping, channels, duplicates, classes.

    Parameters
    ----------
    path : str or path
        A folder of recordings, whose subfolders are the labels, or a manifest, a CSV file.

    Returns
    -------
    dict
        As the JSON of ``cantus inspect --json``: ``tracks`` with codec, rate, duration, level and tags; ``failed`` files;
        ``findings``, the issues of files; ``duplicates``; ``remarks`` on the classes.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    cantus.Error
        If it has no recordings, or the manifest is malformed.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a string or a path, found {type(path).__name__}")
    os.stat(path)  # raises FileNotFoundError
    document: dict[str, Any] = json.loads(_cantus.audit(os.fspath(path)))
    return document
