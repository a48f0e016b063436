"""A small corpus of synthesised music, its features and a run, made once for all tests."""

from pathlib import Path

import pytest

import cantus


@pytest.fixture(scope="session")
def features():
    """Segments of a second, so that recordings of three seconds have three."""
    return {"segments": {"duration_s": 1.0}, "n_mfcc": 8}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "music"
    cantus.compose(folder, n_tracks=4, duration=3.0, progress=False)
    return folder


@pytest.fixture(scope="session")
def paths(corpus):
    return sorted(str(path) for path in corpus.glob("*/*.wav"))


@pytest.fixture(scope="session")
def labels(paths):
    return [Path(path).parent.name for path in paths]


@pytest.fixture(scope="session")
def store(corpus, features, tmp_path_factory):
    out = tmp_path_factory.mktemp("store") / "features"
    return cantus.extract(corpus, out, features=features, progress=False)


@pytest.fixture(scope="session")
def run(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    return cantus.train(store, "mlp-normalised", epochs=3, out=out, progress=False)


@pytest.fixture(scope="session")
def model(run):
    return run.model
