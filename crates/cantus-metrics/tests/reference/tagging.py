"""Reference numbers for src/tagging/, and src/calibration/ and src/baseline/ of cantus: tagging.json.

pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
python tagging.py

Sixty tracks by twenty artists with none to four of four labels; random probabilities that are correlated with them, some of
them equal, and others that are not correlated.
"""

import json
import pathlib

import numpy as np
import scipy.optimize
import sklearn.metrics as metrics
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(5)
N, K, GROUPS, D = 60, 4, 20, 5

groups = rng.integers(0, GROUPS, size=N)
true = rng.random((N, K)) < [0.5, 0.3, 0.15, 0.4]
logits = rng.normal(size=(N, K)) * 2.0 + np.where(true, 1.5, -1.5)
probabilities = 1.0 / (1.0 + np.exp(-logits))
probabilities[:16] = np.round(probabilities[:16] * 7 + 0.02) / 7.5 + 0.01  # ties, none at the threshold
noise = rng.random((N, K))
predicted = probabilities > 0.5


def tag(k):
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(true[:, k], predicted[:, k], average="binary")
    return {
        "average_precision": metrics.average_precision_score(true[:, k], probabilities[:, k]),
        "roc_auc": metrics.roc_auc_score(true[:, k], probabilities[:, k]),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": int(true[:, k].sum()),
    }


# One temperature for all labels: binary cross-entropy, and a normal distribution of ln T with deviation 1 a priori.
z = np.log(probabilities / (1.0 - probabilities))


def loss(log_t):
    scaled = z * np.exp(-log_t)
    return np.logaddexp(0.0, np.where(true, -scaled, scaled)).sum() + 0.5 * log_t**2


best = scipy.optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-12})

# Bootstrap over artists: the macro average precision of the tracks drawn.
rows_of = [np.flatnonzero(groups == g) for g in np.unique(groups)]
drawn = []
for _ in range(10_000):
    rows = np.concatenate([rows_of[g] for g in rng.integers(0, len(rows_of), size=len(rows_of))])
    defined = [k for k in range(K) if 0 < true[rows, k].sum() < len(rows)]
    drawn.append(np.mean([metrics.average_precision_score(true[rows, k], probabilities[rows, k]) for k in defined]))

# Logistic regression for each label, standardised, C = 1.
x = rng.normal(size=(N, D)) * [1, 10, 0.1, 3, 1] + [0, 5, -1, 100, 0]
x[:, 0] += true[:, 0]
x[:, 1] += 8.0 * true[:, 1]
scaled = StandardScaler().fit_transform(x)
model = OneVsRestClassifier(LogisticRegression(C=1.0, tol=1e-12, max_iter=100_000)).fit(scaled, true)

reference = {
    "labels": [np.flatnonzero(row).tolist() for row in true],
    "groups": groups.tolist(),
    "probabilities": probabilities.tolist(),
    "noise": noise.tolist(),
    "tags": [tag(k) for k in range(K)],
    "macro_average_precision": metrics.average_precision_score(true, probabilities, average="macro"),
    "macro_roc_auc": metrics.roc_auc_score(true, probabilities, average="macro"),
    "micro_f1": metrics.f1_score(true, predicted, average="micro"),
    "macro_f1": metrics.f1_score(true, predicted, average="macro"),
    "chance_level": true.mean(axis=0).mean(),
    "label_cardinality": true.sum(axis=1).mean(),
    "temperature": float(np.exp(best.x)),
    "macro_interval": np.percentile(drawn, [2.5, 97.5]).tolist(),
    "logistic": {"x": x.tolist(), "probabilities": model.predict_proba(scaled).tolist()},
}
pathlib.Path(__file__).with_name("tagging.json").write_text(json.dumps(reference) + "\n")
