"""Trains the same models in Cantus, TensorFlow/Keras and PyTorch, in turn, and prints durations as JSON lines.

    python bench/training/run.py [--shapes | --linear] [--python PATH] [--rounds N] [--threads N] [--only MODEL] > results.jsonl

Needs Linux, cargo and Python 3.11; README.md describes the output.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from models import COURSE, LINEAR, SHAPES, flops_per_example

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, python_with, say  # noqa: E402

FRAMEWORKS, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-training"
CONTENDERS = ["keras", "keras_xla", "torch", "torch_fused", "torch_compile"]
# Measures and whether more is better.
MEASURES = {"step": ("ms", False), "single": ("ms", False), "batch256": ("examples/s", True), "memory": ("MB", False)}
STEPS_BY_BATCH = {1: 60, 8: 60, 128: 20, 1000: 6}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", action="store_true", help="other widths, kernels and batch sizes, compared with PyTorch")
    parser.add_argument("--linear", action="store_true", help="whether cost grows linearly with examples and frames")
    parser.add_argument("--python", help="an interpreter that has the frameworks already")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="one model by its name")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="some of them, with commas")
    return parser.parse_args()


def built():
    """Our release build."""
    subprocess.run(["cargo", "build", "--release", "--package", "cantus-nn", "--example", "bench_training"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return str(pathlib.Path(target) / "release" / "examples" / "bench_training")


class Bench:
    def __init__(self, options):
        self.threads, self.rounds = options.threads, options.rounds
        self.python = "" if options.linear else options.python or python_with(FRAMEWORKS, ENVIRONMENT, "TensorFlow and PyTorch")
        self.ours = built()
        self.processors = sorted(os.sched_getaffinity(0))[: self.threads]

    def run(self, contender, architecture=None, batch=32, steps=60, epochs=2, inference=False):
        """One measurement in its own process, on the first processors."""
        task = dict(architecture=architecture, batch=batch, steps=steps, epochs=epochs, threads=self.threads, inference=inference)
        command = [self.ours] if contender == "ours" else [self.python, str(HERE / "theirs.py"), contender]
        done = subprocess.run(
            [*command, json.dumps(task)],
            capture_output=True,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.processors),
        )
        if done.returncode != 0:
            say(f"{contender} failed:\n{done.stderr[-2000:]}")
            return {}
        return json.loads(done.stdout.splitlines()[-1])

    def medians(self, contenders, **task):
        """By contender and measure: the median of interleaved rounds."""
        rounds = {contender: [] for contender in contenders}
        for i in range(self.rounds):
            for contender in contenders:
                say(f"round {i + 1}: {contender}")
                rounds[contender].append(self.run(contender, **task))
        return {
            contender: {
                measure: statistics.median(result[measure] for result in results if measure in result)
                for measure in MEASURES
                if any(measure in result for result in results)
            }
            for contender, results in rounds.items()
        }


def compared(measure, results):
    """The numbers of one line: of all frameworks, the best of theirs, and ours relative to it."""
    unit, more_is_better = MEASURES[measure]
    values = {contender: result[measure] for contender, result in results.items() if measure in result}
    line = {"measure": measure, "unit": unit} | {contender: round(value, 4) for contender, value in values.items()}
    theirs = {contender: value for contender, value in values.items() if contender != "ours"}
    if "ours" in values and theirs:
        best = (max if more_is_better else min)(theirs, key=theirs.get)
        ratio = values["ours"] / theirs[best] if more_is_better else theirs[best] / values["ours"]
        line |= {"best_of_theirs": best, "ratio": round(ratio, 2)}
    return line


def course(bench, models, contenders):
    limits = [bench.run("gemm").get("gflops", 0.0)]
    for name, architecture in models.items():
        say(name)
        # Recurrent networks take so long in the frameworks that one epoch is enough.
        epochs = 1 if any(layer["type"] in ("LSTM", "GRU") for layer in architecture["layers"]) else 2
        results = bench.medians(["ours", *contenders], architecture=architecture, epochs=epochs, inference=True)
        limits.append(bench.run("gemm").get("gflops", 0.0))
        for measure in MEASURES:
            line = {"model": name, "threads": bench.threads} | compared(measure, results)
            if measure == "step" and "step" in results["ours"] and max(limits):
                gflops = 32e-6 * flops_per_example(architecture) / results["ours"]["step"]
                line |= {"ours_gflops": round(gflops, 1), "gemm_gflops": round(max(limits), 1)}
                line |= {"percent_of_flop_limit": round(100 * gflops / max(limits), 1)}
            print(json.dumps(line), flush=True)


def shapes(bench, models):
    for name, architecture in models.items():
        for batch, steps in STEPS_BY_BATCH.items():
            say(f"{name}, batches of {batch}")
            results = bench.medians(["ours", "torch", "torch_fused"], architecture=architecture, batch=batch, steps=steps)
            print(json.dumps({"shape": name, "batch": batch, "threads": bench.threads} | compared("step", results)), flush=True)


def linear(bench, models):
    for name, pair in models.items():
        rounds = [
            [bench.run("ours", architecture, steps=60 * times)["step"] * times for architecture, times in pair]
            for _ in range(bench.rounds)
        ]
        ms, twice = (statistics.median(times) for times in zip(*rounds))
        line = {"doubled": name, "threads": bench.threads, "ms_per_60_steps": round(60 * ms, 2), "ms_doubled": round(60 * twice, 2)}
        print(json.dumps(line | {"growth": round(twice / ms, 3)}), flush=True)


def main():
    chosen = options()
    bench = Bench(chosen)
    models = LINEAR if chosen.linear else SHAPES if chosen.shapes else COURSE
    models = {name: model for name, model in models.items() if chosen.only in (None, name)}
    if chosen.linear:
        linear(bench, models)
    elif chosen.shapes:
        shapes(bench, models)
    else:
        course(bench, models, chosen.contenders.split(","))


if __name__ == "__main__":
    main()
