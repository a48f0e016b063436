"""Ablation of the recipe `best`, with librosa and scikit-learn instead of Cantus; prints a Markdown table.

    python bench/accuracy/steps.py MUSIC FOLDS.csv [FOLDS.csv …]

Needs the packages of requirements.txt (librosa, numpy, scikit-learn). FOLDS.csv is that of a run of `cantus train --folds`; target/bench-accuracy
has one for each seed.
"""

import csv
import os
import pathlib
import sys
import warnings

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

warnings.filterwarnings("ignore")
CACHE = pathlib.Path(__file__).resolve().parent.parent.parent / "target" / "bench-accuracy" / "frames"
# Ten seconds, the segment length of `best`.
SEGMENT = 430
GROUPS = ["timbre", "brightness", "harmony", "rhythm"]


def frames(path):
    """The features of `best` and the spectral contrast, for each frame."""
    import librosa

    y, sr = librosa.load(path, sr=22050)
    magnitude = np.abs(librosa.stft(y))
    feature, power = librosa.feature, magnitude**2
    mel = librosa.power_to_db(feature.melspectrogram(S=power, sr=sr))
    shape = [feature.spectral_centroid, feature.spectral_bandwidth, feature.spectral_rolloff]
    loudness = [feature.spectral_flatness(S=magnitude), feature.zero_crossing_rate(y), feature.rms(S=magnitude)]
    return {
        "timbre": feature.mfcc(S=mel, n_mfcc=40),
        "brightness": np.vstack([of(S=magnitude, sr=sr) for of in shape] + loudness),
        "harmony": feature.chroma_stft(S=power, sr=sr, tuning=0.0),
        "rhythm": librosa.onset.onset_strength(S=mel, sr=sr)[None],
        "contrast": feature.spectral_contrast(S=magnitude, sr=sr),
    }


def cached(music, path):
    kept = CACHE / (path.replace("/", "_") + ".npz")
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{name: values.astype("f4") for name, values in frames(os.path.join(music, path)).items()})
    return dict(np.load(kept))


def mean_and_deviation(x):
    return np.concatenate([x.mean(1), x.std(1)])


def statistics(x, scales=(1, 4, 16, 64)):
    """Means, and logarithms of the deviations of values and of their changes, as in StatisticsPooling1D."""
    changes = []
    sums = np.cumsum(np.pad(x.astype("f8"), ((0, 0), (1, 0))), 1)
    for scale in scales:
        means = (sums[:, scale:] - sums[:, :-scale]) / scale
        changes.append(means[:, scale:] - means[:, :-scale])
    size = x.std() + 1e-9
    return np.concatenate([x.mean(1)] + [np.log(of.std(1) + 1e-3 * size) for of in [x, *changes]])


def kernel(groups, train, metric):
    """The mean over groups of exp(-distance / median distance in the training part)."""
    total = 0
    for x in groups:
        z = (x - x[train].mean(0)) / (x[train].std(0) + 1e-9)
        distance = cdist(z, z[train], metric)
        total = total + np.exp(-distance / np.median(distance[train]))
    return total / len(groups)


def logistic(k, train, y):
    """Kernel logistic regression: logistic regression on the square root of the kernel matrix."""
    values, vectors = np.linalg.eigh(k[train])
    root = vectors[:, values > 1e-6 * values[-1]] / np.sqrt(values[values > 1e-6 * values[-1]])
    x = k @ root
    return LogisticRegression(C=10, max_iter=300).fit(x[train], y[train]).predict_proba(x)


def svm(k, train, y):
    """Softmax of the SVM's scores, so that segments can be averaged."""
    scores = SVC(kernel="precomputed", decision_function_shape="ovr").fit(k[train], y[train]).decision_function(k)
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)


class Pieces:
    """Tracks or segments, with features that are functions of their frames."""

    def __init__(self, tracks, length):
        self.tracks, self.of = [], []
        for place, track in enumerate(tracks):
            n = track["timbre"].shape[1]
            for number in range(max(1, n // length) if length else 1):
                part = slice(number * length, (number + 1) * length) if length else slice(None)
                self.tracks.append({name: values[:, part] for name, values in track.items()})
                self.of.append(place)
        self.of = np.array(self.of)

    def groups(self, describe, names, one=False, n_mfcc=40):
        cut = lambda name, x: x[:n_mfcc] if name == "timbre" else x
        groups = [np.array([describe(cut(name, piece[name])) for piece in self.tracks]) for name in names]
        return [np.hstack(groups)] if one else groups

    def accuracy(self, groups, metric, learn, labels, folds):
        """Track accuracy in each cross-validation."""
        right = []
        for fold in folds:
            sums = np.zeros((len(labels), len(set(labels))))
            for name in sorted(set(fold)):
                train = np.flatnonzero(fold[self.of] != name)
                probabilities = learn(kernel(groups, train, metric), train, labels[self.of])
                for piece in np.flatnonzero(fold[self.of] == name):
                    sums[self.of[piece]] += probabilities[piece]
            right.append(float((sums.argmax(1) == labels).mean()))
        return right


def main():
    music, tables = sys.argv[1], [list(csv.DictReader(open(path, newline=""))) for path in sys.argv[2:]]
    paths = [row["path"] for row in tables[0]]
    assert all([row["path"] for row in table] == paths for table in tables)
    labels = np.unique([row["label"] for row in tables[0]], return_inverse=True)[1]
    folds = [np.array([row["fold"] for row in table]) for table in tables]
    tracks = [cached(music, path) for path in paths]
    whole, tens = Pieces(tracks, 0), Pieces(tracks, SEGMENT)
    rbf, l1 = "sqeuclidean", "cityblock"
    steps = [
        ("mean and deviation of 20 MFCCs over the track, SVM with a Gaussian kernel", whole, whole.groups(mean_and_deviation, ["timbre"], n_mfcc=20), rbf, svm),
        ("the same of 40 MFCCs", whole, whole.groups(mean_and_deviation, ["timbre"]), rbf, svm),
        ("logarithms of deviations, and changes at four scales", whole, whole.groups(statistics, ["timbre"]), rbf, svm),
        ("ten seconds at a time", tens, tens.groups(statistics, ["timbre"]), rbf, svm),
        ("brightness, harmony and rhythm too", tens, tens.groups(statistics, GROUPS, one=True), rbf, svm),
        ("a Laplacian kernel", tens, tens.groups(statistics, GROUPS, one=True), l1, svm),
        ("one kernel for each of the four groups", tens, tens.groups(statistics, GROUPS), l1, svm),
        ("logistic regression in place of the SVM", tens, tens.groups(statistics, GROUPS), l1, logistic),
        ("with spectral contrast as a fifth group (not kept)", tens, tens.groups(statistics, [*GROUPS, "contrast"]), l1, logistic),
    ]
    print("| step | track accuracy | by seed |\n|---|---|---|")
    for name, pieces, groups, metric, learn in steps:
        right = pieces.accuracy(groups, metric, learn, labels, folds)
        print(f"| {name} | {100 * np.mean(right):.1f} % | {', '.join(f'{100 * share:.1f}' for share in right)} |", flush=True)


if __name__ == "__main__":
    main()
