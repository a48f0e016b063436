import pickle
import warnings

import numpy as np
import pytest

import cantus


def test_a_store_has_the_segments_labels_and_tracks_of_the_folder(store, paths, labels):
    assert store.labels == sorted(set(labels))
    assert len(store) == 3 * len(paths) and len(store.tracks) == len(paths)
    assert store.shape == (store.to_numpy()[0].shape[1], 8)
    assert store.spec["kinds"] == ["mfcc"] and store.spec["n_mfcc"] == 8
    assert not store.failures and not store.is_tagged
    assert [track.n_segments for track in store.tracks] == [3] * len(paths)


def test_features_and_classes_come_as_arrays_in_the_order_of_the_segments(store):
    features, classes = store.to_numpy()
    assert features.dtype == np.float32 and features.shape == (len(store), *store.shape)
    expected = [store.tracks[track].labels[0] for track in store.track_of_segments]
    assert classes.tolist() == expected
    assert len(set(store.groups)) == len(store.tracks)


def test_arrow_and_pandas_have_the_values_of_numpy(store):
    pytest.importorskip("pyarrow")
    table = store.to_arrow()
    features, classes = store.to_numpy()
    values = table["features"].combine_chunks().flatten().to_numpy()
    assert np.array_equal(values.reshape(features.shape), features)
    assert table["label"].to_pylist() == classes.tolist()
    pytest.importorskip("pandas")
    frame = store.to_pandas()
    assert frame["label"].tolist() == classes.tolist()


def test_a_list_of_paths_with_labels_and_groups_is_extracted(paths, labels, tmp_path):
    groups = [f"session {index % 5}" for index in range(len(paths))]
    store = cantus.extract(paths, tmp_path / "f", labels=labels, groups=groups, progress=False)
    assert {track.path for track in store.tracks} == set(paths)
    by_path = dict(zip(paths, groups, strict=True))
    assert all(track.group == by_path[track.path] for track in store.tracks)
    by_folder = cantus.extract(paths, tmp_path / "g", progress=False)
    assert by_folder.labels == sorted(set(labels))


def test_a_file_that_is_not_audio_is_a_warning_and_a_failure(paths, labels, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no audio at all" * 10)
    with pytest.warns(UserWarning, match="1 of 9 recordings have no features"):
        store = cantus.extract(
            [*paths[:8], str(bad)], tmp_path / "f", labels=[*labels[:8], labels[0]], progress=False
        )
    assert [failure.path for failure in store.failures] == [str(bad)]


def test_progress_is_a_line_without_tqdm(paths, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    cantus.extract(paths[:8], tmp_path / "f")
    text = capsys.readouterr().err
    assert "extract: 8/8" in text and text.endswith("\n")
    cantus.extract(paths[:8], tmp_path / "g", progress=False)
    assert capsys.readouterr().err == ""


def test_the_same_call_keeps_a_finished_store(store, corpus, features):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = cantus.extract(corpus, store.path, features=features, progress=False)
    assert np.array_equal(again.to_numpy()[0], store.to_numpy()[0])


def test_a_store_can_be_pickled(store):
    assert pickle.loads(pickle.dumps(store)).tracks == store.tracks


def test_unusable_arguments_are_errors_of_one_line(corpus, paths, tmp_path):
    out = tmp_path / "f"
    cases = [
        (FileNotFoundError, lambda: cantus.extract("/no/such/folder", out, progress=False)),
        (FileNotFoundError, lambda: cantus.Store("/no/such/folder").labels),
        (cantus.DataError, lambda: cantus.Store(corpus)),
        (cantus.DataError, lambda: cantus.extract(tmp_path, out, progress=False)),
        (ValueError, lambda: cantus.extract([], out)),
        (ValueError, lambda: cantus.extract(paths, out, labels=["a"])),
        (ValueError, lambda: cantus.extract([paths[0], paths[0]], out, labels=["a", "b"], progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, labels=["a"])),
        (ValueError, lambda: cantus.extract(corpus, out, recipe="bset", progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, recipe="embedding", progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, features={"n_mffc": 3}, progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, features={"n_mfcc": "many"}, progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, features={"n_mfcc": 0}, progress=False)),
        (ValueError, lambda: cantus.extract(corpus, out, audit="maybe")),
        (ValueError, lambda: cantus.extract(corpus, out, n_jobs=-3)),
        (TypeError, lambda: cantus.extract(corpus, out, features={"kinds": object()})),
        (TypeError, lambda: cantus.extract(None, out)),
        (ValueError, lambda: cantus.compose(out, n_tracks=0)),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, cantus.InternalError)
