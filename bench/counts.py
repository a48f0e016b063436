"""Counts the instructions of kernels with callgrind, and compares counts: speed that does not depend on what else the machine does.

    python bench/counts.py > counts.json                    # counts of this source
    python bench/counts.py --check                          # compares with bench/counts/counts.json; exits with 1 if one differs
    python bench/counts.py --compare OLD NEW                # each a JSON file or a git revision, which is built first

A kernel's count is the difference of a process with two runs and one with one run, so that neither the start of the process nor what
happens in the first run only is counted. One thread, the AVX2 path: callgrind 3.19 has no AVX-512. Needs cargo and valgrind;
bench/counts/README.md describes kernels and output.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from environment import ROOT, release, say

HERE = ROOT / "bench" / "counts"
sys.path.insert(0, str(ROOT / "bench" / "training"))

from models import COURSE  # noqa: E402

COUNTS = HERE / "counts.json"
# Of a count: a change of the compiler or of a dependency moves counts by a few hundredths.
TOLERANCE = 0.05
EXAMPLES = {"cantus-nn": "training_counts", "cantus-audio": "audio_counts"}
FEATURES = ["stft", "log_mel", "mfcc", "cqt", "chroma_stft", "spectral_contrast"]
WORK = ROOT / "target" / "bench-counts"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed counts")
    parser.add_argument("--compare", nargs=2, metavar=("OLD", "NEW"), help="JSON files or git revisions")
    parser.add_argument("--only", help="kernels whose name contains this")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    return parser.parse_args()


def training(**task):
    return lambda n_runs: json.dumps({"batch": 32, "n_steps": 0, "n_predictions": 0} | {
        key: value * n_runs if key.startswith("n_") else value for key, value in task.items()
    })  # fmt: skip


def kernels():
    """By name: the example, and its arguments for a number of runs."""
    found = {}
    for name, architecture in COURSE.items():
        found[f"step, {name}"] = ("training_counts", lambda n, a=architecture: [training(architecture=a, n_steps=1)(n)])
        found[f"one example, {name}"] = ("training_counts", lambda n, a=architecture: [training(architecture=a, n_predictions=1)(n)])
    for kind in FEATURES:
        found[kind] = ("audio_counts", lambda n, kind=kind: [kind, str(n)])
    found["resample"] = ("audio_counts", lambda n: ["resample", str(n)])
    for path in (HERE / "music.mp3", HERE / "music.flac"):
        found[f"decode {path.suffix[1:].upper()}"] = ("audio_counts", lambda n, path=path: ["decode", str(n), str(path)])
    return found


def built(source, target):
    """Release builds of the examples of a source tree; their folder."""
    arguments = [argument for package, example in EXAMPLES.items() for argument in ("--package", package, "--example", example)]
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    subprocess.run(["cargo", "build", "--release", *arguments], cwd=source, check=True, stdout=sys.stderr, env=environment)
    return target / "release" / "examples"


def instructions(command):
    """Instructions of a process in callgrind."""
    environment = os.environ | {"CANTUS_ISA": "avx2"}
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(f"{' '.join(command[3:5])}: {done.stderr[-800:]}")
    return int(found[1])


def counted(examples, only, n_jobs):
    """The document of all counts."""
    chosen = {name: kernel for name, kernel in kernels().items() if only is None or only in name}

    def count(name):
        example, arguments = chosen[name]
        once, twice = (instructions([str(examples / example), *arguments(n)]) for n in (1, 2))
        say(f"{name}: {twice - once:,}")
        return twice - once

    with concurrent.futures.ThreadPoolExecutor(n_jobs) as pool:
        counts = dict(zip(chosen, pool.map(count, chosen)))
    rustc = subprocess.run(["rustc", "--version"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()[1]
    valgrind = subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return {"isa": "avx2", "rustc": rustc, "valgrind": valgrind, "instructions": counts}


def chosen_of(document, only):
    return {name: n for name, n in document["instructions"].items() if only is None or only in name}


def counts_of(what, only, n_jobs):
    """Counts of a JSON file or of a git revision."""
    if pathlib.Path(what).is_file():
        document = json.loads(pathlib.Path(what).read_text())
        return document | {"instructions": chosen_of(document, only)}
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        source = pathlib.Path(folder) / "source"
        subprocess.run(["git", "worktree", "add", "--detach", source, what], cwd=ROOT, check=True, stdout=sys.stderr)
        try:
            # Earlier revisions may lack the examples; both sides are counted by the same ones.
            for package, example in EXAMPLES.items():
                path = pathlib.Path("crates") / package / "examples" / f"{example}.rs"
                shutil.copy(ROOT / path, source / path)
            return counted(built(source, WORK / "target"), only, n_jobs)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", source], cwd=ROOT, check=True)


def compared(old, new):
    """Prints a line for each kernel; those that differ by more than the tolerance, and those that only one side has."""
    changed = []
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in old or name not in new:
            changed.append(name)
            print(f"{name:32} only in {'new' if name in new else 'old'}")
            continue
        ratio = new[name] / old[name]
        mark = "" if abs(ratio - 1) <= TOLERANCE else "  more" if ratio > 1 else "  fewer"
        if mark:
            changed.append(name)
        print(f"{name:32} {old[name]:>15,} {new[name]:>15,} {ratio:8.3f}{mark}")
    return changed


def main():
    chosen = options()
    if chosen.compare:
        old, new = (counts_of(what, chosen.only, chosen.jobs)["instructions"] for what in chosen.compare)
        changed = compared(old, new)
        sys.exit(any(name in old and name in new and new[name] > old[name] for name in changed))
    document = counted(built(ROOT, release().parent), chosen.only, chosen.jobs)
    if not chosen.check:
        print(json.dumps(document, indent=1))
        return
    committed = json.loads(COUNTS.read_text())
    old = chosen_of(committed, chosen.only)
    if changed := compared(old, document["instructions"]):
        for tool in ("rustc", "valgrind"):
            if committed[tool] != document[tool]:
                print(f"{tool}: {committed[tool]} there, {document[tool]} here")
        raise SystemExit(
            f"{len(changed)} of {len(old)} counts differ by more than {TOLERANCE:.0%} from bench/counts/counts.json; "
            "if that is intended: just bench-counts"
        )


if __name__ == "__main__":
    main()
