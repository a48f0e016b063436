"""Arguments of segments and background, which training, extraction and estimators have under the same names."""

import os
from typing import Any, Literal

from cantus._arguments import choice, integer, number

#: How recordings that are shorter than a segment are padded.
Pad = Literal["zero", "repeat", "none"]

_PADS = {pad: pad for pad in ("zero", "repeat", "none")}


def segment_arguments(
    segment: float | None, hop: float | None, pad: Pad | None, n_segments: int | None
) -> dict[str, Any]:
    """Check the types of the arguments of segments; return them for the extension module, which checks their ranges."""
    return {
        "segment": None if segment is None else number("segment", segment),
        "hop": None if hop is None else number("hop", hop),
        "pad": None if pad is None else choice("pad", pad, _PADS),
        "n_segments": None if n_segments is None else integer("n_segments", n_segments, most=1_000_000),
    }


def folder_argument(folder: str | os.PathLike[str] | None) -> str | None:
    """Return a folder as text."""
    return None if folder is None else os.fspath(folder)
