"""The baseline of a run once more, by scikit-learn: prints the track accuracy of both, and fails if they differ.

pip install scikit-learn==1.9.1 numpy==2.4.6 pyarrow==26.0.1
python baseline.py FEATURES RUN
"""

import csv
import glob
import json
import sys

import numpy as np
import pyarrow.ipc
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

features, run = sys.argv[1:]
rows = list(csv.DictReader(open(f"{run}/split.csv")))
part_of, label_of = {r["path"]: r["part"] for r in rows}, {r["path"]: r["label"] for r in rows}
frames = {}
for path in sorted(glob.glob(f"{features}/part-*.arrow")):
    table = pyarrow.ipc.open_file(path).read_all()
    shape = json.loads(table.schema.field("features").metadata[b"shape"])
    values = table["features"].combine_chunks().flatten().to_numpy().reshape(-1, *shape).astype(np.float64)
    for track, segment in zip(table["path"].to_pylist(), values):
        frames.setdefault(track, []).append(segment)


def part(names):
    tracks = [track for track in frames if part_of[track] in names]
    stacked = [np.concatenate(frames[track]) for track in tracks]
    return np.array([np.r_[x.mean(axis=0), x.std(axis=0)] for x in stacked]), [label_of[track] for track in tracks]


x, y = part({"train", "validation"})
x_test, y_test = part({"test"})
model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-10, max_iter=100_000)).fit(x, y)
theirs = model.score(x_test, y_test)
ours = json.load(open(f"{run}/report.json"))["baseline"]["track_accuracy"]
print(f"scikit-learn {theirs:.6f}, cantus {ours:.6f}, {len(y_test)} tracks")
assert abs(ours - theirs) < 1e-12
