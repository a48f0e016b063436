"""Embedding models: extraction, training and prediction; the model is a network of the tests, exported."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cantus


def command(*arguments):
    """Run the command line of the package."""
    subprocess.run(
        [sys.executable, "-m", "cantus", "-q", *map(str, arguments)], capture_output=True, check=True
    )


@pytest.fixture(scope="module")
def embedding(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    # Features without a transform, whose graph is fast.
    features = {"kinds": ["rms", "zero_crossing_rate"], "sample_rate": 8000, "segments": {"duration_s": 1.0}}
    store = cantus.extract(corpus, folder / "simple", features=features, progress=False)
    run = cantus.train(store, epochs=3, out=folder / "run", progress=False)
    command("export", run.path, "-o", folder / "mine.onnx", "--embedding")
    return folder / "mine.onnx"


@pytest.fixture(scope="module")
def of_embedding(corpus, embedding, tmp_path_factory):
    out = tmp_path_factory.mktemp("embeddings") / "features"
    return cantus.extract(corpus, out, embedding=embedding, progress=False)


def test_a_store_of_embeddings_has_a_row_for_each_segment(of_embedding):
    assert of_embedding.spec["kinds"] == ["embedding"] and of_embedding.shape[0] == 1
    features, classes = of_embedding.to_numpy()
    assert features.shape == (len(classes), *of_embedding.shape) and np.ptp(features, axis=0).max() > 0


def test_a_run_of_embeddings_has_the_bytes_of_the_command_line_and_predicts(
    of_embedding, corpus, embedding, paths, tmp_path
):
    run = cantus.train(of_embedding, epochs=3, out=tmp_path / "a", progress=False)
    assert run.model.recipe == "embedding"
    command("extract", corpus, "--embedding", embedding, "-o", tmp_path / "features")
    for part in (tmp_path / "features").glob("part-*.arrow"):
        assert part.read_bytes() == Path(of_embedding.path, part.name).read_bytes()
    command("train", of_embedding.path, "--epochs", 3, "-o", tmp_path / "b")
    model = Path(run.path, "model.safetensors").read_bytes()
    assert model == (tmp_path / "b" / "model.safetensors").read_bytes()
    # The model contains the embedding model.
    prediction = cantus.Model.from_bytes(model).predict(paths[0])
    assert prediction.label in of_embedding.labels
    assert sum(prediction.probabilities.values()) == pytest.approx(1)


def test_a_recipe_with_embeddings_is_trained_on_a_folder(corpus, embedding, paths, tmp_path):
    run = cantus.train(
        corpus, "embedding-best", embedding=[embedding], epochs=2, out=tmp_path / "run", progress=False
    )
    assert run.model.recipe == "embedding-best" and "embedding" in run.model.spec["kinds"]
    assert run.model.predict(paths[0]).label in run.model.labels
    config = (tmp_path / "run" / "config.toml").read_text()
    assert f'embedding = ["{embedding}"]' in config and "embedding_by_reference = false" in config


def test_a_model_that_was_added_is_found_by_its_name_and_tried(corpus, embedding, monkeypatch, tmp_path):
    monkeypatch.setenv("CANTUS_EMBEDDINGS", str(tmp_path))
    for path in [embedding, embedding.with_suffix(".toml")]:
        shutil.copy(path, tmp_path / path.name)
    store = cantus.extract(
        corpus, tmp_path / "f", embedding="mine", embedding_by_reference=True, progress=False
    )
    assert store.spec["kinds"] == ["embedding"]
    run = cantus.train(corpus, budget=0, epochs=1, progress=False)
    assert len(run.trials) == 9 and run.trials[0].name.startswith("embedding, ")
    # By reference, a model needs the folder.
    content = cantus.train(store, epochs=1, progress=False).model.to_bytes()
    monkeypatch.setenv("CANTUS_EMBEDDINGS", str(tmp_path / "empty"))
    with pytest.raises(cantus.ModelError, match="mine"):
        cantus.Model.from_bytes(content)


def test_estimators_and_batches_take_embedding_models(paths, labels, embedding):
    pytest.importorskip("sklearn", minversion="1.6")
    pa = pytest.importorskip("pyarrow")
    from cantus.sklearn import AudioClassifier, AudioFeatures

    matrix = AudioFeatures(embedding=embedding, statistics=("mean",)).fit_transform(paths[:3])
    names = AudioFeatures(embedding=embedding).fit(paths).get_feature_names_out()
    assert matrix.shape[0] == 3 and names[0] == "embedding_0_mean"
    classifier = AudioClassifier("embedding", embedding=embedding, epochs=2).fit(paths, labels)
    assert classifier.predict_proba(paths[:2]).shape == (2, len(set(labels)))
    batch = cantus.extract_batch(pa.array(paths[:2]), embedding=embedding)
    assert batch["n_segments"].to_pylist() == [len(row) for row in batch["features"].to_pylist()]
    assert batch.schema == cantus.batch_schema(embedding=embedding)


def test_models_and_recipes_that_do_not_fit_are_errors_of_one_line(corpus, store, embedding, tmp_path):
    out = tmp_path / "f"
    text = tmp_path / "text.onnx"
    text.write_text("no graph")
    cases = [
        (cantus.ParameterError, lambda: cantus.extract(corpus, out, recipe="best", embedding=embedding)),
        (cantus.ParameterError, lambda: cantus.extract(corpus, out, recipe="embedding")),
        (cantus.ParameterError, lambda: cantus.extract(corpus, out, embedding="no-such-model")),
        (cantus.ParameterError, lambda: cantus.train(corpus, "mlp", embedding=embedding, progress=False)),
        (cantus.ParameterError, lambda: cantus.train(store, embedding=embedding, progress=False)),
        (cantus.ModelError, lambda: cantus.extract(corpus, out, embedding=text)),
        (cantus.Error, lambda: cantus.extract(corpus, out, embedding=tmp_path)),
        (TypeError, lambda: cantus.extract(corpus, out, embedding=3)),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, cantus.InternalError)
