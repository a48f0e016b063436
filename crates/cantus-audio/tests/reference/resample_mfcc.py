"""Difference of MFCCs after our resampling from those after librosa's: the table in src/resample/mod.rs.

    pip install librosa==0.11.0 soxr==1.1.0 numpy==2.4.6
    cargo build --release -p cantus-audio --example resample
    python resample_mfcc.py ../target/release/examples/resample 48000 22050 FILE...
"""

import pathlib
import subprocess
import sys
import tempfile

import librosa
import numpy as np
import soxr

program, source, target, *paths = sys.argv[1:]
source, target = int(source), int(target)
largest, averages = 0.0, []
with tempfile.TemporaryDirectory() as folder:
    before, after = (str(pathlib.Path(folder) / name) for name in ("before.f32", "after.f32"))
    for path in paths:
        y, own_rate = librosa.load(path, sr=None)
        if own_rate != source:
            y = soxr.resample(y, own_rate, source, quality="VHQ")
        y = y[: 30 * source].astype("<f4")
        y.tofile(before)
        subprocess.run([program, str(source), str(target), before, after], check=True)
        resampled = librosa.resample(y, orig_sr=source, target_sr=target), np.fromfile(after, "<f4")
        ours, theirs = (librosa.feature.mfcc(y=x, sr=target, n_mfcc=13) for x in resampled)
        difference = np.abs(ours - theirs)
        largest = max(largest, difference.max())
        averages.append(difference.mean())
print(f"{source} to {target}, {len(paths)} files: largest {largest:.4f}, average {np.mean(averages):.4f}")
