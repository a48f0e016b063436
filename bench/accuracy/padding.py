"""Compares recordings of different durations padded to one length with the same recordings without padding, as JSON lines.

    python bench/accuracy/padding.py DATA [--segment SECONDS] [--folds 5] [--cantus PATH] [--python PATH] > padding.jsonl

DATA is a folder of label folders or a manifest (path,label,group). Each recording is one segment of MFCCs, which `cantus extract` pads by
repetition (`--pad repeat`, the default) or with zeros. Classifiers on mean and deviation over the frames are cross-validated
on the same folds, by group where groups are known, on

- `repeat` and `zero`: all frames of the padded segment, as pooling layers receive them;
- `masked`: the frames of the recording alone, as a pooling layer that omits padding would receive them.

A difference within the interval (paired bootstrap over groups, or tracks) means that padding does no harm.
"""

import argparse
import csv
import glob
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, built_binary, python_with, say  # noqa: E402

SAMPLE_RATE, HOP = 22_050, 512
REQUIREMENTS, ENVIRONMENT = HERE / "requirements.txt", ROOT / "target" / "bench-accuracy" / "venv"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--segment", type=float, help="duration in seconds; by default that of the longest recording")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--cantus", help="an existing binary")
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    parser.add_argument("--scores", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def recordings(data):
    """Path, as the store names it, and group of each recording."""
    if data.is_dir():
        return {str(path.relative_to(data)): None for path in data.rglob("*") if path.is_file()}
    with open(data, newline="") as file:
        return {row["path"]: row.get("group") for row in csv.DictReader(file)}


def store(cantus, data, segment, pad, folder):
    """Features `[n, n_frames, n_bins]`, paths and labels of the recordings."""
    import numpy as np
    import pyarrow
    import pyarrow.ipc

    out = pathlib.Path(folder) / pad
    command = [cantus, "extract", data, "-k", "mfcc", "--segment", segment, "--pad", pad, "--n-segments", 1, "--audit", "off", "-q", "-o", out]
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)
    parts = [pyarrow.ipc.open_file(path).read_all() for path in sorted(glob.glob(f"{out}/part-*.arrow"))]
    table = pyarrow.concat_tables(part.replace_schema_metadata() for part in parts)
    shape = json.loads(table.schema.field("features").metadata[b"shape"])
    features = table["features"].combine_chunks().flatten().to_numpy().reshape(-1, *shape)
    return features.astype(np.float64), table["path"].to_pylist(), table["label"].to_pylist()


def duration(path):
    import librosa

    return librosa.get_duration(path=path)


def statistics(features, n_frames=None):
    import numpy as np

    n_frames = n_frames if n_frames is not None else [features.shape[1]] * len(features)
    return np.array([[*x[:n].mean(axis=0), *x[:n].std(axis=0)] for x, n in zip(features, n_frames)])


def classifiers():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return {
        "logistic-regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "svm": make_pipeline(StandardScaler(), SVC(C=10)),
    }


def difference(groups, right, other):
    """Accuracy of `right` minus that of `other`, and its 95 % interval, in points."""
    import numpy as np

    names, index = np.unique(groups, return_inverse=True)
    sums = np.array([np.bincount(index, weights, len(names)) for weights in (right, other, np.ones(len(groups)))])
    draws = np.random.default_rng(0).integers(0, len(names), (2000, len(names)))
    drawn = sums[:, draws].sum(axis=2)
    values = 100 * (drawn[0] - drawn[1]) / drawn[2]
    low, high = np.percentile(values, [2.5, 97.5])
    return {"points": round(100 * float(np.mean(right) - np.mean(other)), 1), "interval": [round(float(low), 1), round(float(high), 1)]}


def scores(chosen):
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    root = chosen.data if chosen.data.is_dir() else chosen.data.parent
    known = recordings(chosen.data)
    durations = {path: duration(root / path) for path in known}
    segment = chosen.segment or round(max(durations.values()) + 0.05, 1)
    with tempfile.TemporaryDirectory(prefix="bench-padding-") as folder:
        repeated, paths, labels = store(chosen.cantus, chosen.data, segment, "repeat", folder)
        zeros, zero_paths, _ = store(chosen.cantus, chosen.data, segment, "zero", folder)
    assert paths == zero_paths and len(set(paths)) == len(paths)
    n_frames = [min(repeated.shape[1], 1 + int(durations[path] * SAMPLE_RATE) // HOP) for path in paths]
    groups = np.array([known[path] or path for path in paths])
    inputs = {"repeat": statistics(repeated), "zero": statistics(zeros), "masked": statistics(zeros, n_frames)}
    folds = list(StratifiedGroupKFold(min(chosen.folds, len(set(groups))), shuffle=True, random_state=0).split(paths, labels, groups))
    padded = float(np.mean([1 - n / repeated.shape[1] for n in n_frames]))
    for name, classifier in classifiers().items():
        right = {kind: cross_val_predict(classifier, x, labels, cv=folds) == np.array(labels) for kind, x in inputs.items()}
        line = {"data": chosen.data.stem, "n": len(paths), "segment_s": segment, "share_of_padding": round(padded, 3), "classifier": name}
        line |= {f"{kind}_accuracy": round(float(np.mean(found)), 4) for kind, found in right.items()}
        line |= {f"{kind}_minus_masked": difference(groups, right[kind], right["masked"]) for kind in ("repeat", "zero")}
        print(json.dumps(line), flush=True)


def main():
    chosen = options()
    chosen.cantus = chosen.cantus or built_binary()
    if chosen.scores:
        return scores(chosen)
    python = chosen.python or python_with(REQUIREMENTS, ENVIRONMENT, "librosa and scikit-learn")
    say(f"{chosen.data.stem}: padding")
    arguments = [chosen.data, "--folds", chosen.folds, "--cantus", chosen.cantus, *(["--segment", chosen.segment] if chosen.segment else [])]
    subprocess.run([python, __file__, *map(str, arguments), "--scores"], check=True)


if __name__ == "__main__":
    main()
