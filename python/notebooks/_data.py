"""The data set of lectures 12 to 19: MFCCs of synthesised music, divided by track."""

import os
import tempfile
from pathlib import Path

import numpy as np

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"


def segments() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Compose and extract; return features, classes, tracks of the segments, and names of the classes."""
    n_tracks, duration = (3, 9.0) if SHORT else (12, 30.0)
    with tempfile.TemporaryDirectory() as folder:
        music, out = Path(folder, "music"), Path(folder, "features")
        cantus.compose(music, n_tracks=n_tracks, duration=duration, progress=False)
        store = cantus.extract(music, out, features={"segments": {"duration_s": 3.0}}, progress=False)
        x, names = store.to_numpy()
    return x, np.searchsorted(store.labels, names), store.track_of_segments, store.labels


def split(tracks: np.ndarray, test: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the training and of the test part; the segments of a track are in one part."""
    numbers = np.random.default_rng(seed).permutation(tracks.max() + 1)
    is_test = np.isin(tracks, numbers[: round(test * len(numbers))])
    return ~is_test, is_test


def standardised(x: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    """Return features with mean 0 and deviation 1, estimated on the training part only."""
    mean, deviation = x[is_train].mean(axis=(0, 1)), x[is_train].std(axis=(0, 1))
    return (x - mean) / deviation
