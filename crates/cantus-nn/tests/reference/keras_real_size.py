"""Numbers of Keras that tests/keras_real_size.rs compares with: the course's networks at their real size, trained for 8 epochs.

    pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6
    python keras_real_size.py > keras_real_size.json

Inputs, classes and first weights are drawn by the rule below, which tests/keras_real_size.rs states too, so that the JSON has results only.
Every run is made twice, in float64 and in float32. The float64 numbers are the reference; `float32_differs_by` has the greatest
difference of Keras's own float32 run from them, measured as the test measures ours. The order of examples is fixed, dropout is left out,
and nothing is drawn by Keras: only the order of sums in float32 depends on the machine.
"""

import json
import os
import platform
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

N_TIMES, N_COEFFICIENTS, N_CLASSES, BATCH = 130, 13, 10, 32
N_HELD_OUT = 6

# ---- The rule: SplitMix64 (Steele, Lea & Flood 2014) from state 0, entered at position `stream` * 2^32.


def splitmix(stream, n):
    with np.errstate(over="ignore"):
        position = np.arange(1, n + 1, dtype="uint64") + np.uint64(stream << 32)
        z = position * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(stream, *shape):
    """float32 in [-1, 1), multiples of 2^-23: exact."""
    top = (splitmix(stream, int(np.prod(shape))) >> np.uint64(40)).astype("float32")
    return (top * np.float32(2**-23) - np.float32(1)).reshape(shape)


def examples(n, scale, offset):
    """A pattern of each class in steps of ten frames, and noise; `offset` is added to the first coefficient. One label in eight is drawn
    anew, so that no network gets all of them right."""
    drawn = splitmix(1, 2 * n).reshape(n, 2)
    kind = (drawn[:, 0] % np.uint64(N_CLASSES)).astype(int)
    relabelled = (drawn[:, 1] % np.uint64(8)) == 0
    classes = np.where(relabelled, (drawn[:, 1] >> np.uint64(32)) % np.uint64(N_CLASSES), kind).astype(int)
    mean = uniform(2, N_CLASSES, 1, N_COEFFICIENTS)
    pattern = np.repeat(uniform(3, N_CLASSES, N_TIMES // 10, N_COEFFICIENTS), 10, axis=1)
    noise = uniform(4, n, N_TIMES, N_COEFFICIENTS)
    x = (np.float32(0.5) * mean + np.float32(0.25) * pattern)[kind] + np.float32(1.25) * noise
    x = np.float32(scale) * x
    x[:, :, 0] += np.float32(offset)
    return x, classes


def first_weight(stream, layer, weight):
    """Kernels as Glorot uniform, recurrent kernels within 1/sqrt(units), the rest near Keras's first values."""
    u, name, shape = uniform(stream, *weight.shape), weight.name, weight.shape
    if name == "kernel":
        receptive = int(np.prod(shape[:-2]))
        return np.float32(np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))) * u
    if name == "recurrent_kernel":
        return np.float32(1.0 / np.sqrt(float(shape[0]))) * u
    if name == "bias":
        bias = np.float32(0.05) * u
        if isinstance(layer, keras.layers.LSTM):
            bias[layer.units : 2 * layer.units] += np.float32(1)
        return bias
    return {
        "gamma": np.float32(1) + np.float32(0.2) * u,
        "beta": np.float32(0.1) * u,
        "moving_mean": np.float32(0) * u,
        "moving_variance": np.float32(1) + np.float32(0) * u,
    }[name]


# ---- The course's networks, without dropout.

IMAGE, SEQUENCE = [N_TIMES, N_COEFFICIENTS, 1], [N_TIMES, N_COEFFICIENTS]
SOFTMAX = {"type": "Dense", "units": N_CLASSES, "activation": "softmax"}


def dense(units, **settings):
    return {"type": "Dense", "units": units, "activation": "relu", **settings}


def perceptron(**settings):
    return [{"type": "Flatten"}, *[dense(units, **settings) for units in (512, 256, 64)], SOFTMAX]


def block(size, pool):
    return [
        {"type": "Conv2D", "filters": 32, "kernel_size": [size, size], "activation": "relu"},
        {"type": "MaxPool2D", "pool_size": [pool, pool], "strides": [2, 2], "padding": "same"},
        {"type": "BatchNormalization"},
    ]


def recurrent(kind):
    return [{"type": kind, "units": 64, "return_sequences": True}, {"type": kind, "units": 64}, dense(64), SOFTMAX]


NETWORKS = {
    "mlp": (SEQUENCE, perceptron()),
    "mlp-regularised": (SEQUENCE, perceptron(kernel_regularizer={"l2": 0.001})),
    "cnn": (IMAGE, [*block(3, 3), *block(3, 3), *block(2, 2), {"type": "Flatten"}, dense(64), SOFTMAX]),
    "rnn": (SEQUENCE, recurrent("SimpleRNN")),
    "lstm": (SEQUENCE, recurrent("LSTM")),
    "gru": (SEQUENCE, recurrent("GRU")),
    "conv-pool-norm": (IMAGE, [*block(3, 3), {"type": "Flatten"}, SOFTMAX]),
}


def keras_layer(spec):
    spec = dict(spec)
    kind = spec.pop("type")
    if "kernel_regularizer" in spec:
        spec["kernel_regularizer"] = keras.regularizers.L2(spec["kernel_regularizer"]["l2"])
    return getattr(keras.layers, kind)(**spec)


def build(network, floatx, n_frozen=0):
    keras.backend.clear_session()
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    input_shape, layers = NETWORKS[network]
    model = keras.Sequential([keras.Input(input_shape)] + [keras_layer(spec) for spec in layers])
    owned = [(layer, weight) for layer in model.layers for weight in layer.weights]
    assert [weight.path for _, weight in owned] == [weight.path for weight in model.weights]
    model.set_weights([first_weight(100 + j, layer, weight) for j, (layer, weight) in enumerate(owned)])
    for layer in model.layers[:n_frozen]:
        layer.trainable = False
    return model


# ---- What is compared.


def train(run, floatx):
    """Keras's numbers of one run. With a softmax at the end, `fit` and `evaluate` compute the loss from its net input: nothing is clipped."""
    model = build(run["network"], floatx, run.get("n_frozen", 0))
    n, shape = run["n_examples"], model.input_shape[1:]
    x, y = examples(n + N_HELD_OUT, run["scale"], run["offset"])
    x = x.reshape(-1, *shape).astype(floatx)
    optimizer = getattr(keras.optimizers, run["optimizer"]["type"])(learning_rate=run["optimizer"]["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.evaluate(x[:n], y[:n], batch_size=BATCH, verbose=0, return_dict=True)
    history = model.fit(x[:n], y[:n], batch_size=BATCH, epochs=run["epochs"], shuffle=False, verbose=0).history
    found = {
        "loss_before": before["loss"],
        "loss": history["loss"],
        "accuracy": history["accuracy"],
        "probabilities": model.predict(x[n:], verbose=0).ravel().tolist(),
    }
    averages = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if averages:
        found["moving_mean"] = [np.asarray(layer.moving_mean)[:8].tolist() for layer in averages]
        found["moving_variance"] = [np.asarray(layer.moving_variance)[:8].tolist() for layer in averages]
    return found


def relative(found, reference, floor):
    """The greatest |found - reference| / max(|reference|, floor)."""
    found, reference = np.ravel(found).astype(float), np.ravel(reference).astype(float)
    return float(np.max(np.abs(found - reference) / np.maximum(np.abs(reference), floor)))


def differences(found, reference):
    floors = {"loss_before": 0.0, "loss": 0.0, "probabilities": 0.1, "moving_mean": 0.01, "moving_variance": 0.01}
    by = {key: relative(found[key], reference[key], floor) for key, floor in floors.items() if key in reference}
    return {**by, "accuracy": float(np.max(np.abs(np.subtract(found["accuracy"], reference["accuracy"]))))}


def kernel_gradient(floatx):
    """dE/dkernel of the first layer, E the mean loss of one batch, by automatic differentiation."""
    model = build("conv-pool-norm", floatx)
    x, y = examples(BATCH, 1.0, 0.0)
    kernel = model.layers[0].kernel
    with tf.GradientTape() as tape:
        p = model(x.reshape(BATCH, *IMAGE).astype(floatx), training=True)
        loss = tf.reduce_mean(-tf.math.log(tf.gather(p, y, axis=1, batch_dims=1)))
    return float(loss), np.asarray(tape.gradient(loss, kernel.value)).ravel()


def run(name, network, optimizer, n_examples=320, epochs=8, scale=1.0, offset=0.0):
    kind, rate = optimizer
    return {
        "name": name, "network": network, "optimizer": {"type": kind, "learning_rate": rate},
        "n_examples": n_examples, "epochs": epochs, "scale": scale, "offset": offset,
    }


def runs():
    # Small inputs, so that the networks do not fit all examples within two epochs.
    for network, scale in [("mlp", 0.125), ("mlp-regularised", 0.25)]:
        yield run(f"{network}, Adam", network, ("Adam", 1e-3), scale=scale)
        yield run(f"{network}, Adam, last batch of one", network, ("Adam", 1e-3), 321, scale=scale)
        yield run(f"{network}, SGD", network, ("SGD", 0.01))
    # Rounding decides which of two nearly equal numbers max pooling selects: with more or larger steps than these, two runs in float32 part.
    yield run("cnn, Adam", "cnn", ("Adam", 1e-4))
    yield run("cnn, Adam, last batch of one", "cnn", ("Adam", 1e-4), 321, epochs=4)
    yield run("cnn, SGD", "cnn", ("SGD", 2e-4), epochs=4)
    # Frozen batch normalisations use their moving averages, and are not trained.
    yield {**run("fine-tuning, cnn, Adam", "cnn", ("Adam", 1e-4)), "n_frozen": 6}
    yield {**run("fine-tuning, mlp-regularised, Adam", "mlp-regularised", ("Adam", 1e-3), scale=0.25), "n_frozen": 2}
    for network in ["rnn", "lstm", "gru"]:
        yield run(f"{network}, Adam", network, ("Adam", 1e-4))
        yield run(f"{network}, SGD, last batch of one", network, ("SGD", 0.05), 321, 4)
    # As MFCCs are before they are normalised: the first losses are large, and Keras clips none of them.
    # Few steps: the constant part of the inputs makes net inputs large beside their differences, so that rounding soon decides a ReLU.
    yield run("large losses, mlp, inputs of some hundred", "mlp", ("Adam", 1e-4), 64, 1, scale=100.0, offset=-200.0)
    yield run("large losses, mlp, inputs of some ten", "mlp", ("Adam", 1e-4), 64, 2, scale=20.0, offset=-40.0)


def compared(run):
    reference, single = train(run, "float64"), train(run, "float32")
    by = differences(single, reference)
    print(run["name"], json.dumps(reference["loss"]), reference["accuracy"], json.dumps(by), file=sys.stderr, flush=True)
    return {**run, **reference, "float32_differs_by": by}


def rounded(value, digits):
    if isinstance(value, dict):
        return {key: rounded(inner, 2 if key == "float32_differs_by" else digits) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner, digits) for inner in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def first_bias(kind):
    """What Keras begins a recurrent layer's bias with: one number for each gate, in each row of the bias."""
    layer = getattr(keras.layers, kind)(64)
    layer.build((None, N_TIMES, N_COEFFICIENTS))
    bias = layer.get_weights()[-1]
    gates = bias.reshape(-1, 64)
    assert (gates == gates[:, :1]).all()
    return gates[:, 0].tolist()


def main():
    (loss, gradient), (_, single) = kernel_gradient("float64"), kernel_gradient("float32")
    norm = np.linalg.norm(gradient)
    return {
        "command": "python keras_real_size.py > keras_real_size.json",
        "versions": {
            "python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__,
        },
        "networks": {name: {"input_shape": shape, "layers": layers} for name, (shape, layers) in NETWORKS.items()},
        "first_bias": {kind: first_bias(kind) for kind in ["SimpleRNN", "LSTM", "GRU"]},
        "gradient": {
            "network": "conv-pool-norm", "loss": loss, "kernel": gradient.tolist(), "norm": float(norm),
            "float32_differs_by": float(np.linalg.norm(single - gradient) / norm),
        },
        "runs": [compared(run) for run in runs() if run["name"].startswith(tuple(sys.argv[1:] or [""]))],
    }


if __name__ == "__main__":
    print(json.dumps(rounded(main(), 9), indent=None).replace('{"name"', '\n{"name"'))
