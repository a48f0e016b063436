"""Whether MP3s are decoded as librosa (libsndfile with mpg123) decodes them: same length, same alignment, same samples.

    pip install soundfile==0.14.0 numpy==2.4.6
    cargo build --release -p cantus-audio --example decode
    python mp3_alignment.py ../target/release/examples/decode FILE.mp3...
"""

import subprocess
import sys
import tempfile

import numpy as np
import soundfile

program, *paths = sys.argv[1:]
for path in paths:
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)
    with tempfile.NamedTemporaryFile() as raw:
        subprocess.run([program, path, raw.name], check=True)
        found = np.fromfile(raw.name, "<f4")
    n = min(len(expected), len(found))
    difference = np.abs(expected[:n] - found[:n]).max()
    print(f"{path}: {len(expected)} and {len(found)} samples, largest difference {difference:.1e}")
