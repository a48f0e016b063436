import io
import json
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

import cantus


@pytest.fixture(scope="module")
def signal():
    """Three seconds of noise, in steps of 16-bit samples."""
    noise = np.random.default_rng(0).standard_normal(66150) * 3000
    return (np.round(noise) / 32768).astype(np.float32)


def wav(y, sr):
    """The content of a mono WAV file."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sr)
        writer.writeframes((y * 32768).astype("<i2").tobytes())
    return file.getvalue()


def test_all_forms_of_a_recording_have_the_same_prediction(model, signal, tmp_path):
    content = wav(signal, 22050)
    path = tmp_path / "song.wav"
    path.write_bytes(content)
    expected = model.predict(str(path))
    forms = [
        path,
        content,
        bytearray(content),
        io.BytesIO(content),
        (signal, 22050),
        (signal.astype(np.float64), 22050.0),
        (np.stack([signal, signal]), 22050),
        (signal.tolist(), 22050),
        {"array": signal, "sampling_rate": 22050, "path": None},
        {"bytes": content, "path": "song.wav"},
        {"path": path},
    ]
    assert len(model.predict(forms)) == len(forms)
    for form in forms[:3] + forms[4:]:
        assert model.predict(form).to_dict() == expected.to_dict()
    with path.open("rb") as file:
        assert model.predict(file).to_dict() == expected.to_dict()


def test_the_decoder_of_a_hugging_face_data_set_is_a_recording(model, signal):
    class Samples:
        data, sample_rate = np.stack([signal, signal]), 22050

    class Decoder:
        def get_all_samples(self):
            return Samples()

    assert model.predict(Decoder()).to_dict() == model.predict((signal, 22050)).to_dict()


def test_damaged_files_are_predicted_or_errors_of_one_line(model, signal):
    content = wav(signal[:30000], 22050)
    rng = np.random.default_rng(0)
    n_errors = 0
    for _ in range(300):
        damaged = bytearray(content[: rng.integers(len(content))])
        for position in rng.integers(0, max(len(damaged), 1), 8):
            damaged[position : position + 1] = bytes([rng.integers(256)])
        try:
            assert isinstance(model.predict(bytes(damaged)), cantus.Prediction)
        except cantus.DecodeError as error:
            assert "\n" not in str(error)
            n_errors += 1
    assert 0 < n_errors < 300


def test_a_prediction_has_probabilities_segments_and_times(model, paths):
    prediction = model.predict(paths[0])
    assert list(prediction.probabilities) == model.labels
    assert prediction.label == max(prediction.probabilities, key=prediction.probabilities.get)
    assert abs(sum(prediction.probabilities.values()) - 1) < 1e-5
    assert prediction.segments.shape == (3, len(model.labels)) and prediction.segments.dtype == np.float32
    assert np.allclose(prediction.times, [[0, 1], [1, 2], [2, 3]], atol=1e-3)
    assert prediction.tags is None and abs(prediction.duration - 3) < 1e-6
    assert json.loads(json.dumps(prediction.to_dict()))["segments"][2]["end"] == pytest.approx(3.0, abs=1e-3)
    assert repr(prediction).startswith(f"Prediction({prediction.label!r}, probability=0.")


def test_segments_are_predicted_from_their_features(model, store, paths):
    features, _ = store.to_numpy()
    of_file = model.predict(str(paths[0])).segments
    index = [track.path for track in store.tracks].index("/".join(Path(paths[0]).parts[-2:]))
    rows = np.flatnonzero(store.track_of_segments == index)
    assert np.allclose(model.predict_features(features[rows]), of_file, atol=1e-6)
    assert model.predict_features(features[0]).shape == (1, len(model.labels))


def test_an_error_of_one_of_several_recordings_is_raised_or_returned(model, paths, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"not audio")
    several = [paths[0], bad, paths[1], "/no/such/file.wav"]
    with pytest.raises(cantus.DecodeError, match="bad.wav"):
        model.predict(several)
    results = model.predict(several, on_error="return")
    assert isinstance(results[0], cantus.Prediction) and isinstance(results[2], cantus.Prediction)
    assert isinstance(results[1], cantus.DecodeError) and isinstance(results[3], FileNotFoundError)
    assert model.predict([]) == []


def test_a_model_is_saved_loaded_pickled_and_copied_without_a_change(model, run, tmp_path):
    model.save(tmp_path / "m.safetensors")
    expected = Path(run.path, "model.safetensors").read_bytes()
    copies = [
        model,
        cantus.Model.load(tmp_path / "m.safetensors"),
        cantus.Model.load(run.path),
        pickle.loads(pickle.dumps(model)),
        cantus.Model.from_bytes(expected),
    ]
    assert all(copy.to_bytes() == expected for copy in copies)
    assert "Dense" in model.summary() and model.recipe == "mlp-normalised" and model.task == "classification"


def test_an_exported_model_predicts_the_same(model, store, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    features, _ = store.to_numpy()
    model.export_onnx(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    probabilities = session.run(["probabilities"], {"features": features[:9]})[0]
    assert np.allclose(probabilities, model.predict_features(features[:9]), atol=1e-5)
    model.export_onnx(tmp_path / "s.onnx", input="samples")
    assert (tmp_path / "s.onnx").stat().st_size > (tmp_path / "m.onnx").stat().st_size


def test_threads_share_a_model(model, paths):
    expected = [model.predict(path).probability for path in paths[:8]]
    results = [None] * 8

    def predict(index):
        results[index] = model.predict(paths[index]).probability

    threads = [threading.Thread(target=predict, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == expected


def test_unusable_recordings_are_errors_of_one_line(model, signal, tmp_path):
    sr = 22050
    silence = np.zeros(sr * 2, np.float32)
    nan = signal.copy()
    nan[7] = np.nan
    cases = [
        (FileNotFoundError, "/no/such/file.wav"),
        (FileNotFoundError, Path("/no/such/file.wav")),
        (cantus.DecodeError, b""),
        (cantus.DecodeError, b"these bytes are no audio"),
        (cantus.DecodeError, io.BytesIO(b"\0" * 1000)),
        (cantus.DecodeError, (silence, sr)),
        (ValueError, (nan, sr)),
        (ValueError, (signal, 0)),
        (ValueError, (signal, -1)),
        (ValueError, (signal, 22050.5)),
        (ValueError, (signal[:0], sr)),
        (ValueError, (signal.reshape(1, 1, -1), sr)),
        (ValueError, (signal.reshape(-1, 2), sr)),
        (TypeError, (signal.astype(np.int16), sr)),
        (TypeError, (["a", "b"], sr)),
        (TypeError, signal),
        (TypeError, None),
        (TypeError, 3),
        (TypeError, [None]),
        (TypeError, {"audio": 1}),
        (TypeError, io.StringIO("text")),
        (TypeError, object()),
        (TypeError, [signal]),
    ]
    for expected, recording in cases:
        with pytest.raises(expected) as caught:
            model.predict(recording)
        assert "\n" not in str(caught.value), recording
        assert not isinstance(caught.value, cantus.InternalError), recording


def test_unusable_features_and_files_are_errors_of_one_line(model, store, tmp_path):
    features, _ = store.to_numpy()
    nan = features[:2].copy()
    nan[1, 2, 3] = np.inf
    cases = [
        (ValueError, lambda: model.predict_features(features[:, :-1])),
        (ValueError, lambda: model.predict_features(features[0, 0])),
        (ValueError, lambda: model.predict_features(nan)),
        (TypeError, lambda: model.predict_features(features.astype(complex))),
        (ValueError, lambda: model.predict("x.wav", on_error="ignore")),
        (ValueError, lambda: model.export_onnx(tmp_path / "m.onnx", input="audio")),
        (OSError, lambda: model.save("/no/such/folder/m.safetensors")),
        (FileNotFoundError, lambda: cantus.Model.load("/no/such/model")),
        (cantus.ModelError, lambda: cantus.Model.from_bytes(b"no model")),
        (cantus.ModelError, lambda: cantus.Model.from_bytes(model.to_bytes()[:-7])),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, cantus.InternalError)
