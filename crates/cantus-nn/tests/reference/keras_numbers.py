"""Numbers of Keras that tests/keras.rs compares with: every layer, loss and optimizer in a few steps of training.

    pip install tensorflow==2.21.0 keras==3.15.1
    python keras_numbers.py > keras.json

Each case has an architecture and settings in Cantus's words, first weights, inputs and targets; and what Keras makes of them: predictions
before training, the loss of each epoch (one full batch each), all weights after training and predictions then.
"""

import json
import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

rng = np.random.default_rng(3)


def regularizer(spec):
    return None if spec is None else keras.regularizers.L1L2(**spec)


def layer(spec):
    """The Keras layer of one entry of an architecture."""
    spec = dict(spec)
    kind = spec.pop("type")
    for key in [key for key in spec if key.endswith("_regularizer")]:
        spec[key] = regularizer(spec[key])
    if "layer" in spec:
        return getattr(keras.layers, kind)(layer(spec["layer"]))
    names = {"MaxPool2D": "MaxPooling2D", "AveragePool2D": "AveragePooling2D"}
    return getattr(keras.layers, names.get(kind, kind))(**spec)


def loss(spec):
    if isinstance(spec, str):
        return {
            "mean_squared_error": keras.losses.MeanSquaredError(),
            "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy(),
        }[spec]
    settings = dict(spec)
    return {
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
        "binary_crossentropy": keras.losses.BinaryCrossentropy,
    }[settings.pop("type")](**settings)


def optimizer(spec, clipping):
    spec = dict(spec)
    clip = {}
    if clipping:
        (how, limit), = clipping.items()
        clip = {{"value": "clipvalue", "norm": "clipnorm", "global_norm": "global_clipnorm"}[how]: limit}
    return getattr(keras.optimizers, spec.pop("type"))(**spec, **clip)


def flat(array):
    return [float(f"{value:.8g}") for value in np.asarray(array, "float32").ravel()]


def case(name, input_shape, layers, training, n=4, targets="values"):
    """One case. `targets`: random "values", a "distribution" over the outputs, one of the "classes", or "labels" (zeros and ones)."""
    model = keras.Sequential([keras.Input(input_shape)] + [layer(spec) for spec in layers])
    first = []
    for weight in model.weights:
        value = rng.uniform(-0.7, 0.7, weight.shape)
        first.append(np.abs(value) + 0.5 if "variance" in weight.name else value)
    model.set_weights(first)
    x = rng.uniform(-1, 1, (n, *input_shape)).astype("float32")
    shape = model.output_shape[1:]
    if targets == "classes":
        y = rng.integers(0, shape[-1], n)
    elif targets == "labels":
        y = rng.integers(0, 2, (n, *shape)).astype("float32")
    else:
        y = rng.uniform(0, 1, (n, *shape)).astype("float32")
        y = y / y.sum(-1, keepdims=True) if targets == "distribution" else y
    before = model.predict(x, verbose=0)
    model.compile(optimizer(training["optimizer"], training.get("clipping")), loss(training["loss"]))
    class_weights = training.get("class_weights")
    history = model.fit(
        x, y, batch_size=n, epochs=training["epochs"], shuffle=False, verbose=0,
        class_weight=dict(enumerate(class_weights)) if class_weights else None,
    )
    return {
        "name": name,
        "architecture": {"input_shape": list(input_shape), "layers": layers},
        "training": {"batching": "full", "shuffle": False, **training},
        "weights": [flat(value) for value in first],
        "inputs": flat(x),
        "classes" if targets == "classes" else "values": y.tolist() if targets == "classes" else flat(y),
        "predictions": flat(before),
        "loss": [float(value) for value in history.history["loss"]],
        "weights_after": [flat(value) for value in model.get_weights()],
        "predictions_after": flat(model.predict(x, verbose=0)),
    }


SGD = {"type": "SGD", "learning_rate": 0.2}
MSE = {"epochs": 3, "optimizer": SGD, "loss": "mean_squared_error"}


def layers():
    yield case("Dense", (5,), [{"type": "Dense", "units": 3, "activation": "tanh"}], MSE)
    yield case("Dense along time", (3, 4), [{"type": "Dense", "units": 2, "activation": "sigmoid"}], MSE)
    for activation in ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softmax"]:
        specs = [{"type": "Dense", "units": 4}, {"type": "Activation", "activation": activation}]
        yield case(activation, (3,), specs, MSE)
    wide = [{"type": "Dense", "units": 70, "activation": "relu", "kernel_regularizer": {"l1": 0.001, "l2": 0.01}}]
    yield case("regularised", (5,), wide + [{"type": "Dense", "units": 2, "bias_regularizer": {"l2": 0.1}}], MSE)
    for kernel_size, strides, padding, channels in [
        ([3, 3], [1, 1], "valid", 1), ([2, 3], [2, 1], "same", 1), ([3, 3], [1, 1], "same", 9), ([2, 2], [1, 2], "valid", 13),
    ]:
        spec = {"type": "Conv2D", "filters": 2, "kernel_size": kernel_size, "strides": strides, "padding": padding, "activation": "tanh"}
        yield case(f"Conv2D {kernel_size} {strides} {padding} {channels}", (5, 4, channels), [spec], MSE, n=2)
    for kind in ["MaxPool2D", "AveragePool2D"]:
        for padding in ["valid", "same"]:
            pool = {"type": kind, "pool_size": [3, 2], "strides": [2, 2], "padding": padding}
            yield case(f"{kind} {padding}", (6, 5, 1), [{"type": "Conv2D", "filters": 3, "kernel_size": [1, 1]}, pool], MSE, n=2)
    yield case("GlobalAveragePooling2D", (3, 2, 2), [{"type": "Dense", "units": 3}, {"type": "GlobalAveragePooling2D"}], MSE)
    yield case("GlobalAveragePooling1D", (5, 2), [{"type": "Dense", "units": 3}, {"type": "GlobalAveragePooling1D"}], MSE)
    yield case("BatchNormalization", (4,), [{"type": "Dense", "units": 3}, {"type": "BatchNormalization"}], MSE, n=11)
    convolutional = [
        {"type": "Conv2D", "filters": 3, "kernel_size": [2, 2], "activation": "relu"},
        {"type": "MaxPool2D", "pool_size": [2, 2], "padding": "same"},
        {"type": "BatchNormalization", "momentum": 0.9},
        {"type": "Flatten"},
        {"type": "Dense", "units": 3, "activation": "softmax"},
    ]
    sparse = {**MSE, "loss": "sparse_categorical_crossentropy"}
    yield case("convolutional", (6, 4, 1), convolutional, sparse, n=9, targets="classes")
    yield case("LayerNormalization", (3, 4), [{"type": "LayerNormalization"}, {"type": "Dense", "units": 2}], MSE)
    for kind in ["SimpleRNN", "LSTM", "GRU"]:
        for return_sequences in [False, True]:
            recurrent = {"type": kind, "units": 3, "return_sequences": return_sequences}
            yield case(f"{kind} {return_sequences}", (5, 2), [recurrent], MSE)
            yield case(f"Bidirectional {kind} {return_sequences}", (4, 2), [{"type": "Bidirectional", "layer": recurrent}], MSE)
    stacked = [{"type": "LSTM", "units": 3, "return_sequences": True}, {"type": "GRU", "units": 2}, {"type": "Dense", "units": 2}]
    yield case("stacked", (6, 2), stacked, MSE)
    conv = {"type": "Conv2D", "filters": 2, "kernel_size": [2, 2]}
    yield case("TimeDistributed", (3, 3, 3, 1), [{"type": "TimeDistributed", "layer": conv}], MSE, n=2)


def losses():
    softmax = [{"type": "Dense", "units": 4, "activation": "softmax"}]
    sigmoid = [{"type": "Dense", "units": 4, "activation": "sigmoid"}]
    for n, name, specs, loss, targets in [
        (5, "sparse", softmax, "sparse_categorical_crossentropy", "classes"),
        (5, "one-hot", softmax, {"type": "categorical_crossentropy", "label_smoothing": 0.0}, "distribution"),
        (5, "smoothed", softmax, {"type": "categorical_crossentropy", "label_smoothing": 0.2}, "distribution"),
        (5, "labels", sigmoid, {"type": "binary_crossentropy", "label_smoothing": 0.0}, "labels"),
        (5, "smoothed labels", sigmoid, {"type": "binary_crossentropy", "label_smoothing": 0.1}, "labels"),
    ]:
        yield case(name, (3,), specs, {**MSE, "loss": loss}, n, targets)
    weighted = {**MSE, "loss": "sparse_categorical_crossentropy", "class_weights": [0.5, 2.0, 1.0, 3.0]}
    yield case("class weights", (3,), softmax, weighted, 9, "classes")


def optimizers():
    specs = [{"type": "Dense", "units": 4, "activation": "tanh"}, {"type": "Dense", "units": 2}]
    for name, settings in [
        ("SGD", SGD),
        ("momentum", {**SGD, "momentum": 0.9}),
        ("Nesterov", {**SGD, "momentum": 0.8, "nesterov": True}),
        ("RMSprop", {"type": "RMSprop", "learning_rate": 0.01}),
        ("RMSprop with momentum", {"type": "RMSprop", "learning_rate": 0.01, "rho": 0.8, "momentum": 0.5}),
        ("Adam", {"type": "Adam", "learning_rate": 0.01}),
        ("Adam otherwise", {"type": "Adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
        ("AdamW", {"type": "AdamW", "learning_rate": 0.01, "weight_decay": 0.1}),
    ]:
        yield case(name, (3,), specs, {**MSE, "epochs": 10, "optimizer": settings}, 6)
    for clipping in [{"value": 0.02}, {"norm": 0.1}, {"global_norm": 0.1}]:
        yield case(f"clipped by {clipping}", (3,), specs, {**MSE, "epochs": 10, "clipping": clipping}, 6)


cases = [*layers(), *losses(), *optimizers()]
lines = ",\n".join(json.dumps(case) for case in cases)
print(f'{{"keras": "{keras.__version__}", "cases": [\n{lines}\n]}}')
