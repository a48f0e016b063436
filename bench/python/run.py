"""Measures the Python package beside librosa, soundfile, torchaudio and essentia, in turn, and prints durations as JSON lines.

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

from calls import BATCHES, LOADS, ROWS, libraries_of  # noqa: E402
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
    python = python_with(LIBRARIES, ENVIRONMENT, "librosa, soundfile, torchaudio, essentia and the wheel")
    wheels = ENVIRONMENT / "wheels"
    maturin = [python, "-m", "maturin", "build", "--release", "--locked", "--out", str(wheels)]
    subprocess.run(maturin, cwd=ROOT, check=True, stdout=sys.stderr)
    newest = max(wheels.glob("*.whl"), key=os.path.getmtime)
    install = [python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(newest)]
    subprocess.run(install, check=True, stdout=sys.stderr)
    return python


def seconds_of(python, library, row, folder):
    """The median of one process; `None` if the library does not run, with the reason on standard error."""
    command = [python, str(HERE / "calls.py"), library, row, folder]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    if done.returncode != 0:
        say(f"{library}, {row}: {done.stderr[-800:].strip()}")
        if library == "cantus":
            raise SystemExit(1)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measure(python, rows, rounds, folder):
    """By row and library, the median of interleaved rounds, each in a new process; `None` for a library that does not run."""
    durations = {(row, library): [] for row in rows for library in libraries_of(row)}
    for number in range(rounds):
        for (row, library), found in durations.items():
            if number == 0 or found != [None]:
                found.append(seconds_of(python, library, row, folder))
    medians = {key: None if None in found else statistics.median(found) for key, found in durations.items()}
    return {row: {library: medians[row, library] for library in libraries_of(row)} for row in rows}


def report(row, seconds):
    """A line with the durations of a row, and how many times as fast as each of the others ours is."""
    line = {"row": row}
    if failed := [library for library, s in seconds.items() if s is None]:
        line["failed"] = failed
    ran = {library: s for library, s in seconds.items() if s is not None}
    line |= {f"{library}_ms": round(1000 * s, 3) for library, s in ran.items()}
    line |= {
        f"ratio_to_{library}": round(s / ran["cantus"], 2)
        for library, s in ran.items()
        if library != "cantus"
    }
    print(json.dumps(line), flush=True)


def report_threads(seconds):
    """A line with how many times as fast two threads are as one, in each library."""
    one, two = (seconds[row] for row in BATCHES)
    ran = [library for library in one if one[library] is not None and two[library] is not None]
    line = {"row": "two_threads_to_one"} | {library: round(one[library] / two[library], 2) for library in ran}
    print(json.dumps(line), flush=True)


def main():
    chosen = options()
    python = chosen.python or python_with_wheel()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-c", RECORDINGS, folder], check=True)
        for rows in together([chosen.only] if chosen.only else ROWS):
            say(", ".join(rows))
            seconds = measure(python, rows, chosen.rounds, folder)
            for row in rows:
                report(row, seconds[row])
            if set(BATCHES) <= set(rows):
                report_threads(seconds)


def together(rows):
    """Rows that are measured in turn: each alone, but the batches, whose ratio is reported."""
    batches = list(BATCHES)
    return [[row] for row in rows if row not in batches] + ([batches] if set(rows) & set(batches) else [])


if __name__ == "__main__":
    main()
