import pickle

import numpy as np
import pytest

import cantus

sklearn = pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from cantus.sklearn import AudioClassifier, AudioFeatures, CantusClassifier  # noqa: E402


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("network", ["mlp", "logistic", "kernel"])
def test_the_classifier_of_matrices_passes_the_checks_of_scikit_learn(network):
    check_estimator(CantusClassifier(network, epochs=30))


@pytest.mark.parametrize("network", ["mlp", "logistic", "kernel"])
def test_the_classifier_of_matrices_learns_classes_of_text(network):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 4)) + np.repeat(np.eye(3, 4) * 4, 30, axis=0)
    y = np.repeat(["b", "a", "c"], 30)
    classifier = CantusClassifier(network, random_state=0).fit(x, y)
    assert classifier.classes_.tolist() == ["a", "b", "c"] and classifier.score(x, y) > 0.95
    assert np.allclose(classifier.predict_proba(x).sum(axis=1), 1)
    again = clone(classifier).fit(x, y)
    assert np.array_equal(again.predict_proba(x), classifier.predict_proba(x))
    copy = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(copy.predict_proba(x), classifier.predict_proba(x))


def test_features_are_columns_of_a_pipeline_and_a_grid_search(paths, labels):
    pipeline = make_pipeline(AudioFeatures(), StandardScaler(), LogisticRegression())
    features = {"segments": {"duration_s": 1.0}}
    pipeline.set_params(audiofeatures__features=features)
    grid = {"audiofeatures__statistics": [("mean",), ("mean", "std")], "logisticregression__C": [0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(paths, labels)
    assert search.best_score_ > 0.4
    assert search.predict(paths[:3]).shape == (3,)


def test_features_have_names_and_the_output_that_is_set(paths):
    features = {"segments": {"duration_s": 1.0}, "kinds": ["mfcc", "rms"], "n_mfcc": 2}
    transformer = AudioFeatures(features=features).fit(paths)
    expected = ["mfcc_0_mean", "mfcc_1_mean", "rms_mean", "mfcc_0_std", "mfcc_1_std", "rms_std"]
    assert transformer.get_feature_names_out().tolist() == expected
    rows = transformer.transform(paths[:3])
    assert rows.shape == (3, 6) and np.isfinite(rows).all()
    pytest.importorskip("pandas")
    frame = clone(transformer).set_output(transform="pandas").fit_transform(paths[:3])
    assert list(frame.columns) == expected and np.array_equal(frame.to_numpy(), rows)


def test_features_of_samples_are_those_of_the_file(paths):
    features = {"segments": {"duration_s": 1.0}}
    transformer = AudioFeatures(features=features, on_error="nan").fit([])
    y = np.sin(np.arange(44100) / 9).astype(np.float32)
    rows = transformer.transform([(y, 22050), (np.zeros(44100, np.float32), 22050), "/no/such.wav"])
    assert np.isfinite(rows[0]).all() and np.isnan(rows[1:]).all()
    with pytest.raises(cantus.DecodeError, match="/no/such.wav"):
        clone(transformer).set_params(on_error="raise").fit_transform(["/no/such.wav"])


def test_the_classifier_of_recordings_trains_predicts_and_is_pickled(paths, labels):
    groups = [index // 2 for index in range(len(paths))]
    classifier = AudioClassifier("best").fit(paths, labels, groups=groups)
    assert classifier.classes_.tolist() == sorted(set(labels))
    assert classifier.score(paths, labels) > 0.8
    probabilities = classifier.predict_proba(paths[:4])
    assert probabilities.shape == (4, len(classifier.classes_))
    copy = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(copy.predict_proba(paths[:4]), probabilities)
    assert classifier.predict([cantus_signal()]).shape == (1,)


def cantus_signal():
    return np.sin(np.arange(66150) / 9).astype(np.float32), 22050


def test_the_classifier_of_recordings_is_cross_validated_with_classes_that_are_numbers(paths, labels):
    numbers = np.unique(labels, return_inverse=True)[1] + 9
    scores = cross_val_score(AudioClassifier("logistic-regression", epochs=3), np.array(paths), numbers, cv=2)
    assert scores.shape == (2,) and np.isfinite(scores).all()


def test_unusable_arguments_are_errors_of_one_line(paths, labels):
    cases = [
        (TypeError, lambda: AudioClassifier().fit([1, 2], ["a", "b"])),
        (ValueError, lambda: AudioClassifier("bset").fit(paths, labels)),
        (ValueError, lambda: AudioClassifier().fit(paths, labels[:-1])),
        (ValueError, lambda: AudioClassifier().fit([], [])),
        (cantus.DataError, lambda: AudioClassifier().fit(paths, ["a"] * len(paths))),
        (ValueError, lambda: AudioFeatures(statistics=("mode",)).fit(paths)),
        (ValueError, lambda: AudioFeatures(statistics=()).fit(paths)),
        (ValueError, lambda: AudioFeatures(on_error="skip").fit(paths)),
        (ValueError, lambda: AudioFeatures("embedding").fit(paths)),
        (ValueError, lambda: CantusClassifier("cnn").fit([[0.0], [1.0]], [0, 1])),
    ]
    for number, (expected, call) in enumerate(cases):
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value), number
        assert not isinstance(caught.value, cantus.InternalError), number
