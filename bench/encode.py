"""Encodes mono WAVs as stereo, the second channel delayed by 10 ms.

    encode.py IN.wav OUT.mp3 OUT.flac …    one file, in several formats
    encode.py --folder IN OUT mp3          all files below a folder, in one format
"""

import pathlib
import sys

import numpy as np
import soundfile


def encode(source, *targets):
    y, sr = soundfile.read(source, dtype="float32")
    late = np.concatenate([np.zeros(sr // 100, np.float32), y[: -(sr // 100)]])
    for path in targets:
        soundfile.write(path, np.stack([y, late], axis=1), sr)


if sys.argv[1] == "--folder":
    source, target, extension = sys.argv[2:]
    for wav in pathlib.Path(source).rglob("*.wav"):
        path = pathlib.Path(target) / wav.relative_to(source).with_suffix(f".{extension}")
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(wav, path)
else:
    encode(*sys.argv[1:])
