"""Encodes a mono WAV as stereo, the second channel delayed by 10 ms: `encode.py IN.wav OUT.mp3 OUT.flac …`."""

import sys

import numpy as np
import soundfile

y, sr = soundfile.read(sys.argv[1], dtype="float32")
late = np.concatenate([np.zeros(sr // 100, np.float32), y[: -(sr // 100)]])
for path in sys.argv[2:]:
    soundfile.write(path, np.stack([y, late], axis=1), sr)
