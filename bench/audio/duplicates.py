# pip install numpy==2.4.6 soundfile==0.14.0 soxr==1.1.0
"""Recall and false alarms of duplicate detection, with our fingerprints and with those of other programs.

    python duplicates.py make WORK EVERY MUSIC...
    python duplicates.py compare WORK [NAME=PROGRAM...] [fpcalc]

MUSIC are folders of distinct recordings. `make` links them under WORK/original and writes copies of every EVERY-th one of at
least 25 s (below) under WORK/<kind>; a folder WORK that is not complete is continued. `compare` fingerprints all files with each
PROGRAM, which is the example `audit_files` of cantus-dataset (`cargo build --release -p cantus-dataset --example audit_files`), of
this or of an earlier commit, and with Chromaprint's own `fpcalc` (Debian: libchromaprint-tools), and prints for each of them

1. how many copies of each kind the audit finds, with our search and threshold (the first PROGRAM's), and how many groups
   contain two distinct recordings (false alarms);
2. the smallest bit error rate over all offsets, without an index, of copies and of pairs of distinct recordings, from which
   MAX_BIT_ERROR_RATE was chosen;
3. of several programs, the share of bits in which their fingerprints of the same file differ.
"""

import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

# As in crates/cantus-dataset/src/audit/duplicates.rs.
MIN_OVERLAP, MIN_DISTINCT = 32, 12
SUFFIXES = (".mp3", ".wav", ".flac", ".au", ".ogg")
STARTS = (0.5, 1.3, 3.217, 7.77, 13.1, 20)


def mp3(kbit, rate):
    """How libsndfile writes an MP3 of a constant bit rate: a compression level between the rates of that MPEG version."""
    least, most = (32, 320) if rate >= 32000 else (8, 160)
    return dict(format="MP3", bitrate_mode="CONSTANT", compression_level=1 - (kbit - least) / (most - least))


def copies(samples, rate, seed):
    """Name of a kind of copy: samples, rate, and how soundfile writes it."""
    import soxr

    flac, ogg = dict(format="FLAC", subtype="PCM_16"), dict(format="OGG", subtype="VORBIS", compression_level=0.9)
    noise = np.random.default_rng(seed).standard_normal(samples.shape).astype(np.float32)
    silence = np.zeros((round(1.7 * rate),) + samples.shape[1:], samples.dtype)
    resampled = lambda to: (soxr.resample(samples, rate, to), to)
    made = {
        "flac": (samples, rate, flac),
        "flac-8-bit": (samples, rate, dict(format="FLAC", subtype="PCM_S8")),
        "mp3-128": (samples, rate, mp3(128, rate)),
        "mp3-64": (samples, rate, mp3(64, rate)),
        "ogg": (samples, rate, ogg),
        "shifted-mp3-128": (np.concatenate([silence, samples]), rate, mp3(128, rate)),
        "middle-ogg": (samples[round(3.217 * rate) : -round(4.9 * rate)], rate, ogg),
        "gain-minus-20-dB": (samples * 0.1, rate, flac),
        "gain-12-dB-clipped": (samples * 4, rate, flac),
        "8-kHz": (*resampled(8000), flac),
        "16-kHz": (*resampled(16000), flac),
        "48-kHz-ogg": (*resampled(48000), ogg),
        "noise-20-dB": (samples + noise * 0.1 * samples.std(), rate, flac),
        "noise-10-dB": (samples + noise * 10**-0.5 * samples.std(), rate, flac),
    }
    return made | {f"without-{start}-s": (samples[round(start * rate) :], rate, flac) for start in STARTS}


def make_one(task):
    import soundfile

    path, name, work, number, copied = task
    original = work / "original" / (name + path.suffix)
    original.parent.mkdir(parents=True, exist_ok=True)
    if original.exists():
        return
    if copied:
        samples, rate = soundfile.read(path, dtype="float32")
        for kind, (copy, copy_rate, how) in copies(samples, rate, number).items() if len(samples) > 25 * rate else ():
            target = work / kind / f"{name}.{how['format'].lower()}"
            target.parent.mkdir(parents=True, exist_ok=True)
            with soundfile.SoundFile(target, "w", copy_rate, 1 if copy.ndim == 1 else copy.shape[1], **how) as file:
                for i in range(0, len(copy), 4096):  # in small blocks, for libsndfile's Vorbis encoder
                    file.write(np.clip(copy[i : i + 4096], -1, 1))
    original.symlink_to(path.resolve())  # last: marks its copies as complete


def make(work, every, music):
    tasks = []
    for folder in map(Path, music):
        paths = [path for path in sorted(folder.rglob("*.*")) if path.suffix.lower() in SUFFIXES]
        for number, path in enumerate(paths):
            name = "_".join(path.relative_to(folder.parent).with_suffix("").parts)
            tasks.append((path, name, work, number, number % every == 0))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(make_one, tasks))


def analyses_of(program, work):
    """The audit's analyses of all files, by path."""
    done = subprocess.run([program, "analyze", work], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def fpcalc(path):
    done = subprocess.run(["fpcalc", "-raw", "-json", "-length", "0", path], capture_output=True)
    # Version 1.5.1 reports the end of a file as an error after the fingerprint.
    return json.loads(done.stdout)["fingerprint"] if done.stdout else []


def with_fpcalc(files):
    """The analyses with Chromaprint's own fingerprints."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(fpcalc, [file["path"] for file in files]))
    files = json.loads(json.dumps(files))
    for file, numbers in zip(files, found):
        if "Ok" in file["evidence"]:
            file["evidence"]["Ok"]["fingerprint"] = numbers
    return files


def fingerprints(files):
    known = {file["path"]: file["evidence"].get("Ok", {}).get("fingerprint", []) for file in files}
    return {path: np.array(numbers, np.uint32) for path, numbers in known.items() if len(numbers) >= MIN_OVERLAP}


def smallest_error(pair):
    """The smallest bit error rate over all offsets, of overlaps that the audit accepts; 1 if there is none."""
    a, b = pair
    n, m = len(a), len(b)
    # Differing bits of all pairs of numbers; in rows of one less, each offset is a column.
    table = np.zeros((n, n + m), np.uint8)
    table[:, :m] = np.bitwise_count(a[::-1, None] ^ b[None, :])
    n_errors = table.ravel()[: n * (n + m - 1)].reshape(n, n + m - 1).sum(0, dtype=np.uint32)
    offsets = np.arange(1 - n, m)
    overlaps = np.minimum(n - np.maximum(-offsets, 0), m - np.maximum(offsets, 0))
    rates = np.where(overlaps < MIN_OVERLAP, 1, n_errors / (32 * overlaps))
    for i in np.argsort(rates):
        x, y = a[max(-offsets[i], 0) :][: overlaps[i]], b[max(offsets[i], 0) :][: overlaps[i]]
        if rates[i] == 1 or min(len(np.unique(x)), len(np.unique(y))) >= MIN_DISTINCT:
            return rates[i]
    return 1.0


def kind_of(path):
    return Path(path).parent.name


def detect(program, files, originals, kinds):
    """Copies found of each kind, and the false alarms."""
    for number, file in enumerate(files):
        for key in ("sha256", "hash"):  # fingerprints alone
            if "Ok" in file["evidence"] and key in file["evidence"]["Ok"]:
                file["evidence"]["Ok"][key] = str(number)
    done = subprocess.run([program, "duplicates"], input=json.dumps(files).encode(), stdout=subprocess.PIPE, check=True)
    group_of, members = {}, {}
    for number, group in enumerate(json.loads(done.stdout)):
        for path in group["paths"]:
            group_of[path] = number
            members.setdefault(number, set()).add(Path(path).stem)
    stem = lambda path: Path(path).stem
    found = {kind: [0, 0] for kind in kinds}
    for file in files:
        if (kind := kind_of(file["path"])) in found:
            found[kind][0] += group_of.get(file["path"], -1) == group_of.get(originals[stem(file["path"])], -2)
            found[kind][1] += 1
    return found, [sorted(stems) for stems in members.values() if len(stems) > 1]


def compare(work, names):
    programs = dict(name.split("=", 1) for name in names if "=" in name)
    known = {name: analyses_of(program, work) for name, program in programs.items()}
    first = next(iter(programs))
    if "fpcalc" in names:
        known["fpcalc"] = with_fpcalc(known[first])
    originals = {Path(file["path"]).stem: file["path"] for file in known[first] if kind_of(file["path"]) == "original"}
    kinds = sorted({kind_of(file["path"]) for file in known[first]} - {"original"})
    # An earlier program reads the analyses of its own format.
    detected = {name: detect(programs.get(name, programs[first]), files, originals, kinds) for name, files in known.items()}

    numbers = {name: fingerprints(files) for name, files in known.items()}
    errors, distinct = {}, {}
    with ProcessPoolExecutor(2) as pool:
        for name, prints in numbers.items():
            copied = {kind: [path for path in prints if kind_of(path) == kind] for kind in kinds}
            for kind, paths in copied.items():
                pairs = [(prints[originals[Path(path).stem]], prints[path]) for path in paths]
                errors[name, kind] = sorted(pool.map(smallest_error, pairs, chunksize=16))
            paths = sorted(path for path in prints if kind_of(path) == "original")
            pairs = [(a, b) for i, a in enumerate(paths) for b in paths[:i]]
            values = pool.map(smallest_error, [(prints[a], prints[b]) for a, b in pairs], chunksize=256)
            distinct[name] = sorted(zip(values, pairs))

    print(f"{len(originals)} recordings; fingerprints long enough: {sum(kind_of(path) == 'original' for path in numbers[first])}")
    for name, (found, alarms) in detected.items():
        print(f"\n{name}\n  {'kind':20} found of  n  bit error rate: median, largest")
        for kind in kinds:
            median, largest = np.median(errors[name, kind]), errors[name, kind][-2:]
            print(f"  {kind:20} {found[kind][0]:5} {found[kind][1]:5}  {median:.3f}  {', '.join(f'{e:.3f}' for e in largest)}")
        n_found, n = np.sum(list(found.values()), axis=0)
        print(f"  {'all':20} {n_found:5} {n:5}\n  false alarms: {len(alarms)}")
        for stems in alarms:
            print("   ", ", ".join(stems))
        values = [error for error, _ in distinct[name]]
        print(f"  {len(values)} pairs of distinct recordings: 1 % quantile {values[len(values) // 100]:.3f}, the least:")
        for error, pair in distinct[name][:6]:
            print(f"    {error:.3f}  {'  '.join(Path(path).stem for path in pair)}")

    for name in list(numbers)[1:]:
        both = [(a, numbers[name][path]) for path, a in numbers[first].items() if path in numbers[name]]
        rates = [np.bitwise_count(a[:n] ^ b[:n]).mean() / 32 for a, b in both if (n := min(len(a), len(b)))]
        print(f"\n{first} and {name} differ in {np.mean(rates):.4f} of the bits (median {np.median(rates):.4f}, largest {max(rates):.3f})")


if __name__ == "__main__":
    command, work, *more = sys.argv[1:]
    if command == "make":
        make(Path(work), int(more[0]), more[1:])
    else:
        compare(Path(work).resolve(), more)
