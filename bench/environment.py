"""Sets up a virtual environment with pinned packages for a benchmark."""

import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent


def say(text):
    print(text, file=sys.stderr, flush=True)


def python_with(requirements, folder, what):
    """The interpreter of the virtual environment in `folder`, with the packages of `requirements`; created by the first call."""
    python = folder / "bin" / "python"
    wanted = requirements.read_text()
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        say(f"installing {what} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        installed.write_text(wanted)
    return str(python)
