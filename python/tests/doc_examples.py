"""Writes the Python examples of the documentation as modules, for the type checkers: ``python doc_examples.py FOLDER``."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "python/README.md", "docs/python.md", "docs/python-training.md", "docs/tagging.md"]

#: Names that an example takes from those before it, or from the reader's program.
NAMES = '''# pyright: reportMissingImports=false, reportMissingModuleSource=false
# ruff: noqa
"""An example of {page}."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import cantus
from cantus.sklearn import AudioClassifier, AudioFeatures

_given: Any = None
store: cantus.Store = _given
run: cantus.Run = _given
network: cantus.nn.Network = _given
X: NDArray[np.float32] = _given
y: NDArray[Any] = _given
X_val: NDArray[np.float32] = _given
y_val: NDArray[np.int64] = _given
y_as_numbers: NDArray[np.int64] = _given
paths: list[str] = _given
labels: list[str] = _given
artists: list[str] = _given
options: dict[str, Any] = _given
make_pipeline: Any = _given
GridSearchCV: Any = _given
StandardScaler: Any = _given
SVC: Any = _given
torch: Any = _given
dask: Any = _given
daft: Any = _given
pa: Any = _given
pandas: Any = _given
ray: Any = _given
spark: Any = _given

'''


def examples(text: str) -> list[str]:
    """Return the Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def module(page: str, example: str) -> str:
    """Return a module with an example, and the names that it does not import itself."""
    imported = set(re.findall(r"^import (?:\w+ as )?(\w+)$", example, flags=re.MULTILINE))
    lines = NAMES.replace("{page}", page).splitlines(keepends=True)
    return "".join(line for line in lines if line.split(":")[0] not in imported) + example


def main(folder: Path) -> None:
    """Write a module for each example."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for page in PAGES:
        for number, example in enumerate(examples((ROOT / page).read_text(encoding="utf-8"))):
            name = re.sub(r"\W", "_", page.removesuffix(".md"))
            (folder / f"{name}_{number}.py").write_text(module(page, example), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
