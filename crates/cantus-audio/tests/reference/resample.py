"""Numbers for tests/resample_soxr.rs: a chirp and noise, resampled by librosa (soxr HQ).

    pip install librosa==0.11.0 soxr==1.1.0 numpy==2.4.6
    python resample.py > resample.txt

The signal is made of integers so that Rust makes the same one. Of each ratio every 7th output sample is kept.
"""

import librosa
import numpy as np

N = 3000


def signal():
    i = np.arange(N, dtype=np.uint64)
    noise = ((i * 1103515245 + 12345) % 2147483648 // 65536 % 1000).astype(np.float64) / 1000 - 0.5
    triangle = np.abs((i * i // 64 % 200).astype(np.float64) / 100 - 1) - 0.5
    return (0.5 * noise + 0.5 * triangle).astype(np.float32)


for source, target in [
    (44100, 22050), (48000, 22050), (32000, 22050), (16000, 22050), (11025, 22050), (8000, 22050),
    (96000, 22050), (22050, 44100), (22050, 16000), (44100, 48000), (22050, 11025),
]:
    y = librosa.resample(signal(), orig_sr=source, target_sr=target)
    print(source, target, len(y), *[f"{v:.7f}" for v in y[::7]])
