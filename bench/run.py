"""Runs all benchmarks in their short form, prints one table as Markdown, and writes the results as JSON.

    python bench/run.py [-o results.json] [--only training,audio] [--long] [--threads 1,2] [--isa avx2] [--python NAME=PATH ...]
                        [--cantus PATH]
    python bench/run.py --table results.json ...            # the table of results
    python bench/run.py --docs                              # writes the tables of bench/results/*.json into docs/performance.md

A benchmark that cannot run, because a peer cannot be installed for example, is named with the reason, in table and JSON, and the exit
status is 1. Needs Linux, cargo and Python 3.11; the machine must be idle otherwise. README.md describes the output.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile

from environment import ISA, ROOT, environment_of, release, say
from rows import BENCHMARKS, LEFT_OUT
from tables import markdown, write_docs

sys.path.insert(0, str(ROOT / "bench" / "training"))

from roofline import Machine  # noqa: E402


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "target" / "bench.json")
    parser.add_argument("--only", default=",".join(names), help="benchmarks, with commas")
    parser.add_argument("--long", action="store_true", help="as many rounds as the benchmarks have by themselves")
    parser.add_argument("--threads", default="1,2", help="numbers of threads of training, with commas")
    parser.add_argument("--isa", choices=ISA, help="instruction set; without it the best of the processor")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="an interpreter with a benchmark's peers")
    parser.add_argument("--pass", dest="passed", action="append", default=[], metavar="NAME=OPTIONS", help="further options of a benchmark")
    parser.add_argument("--remark", help="what a reader of the tables should know, such as other load")
    parser.add_argument("--cantus", help="an existing release build of the binary, instead of building it")
    parser.add_argument("--table", nargs="+", type=pathlib.Path, metavar="JSON", help="print the tables of results")
    parser.add_argument("--docs", action="store_true", help="write the tables of bench/results into docs/performance.md")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    if unknown := sorted(set(chosen.only) - set(names)):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
    chosen.passed = {name: shlex.split(more) for name, more in (pair.split("=", 1) for pair in chosen.passed)}
    chosen.python = dict(pair.split("=", 1) for pair in chosen.python)
    return chosen


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def processor():
    """Its name and family, as the system has them."""
    lines = [line.partition(":") for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    name = fields.get("model name") or fields.get("Processor") or platform.machine()
    return {"processor": name} | ({"cpu_family": fields["cpu family"]} if "cpu family" in fields else {})


def machine(chosen):
    """Processor, caches, and the limits that the roofline program measures."""
    build = ["cargo", "build", "--release", "--package", "cantus-nn", "--example", "roofline"]
    subprocess.run(build, cwd=ROOT, check=True, stdout=sys.stderr)
    limits = Machine(str(release() / "examples" / "roofline"), environment_of(chosen.isa))
    for threads in chosen.threads.split(","):
        limits.measure(int(threads))
    found = limits.document()
    return {
        **processor(),
        "cores": len(os.sched_getaffinity(0)),
        "isa": found["isa"],
        "caches": found["caches"],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": os.getloadavg()[0],
        "limits": found["threads"],
    }


def versions():
    cargo = json.loads(output_of("cargo", "metadata", "--format-version", "1", "--no-deps"))
    [cantus] = {package["version"] for package in cargo["packages"] if package["name"] == "cantus"}
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    commit = output_of("git", "rev-parse", "--short", "HEAD") + ("+changes" if changed else "")
    return {"cantus": cantus, "commit": commit, "rustc": output_of("rustc", "--version").split()[1], "python": platform.python_version(), "peers": {}}


def peers(python, requirements):
    """Versions of the packages of a requirements file, as an interpreter has them."""
    names = [line.split("==")[0] for line in requirements.read_text().split()]
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def run(benchmark, chosen, document):
    """Runs a benchmark and adds its rows to the document; the reason if it failed."""
    folder = ROOT / "bench" / benchmark.name
    python = ["--python", chosen.python[benchmark.name]] if benchmark.name in chosen.python else []
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        try:
            arguments = benchmark.prepare(pathlib.Path(work), python, chosen.cantus)
        except (subprocess.CalledProcessError, OSError) as error:
            return f"preparation failed: {error}"
        if chosen.cantus and benchmark.cantus:
            arguments += [benchmark.cantus, chosen.cantus]
        arguments += [] if chosen.long else benchmark.short(chosen)
        if benchmark.name == "training" and chosen.isa:
            arguments += ["--isa", chosen.isa]
        arguments += chosen.passed.get(benchmark.name, [])
        command = [sys.executable, folder / "run.py", *arguments, *python]
        lines, last = [], ""
        with tempfile.TemporaryFile("w+") as results:
            process = subprocess.Popen(
                list(map(str, command)), stdout=results, stderr=subprocess.PIPE, text=True, env=environment_of(chosen.isa)
            )
            for error in process.stderr:
                sys.stderr.write(error)
                last = error.strip() or last
            process.wait()
            results.seek(0)
            # Lines of a build are not results.
            lines = [json.loads(line) for line in results if line.startswith("{")]
    for line in lines:
        document["rows"] += [{"benchmark": benchmark.name} | row for row in benchmark.rows(line)]
        if line.get("measure") == "cores":
            document["cores"].append(line)
        if "machine" in line:
            # Of more measurements than at the start, and those that the rooflines are computed with.
            document["machine"]["limits"] = line["machine"]["threads"]
    if benchmark.environment:
        interpreter = chosen.python.get(benchmark.name, ROOT / "target" / benchmark.environment / "bin" / "python")
        document["versions"]["peers"][benchmark.name] = peers(interpreter, folder / "requirements.txt")
    if process.returncode != 0:
        return f"exit status {process.returncode}: {last[:300]}"
    return None


def main():
    chosen = options()
    if chosen.table:
        print("\n".join(markdown(json.loads(path.read_text())) for path in chosen.table), end="")
        return
    if chosen.docs:
        write_docs()
        return
    document = {"date": datetime.date.today().isoformat(), "form": "long" if chosen.long else "short", "machine": machine(chosen)}
    document |= {"versions": versions(), "rows": [], "cores": [], "not_run": dict(LEFT_OUT)}
    document |= {"remark": chosen.remark} if chosen.remark else {}
    failed = False
    for benchmark in BENCHMARKS:
        if benchmark.name not in chosen.only:
            document["not_run"][benchmark.name] = "not chosen (--only)"
            continue
        say(f"== {benchmark.name}")
        if reason := run(benchmark, chosen, document):
            document["not_run"][benchmark.name] = reason
            failed = True
        chosen.output.parent.mkdir(parents=True, exist_ok=True)
        chosen.output.write_text(json.dumps(document, indent=1) + "\n")
    say(f"written to {chosen.output}")
    print(markdown(document), end="")
    sys.exit(failed or any(row.get("failed") for row in document["rows"]))


if __name__ == "__main__":
    main()
