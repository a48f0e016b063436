"""Compares embeddings of Cantus with those of librosa and onnxruntime, in speed and in value, and prints JSON lines.

    python bench/transfer/run.py MODEL.onnx RECORDING... [--compare DATA] [--threads 1,2] [--rounds 5] > results.jsonl

MODEL.onnx has its description beside it; bench/transfer/musicnn.py makes two. RECORDING: files of at least 30 s, each in a format
that both read, such as WAV or FLAC. With --compare, every value of a feature store of DATA, a folder of label folders, is
compared; without RECORDING, nothing is timed. With CANTUS_ONNXRUNTIME, the path of libonnxruntime, Cantus runs the model with it
instead of tract. Exits with 1 if a value differs by more than 1e-4. Needs Linux, cargo and Python
3.11; README.md describes the output.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, python_with, say  # noqa: E402

LIBRARIES, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-transfer" / "venv"
# Duration that is extracted of each recording where it is timed, in seconds.
SECONDS = 30
TOLERANCE = 1e-4


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("recordings", type=pathlib.Path, nargs="*")
    parser.add_argument("--compare", type=pathlib.Path, metavar="DATA", help="folder whose embeddings are compared")
    parser.add_argument("--segment", type=float, default=9, help="duration of the segments that are compared, in seconds")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cantus", help="an existing binary")
    parser.add_argument("--run-speed", help="an existing binary of the example run_speed of cantus-embedding")
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    return parser.parse_args()


def built(*command):
    """A release build, with onnxruntime if its library is given; the folder of its binaries."""
    features = ["--features", "onnxruntime"] if "CANTUS_ONNXRUNTIME" in os.environ else []
    subprocess.run(["cargo", "build", "--release", *command, *features], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


class Bench:
    def __init__(self, options, folder):
        self.model, self.rounds, self.folder = options.model, options.rounds, folder
        self.python = options.python or python_with(LIBRARIES, ENVIRONMENT, "librosa and onnxruntime")
        self.cantus = options.cantus or built("--package", "cantus-cli", "--bin", "cantus") / "cantus"

    def call(self, *command, n_threads=1):
        """The output of a process on as many processors as it has threads, and its duration in seconds."""
        command = list(map(str, command))
        processors = sorted(os.sched_getaffinity(0))[:n_threads]
        names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
        env = os.environ | {f"{name}_NUM_THREADS": str(n_threads) for name in names}
        start = time.perf_counter()
        pin = lambda: os.sched_setaffinity(0, processors)
        done = subprocess.run(command, capture_output=True, text=True, env=env, preexec_fn=pin)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise SystemExit(f"{command[0]}: {done.stderr[-500:].strip()}")
        return done.stdout, seconds

    def linked(self, recordings):
        """A folder of two labels, which an extraction needs, with links to the recordings in turn; at least two of them."""
        data = self.folder / "data"
        for number, recording in enumerate(recordings):
            label = data / ("a", "b")[number % 2]
            label.mkdir(parents=True, exist_ok=True)
            (label / f"{number:04}{recording.suffix}").symlink_to(recording.resolve())
        return data

    def extract(self, data, store, *segments, n_threads=1):
        """Extracts a folder into a store; the duration in seconds."""
        options = ["--embedding", self.model, "--audit", "off", "--quiet", "-j", n_threads, "--segment", *segments]
        return self.call(self.cantus, "extract", data, "-o", store, *options, n_threads=n_threads)[1]

    def theirs(self, *arguments, n_threads=1):
        return json.loads(self.call(self.python, HERE / "theirs.py", *arguments, n_threads=n_threads)[0])

    def measure(self, recordings, data, run_speed, n_threads):
        """Prints durations of the graph, which Cantus runs on one thread, and of extractions."""
        ours, theirs = [], []
        # Round 0 fills the file cache.
        for number in range(self.rounds + 1):
            say(f"{self.model.stem}, threads: {n_threads}, round {number} of {self.rounds}")
            found = self.theirs("time", self.model, n_threads, SECONDS, *recordings, n_threads=n_threads)
            store = self.folder / f"store-{n_threads}-{number}"
            extraction = self.extract(data, store, SECONDS, "--n-segments", 1, n_threads=n_threads)
            theirs.append(found)
            ours.append({"extraction": extraction})
            if n_threads == 1:
                ours[-1]["run"] = self.graph(run_speed)
                if "patches" in found:
                    ours[-1]["patches"] = self.graph(run_speed, found["n_patches"])
        n_patches = {"run": found["per_run"], "patches": found["n_patches"]}
        n_patches["extraction"] = found["n_patches"] * len(recordings)
        for task in ours[0]:
            seconds = ([times[task] for times in measured[1:]] for measured in (ours, theirs))
            self.print_line(task, n_threads, n_patches[task], *seconds)

    def graph(self, run_speed, *per_run):
        """Seconds of a run of the graph in tract, with as many patches as the description says or `per_run`."""
        output, _ = self.call(run_speed, self.model, *per_run)
        return float(re.search(r"run ([\d.]+) ms", output)[1]) / 1e3

    def print_line(self, task, n_threads, n_patches, ours, theirs):
        ms = [1e3 * statistics.median(seconds) for seconds in (ours, theirs)]
        line = {"model": self.model.stem, "task": task, "threads": n_threads, "n_patches": n_patches, "unit": "ms"}
        line |= {"ours": round(ms[0], 1), "theirs": round(ms[1], 1), "ratio": round(ms[0] / ms[1], 2)}
        line |= {"ours_all": [round(1e3 * s, 1) for s in ours], "theirs_all": [round(1e3 * s, 1) for s in theirs]}
        print(json.dumps(line), flush=True)

    def compare(self, data, segment):
        """Prints the largest difference of the values of a store; whether it is within the tolerance."""
        store = self.folder / "store"
        say(f"{self.model.stem}: embeddings of {data}")
        self.extract(data, store, segment)
        line = self.theirs("compare", self.model, store, data)
        differences = {name: float(f"{value:.1e}") for name, value in line["largest_difference"].items()}
        print(json.dumps({"model": self.model.stem, "task": "equality"} | line | {"largest_difference": differences}), flush=True)
        return max(line["largest_difference"].values()) <= TOLERANCE


def main():
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="bench-transfer-") as folder:
        bench = Bench(chosen, pathlib.Path(folder))
        if chosen.recordings:
            example = chosen.run_speed or built("--package", "cantus-embedding", "--example", "run_speed") / "examples" / "run_speed"
            data = bench.linked(chosen.recordings)
            for n_threads in map(int, chosen.threads.split(",")):
                bench.measure(chosen.recordings, data, example, n_threads)
        if chosen.compare and not bench.compare(chosen.compare, chosen.segment):
            raise SystemExit("the values differ")


if __name__ == "__main__":
    main()
