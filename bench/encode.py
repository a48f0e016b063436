"""Music as it is sold: `encode.py IN.wav OUT.mp3 OUT.flac …` makes it stereo, the second channel the first, a hundredth of a second late."""

import sys

import numpy as np
import soundfile

y, sr = soundfile.read(sys.argv[1], dtype="float32")
late = np.concatenate([np.zeros(sr // 100, np.float32), y[: -(sr // 100)]])
for path in sys.argv[2:]:
    soundfile.write(path, np.stack([y, late], axis=1), sr)
