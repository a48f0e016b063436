"""Measures decoding and feature extraction in Cantus, librosa, torchaudio and essentia, in turn, and prints durations as JSON lines.

    python bench/audio/run.py [--part PART] [--only TASK] [--rounds N] [--python PATH] > results.jsonl

Needs Linux, cargo and Python 3.11; README.md describes the output.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, python_with, say  # noqa: E402

LIBRARIES, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-audio"
# Kinds of feature that librosa has too, and numpy for the rest; see theirs.py.
FEATURES = [
    "mfcc", "mel", "log_mel", "stft", "spectrogram", "spectrogram_db", "pcen", "mfcc_delta", "mfcc_delta2",
    "amplitude_envelope", "rms", "zero_crossing_rate", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff",
    "spectral_flatness", "spectral_contrast", "spectral_flux", "spectrum", "power_spectrum",
    "chroma_stft", "chroma_cqt", "cqt", "tonnetz", "onset_strength", "tempogram", "tempo", "beats", "harmonic", "percussive",
]  # fmt: skip
# Those that essentia has, too, with the same parameters.
OF_ESSENTIA = {
    "mfcc", "mel", "stft", "spectrogram", "rms", "zero_crossing_rate", "spectral_centroid", "spectral_rolloff",
    "spectral_flatness", "spectral_contrast", "spectral_flux", "tempo", "beats",
}  # fmt: skip
PARTS = ["load", "features", "prepare", "memory"]
# One thread, whatever library would start more.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="one part alone")
    parser.add_argument("--only", help="one task of a part alone, such as rms")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", help="an interpreter that has the libraries already")
    parser.add_argument("--cantus", help="an existing binary")
    return parser.parse_args()


def built(cantus):
    """Our binary, unless there is one, and our part of the benchmark, in release builds."""
    binary = [] if cantus else ["-p", "cantus-cli", "--bin", "cantus"]
    subprocess.run(["cargo", "build", "--release", "-p", "cantus-audio", "--example", "bench_audio", *binary], cwd=ROOT, check=True)
    release = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return cantus or str(release / "cantus"), str(release / "examples" / "bench_audio")


class Bench:
    def __init__(self, options, folder):
        self.rounds, self.only, self.folder = options.rounds, options.only, folder
        self.python = options.python or python_with(LIBRARIES, ENVIRONMENT, "librosa, torchaudio and essentia")
        self.cantus, self.ours = built(options.cantus)
        self.first = {min(os.sched_getaffinity(0))}

    def compose(self, name, tracks, *more):
        music = self.folder / name
        subprocess.run([self.cantus, "compose", music, "--tracks", str(tracks), "--quiet", *more], check=True)
        return music

    def ms(self, contender, task, path):
        """The median duration in one process, on one processor."""
        command = [self.ours, task, path] if contender == "ours" else [self.python, HERE / "theirs.py", contender, task, path]
        pin = lambda: os.sched_setaffinity(0, self.first)
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=os.environ | ONE_THREAD, preexec_fn=pin
        )
        if done.returncode != 0:
            say(f"{contender}, {task}: {done.stderr[-500:].strip()}")
            return None
        return json.loads(done.stdout.splitlines()[-1])["ms"]

    def compare(self, task, path, contenders, name=None):
        """A line: medians of interleaved rounds, and our speed relative to each of the others."""
        if self.only not in (None, name or task):
            return
        rounds = {contender: [] for contender in ["ours", *contenders]}
        for _ in range(self.rounds):
            for contender, times in rounds.items():
                times.append(self.ms(contender, task, path))
        times = {contender: statistics.median(ms) for contender, ms in rounds.items() if None not in ms}
        report(name or task, "ms", times, [contender for contender in rounds if contender not in times])


def report(task, unit, values, failed=()):
    line = {"task": task, "unit": unit} | ({"failed": failed} if failed else {}) | {contender: round(value, 3) for contender, value in values.items()}
    for contender, value in values.items():
        if contender != "ours" and "ours" in values:
            line[f"ratio_to_{contender}"] = round(value / values["ours"], 2)
    print(json.dumps(line), flush=True)


def load(bench):
    wav = bench.compose("wav", 1) / "jazz" / "jazz.00000.wav"
    bench.compare("load_mfcc", wav, ["librosa", "torchaudio", "essentia"])
    loud = bench.compose("44100", 1, "--sr", "44100") / "jazz" / "jazz.00000.wav"
    files = {extension: bench.folder / f"stereo.{extension}" for extension in ("mp3", "flac")}
    subprocess.run([bench.python, HERE.parent / "encode.py", loud, *files.values()], check=True)
    for extension, path in files.items():
        bench.compare("load", path, ["librosa", "essentia"], name=f"load_{extension}")


def features(bench):
    wav = bench.compose("wav", 1) / "jazz" / "jazz.00000.wav"
    for kind in FEATURES:
        bench.compare(kind, wav, ["librosa", "essentia"] if kind in OF_ESSENTIA else ["librosa"])


def timed(command):
    """Seconds from the start of a process to its end, processor seconds in user mode, and peak resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - start, usage.ru_utime, usage.ru_maxrss / 1024


def prepare(bench):
    wav, mp3 = bench.compose("music", 10), bench.folder / "music_mp3"
    source = bench.compose("music_44100", 10, "--sr", "44100")
    subprocess.run([bench.python, HERE.parent / "encode.py", "--folder", source, mp3, "mp3"], check=True)
    store = bench.folder / "store"
    commands = {"course": [bench.python, HERE / "course.py", wav, bench.folder / "data.json"]}
    for name, music in {"wav": wav, "mp3": mp3}.items():
        extract = [bench.cantus, "extract", music, "-o", store, "--quiet"]
        commands |= {name: [*extract, "--audit", "off"], f"{name}_with_audit": extract}
    runs = {name: [] for name in commands}
    for _ in range(bench.rounds):
        for name, command in commands.items():
            shutil.rmtree(store, ignore_errors=True)
            runs[name].append(timed(command))
    wall, user = ({name: statistics.median(run[i] for run in values) for name, values in runs.items()} for i in (0, 1))
    report("prepare_100_tracks", "s", {"ours": wall["wav"], "course": wall["course"]})
    report("prepare_100_tracks_with_audit", "s", {"ours": wall["wav_with_audit"], "course": wall["course"]})
    for name in ("wav", "mp3"):
        line = {"task": f"audit_of_100_{name}s", "unit": "s"}
        for clock, seconds in {"wall": wall, "user": user}.items():
            off, audit = seconds[name], seconds[f"{name}_with_audit"]
            line |= {f"{clock}_off": round(off, 3), f"{clock}_audit": round(audit, 3), f"{clock}_ratio": round(audit / off, 2)}
        print(json.dumps(line), flush=True)


def memory(bench):
    line = {"task": "memory_of_extraction", "unit": "MB"}
    for tracks in (50, 200):
        music = bench.compose(f"music{tracks}", tracks // 10)
        store = bench.folder / f"store{tracks}"
        line[f"{tracks}_tracks"] = round(timed([bench.cantus, "extract", music, "-o", store, "--quiet"])[2], 1)
    line["growth"] = round(line["200_tracks"] / line["50_tracks"], 2)
    print(json.dumps(line), flush=True)


def main():
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="bench-audio-") as folder:
        bench = Bench(chosen, pathlib.Path(folder))
        for part in [chosen.part] if chosen.part else PARTS:
            say(part)
            {"load": load, "features": features, "prepare": prepare, "memory": memory}[part](bench)


if __name__ == "__main__":
    main()
