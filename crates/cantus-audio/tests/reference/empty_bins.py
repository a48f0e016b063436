"""Features of tones and band-limited sound by librosa, for tests/empty_bins.rs.

    pip install librosa==0.11.0
    python crates/cantus-audio/tests/reference/empty_bins.py > crates/cantus-audio/tests/reference/empty_bins.json
"""

import json

import librosa
import numpy as np

SR = 22050
N = 8192


def signals():
    t = np.arange(N) / SR
    low = sum(np.sin(2 * np.pi * (7.0 * k * t + 0.1 * k * k)) for k in range(1, 401)) / 100
    return {
        "tone": 0.5 * np.sin(2 * np.pi * 440.0 * t),
        "tone_at_bin": 0.5 * np.sin(2 * np.pi * (SR / 2048 * 100) * t),
        "chord": 0.2 * sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 277.18, 329.63)),
        "chirp": 0.5 * np.sin(2 * np.pi * (100.0 * t + 2000.0 * t * t)),
        "low_pass": low,
    }


def features(y):
    mel = librosa.feature.melspectrogram(y=y, sr=SR)
    return {
        "spectral_contrast": librosa.feature.spectral_contrast(y=y, sr=SR),
        "spectral_flatness": librosa.feature.spectral_flatness(y=y),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(y=y, sr=SR),
        "spectral_centroid": librosa.feature.spectral_centroid(y=y, sr=SR),
        "mfcc": librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=5),
    }


made = {
    name: {kind: [float(f"{x:.7g}") for x in values.T.ravel()] for kind, values in features(y.astype(np.float32)).items()}
    for name, y in signals().items()
}
print(json.dumps(made))
