"""Trains on a feature store that is larger than the memory, and in memory; prints epoch durations and resident memory as JSON lines.

    python3 bench/scale/memory.py [--tracks 45000] [--recipes cnn,lstm,mlp-normalised] [--limit 0.1] [--cantus PATH]

The store is extracted from composed tracks, each of which is linked many times. Needs Linux and the right to create a memory cgroup.
README.md describes the output.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from environment import ROOT, built_binary, say  # noqa: E402

WORK = ROOT / "target" / "bench-scale"
# Composed tracks of each of the ten genres.
N_COMPOSED = 10
EPOCHS = (1, 3)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=45_000, help="tracks of 30 s; 45000 have 3 GB of MFCCs")
    parser.add_argument("--recipes", default="cnn,lstm,mlp-normalised")
    parser.add_argument("--limit", type=float, default=0.1, help="memory limit of the operating system, as a share of the store")
    parser.add_argument("--cantus", type=pathlib.Path, help="a release build of the binary")
    return parser.parse_args()


class MemoryGroup:
    """A memory cgroup (version 1 or 2), which limits resident memory and page cache together."""

    def __init__(self, limit):
        root = pathlib.Path("/sys/fs/cgroup")
        self.is_v2 = (root / "cgroup.controllers").exists()
        self.folder = (root if self.is_v2 else root / "memory") / f"cantus-bench-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / ("memory.max" if self.is_v2 else "memory.limit_in_bytes")).write_text(str(limit))

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def close(self):
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def composed_store(cantus, n_tracks):
    """A store of `n_tracks` tracks of 30 s, and its size in bytes."""
    store = WORK / f"features-{n_tracks}"
    if not (store / "store.toml").exists():
        music, linked = WORK / "music", WORK / f"linked-{n_tracks}"
        shutil.rmtree(linked, ignore_errors=True)
        if not music.exists():
            subprocess.run([cantus, "compose", music, "--tracks", str(N_COMPOSED), "--duration", "30"], check=True)
        files = sorted(music.rglob("*.wav"))
        say(f"extracting {n_tracks} tracks")
        for number in range(n_tracks):
            file = files[number % len(files)]
            folder = linked / file.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            os.link(file, folder / f"{number}.wav")
        subprocess.run([cantus, "extract", linked, "-m", "cnn", "-o", store, "--audit", "off", "-q"], check=True)
        shutil.rmtree(linked)
    return store, sum(file.stat().st_size for file in store.rglob("*") if file.is_file())


def evict(folder):
    """Removes the files of a folder from the page cache."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def resident(pid):
    """Peak resident memory of a process that runs, in bytes; of its own pages without those of files."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+) kB", text)
        return int(found[1]) * 1024 if found else 0
    return 0


def train(cantus, store, recipe, epochs, memory, group):
    """Duration of a training in seconds as the run records it, its peak resident memory, and the model's bytes."""
    run = WORK / "run"
    shutil.rmtree(run, ignore_errors=True)
    evict(store)
    command = [cantus, "train", store, "-m", recipe, "-o", run, "--epochs", str(epochs), "--patience", "0", "-q"]
    command += ["--memory", memory, "--validation", "0.02", "--test", "0.02", "--split", "track"]
    process = subprocess.Popen(command, preexec_fn=group.enter if group else None, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.05)
    if process.returncode == -signal.SIGKILL:
        raise SystemExit(f"{recipe}: killed, out of the memory of the group")
    if process.returncode != 0:
        raise SystemExit(f"{recipe}: exit code {process.returncode}")
    seconds = json.loads((run / "time.json").read_text())["training_s"]
    return seconds, peak, (run / "model.safetensors").read_bytes()


def epoch(cantus, store, recipe, memory, group):
    """Seconds of an epoch: the difference of two trainings, so that what comes before the first epoch does not count."""
    (first, peak, _), (last, other, model) = (train(cantus, store, recipe, n, memory, group) for n in EPOCHS)
    return (last - first) / (EPOCHS[1] - EPOCHS[0]), max(peak, other), model


def main():
    chosen = options()
    cantus = chosen.cantus or built_binary()
    WORK.mkdir(parents=True, exist_ok=True)
    store, size = composed_store(cantus, chosen.tracks)
    limit = int(size * chosen.limit)
    group = MemoryGroup(limit)
    try:
        for recipe in chosen.recipes.split(","):
            in_memory, peak_in_memory, model = epoch(cantus, store, recipe, "64GiB", None)
            beyond, peak, other = epoch(cantus, store, recipe, f"{max(1, limit // 2 >> 20)}MiB", group)
            line = {
                "recipe": recipe, "tracks": chosen.tracks, "store_bytes": size, "limit_bytes": limit,
                "epoch_in_memory_s": round(in_memory, 2), "epoch_beyond_memory_s": round(beyond, 2),
                "pace": round(in_memory / beyond, 3), "resident_in_memory": peak_in_memory, "resident": peak,
                "same_model": model == other,
            }
            print(json.dumps(line), flush=True)
    finally:
        group.close()


if __name__ == "__main__":
    main()
