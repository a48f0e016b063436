# pip install numpy==2.4.6 soundfile==0.14.0 soxr==1.1.0
"""Recall and false alarms of duplicate detection.

    python duplicates.py CANTUS WORK EVERY MUSIC...

CANTUS is the binary, WORK a folder for the duplicates (existing ones are reused), MUSIC folders of label folders with
distinct recordings. Seven duplicates of every EVERY-th recording are made (below), `cantus extract` computes the fingerprints
(audit-*.json), and

1. every pair of recordings is aligned at every offset, without an index: distributions of the smallest bit error rate among
   duplicates and among distinct recordings, from which MAX_BIT_ERROR_RATE was chosen;
2. `cantus inspect --json` reports duplicates: misses by kind of duplicate, and false alarms.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

MIN_OVERLAP = 32
SUFFIXES = (".mp3", ".wav", ".flac", ".au")


def copies(samples, rate):
    """Name of a copy, samples, rate, and how soundfile writes it."""
    start, end = round(3.217 * rate), round(4.9 * rate)
    silence = np.zeros((round(1.7 * rate),) + samples.shape[1:], samples.dtype)
    half = samples[round(0.45 * len(samples)) :]
    quiet = soxr.resample(samples, rate, 16000) * 0.4
    return {
        "flac": (samples, rate, dict(format="FLAC", subtype="PCM_16")),
        "mp3": (samples, rate, dict(format="MP3", bitrate_mode="CONSTANT", compression_level=0.9)),
        "ogg": (samples, rate, dict(format="OGG", subtype="VORBIS", compression_level=0.9)),
        "trimmed": (samples[start:-end], rate, dict(format="WAV", subtype="PCM_16")),
        "shifted": (np.concatenate([silence, samples]), rate, dict(format="MP3", compression_level=0.5)),
        "quiet-16k": (quiet, 16000, dict(format="WAV", subtype="PCM_16")),
        "half-ogg": (half, rate, dict(format="OGG", subtype="VORBIS", compression_level=0.5)),
    }


def make(music, work, every):
    """Copies of everything under WORK/<copy>/, and the originals under WORK/original/ (as they are)."""
    for folder in music:
        paths = [path for path in sorted(Path(folder).rglob("*.*")) if path.suffix.lower() in SUFFIXES]
        for number, path in enumerate(paths):
            name = "_".join(path.relative_to(Path(folder).parent).with_suffix("").parts)
            original = work / "original" / (name + path.suffix)
            original.parent.mkdir(parents=True, exist_ok=True)
            if original.exists():
                continue
            wanted = copies(*soundfile.read(path, dtype="float32")) if number % every == 0 else {}
            for kind, (copy, copy_rate, how) in wanted.items():
                target = work / kind / f"{name}.{how['format'].lower()}"
                target.parent.mkdir(parents=True, exist_ok=True)
                with soundfile.SoundFile(target, "w", copy_rate, 1 if copy.ndim == 1 else copy.shape[1], **how) as file:
                    for i in range(0, len(copy), 4096):  # in small blocks, for libsndfile's Vorbis encoder
                        file.write(np.clip(copy[i : i + 4096], -1, 1))
            original.symlink_to(path.resolve())  # last: marks its duplicates as complete


def fingerprints(cantus, work):
    subprocess.run([cantus, "extract", work, "-o", work / ".store", "-q"], check=False)
    known = {}
    for path in sorted((work / ".store").glob("audit-*.json")):
        for subject in json.loads(path.read_text()):
            analysis = subject["evidence"].get("Ok")
            if analysis and len(analysis["fingerprint"]) >= MIN_OVERLAP:
                known[subject["path"]] = np.array(analysis["fingerprint"], np.uint32)
    return known


def smallest_error(a, b):
    """The smallest bit error rate over all offsets."""
    table = np.bitwise_count(a[:, None] ^ b[None, :])
    return min(
        diagonal.mean() / 32
        for offset in range(MIN_OVERLAP - len(a), len(b) - MIN_OVERLAP + 1)
        if len(diagonal := table.diagonal(offset)) >= MIN_OVERLAP
    )


def main():
    cantus, work, every, music = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    make(music, work, every)
    known = fingerprints(cantus, work)
    stem = lambda path: Path(path).stem
    originals = {stem(path): numbers for path, numbers in known.items() if path.startswith("original/")}
    print(f"{len(originals)} recordings with fingerprints of {MIN_OVERLAP} numbers or more")

    print("\nsmallest bit error rate of duplicates, over all offsets")
    kinds = sorted({path.split("/")[0] for path in known} - {"original"})
    for kind in kinds:
        errors = [
            smallest_error(originals[stem(path)], numbers)
            for path, numbers in known.items()
            if path.startswith(kind + "/") and stem(path) in originals
        ]
        median, most = np.median(errors), np.sort(errors)[-3:]
        print(f"  {kind:10} n {len(errors):4}  median {median:.3f}  largest {', '.join(f'{e:.3f}' for e in most)}")
    names = sorted(originals)
    errors = sorted(
        (smallest_error(originals[a], originals[b]), a, b) for i, a in enumerate(names) for b in names[:i]
    )
    print(f"smallest of {len(errors)} pairs of distinct recordings: 1 % quantile {errors[len(errors) // 100][0]:.3f}, the least:")
    for error, a, b in errors[:6]:
        print(f"  {error:.3f}  {a}  {b}")

    out = subprocess.run([cantus, "inspect", work, "--json", "-q"], stdout=subprocess.PIPE).stdout
    cluster = {}
    for number, duplicates in enumerate(json.loads(out)["duplicates"]):
        for path in duplicates["paths"]:
            cluster[str(Path(path).relative_to(work))] = number
    print("\nduplicates found by cantus inspect")
    original_of = {stem(path): path for path in known if path.startswith("original/")}
    for kind in kinds:
        paths = [path for path in known if path.startswith(kind + "/") and stem(path) in original_of]
        found = sum(cluster.get(path, -1) == cluster.get(original_of[stem(path)], -2) for path in paths)
        print(f"  {kind:10} found {found} of {len(paths)}")
    members = {}
    for path, number in cluster.items():
        members.setdefault(number, set()).add(stem(path))
    alarms = [sorted(stems) for stems in members.values() if len(stems) > 1]
    print(f"  false alarms: {len(alarms)}")
    for stems in alarms:
        print("   ", ", ".join(stems))


main()
