"""Reference numbers for src/scores.rs, written to scores.json.

pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
python scores.py

The class `jazz` never occurs among the true labels but is predicted; `metal` does neither. Probabilities are multiples
of 1/64, so that they are exact in f32 and ties occur.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy.stats
import sklearn.metrics as metrics

warnings.filterwarnings("ignore")
LABELS = ["blues", "disco", "jazz", "metal", "pop"]
rng = np.random.default_rng(5)


def probabilities(label, leaning):
    logits = rng.normal(size=len(LABELS))
    logits[label] += leaning
    logits[3] = -9.0
    p = np.exp(logits) / np.exp(logits).sum()
    return (np.round(p * 64) / 64).tolist()


segments = []
for track in range(30):
    label = int(rng.choice([0, 0, 0, 1, 1, 4]))
    leaning = rng.normal(1.0, 1.2)
    for _ in range(rng.integers(1, 9)):
        segments.append({"track": track, "label": label, "probabilities": probabilities(label, leaning)})


def scores_of(true, predicted):
    every = range(len(LABELS))
    report = metrics.classification_report(
        true, predicted, labels=every, target_names=LABELS, output_dict=True, zero_division=0.0
    )
    of_present = metrics.classification_report(true, predicted, output_dict=True, zero_division=0.0)
    return {
        "accuracy": metrics.accuracy_score(true, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, predicted),
        "macro_f1": metrics.f1_score(true, predicted, average="macro"),
        "macro_avg": of_present["macro avg"],
        "weighted_avg": of_present["weighted avg"],
        "per_class": {label: report[label] for label in LABELS},
        "confusion_matrix": metrics.confusion_matrix(true, predicted, labels=every).tolist(),
    }


def wilson(right, n):
    interval = scipy.stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    return [right, n, interval.low, interval.high]


true = np.array([s["label"] for s in segments])
predicted = np.array([np.argmax(s["probabilities"]) for s in segments])
tracks = np.array([s["track"] for s in segments])
probability_rows = np.array([s["probabilities"] for s in segments])
track_true = np.array([true[tracks == t][0] for t in range(30)])
track_predicted = np.array([np.argmax(probability_rows[tracks == t].mean(axis=0)) for t in range(30)])

# Cluster bootstrap: whole tracks are drawn, with replacement. 200 000 resamples leave an error of some 1e-4 on the ends.
right = np.array([(true == predicted)[tracks == t].sum() for t in range(30)])
size = np.array([(tracks == t).sum() for t in range(30)])
drawn = rng.integers(0, 30, size=(200_000, 30))
resampled = right[drawn].sum(axis=1) / size[drawn].sum(axis=1)

reference = {
    "labels": LABELS,
    "segments": segments,
    "by_segment": scores_of(true, predicted),
    "by_track": scores_of(track_true, track_predicted),
    "track_predicted": track_predicted.tolist(),
    "bootstrap": np.percentile(resampled, [2.5, 97.5]).tolist(),
    "wilson": [wilson(*c) for c in [(0, 5), (5, 5), (1, 1), (160, 198), (9999, 10000), (81, 100)]],
    "classification_report": metrics.classification_report(
        track_true, track_predicted, labels=[0, 1, 2, 4], target_names=[LABELS[i] for i in [0, 1, 2, 4]], zero_division=0.0
    ),
}
pathlib.Path(__file__).with_name("scores.json").write_text(json.dumps(reference) + "\n")
