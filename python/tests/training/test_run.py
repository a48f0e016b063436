import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cantus


def command(*arguments):
    """Run the command line of the package."""
    command = [sys.executable, "-m", "cantus", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def model_bytes(run):
    return (Path(run) / "model.safetensors").read_bytes()


def test_a_model_of_train_has_the_bytes_of_the_command_line(store, run, tmp_path):
    command("-q", "train", store.path, "-m", "mlp-normalised", "--epochs", 3, "-o", tmp_path / "run")
    assert model_bytes(run.path) == model_bytes(tmp_path / "run")
    for name in ["predictions.csv", "split.csv", "history.json", "report.json", "recipe.toml", "config.toml"]:
        assert Path(run.path, name).read_bytes() == (tmp_path / "run" / name).read_bytes(), name


def test_a_run_of_a_folder_of_recordings_equals_that_of_the_command_line(corpus, tmp_path):
    options = {"epochs": 2, "seed": 7, "learning_rate": 2e-3, "patience": 1, "validation": 0.2}
    cantus.train(corpus, "best", out=tmp_path / "a", progress=False, **options)
    flags = [flag for name, value in options.items() for flag in (f"--{name.replace('_', '-')}", value)]
    command("-q", "train", corpus, "-m", "best", *flags, "-o", tmp_path / "b")
    assert model_bytes(tmp_path / "a") == model_bytes(tmp_path / "b")


@pytest.fixture(scope="module")
def two_classes(corpus, features, tmp_path_factory):
    """A store with two of the classes of the corpus."""
    paths = [path for name in ["jazz", "rock"] for path in sorted((corpus / name).glob("*.wav"))]
    out = tmp_path_factory.mktemp("two") / "features"
    labels = [path.parent.name for path in paths]
    return cantus.extract(paths, out, labels=labels, features=features, progress=False)


@pytest.mark.parametrize("freeze", [None, 1, "all"])
def test_a_training_that_starts_from_a_run_has_the_bytes_of_the_command_line(
    run, two_classes, freeze, tmp_path
):
    options = {} if freeze is None else {"freeze": freeze, "layer_rate": 0.3}
    tuned = cantus.train(two_classes, from_run=run, epochs=2, out=tmp_path / "a", progress=False, **options)
    flags = [flag for name, value in options.items() for flag in (f"--{name.replace('_', '-')}", value)]
    command("-q", "train", two_classes.path, "--from", run.path, *flags, "--epochs", 2, "-o", tmp_path / "b")
    assert model_bytes(tmp_path / "a") == model_bytes(tmp_path / "b")
    for name in ["report.json", "recipe.toml", "config.toml"]:
        assert Path(tuned.path, name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    start = tuned.report["model"]["start"]
    assert (start["recipe"], start["n_labels"]) == ("mlp-normalised", len(run.model.labels))


def tensors(run):
    """The tensors of a model file, which is a safetensors file."""
    content = run.model.to_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    entries = json.loads(content[8:start])
    entries.pop("__metadata__", None)
    offsets = {name: entry["data_offsets"] for name, entry in entries.items()}
    return {name: content[start + first : start + end] for name, (first, end) in offsets.items()}


def test_frozen_layers_keep_the_weights_of_the_run_and_its_layers_stay(run, two_classes):
    frozen = cantus.train(two_classes, from_run=run.path, freeze="all", epochs=1, progress=False)
    trained = cantus.train(two_classes, "mlp-regularised", from_run=run, epochs=1, progress=False)
    before, kept, changed = tensors(run), tensors(frozen), tensors(trained)
    assert frozen.model.labels == trained.model.labels == two_classes.labels
    same_shape = [name for name in before if name.endswith("kernel") and len(before[name]) == len(kept[name])]
    assert same_shape and list(before) == list(kept) == list(changed)
    assert all(before[name] == kept[name] for name in same_shape)
    assert all(before[name] != changed[name] for name in same_shape)


def test_a_run_has_report_history_predictions_and_split(run, store):
    assert 0 <= run.report["track_accuracy"] <= 1
    assert "track accuracy" in str(run.report) and "<iframe" in run.report._repr_html_()
    assert len(run.history["loss"]) == 3 and set(run.history) >= {"accuracy", "val_loss", "val_accuracy"}
    parts = {row["path"]: row["part"] for row in run.split}
    tested = [path for path, part in parts.items() if part == "test"]
    assert sorted(row["path"] for row in run.predictions) == sorted(tested)
    assert set(parts) == {track.path for track in store.tracks}
    assert "track accuracy" in repr(run)


def test_evaluate_repeats_the_scores_of_the_report(run, store, tmp_path):
    for report in [run.evaluate(), cantus.evaluate(run.path, features=store)]:
        assert report["track_accuracy"] == run.report["track_accuracy"]


def test_the_history_is_drawn(run):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    assert len(run.plot_history().axes) == 2


def test_folds_are_runs_and_a_final_model_is_trained_on_request(store):
    run = cantus.train(store, "mlp-normalised", epochs=2, folds=2, progress=False)
    assert [fold.report["track_accuracy"] >= 0 for fold in run.folds] == [True, True]
    assert len(run.predictions) == len(store.tracks)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    assert [len(axis.lines) for axis in run.plot_history().axes] == [4, 4]
    for attribute in ["model", "history"]:
        with pytest.raises(cantus.DataError, match="fold"):
            getattr(run, attribute)
    final = cantus.train(store, "mlp-normalised", epochs=2, folds=2, final=True, progress=False)
    assert final.model.labels == store.labels


def test_groups_by_path_by_track_and_by_name_are_kept_whole(store):
    # Of the four tracks of a class, the first two are a group.
    by_path = {t.path: f"{t.labels[0]} {max(index % 4, 1)}" for index, t in enumerate(store.tracks)}
    options = {"recipe": "mlp-normalised", "epochs": 1, "progress": False}
    runs = [
        cantus.train(store, groups=by_path, **options),
        cantus.train(store, groups=list(by_path.values()), **options),
    ]
    for run in runs:
        parts = {}
        for row in run.split:
            parts.setdefault(by_path[row["path"]], set()).add(row["part"])
        assert all(len(parts_of_group) == 1 for parts_of_group in parts.values())
    assert model_bytes(runs[0].path) == model_bytes(runs[1].path)
    with pytest.raises(cantus.Error):
        cantus.train(store, groups="parent", **options)


def test_a_temporary_run_is_deleted_with_its_object(store):
    run = cantus.train(store, "mlp-normalised", epochs=1, progress=False)
    folder, model = Path(run.path), run.model
    assert folder.exists() and model.labels == store.labels
    del run
    assert not folder.exists()


def test_a_run_can_be_pickled(run):
    assert pickle.loads(pickle.dumps(run)).report == run.report


def test_threads_do_not_change_a_model(store):
    one, two = (cantus.train(store, "mlp-regularised", epochs=1, n_jobs=n, progress=False) for n in (1, 2))
    assert model_bytes(one.path) == model_bytes(two.path)


def test_unusable_arguments_are_errors_of_one_line(store, run, tmp_path):
    cases = [
        (ValueError, lambda: cantus.train(store, "bset", progress=False)),
        (ValueError, lambda: cantus.train(store, folds=1)),
        (ValueError, lambda: cantus.train(store, split="song")),
        (ValueError, lambda: cantus.train(store, epochs=0)),
        (ValueError, lambda: cantus.train(store, test=0.0, progress=False)),
        (ValueError, lambda: cantus.train(store, validation=1.5, progress=False)),
        (ValueError, lambda: cantus.train(store, groups=["a"], progress=False)),
        (ValueError, lambda: cantus.train(store, groups="parent", split="track", progress=False)),
        (ValueError, lambda: cantus.train(store, split="segment", folds=2, progress=False)),
        (ValueError, lambda: cantus.train(store, seed=-1, progress=False)),
        (cantus.DataError, lambda: cantus.train(store, out=run.path, progress=False)),
        (FileNotFoundError, lambda: cantus.train("/no/such/folder", progress=False)),
        (cantus.ModelError, lambda: cantus.train(store, "log-mel-cnn", progress=False)),
        (cantus.ModelError, lambda: cantus.train(store, "mlp", learning_rate=1e30, progress=False)),
        (FileNotFoundError, lambda: cantus.Run("/no/such/run")),
        (cantus.DataError, lambda: cantus.Run(store.path)),
        (FileNotFoundError, lambda: cantus.evaluate("/no/such/run")),
        (TypeError, lambda: cantus.train(None)),
        (ValueError, lambda: cantus.train(store, freeze=1)),
        (ValueError, lambda: cantus.train(store, layer_rate=0.5)),
        (ValueError, lambda: cantus.train(store, from_run=run, freeze=-1)),
        (ValueError, lambda: cantus.train(store, from_run=run, freeze="most")),
        (ValueError, lambda: cantus.train(store, from_run=run, layer_rate=0.0)),
        (TypeError, lambda: cantus.train(store, from_run=run, freeze=1.5)),
        (cantus.ModelError, lambda: cantus.train(store, from_run=run, freeze=99, progress=False)),
        (FileNotFoundError, lambda: cantus.train(store, from_run="/no/such/run", progress=False)),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, cantus.InternalError)


def test_a_report_is_json_and_numbers_of_numpy_are_accepted(store):
    run = cantus.train(
        store,
        "mlp-normalised",
        epochs=np.int64(1),
        seed=np.int64(3),
        validation=np.float64(0.2),
        progress=False,
    )
    assert json.loads(json.dumps(run.report))["seed" if "seed" in run.report else "model"]
