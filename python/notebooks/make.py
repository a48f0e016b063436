"""Execute the scripts of this folder and write the notebooks with their outputs.

``python make.py`` makes all, ``python make.py NAME ...`` some of them.

Needs jupytext, nbclient, ipykernel and matplotlib beside the package.
"""

import sys
from pathlib import Path

import jupytext
import nbclient
import nbformat

HERE = Path(__file__).parent


def make(script: Path) -> None:
    """Write the notebook of a script."""
    notebook = jupytext.read(script)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    resources = {"metadata": {"path": str(HERE)}}
    nbclient.NotebookClient(notebook, timeout=1800, resources=resources, record_timing=False).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, script.with_suffix(".ipynb"))
    print(script.with_suffix(".ipynb").name)


if __name__ == "__main__":
    for path in sorted(HERE.glob("lecture_*.py")):
        if len(sys.argv) == 1 or path.stem in sys.argv[1:]:
            make(path)
