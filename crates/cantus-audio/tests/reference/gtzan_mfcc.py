"""MFCC(13, 2048, 512) of real music by librosa, as reference values. DIR is a folder of <genre>/<track>.wav.

    pip install librosa==0.11.0 soundfile==0.14.0

    python gtzan_mfcc.py write DIR        writes gtzan_mfcc.json beside this script: three frames of every file

    cargo run --release -p cantus-audio --example write_mfcc -- /tmp/mfcc DIR/*/*.wav
    python gtzan_mfcc.py compare DIR /tmp/mfcc      holds the full matrices against librosa's, file by file
"""

import json
import pathlib
import sys

import librosa
import numpy as np


def reference(path):
    """[n_frames, 13] by librosa."""
    y, sr = librosa.load(path, sr=None)
    return librosa.feature.mfcc(y=y, sr=sr, n_mfcc=13, n_fft=2048, hop_length=512).T


def write(folder):
    files = {}
    for path in sorted(folder.glob("*/*.wav")):
        mfcc = reference(path)
        frames = [0, len(mfcc) // 2, len(mfcc) - 1]
        values = [[round(float(v), 4) for v in mfcc[t]] for t in frames]
        files[str(path.relative_to(folder))] = {"n_frames": len(mfcc), "frames": frames, "mfcc": values}
    text = json.dumps(files, separators=(",", ":")).replace("},", "},\n")
    pathlib.Path(__file__).with_name("gtzan_mfcc.json").write_text(text + "\n")


def compare(folder, ours):
    worst, means = 0.0, []
    for path in sorted(folder.glob("*/*.wav")):
        expected = reference(path)
        found = np.fromfile(ours / f"{path.stem}.f32", dtype="<f4").reshape(-1, 13)
        assert found.shape == expected.shape, (path, found.shape, expected.shape)
        difference = np.abs(found.astype(np.float64) - expected)
        print(f"{path.stem:20} worst {difference.max():.2e}  mean {difference.mean():.2e}")
        worst = max(worst, difference.max())
        means.append(difference.mean())
    print(f"{len(means)} files: worst {worst:.2e}, mean {np.mean(means):.2e}")


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    {"write": write, "compare": compare}[command](*map(pathlib.Path, paths))
