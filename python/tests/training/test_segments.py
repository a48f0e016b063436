"""Segments, background, official splits and memory of training, extraction and estimators, beside the command line."""

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import cantus

SR = 22050
FILES = ["model.safetensors", "split.csv", "report.json", "config.toml"]


@pytest.fixture(autouse=True)
def no_embedding_models(monkeypatch, tmp_path):
    """The models of the user's folder would be tried, too."""
    monkeypatch.setenv("CANTUS_EMBEDDINGS", str(tmp_path / "no-models"))


def command(*arguments):
    """Run the command line of the package."""
    command = [sys.executable, "-m", "cantus", "-q", *map(str, arguments)]
    subprocess.run(command, capture_output=True, check=True)


def flags(options):
    """Return arguments as options of the command line."""
    return [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]


def write_wav(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SR, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A folder with white noise of three seconds, of which one recording is in a subfolder."""
    folder = tmp_path_factory.mktemp("background") / "noise"
    rng = np.random.default_rng(0)
    for name in ["1", "2", "3", "deep/4"]:
        write_wav(folder / f"{name}.wav", 0.2 * rng.uniform(-1, 1, 3 * SR))
    return folder


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Eight recordings of 0.5 s of each of two classes: low and high tones."""
    folder = tmp_path_factory.mktemp("short") / "tones"
    times = np.arange(SR // 2) / SR
    for label, hz in [("high", 2000), ("low", 300)]:
        for index in range(8):
            tone = 0.3 * np.sin(2 * np.pi * (hz + 20 * index) * times) * (1 - times)
            write_wav(folder / label / f"{index}.wav", tone)
    return folder


def windows(store):
    return store.spec["segments"]


def test_a_store_with_given_segments_has_the_bytes_of_the_command_line(corpus, tmp_path):
    options = {"segment": 1, "hop": 0.5, "pad": "zero", "n_segments": 3}
    store = cantus.extract(corpus, tmp_path / "a", progress=False, **options)
    command("extract", corpus, *flags(options), "-o", tmp_path / "b")
    expected = {"duration_s": 1.0, "hop_s": 0.5, "padding": "zero", "max_segments": 3}
    assert windows(store) == expected
    assert [track.n_segments for track in store.tracks] == [3] * len(store.tracks)
    parts = sorted((tmp_path / "b").glob("part-*.arrow"))
    assert parts and all(part.read_bytes() == (tmp_path / "a" / part.name).read_bytes() for part in parts)
    # Five windows of a second fit into three seconds, half a second apart.
    all_windows = cantus.extract(corpus, tmp_path / "c", segment=1.0, hop=0.5, progress=False)
    assert all_windows.tracks[0].n_segments == 5


def test_segments_of_a_list_of_paths_are_those_of_the_folder(paths, labels, tmp_path):
    store = cantus.extract(
        paths, tmp_path / "f", labels=labels, segment=1.5, features={"n_mfcc": 5}, progress=False
    )
    assert windows(store)["duration_s"] == 1.5 and windows(store)["hop_s"] == 1.5
    assert store.shape[1] == 5 and {track.n_segments for track in store.tracks} == {2}


def test_short_recordings_are_padded_with_zeros_repeated_or_left_out(short, tmp_path):
    def features(pad):
        out = tmp_path / pad
        store = cantus.extract(short, out, features={"kinds": ["rms"]}, segment=1.0, pad=pad, progress=False)
        return store.to_numpy()[0]

    zero, repeated = features("zero"), features("repeat")
    assert zero.shape == repeated.shape and len(zero) == 16
    last = zero[:, -5:]
    assert np.allclose(last, 0, atol=1e-6) and (repeated[:, -5:] > 1e-3).all()
    with pytest.raises(cantus.DataError, match="16 of 16 recordings are shorter .*segment=.*pad='repeat'"):
        features("none")


def test_a_run_with_segments_and_background_has_the_bytes_of_the_command_line(corpus, noise, tmp_path):
    options = {"segment": 1.5, "hop": 0.75, "pad": "repeat", "n_segments": 3, "epochs": 2}
    run = cantus.train(corpus, "best", background=noise, out=tmp_path / "a", progress=False, **options)
    command("train", corpus, "-m", "best", "--background", noise, *flags(options), "-o", tmp_path / "b")
    for name in FILES:
        assert Path(run.path, name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert run.model.labels[0] == "_background_"
    assert run.model.spec["segments"]["duration_s"] == 1.5
    assert sum("noise/" in row["path"] for row in run.split) == 4


def test_a_selection_with_segments_and_background_has_the_bytes_of_the_command_line(corpus, noise, tmp_path):
    options = {"budget": 0, "n_segments": 2, "pad": "zero", "epochs": 1}
    run = cantus.train(corpus, background=noise, out=tmp_path / "a", progress=False, **options)
    command("train", corpus, "--background", noise, *flags(options), "-o", tmp_path / "b")
    for name in FILES:
        assert Path(run.path, name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    segments = run.model.spec["segments"]
    assert (segments["max_segments"], segments["padding"]) == (2, "zero")
    assert run.model.labels[0] == "_background_" and run.trials.chosen is not None


def test_a_background_is_a_class_of_a_list_of_paths(paths, labels, noise, tmp_path):
    store = cantus.extract(paths, tmp_path / "f", labels=labels, background=noise, progress=False)
    assert store.labels == ["_background_", *sorted(set(labels))]
    of_background = [track for track in store.tracks if track.labels == ["_background_"]]
    assert sorted(Path(track.path).name for track in of_background) == ["1.wav", "2.wav", "3.wav", "4.wav"]
    with pytest.raises(FileNotFoundError):
        cantus.extract(paths, tmp_path / "g", labels=labels, background=tmp_path / "none", progress=False)


def test_a_classifier_of_recordings_has_segments_and_a_background(paths, labels, noise):
    pytest.importorskip("sklearn", minversion="1.6")
    from sklearn.base import clone

    from cantus.sklearn import AudioClassifier

    # Every second class, so that training is short.
    chosen = [index for index, label in enumerate(labels) if label in ("jazz", "rock")]
    x, y = [paths[index] for index in chosen], [labels[index] for index in chosen]
    options = {"segment": 1.0, "hop": 0.5, "pad": "zero", "n_segments": 2, "batch_size": 8}
    classifier = AudioClassifier("mlp-normalised", background=noise, epochs=20, **options)
    trained = clone(classifier).fit(x, y)
    assert trained.classes_.tolist() == ["_background_", "jazz", "rock"]
    expected = {"duration_s": 1.0, "hop_s": 0.5, "padding": "zero", "max_segments": 2}
    assert trained.model_.spec["segments"] == expected
    assert trained.predict([noise / "1.wav"]).tolist() == ["_background_"]
    assert trained.predict_proba(x[:2]).shape == (2, 3)
    other = clone(classifier).set_params(batch_size=4).fit(x, y)
    assert not np.array_equal(other.predict_proba(x), trained.predict_proba(x))
    with pytest.raises(cantus.ParameterError, match="background="):
        clone(classifier).fit(x, [len(label) for label in y])


def test_lists_of_an_official_split_have_the_parts_of_the_command_line(store, tmp_path):
    parts = {"train": [], "valid": [], "test": []}
    for index, track in enumerate(store.tracks):
        name = {2: "valid", 3: "test"}.get(index % 4, "train")
        parts[name].append(track.path)
    lists = []
    for name, listed in parts.items():
        lists.append(tmp_path / f"{name}.txt")
        lists[-1].write_text("\n".join(listed))
    run = cantus.train(store, split_lists=lists, epochs=1, out=tmp_path / "a", progress=False)
    assert {row["path"] for row in run.split if row["part"] == "test"} == set(parts["test"])
    command("train", store.path, "--epochs", 1, "-o", tmp_path / "b", "--split-lists", *lists)
    for name in FILES:
        assert Path(run.path, name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for wrong, match in [(lists[:1], "two lists"), ([lists[0], tmp_path / "none.txt"], "none.txt")]:
        with pytest.raises((cantus.Error, FileNotFoundError), match=match):
            cantus.train(store, split_lists=wrong, progress=False)


def test_less_memory_does_not_change_a_model(store):
    small, large = (cantus.train(store, epochs=2, memory=n, progress=False) for n in (1000, None))
    content = [Path(run.path, "model.safetensors").read_bytes() for run in (small, large)]
    assert content[0] == content[1]


def test_augmented_copies_are_those_of_the_recipe_that_is_named(corpus, features, tmp_path):
    recipe = tmp_path / "copies.toml"
    command("train", corpus, "-m", "mlp", "--epochs", 1, "-o", tmp_path / "run")
    text = (tmp_path / "run" / "recipe.toml").read_text()
    recipe.write_text(
        text
        + '\n[augmentation]\ncopies = 1\naudio = [{ type = "gain", probability = 1.0, range = [-6, 6] }]\n'
    )
    store = cantus.extract(corpus, tmp_path / "f", features=features, augment=recipe, progress=False)
    pytest.importorskip("pyarrow")
    assert set(store.to_arrow()["copy"].to_pylist()) == {0, 1}
    with pytest.raises(cantus.ParameterError, match="defines no augmented copies"):
        cantus.extract(corpus, tmp_path / "g", augment="mlp", progress=False)


def test_unusable_arguments_are_errors_of_one_line_that_name_them(corpus, store, run, noise, tmp_path):
    out = tmp_path / "f"
    extract = lambda **options: cantus.extract(corpus, out, progress=False, **options)  # noqa: E731
    train = lambda *data, **options: cantus.train(*data, progress=False, **options)  # noqa: E731
    cases = [
        (cantus.ParameterError, "segment", lambda: extract(segment=0)),
        (cantus.ParameterError, "segment", lambda: extract(segment=float("nan"))),
        (cantus.ParameterError, "segment", lambda: extract(segment=1e6)),
        (cantus.ParameterError, "hop", lambda: extract(segment=1, hop=-1)),
        (cantus.ParameterError, "hop_s", lambda: extract(segment=1, hop=1e-6)),
        (cantus.ParameterError, "pad", lambda: extract(pad="loop")),
        (cantus.ParameterError, "n_segments", lambda: extract(n_segments=0)),
        (TypeError, "segment", lambda: extract(segment="3")),
        (TypeError, "n_segments", lambda: extract(n_segments=1.5)),
        (
            cantus.ParameterError,
            "twice",
            lambda: extract(segment=1, features={"segments": {"duration_s": 2}}),
        ),
        (FileNotFoundError, "none", lambda: extract(background=tmp_path / "none")),
        (cantus.DataError, "no audio", lambda: extract(background=Path(__file__).parent)),
        (cantus.ParameterError, "bset", lambda: extract(augment="bset")),
        (cantus.ParameterError, "segment", lambda: train(corpus, "mlp", segment=-1)),
        (cantus.ParameterError, "segment= needs a recipe", lambda: train(corpus, segment=1)),
        (cantus.ParameterError, "segment=", lambda: train(store, segment=1)),
        (cantus.ParameterError, "n_segments=", lambda: train(store, n_segments=1)),
        (cantus.ParameterError, "background=", lambda: train(store, background=noise)),
        (cantus.ParameterError, "from_run=", lambda: train(corpus, from_run=run, hop=1)),
        (FileNotFoundError, "none", lambda: train(corpus, "mlp", background=tmp_path / "none")),
        (cantus.ParameterError, "memory", lambda: train(store, memory=10)),
        (cantus.ParameterError, "groups=", lambda: train(store, groups="artist", split="track")),
        (cantus.ParameterError, "split='segment'", lambda: train(store, split="segment", folds=2)),
        (cantus.ParameterError, "test = 0", lambda: train(store, test=0.0)),
        (cantus.ParameterError, "nothing to train on", lambda: train(store, test=0.5, validation=0.5)),
    ]
    for number, (expected, named, call) in enumerate(cases):
        with pytest.raises(expected, match=named) as caught:
            call()
        assert "\n" not in str(caught.value), number
        assert not isinstance(caught.value, cantus.InternalError), number
