"""The scripts of the notebooks in short form, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("lecture_*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_script_of_a_notebook_runs(script, tmp_path):
    pytest.importorskip("matplotlib")
    environment = {**os.environ, "CANTUS_NOTEBOOKS": "short", "MPLBACKEND": "Agg", "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert ended.returncode == 0, ended.stderr[-2000:]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_notebook_has_the_cells_of_its_script_and_their_outputs(script):
    jupytext = pytest.importorskip("jupytext")
    notebook = jupytext.read(script.with_suffix(".ipynb"))
    expected = jupytext.read(script)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in expected.cells]
    assert any(cell.get("outputs") for cell in notebook.cells)
