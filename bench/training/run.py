"""Trains the same models in Cantus, TensorFlow/Keras and PyTorch, in turn, and prints durations as JSON lines.

    python bench/training/run.py [--shapes | --linear] [--python PATH] [--rounds N] [--threads 1,2] [--isa avx2] [--only MODEL] > results.jsonl

Needs Linux, cargo and Python 3.11; README.md describes the output.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys

from cores import expected_steps
from costs import flops_per_example
from models import COURSE, LINEAR, SHAPES
from roofline import Machine

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ISA, ROOT, environment_of, python_with, release, say  # noqa: E402

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
    parser.add_argument("--threads", default="2", help="numbers of threads, with commas; each is measured")
    parser.add_argument("--isa", choices=ISA, help="instruction set of ours and theirs; without it the best of the processor")
    parser.add_argument("--only", help="one model by its name")
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="some of them, with commas; none if empty")
    return parser.parse_args()


def built(*examples):
    """Release builds of our examples; their folder."""
    named = [argument for example in examples for argument in ("--example", example)]
    subprocess.run(["cargo", "build", "--release", "--package", "cantus-nn", *named], cwd=ROOT, check=True, stdout=sys.stderr)
    return release() / "examples"


class Bench:
    def __init__(self, options):
        self.rounds, self.threads = options.rounds, [int(number) for number in options.threads.split(",")]
        self.environment = environment_of(options.isa)
        needs_theirs = not options.linear and options.contenders
        self.python = needs_theirs and (options.python or python_with(FRAMEWORKS, ENVIRONMENT, "TensorFlow and PyTorch"))
        examples = built("bench_training", "roofline")
        self.ours = str(examples / "bench_training")
        self.machine = Machine(str(examples / "roofline"), self.environment)

    def run(self, contender, threads, architecture=None, batch=32, steps=60, epochs=2, inference=False):
        """One measurement in its own process, on the first processors."""
        task = dict(architecture=architecture, batch=batch, steps=steps, epochs=epochs, threads=threads, inference=inference)
        command = [self.ours] if contender == "ours" else [self.python, str(HERE / "theirs.py"), contender]
        processors = sorted(os.sched_getaffinity(0))[:threads]
        done = subprocess.run(
            [*command, json.dumps(task)],
            capture_output=True,
            text=True,
            env=self.environment,
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        if done.returncode != 0:
            say(f"{contender} failed:\n{done.stderr[-2000:]}")
            return {}
        return json.loads(done.stdout.splitlines()[-1])

    def medians(self, contenders, threads, **task):
        """By contender and measure: the median of interleaved rounds."""
        rounds = {contender: [] for contender in contenders}
        for i in range(self.rounds):
            for contender in contenders:
                say(f"round {i + 1}: {contender}")
                rounds[contender].append(self.run(contender, threads, **task))
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
    failed = [contender for contender, result in results.items() if not result]
    return line | ({"failed": failed} if failed else {})


def significant(value, digits=4):
    return float(f"{value:.{digits}g}")


def with_roofline(line, bench, architecture, threads):
    """The line with the machine's limit, and our time over it."""
    limit = bench.machine.limit(line["measure"], architecture, threads)
    if limit is None or "ours" not in line:
        return line
    over = limit["roofline"] / line["ours"] if line["unit"] == "examples/s" else line["ours"] / limit["roofline"]
    limit = {key: value if isinstance(value, str) else significant(value) for key, value in limit.items()}
    return line | limit | {"times_roofline": round(over, 2)}


def course(bench, models, contenders):
    highest = max(bench.threads)
    gemm = [bench.run("gemm", highest).get("gflops", 0.0)] if contenders else []
    for name, architecture in models.items():
        say(name)
        # Recurrent networks take so long in the frameworks that one epoch is enough.
        epochs = 1 if any(layer["type"] in ("LSTM", "GRU") for layer in architecture["layers"]) else 2
        steps = {}
        for threads in bench.threads:
            bench.machine.measure(threads)
            results = bench.medians(["ours", *contenders], threads, architecture=architecture, epochs=epochs, inference=True)
            bench.machine.measure(threads)
            for measure in MEASURES:
                line = with_roofline({"model": name, "threads": threads} | compared(measure, results), bench, architecture, threads)
                if measure == "step" and "ours" in line:
                    steps[threads] = line["ours"]
                    line["ours_gflops"] = round(32e-6 * flops_per_example(architecture) / line["ours"], 1)
                print(json.dumps(line), flush=True)
        if 1 in steps and 2 in steps:
            print(json.dumps({"model": name, "measure": "cores"} | expected_steps(name, architecture, steps)), flush=True)
        if contenders:
            gemm.append(bench.run("gemm", highest).get("gflops", 0.0))
    # Their library's product of two 2048 × 2048 matrices: a limit in practice, beside that in registers.
    library = {"gemm_threads": highest, "gemm_gflops": round(max(gemm), 1)} if any(gemm) else {}
    print(json.dumps({"machine": bench.machine.document()} | library), flush=True)


def shapes(bench, models):
    for name, architecture in models.items():
        for (batch, steps), threads in itertools.product(STEPS_BY_BATCH.items(), bench.threads):
            say(f"{name}, batches of {batch}")
            results = bench.medians(["ours", "torch", "torch_fused"], threads, architecture=architecture, batch=batch, steps=steps)
            print(json.dumps({"shape": name, "batch": batch, "threads": threads} | compared("step", results)), flush=True)


def linear(bench, models):
    for (name, pair), threads in itertools.product(models.items(), bench.threads):
        rounds = [
            [bench.run("ours", threads, architecture, steps=60 * times)["step"] * times for architecture, times in pair]
            for _ in range(bench.rounds)
        ]
        ms, twice = (statistics.median(times) for times in zip(*rounds))
        line = {"doubled": name, "threads": threads, "ms_per_60_steps": round(60 * ms, 2), "ms_doubled": round(60 * twice, 2)}
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
        course(bench, models, [name for name in chosen.contenders.split(",") if name])


if __name__ == "__main__":
    main()
