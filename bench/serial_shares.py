"""Counts which share of a training step's instructions the engine does not divide among threads, for bench/training/cores.py.

    python bench/serial_shares.py > bench/training/serial_shares.json
    python bench/serial_shares.py --waiting         # share of processor time in which threads wait, by perf, on 1 and 2 threads

Callgrind counts processes of one and of two steps on one thread; their difference is one step. The share is that of the training loop
(`Fit::run`) outside the tasks of its thread pool (`Fit::work`); every call of the pool (`ThreadPool::run`) is a phase. Needs cargo and valgrind. With --waiting, perf samples whole trainings
instead; its shares need a machine at rest.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from counts import COURSE, ROOT, built, kernels
from environment import release

WAITS = r"^ *([\d.]+)% .*cantus_nn::thread_pool::(?:JobSlot<\w+>::serve|ThreadPool<\w+>::run)"
LOOP, TASKS, POOL = r"cantus_nn::train::fit::Fit::run \[", r"cantus_nn::train::fit::Fit::work \[", r"cantus_nn::thread_pool::ThreadPool<\w+>::run"


def profile(command, folder):
    """Instructions of the loop and of the tasks, callees included, and calls of the pool."""
    path = folder / "profile"
    environment = os.environ | {"CANTUS_ISA": "avx2"}
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}", *command]
    subprocess.run(valgrind, check=True, capture_output=True, env=environment)
    annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(path)]
    text = subprocess.run(annotate, check=True, capture_output=True, text=True).stdout

    def instructions(pattern):
        found = re.search(r"^ *([\d,]+) .*:" + pattern, text, re.MULTILINE)
        if found is None:
            raise SystemExit(f"{pattern}: not in the profile; was it inlined or renamed?")
        return int(found[1].replace(",", ""))

    return instructions(LOOP), instructions(TASKS), calls(path.read_text())


def calls(text):
    """Calls of the pool in a profile, whose names are written out at their first use only."""
    names, called, n = {}, "", 0
    for line in text.splitlines():
        if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            names.setdefault(found[1], found[2])
            called = names[found[1]] if line[0] == "c" else called
        elif found := re.match(r"calls=(\d+)", line):
            n += int(found[1]) if re.search(POOL, called or "") else 0
    return n


def waiting(program, architecture, n_threads, folder):
    """Share of the samples of a training in the loops in which threads of the pool wait: for a job, and for the end of one."""
    task = dict(architecture=architecture, batch=32, steps=60, epochs=5, threads=n_threads, inference=False)
    path = folder / "samples"
    record = ["perf", "record", "--quiet", "--event", "cpu-clock:u", "--output", path, program, json.dumps(task)]
    subprocess.run(record, check=True, capture_output=True)
    report = ["perf", "report", "--input", path, "--stdio", "--quiet", "--percent-limit", "0"]
    text = subprocess.run(report, check=True, capture_output=True, text=True).stdout
    return sum(float(share) for share in re.findall(WAITS, text, re.MULTILINE)) / 100


def print_waiting():
    subprocess.run(["cargo", "build", "--release", "--package", "cantus-nn", "--example", "bench_training"], cwd=ROOT, check=True)
    program = release() / "examples" / "bench_training"
    with tempfile.TemporaryDirectory() as folder:
        for name, architecture in COURSE.items():
            shares = {str(n): round(waiting(program, architecture, n, pathlib.Path(folder)), 4) for n in (1, 2)}
            print(json.dumps({"model": name, "waiting": shares}), flush=True)


def main():
    if sys.argv[1:] == ["--waiting"]:
        print_waiting()
        return
    if sys.argv[1:]:
        raise SystemExit(__doc__)
    examples, shares = built(ROOT, release().parent), {}
    with tempfile.TemporaryDirectory() as folder:
        for name in COURSE:
            example, arguments = kernels()[f"step, {name}"]
            once, twice = (profile([str(examples / example), *arguments(n)], pathlib.Path(folder)) for n in (1, 2))
            loop, tasks, phases = (b - a for a, b in zip(once, twice))
            shares[name] = {"serial_share": round(1 - tasks / loop, 5), "phases": phases, "instructions": loop}
    print(json.dumps(shares, indent=1))


if __name__ == "__main__":
    main()
