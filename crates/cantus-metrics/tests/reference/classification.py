"""Reference numbers for src/, and src/baseline/ and src/calibration/ of cantus: classification.json.

pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
python classification.py

Forty tracks of four classes, of which the last never occurs; random probabilities, some of them equal.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy.optimize
import scipy.stats
import sklearn.metrics as metrics
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
rng = np.random.default_rng(11)
N, K = 40, 4


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


true = rng.integers(0, K - 1, size=N)
logits = rng.normal(size=(N, K)) * 2.0
logits[np.arange(N), true] += 1.5
probabilities = softmax(logits)
probabilities[:12] = np.round(probabilities[:12] * 8) / 8  # ties


def curves(k):
    is_class, score = true == k, probabilities[:, k]
    fpr, tpr, _ = metrics.roc_curve(is_class, score, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(is_class, score)
    return {
        "fpr": fpr.tolist(),
        "tpr": tpr.tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "auc": metrics.roc_auc_score(is_class, score),
        "average_precision": metrics.average_precision_score(is_class, score),
    }


# Rows without ties: scikit-learn ranks equal scores from the last class to the first, Cantus from the first to the last.
untied = slice(12, None)
top = {
    str(k): metrics.top_k_accuracy_score(true[untied], probabilities[untied], k=k, labels=range(K)) for k in (1, 2, 3)
}

# Expected calibration error over 15 bins of equal width, (low, high] (Guo et al. 2017).
confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == true
edges = np.linspace(0.0, 1.0, 16)
ece, bins = 0.0, []
for low, high in zip(edges[:-1], edges[1:]):
    inside = (confidence > low) & (confidence <= high)
    if inside.any():
        ece += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
        bins.append([int(inside.sum()), confidence[inside].mean(), right[inside].mean()])

# Temperature: cross-entropy, and a normal distribution of ln T with deviation 1 a priori.
z = np.log(probabilities[untied])


def loss(log_t):
    p = softmax(z * np.exp(-log_t))
    return -np.log(p[np.arange(len(p)), true[untied]]).sum() + 0.5 * log_t**2


best = scipy.optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-12})
temperature = float(np.exp(best.x))

# Logistic regression, standardised, C = 1.
D = 6
x = rng.normal(size=(N, D)) * [1, 10, 0.1, 3, 1, 1] + [0, 5, -1, 100, 0, 0]
x[:, 4] = 7.0  # constant
x[:, 0] += true
x_new = x[:5] + rng.normal(size=(5, D)) * 0.2
scaler = StandardScaler().fit(x)
model = LogisticRegression(C=1.0, tol=1e-12, max_iter=100_000).fit(scaler.transform(x), true)

# McNemar's exact test: discordant pairs b and c.
pairs = [(0, 0), (1, 0), (5, 3), (10, 2), (2, 10), (31, 12), (120, 80)]
mcnemar = [[b, c, scipy.stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0] for b, c in pairs]

# Paired bootstrap over 12 groups of tracks: the difference of two accuracies.
group = rng.integers(0, 12, size=N)
a, b = rng.random(N) < 0.7, rng.random(N) < 0.5
difference = np.array([(a.astype(int) - b)[group == g].sum() for g in range(12)])
size = np.array([(group == g).sum() for g in range(12)])
drawn = rng.integers(0, 12, size=(200_000, 12))
resampled = difference[drawn].sum(axis=1) / size[drawn].sum(axis=1)

# Sign-flip permutation test over groups' summed differences: all sign patterns of few groups, random ones of many.
sums = [
    [3, 1, -1, 2, 0, 4],
    [2, 2, 2, 2, 2, 2],
    [1, -1, 2, -2, 0, 0, 3],
    [5, -3, 1, 1, 0, 2, -1, 4, 1, 0, 3, -2],
    *(rng.integers(-3, 5, size=n).tolist() for n in (12, 30, 200)),
    [0] * 8,
]


def sign_flip(differences):
    exact = len(differences) <= 12
    return scipy.stats.permutation_test(
        (np.array(differences),),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else 1_000_000,
        batch=10_000,
        rng=np.random.default_rng(5),
    ).pvalue


sign_flips = [{"sums": differences, "p": float(sign_flip(differences))} for differences in sums]

reference = {
    "true": true.tolist(),
    "probabilities": probabilities.tolist(),
    "curves": [curves(k) for k in range(K - 1)],
    "top": top,
    "ece": ece,
    "bins": bins,
    "temperature": temperature,
    "logistic": {
        "x": x.tolist(),
        "x_new": x_new.tolist(),
        "probabilities": model.predict_proba(scaler.transform(x_new)).tolist(),
        "coefficients": model.coef_.tolist(),
    },
    "mcnemar": mcnemar,
    "sign_flip": sign_flips,
    "paired": {
        "group": group.tolist(),
        "a": a.tolist(),
        "b": b.tolist(),
        "interval": np.percentile(resampled, [2.5, 97.5]).tolist(),
    },
}
pathlib.Path(__file__).with_name("classification.json").write_text(json.dumps(reference) + "\n")
