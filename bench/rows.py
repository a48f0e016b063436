"""The benchmarks of the suite: their short forms, and their output as rows of one table.

A row has `task`, `unit`, `ours`, and where there are some `peer`, `theirs` (the best of the others), `ratio` (above 1, ours is faster or
smaller), `roofline` (the limit of the machine, in the unit), `times_roofline` and `failed` (peers that did not run).
"""

import dataclasses
import subprocess
import sys
from collections.abc import Callable

from environment import ROOT, release


@dataclasses.dataclass
class Benchmark:
    name: str
    # Arguments of the short form; those of the whole are none.
    short: Callable
    rows: Callable
    # Folder of the environment with its peers, below target/; `None` if it has none.
    environment: str | None
    # Prepares what the benchmark measures and returns further arguments; receives a folder, the option for an interpreter, and the path of
    # an existing binary or `None`.
    prepare: Callable = lambda folder, python, cantus: []
    # The option for an existing binary; `None` if it needs none.
    cantus: str | None = None


def row(task, unit, ours, peer=None, theirs=None, ratio=None, **more):
    return {"task": task, "unit": unit, "ours": ours, "peer": peer, "theirs": theirs, "ratio": ratio} | more


def of_training(line):
    if "measure" not in line or "ours" not in line:
        return []
    threads = f"{line['threads']} thread" + ("s" if line["threads"] > 1 else "")
    peer = line.get("best_of_theirs")
    limits = {key: line[key] for key in ("roofline", "times_roofline", "traffic_level", "failed") if key in line}
    task = f"{line['model']}, {line['measure']}, {threads}"
    return [row(task, line["unit"], line["ours"], peer, line.get(peer), line.get("ratio"), **limits)]


def of_audio(line):
    if line["task"] == "memory_of_extraction":
        return [row("memory of extraction, 200 tracks", "MB", line["200_tracks"])]
    if "wall_audit" in line:
        ratio = round(line["wall_off"] / line["wall_audit"], 2)
        return [row(line["task"], "s", line["wall_audit"], "without the audit", line["wall_off"], ratio)]
    known = ("task", "unit", "ours", "failed")
    theirs = {name: value for name, value in line.items() if name not in known and not name.startswith("ratio_to_")}
    failed = {"failed": line["failed"]} if "failed" in line else {}
    if "ours" not in line:
        return [row(line["task"], line["unit"], None, **failed)]
    if not theirs:
        return [row(line["task"], line["unit"], line["ours"], **failed)]
    best = min(theirs, key=theirs.get)
    return [row(line["task"], line["unit"], line["ours"], best, theirs[best], line[f"ratio_to_{best}"], **failed)]


def of_python(line):
    if "cantus_ms" not in line:
        return [row("MFCCs of 32 signals, 2 threads", "times 1 thread", line["cantus"])]
    # soundfile decodes only.
    theirs = {name: line[f"{name}_ms"] for name in ("librosa", "torchaudio", "essentia") if f"{name}_ms" in line}
    failed = {"failed": line["failed"]} if "failed" in line else {}
    if not theirs:
        return [row(line["row"], "ms", line["cantus_ms"], **failed)]
    best = min(theirs, key=theirs.get)
    return [row(line["row"], "ms", line["cantus_ms"], best, theirs[best], line[f"ratio_to_{best}"], **failed)]


def of_serve(line):
    if "clients" not in line:
        return [row("memory before the first request", "MB", line["memory_at_rest_mb"])]
    clients = f"{line['clients']} client" + ("s" if line["clients"] > 1 else "")
    return [row(clients, "predictions/s", line["requests_per_s"]), row(f"{clients}, p99", "ms", line["p99_ms"])]


def of_cold_start(line):
    return [row(line["task"], line["unit"], line["ours"], "librosa, keras", line["keras"], line["ratio"])]


def of_transfer(line):
    if line["task"] == "equality":
        return []
    task = f"{line['model']}, {line['task']}, {line['threads']} threads"
    ratio = round(line["theirs"] / line["ours"], 2)
    return [row(task, line["unit"], line["ours"], "onnxruntime", line["theirs"], ratio)]


def embedding_model(folder, python, cantus):
    """MusiCNN and two composed recordings."""
    if cantus is None:
        binary = ["cargo", "build", "--release", "--package", "cantus-cli", "--bin", "cantus"]
        subprocess.run(binary, cwd=ROOT, check=True, stdout=sys.stderr)
    musicnn = [sys.executable, ROOT / "bench/transfer/musicnn.py", "-o", folder, *python]
    subprocess.run(musicnn, check=True, stdout=subprocess.DEVNULL)
    compose = [cantus or release() / "cantus", "compose", folder / "music", "--tracks", "1", "--quiet"]
    subprocess.run(compose, check=True, stdout=subprocess.DEVNULL)
    recordings = [folder / "music" / label / f"{label}.00000.wav" for label in ("jazz", "rock")]
    return [folder / "musicnn_mtt.onnx", *recordings]


BENCHMARKS = [
    Benchmark("training", lambda options: ["--rounds", "1", "--threads", options.threads], of_training, "bench-training"),
    Benchmark("audio", lambda options: ["--rounds", "1"], of_audio, "bench-audio", cantus="--cantus"),
    Benchmark("python", lambda options: ["--rounds", "1"], of_python, "bench-python"),
    Benchmark("serve", lambda options: ["--seconds", "2"], of_serve, None, cantus="--binary"),
    Benchmark("cold-start", lambda options: ["--rounds", "2"], of_cold_start, "bench-cold-start", cantus="--cantus"),
    Benchmark(
        "transfer",
        lambda options: ["--rounds", "2", "--threads", "1"],
        of_transfer,
        "bench-transfer/venv",
        embedding_model,
        cantus="--cantus",
    ),
]
# What the suite leaves out.
LEFT_OUT = {
    "export": "compares values, not speed: just onnxruntime-parity",
    "products": "compares kernels with a crate, in Rust: just bench-products",
    "scale": "trains on a store of 3 GB in a memory cgroup: just bench-memory",
    "accuracy": "compares accuracy on recordings that are not in the repository, for hours: just bench-accuracy",
}
