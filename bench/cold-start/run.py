"""Measures one prediction, from the start of the process to its end, in Cantus and in Python, and prints durations as JSON lines.

    python bench/cold-start/run.py [--mp3 FILE] [--rounds N] [--cantus PATH] [--python PATH] > results.jsonl

Needs Linux, cargo and Python 3.11; README.md describes the output.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, built_binary, python_with, say  # noqa: E402

LIBRARIES, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-cold-start"
# One thread, whatever library would start more.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON", "TF_INTRAOP", "TF_INTEROP")}
# Targets of the project, in ms.
TARGETS = {"wav": 60, "mp3": 120}
# Probabilities differ by the rounding of features and network.
TOLERANCE = 1e-3


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mp3", type=pathlib.Path, help="an MP3 of 30 s instead of the composed one")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of Python; ours is measured four times as often")
    parser.add_argument("--cantus", help="an existing binary")
    parser.add_argument("--python", help="an interpreter that has the libraries already")
    return parser.parse_args()


class Bench:
    def __init__(self, options, folder):
        self.rounds, self.folder = options.rounds, folder
        self.python = options.python or python_with(LIBRARIES, ENVIRONMENT, "librosa and Keras")
        self.cantus = options.cantus or built_binary()
        self.processor = {min(os.sched_getaffinity(0))}

    def call(self, *command):
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def songs(self, mp3):
        """A song of 30 s as WAV (22 050 Hz, mono) and as MP3 (44.1 kHz, stereo)."""
        self.call(self.cantus, "compose", self.folder / "44100", "--tracks", 1, "--sr", 44100)
        if mp3 is None:
            mp3 = self.folder / "song.mp3"
            self.call(self.python, HERE.parent / "encode.py", self.folder / "44100" / "jazz" / "jazz.00000.wav", mp3)
        return {"wav": self.folder / "music" / "jazz" / "jazz.00000.wav", "mp3": mp3}

    def model(self):
        """The lecture's perceptron, trained on composed music; for Keras in its own format."""
        self.call(self.cantus, "compose", self.folder / "music", "--tracks", 5)
        self.call(self.cantus, "train", self.folder / "music", "-m", "mlp", "-o", self.folder / "run", "--epochs", 10)
        self.call(self.python, HERE / "theirs.py", "convert", self.folder / "run" / "model.safetensors", self.folder / "keras")
        return {
            "ours": [self.cantus, "predict", "--json", self.folder / "run" / "model.safetensors"],
            "keras": [self.python, HERE / "theirs.py", "predict", self.folder / "keras"],
        }

    def predict(self, command, song):
        """Runs one process on one processor: its duration in ms and its prediction."""
        command = [*map(str, command), str(song)]
        pin = lambda: os.sched_setaffinity(0, self.processor)
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ONE_THREAD, preexec_fn=pin)
        ms = 1e3 * (time.perf_counter() - start)
        if done.returncode != 0:
            raise SystemExit(f"{command[0]}: {done.stderr[-500:].strip()}")
        document = json.loads(done.stdout)
        return ms, document.get("tracks", [document])[0]

    def compare(self, kind, commands, song):
        # The first process of each fills the file cache.
        predictions = {name: self.predict(command, song)[1] for name, command in commands.items()}
        times = {name: [] for name in commands}
        for number in range(self.rounds):
            say(f"{kind}, round {number + 1}")
            for name, command in commands.items():
                for _ in range(4 if name == "ours" else 1):
                    times[name].append(self.predict(command, song)[0])
        ms = {name: statistics.median(values) for name, values in times.items()}
        ours, theirs = (predictions[name]["probabilities"] for name in ("ours", "keras"))
        difference = max(abs(ours[label] - theirs[label]) for label in theirs)
        same = predictions["ours"]["label"] == predictions["keras"]["label"] and difference <= TOLERANCE
        line = {"task": f"predict_{kind}", "unit": "ms"} | {name: round(value, 1) for name, value in ms.items()}
        line |= {"ours_slowest": round(max(times["ours"]), 1), "ratio": round(ms["keras"] / ms["ours"], 1)}
        line |= {"target": TARGETS[kind], "within_target": ms["ours"] < TARGETS[kind]}
        line |= {"same_answer": same, "largest_difference": float(f"{difference:.1e}")}
        print(json.dumps(line), flush=True)
        return same


def main():
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="bench-cold-start-") as folder:
        bench = Bench(chosen, pathlib.Path(folder))
        commands = bench.model()
        songs = bench.songs(chosen.mp3)
        same = [bench.compare(kind, commands, song) for kind, song in songs.items()]
    if not all(same):
        raise SystemExit("the predictions differ")


if __name__ == "__main__":
    main()
