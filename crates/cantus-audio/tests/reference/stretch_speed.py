"""Time stretch and pitch shift in times real time, ours beside librosa's, on one thread each.

pip install librosa==0.11.0 numpy==2.4.6
From the root of the repository: OMP_NUM_THREADS=1 python crates/cantus-audio/tests/reference/stretch_speed.py
"""

import subprocess
import time

import librosa
import numpy as np

ours = subprocess.run(
    "cargo run --release -q -p cantus-audio --example stretch_speed".split(), capture_output=True, text=True, check=True
)
ours = dict(line.split() for line in ours.stdout.splitlines())

# The time does not depend on the content of the signal: a chord with noise of 30 s.
t = np.arange(30 * 22050) / 22050
y = sum(0.1 * np.sin(2 * np.pi * f * t) for f in [220.0, 277.18, 329.63]) + 0.05 * np.random.default_rng(0).normal(size=t.size)
y = y.astype(np.float32)
theirs = {
    "time_stretch_1.25": lambda: librosa.effects.time_stretch(y, rate=1.25),
    "time_stretch_0.8": lambda: librosa.effects.time_stretch(y, rate=0.8),
    "pitch_shift_+2": lambda: librosa.effects.pitch_shift(y, sr=22050, n_steps=2),
    "pitch_shift_-5": lambda: librosa.effects.pitch_shift(y, sr=22050, n_steps=-5),
}
print(f"{'times real time':20}{'cantus':>10}{'librosa':>10}{'ratio':>8}")
for name, work in theirs.items():
    work()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    rate = 30 / min(seconds)
    print(f"{name:20}{float(ours[name]):10.0f}{rate:10.0f}{float(ours[name]) / rate:8.1f}")
