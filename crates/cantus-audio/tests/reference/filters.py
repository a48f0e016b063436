"""Magnitude responses of Butterworth filters of second order: prints the JSON of filters.json.

pip install scipy==1.17.1 numpy==2.4.6
"""

import json

import numpy as np
from scipy.signal import butter, freqz

rows = []
for kind in ["lowpass", "highpass"]:
    for cutoff, sample_rate in [(100, 22050), (1000, 22050), (8000, 22050), (3400, 44100)]:
        b, a = butter(2, cutoff, kind, fs=sample_rate)
        frequencies = [20, 50, 100, 200, 500, 1000, 2000, 3400, 5000, 8000, 10000]
        _, response = freqz(b, a, worN=frequencies, fs=sample_rate)
        rows.append(
            {
                "kind": kind,
                "cutoff": cutoff,
                "sample_rate": sample_rate,
                "frequencies": frequencies,
                "magnitudes": [float(f"{m:.9g}") for m in np.abs(response)],
            }
        )
print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
