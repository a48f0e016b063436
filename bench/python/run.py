"""Measures the Python package beside librosa and soundfile, in turn, and prints durations as JSON lines.

    python bench/python/run.py [--only ROW] [--rounds N] [--python PATH] > results.jsonl

Needs cargo and Python 3.11; README.md describes the output.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from calls import LOADS, ROWS  # noqa: E402
from environment import ROOT, python_with, say  # noqa: E402

LIBRARIES, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-python"
# One thread, whatever library would start more.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")}
# Half a minute of stereo at 44.1 kHz, as files and as samples at 22,050 Hz, written by soundfile.
RECORDINGS = f"""
import sys, pathlib, numpy, soundfile
folder = pathlib.Path(sys.argv[1])
rng, t = numpy.random.default_rng(0), numpy.arange(30 * 44100) / 44100
chords = sum(numpy.sin(2 * numpy.pi * f * t) for f in (220, 277.2, 329.6)) * (0.2 + 0.1 * numpy.sin(2 * numpy.pi * t))
noise = 0.3 * rng.standard_normal(t.size) * numpy.exp(-(t % 0.5) * 30)
y = numpy.stack([chords + noise, chords - noise], axis=1) * 0.5
for name in {list(LOADS.values())}:
    soundfile.write(str(folder / name), y, 44100)
numpy.save(folder / "music.npy", y[::2].mean(axis=1).astype(numpy.float32))
"""


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=ROWS, help="one row alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--python", help="an interpreter that has cantus, from a release wheel, and the libraries already"
    )
    return parser.parse_args()


def python_with_wheel():
    """An interpreter with the libraries and a wheel of this source, built in the release profile."""
    python = python_with(LIBRARIES, ENVIRONMENT, "librosa, soundfile and the wheel")
    wheels = ENVIRONMENT / "wheels"
    maturin = [python, "-m", "maturin", "build", "--release", "--locked", "--out", str(wheels)]
    subprocess.run(maturin, cwd=ROOT, check=True, stdout=sys.stderr)
    newest = max(wheels.glob("*.whl"), key=os.path.getmtime)
    install = [python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(newest)]
    subprocess.run(install, check=True, stdout=sys.stderr)
    return python


def libraries_of(row):
    return ["cantus", "librosa", "soundfile"] if row in LOADS else ["cantus", "librosa"]


def measure(python, row, rounds, folder):
    """Median of interleaved rounds, each in a new process."""
    durations = {library: [] for library in libraries_of(row)}
    for _ in range(rounds):
        for library, found in durations.items():
            command = [python, str(HERE / "calls.py"), library, row, folder]
            output = subprocess.run(
                command, env={**os.environ, **ONE_THREAD}, check=True, capture_output=True, text=True
            )
            found.append(json.loads(output.stdout))
    return {library: statistics.median(found) for library, found in durations.items()}


def main():
    chosen = options()
    python = chosen.python or python_with_wheel()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-c", RECORDINGS, folder], check=True)
        for row in [chosen.only] if chosen.only else ROWS:
            say(row)
            seconds = measure(python, row, chosen.rounds, folder)
            line = {"row": row, **{f"{library}_ms": round(1000 * s, 3) for library, s in seconds.items()}}
            line["ratio_to_librosa"] = round(seconds["librosa"] / seconds["cantus"], 2)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
