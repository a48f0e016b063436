import pickle
import threading

import numpy as np
import pytest

import cantus
from cantus import nn


def dense(units, activation):
    return {"type": "Dense", "units": units, "activation": activation}


@pytest.fixture(scope="module")
def moons():
    """Two classes that no line divides: inside and outside a circle."""
    x = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    return x, (np.hypot(x[:, 0], x[:, 1]) < 0.7).astype(int)


@pytest.fixture
def network():
    return nn.Network({"input_shape": [2], "layers": [dense(32, "relu"), dense(2, "softmax")]}, seed=1)


def test_a_network_learns_and_its_history_has_keras_names(network, moons):
    x, y = moons
    history = network.fit(x, y, epochs=60, learning_rate=0.01, validation_data=(x[:50], y[:50]))
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert history.epoch == list(range(60)) and history.history["accuracy"][-1] > 0.95
    scores = network.evaluate(x[:50], y[:50])
    assert scores["loss"] == pytest.approx(history.history["val_loss"][-1], rel=1e-5)
    probabilities = network.predict(x)
    assert probabilities.shape == (400, 2) and probabilities.dtype == np.float32
    assert ((probabilities.argmax(axis=1) == y).mean()) > 0.95
    assert "60 epochs" in repr(history)


def test_dict_json_and_toml_are_the_same_architecture():
    toml = 'input_shape = [2]\n[[layers]]\ntype = "Dense"\nunits = 3\nactivation = "softmax"\n'
    json = '{"input_shape": [2], "layers": [{"type": "Dense", "units": 3, "activation": "softmax"}]}'
    networks = [
        nn.Network(text, seed=5)
        for text in (toml, json, {"input_shape": [2], "layers": [dense(3, "softmax")]})
    ]
    assert networks[0].architecture == networks[1].architecture == networks[2].architecture
    outputs = [network.predict([[1.0, 2.0]]) for network in networks]
    assert np.array_equal(outputs[0], outputs[1]) and np.array_equal(outputs[0], outputs[2])


def test_the_same_seed_gives_the_same_weights_on_any_number_of_threads(moons):
    x, y = moons
    layers = [dense(32, "relu"), {"type": "Dropout", "rate": 0.3}, dense(2, "softmax")]
    weights = []
    for n_jobs in [1, 2]:
        network = nn.Network({"input_shape": [2], "layers": layers}, seed=2)
        network.fit(x, y, epochs=3, seed=4, n_jobs=n_jobs)
        weights.append(network.weights)
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_weights_are_numpy_arrays_that_can_be_assigned(network):
    weights = network.weights
    assert weights["layers.0.kernel"].shape == (2, 32)
    network.weights = {"layers.1.kernel": np.zeros((32, 2)), "layers.1.bias": [1.0, 1.0]}
    assert np.array_equal(network.predict([[0.3, 0.4]]), [[0.5, 0.5]])
    network.weights = weights
    assert not np.array_equal(network.predict([[0.3, 0.4]]), [[0.5, 0.5]])
    assert network.count_params() == sum(values.size for values in weights.values())


def test_values_are_a_regression(moons):
    x, _ = moons
    y = np.stack([x.sum(axis=1), x[:, 0] * 2], axis=1)
    network = nn.Network({"input_shape": [2], "layers": [dense(2, "linear")]})
    history = network.fit(x, y, epochs=40, optimizer={"type": "SGD", "learning_rate": 0.1})
    assert "accuracy" not in history.history and history.history["loss"][-1] < 1e-3
    assert np.allclose(network.weights["layers.0.kernel"], [[1, 2], [1, 0]], atol=0.05)


def test_weights_of_examples_and_classes_count(network, moons):
    x, y = moons
    only_ones = (y == 1).astype(float)
    network.fit(x, y, epochs=30, learning_rate=0.01, sample_weight=only_ones)
    assert network.predict(x).argmax(axis=1).min() == 1
    network.fit(x, y, epochs=60, learning_rate=0.01, class_weight=[1.0, 0.0])
    assert network.predict(x).argmax(axis=1).max() == 0


def test_early_stopping_ends_the_training(network, moons):
    x, y = moons
    history = network.fit(x, 1 - y * 0, epochs=500, learning_rate=1.0, patience=2)
    assert len(history.epoch) < 500


def test_images_and_sequences_have_their_shapes():
    conv = {"type": "Conv2D", "filters": 4, "kernel_size": [3, 3], "activation": "relu"}
    image = nn.Network({"input_shape": [8, 6, 1], "layers": [conv, {"type": "Flatten"}, dense(3, "softmax")]})
    assert image.predict(np.zeros((5, 8, 6))).shape == (5, 3)
    lstm = nn.Network({"input_shape": [7, 2], "layers": [{"type": "LSTM", "units": 4}, dense(3, "softmax")]})
    assert lstm.predict(np.zeros((5, 7, 2))).shape == (5, 3)
    assert lstm.input_shape == (7, 2) and lstm.output_shape == (3,)
    assert "LSTM" in lstm.summary() and lstm._repr_svg_().startswith("<svg")


def test_threads_share_a_network_also_while_one_trains_it(network, moons):
    x, y = moons
    expected = network.predict(x)
    results = []

    def predict(n_jobs):
        results.extend(np.array_equal(network.predict(x, n_jobs=n_jobs), expected) for _ in range(50))

    threads = [threading.Thread(target=predict, args=(n_jobs,)) for n_jobs in (1, 2, None, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == [True] * 200
    other = threading.Thread(target=network.fit, args=(x, y), kwargs={"epochs": 200, "progress": True})
    other.start()
    shapes = {network.predict(x).shape for _ in range(20)}
    assert network.count_params() > 0 and shapes == {(400, 2)}
    other.join(timeout=60)
    assert not other.is_alive()


def test_a_network_is_saved_and_pickled_without_a_change(network, tmp_path):
    x = np.random.default_rng(1).standard_normal((9, 2))
    network.save(tmp_path / "network.npz")
    for copy in [nn.Network.load(tmp_path / "network.npz"), pickle.loads(pickle.dumps(network))]:
        assert np.array_equal(copy.predict(x), network.predict(x))
        assert copy.architecture == network.architecture


def test_unusable_arguments_are_errors_of_one_line(network, tmp_path):
    x, y = np.zeros((4, 2)), [0, 1, 0, 1]
    np.savez(tmp_path / "other.npz", values=x)
    cases = [
        (ValueError, lambda: nn.Network({"layers": []})),
        (ValueError, lambda: nn.Network("this is no TOML")),
        (ValueError, lambda: nn.Network({"input_shape": [2], "layers": [{"type": "Dens", "units": 1}]})),
        (cantus.Error, lambda: nn.Network({"input_shape": [2], "layers": []})),
        (cantus.Error, lambda: nn.Network({"input_shape": [2], "layers": [{"type": "LSTM", "units": 1}]})),
        (ValueError, lambda: nn.Network({"input_shape": [2], "layers": [dense(0, "relu")]})),
        (ValueError, lambda: network.fit(np.zeros((4, 3)), y)),
        (ValueError, lambda: network.fit(x, [0, 1])),
        (ValueError, lambda: network.fit(x, [0, 1, 2, 7])),
        (ValueError, lambda: network.fit(x, [0, 1, -1, 0])),
        (ValueError, lambda: network.fit(x * np.nan, y)),
        (ValueError, lambda: network.fit(x, y, epochs=2, batch_size=0)),
        (ValueError, lambda: network.fit(x, y, optimizer="adma")),
        (ValueError, lambda: network.fit(x, y, learning_rate=-1.0)),
        (ValueError, lambda: network.fit(x, y, loss="entropy")),
        (ValueError, lambda: network.fit(x, y, schedule={"type": "sine"})),
        (ValueError, lambda: network.fit(x, y, sample_weight=[1.0])),
        (ValueError, lambda: network.fit(x[:0], [])),
        (cantus.ModelError, lambda: network.fit(x + 1e30, y, epochs=3, learning_rate=1e30)),
        (TypeError, lambda: network.fit(x, ["a", "b", "a", "b"])),
        (ValueError, lambda: network.predict([[1.0]])),
        (ValueError, lambda: setattr(network, "weights", {"layers.9.kernel": [1.0]})),
        (ValueError, lambda: setattr(network, "weights", {"layers.1.bias": [1.0]})),
        (ValueError, lambda: setattr(network, "weights", {"layers.1.bias": [1.0, np.nan]})),
        (ValueError, lambda: nn.Network.load(tmp_path / "other.npz")),
        (FileNotFoundError, lambda: nn.Network.load(tmp_path / "none.npz")),
    ]
    for number, (expected, call) in enumerate(cases):
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value), number
        assert not isinstance(caught.value, cantus.InternalError), number
