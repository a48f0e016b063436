"""One measurement of a framework, in its own process.

    python theirs.py CONTENDER TASK

CONTENDER is keras, keras_xla, torch, torch_fused, torch_compile or gemm; TASK is JSON: architecture, batch, steps, epochs, threads, and
inference (whether to measure inference, too). Prints JSON: ms per step, peak memory in MB after training, ms for single-example inference, examples
per second in batches of 256.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np

from costs import product

WARM_UP_STEPS = 20


def data(task, n_steps):
    rng = np.random.default_rng(1)
    shape = (n_steps * task["batch"], *task["architecture"]["input_shape"])
    return rng.normal(size=shape).astype(np.float32), rng.integers(0, 10, shape[0])


def peak_memory():
    """Peak resident memory in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def median(values):
    return sorted(values)[len(values) // 2]


def seconds(call, n):
    """Median duration of `n` calls, after `n` / 10 warm-up calls."""
    times = []
    for _ in range(n // 10 + 1):
        call()
    for _ in range(n):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def inference_times(task, answer, to_input):
    """Duration of inference for one example, and throughput for 256."""
    rng = np.random.default_rng(2)
    shape = task["architecture"]["input_shape"]
    one, many = (to_input(rng.normal(size=(n, *shape)).astype(np.float32)) for n in (1, 256))
    return {"single": 1e3 * seconds(lambda: answer(one), 200), "batch256": 256 / seconds(lambda: answer(many), 20)}


# Keras


def keras_model(architecture):
    import keras

    def layer(spec):
        spec = dict(spec)
        kind = getattr(keras.layers, spec.pop("type"))
        if "kernel_regularizer" in spec:
            spec["kernel_regularizer"] = keras.regularizers.L2(spec["kernel_regularizer"]["l2"])
        return kind(**spec)

    return keras.Sequential([keras.layers.Input(architecture["input_shape"]), *map(layer, architecture["layers"])])


def with_keras(task, jit_compile):
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(task["threads"])
    model = keras_model(task["architecture"])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit_compile)
    x, y = data(task, task["steps"])
    n_warm_up = min(WARM_UP_STEPS, task["steps"]) * task["batch"]
    model.fit(x[:n_warm_up], y[:n_warm_up], batch_size=task["batch"], verbose=0)

    class StepTimer(keras.callbacks.Callback):
        times = []

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.times.append(time.perf_counter() - self.start)

    model.fit(x, y, batch_size=task["batch"], epochs=task["epochs"], verbose=0, callbacks=[StepTimer()])
    result = {"step": 1e3 * median(StepTimer.times) / task["steps"], "memory": peak_memory()}
    if task["inference"]:
        # Much faster than model.predict, which is designed for large sets.
        call = tf.function(lambda x: model(x, training=False), jit_compile=jit_compile is True)
        result |= inference_times(task, lambda x: call(x).numpy(), tf.constant)
    return result


# PyTorch


def torch_model(architecture):
    import torch.nn as nn

    class Last(nn.Module):
        """Every step or the last one of a recurrent layer's output."""

        def __init__(self, rnn, return_sequences):
            super().__init__()
            self.rnn, self.return_sequences = rnn, return_sequences

        def forward(self, x):
            y, _ = self.rnn(x)
            return y if self.return_sequences else y[:, -1]

    shape = list(architecture["input_shape"])
    if len(shape) == 3:
        shape = [shape[2], shape[0], shape[1]]
    layers, decayed = [], []
    for spec in architecture["layers"]:
        kind = spec["type"]
        if kind == "Flatten":
            layers.append(nn.Flatten())
            shape = [product(shape)]
        elif kind == "Dense":
            layers.append(nn.Linear(shape[-1], spec["units"]))
            if "kernel_regularizer" in spec:
                decayed.append((layers[-1].weight, 2 * spec["kernel_regularizer"]["l2"]))
            shape = shape[:-1] + [spec["units"]]
        elif kind == "Conv2D":
            layers.append(nn.Conv2d(shape[0], spec["filters"], tuple(spec["kernel_size"]), tuple(spec["strides"])))
            sizes = [(n - k) // s + 1 for n, k, s in zip(shape[1:], spec["kernel_size"], spec["strides"])]
            shape = [spec["filters"], *sizes]
        elif kind == "MaxPool2D":
            # Padding that gives Keras's "same" sizes.
            size, odd = spec["pool_size"][0], spec["pool_size"][0] % 2 == 1
            layers.append(nn.MaxPool2d(size, 2, padding=size // 2 if odd else 0, ceil_mode=not odd))
            shape = [shape[0], -(-shape[1] // 2), -(-shape[2] // 2)]
        elif kind == "BatchNormalization":
            layers.append(nn.BatchNorm2d(shape[0], eps=1e-3, momentum=0.01))
        elif kind == "Dropout":
            layers.append(nn.Dropout(spec["rate"]))
        elif kind in ("LSTM", "GRU"):
            rnn = getattr(nn, kind)(shape[1], spec["units"], batch_first=True)
            layers.append(Last(rnn, spec["return_sequences"]))
            shape = [shape[0], spec["units"]] if spec["return_sequences"] else [spec["units"]]
        else:
            raise ValueError(kind)
        if spec.get("activation") == "relu":
            layers.append(nn.ReLU())
    return nn.Sequential(*layers), decayed


def with_torch(task, fused, compiled):
    import torch

    torch.set_num_threads(task["threads"])
    model, decayed = torch_model(task["architecture"])
    of_their_own = {id(weight) for weight, _ in decayed}
    groups = [{"params": [p for p in model.parameters() if id(p) not in of_their_own]}]
    # The gradient of an L2 penalty, without computing the penalty.
    groups += [{"params": [weight], "weight_decay": decay} for weight, decay in decayed]
    optimizer = torch.optim.Adam(groups, lr=1e-3, fused=fused)
    loss_of = torch.nn.CrossEntropyLoss()
    run = torch.compile(model) if compiled else model

    def to_input(x):
        x = torch.from_numpy(x)
        return x.permute(0, 3, 1, 2).contiguous() if x.ndim == 4 else x

    x, y = data(task, task["steps"])
    x, y = to_input(x), torch.from_numpy(y)

    def epoch(n_steps):
        order = torch.randperm(n_steps * task["batch"])
        for indices in order.split(task["batch"]):
            optimizer.zero_grad(set_to_none=True)
            loss_of(run(x[indices]), y[indices]).backward()
            optimizer.step()

    epoch(min(WARM_UP_STEPS, task["steps"]))
    times = []
    for _ in range(task["epochs"]):
        start = time.perf_counter()
        epoch(task["steps"])
        times.append(time.perf_counter() - start)
    result = {"step": 1e3 * median(times) / task["steps"], "memory": peak_memory()}
    if task["inference"]:
        model.eval()
        with torch.inference_mode():
            result |= inference_times(task, lambda x: torch.softmax(run(x), dim=1).numpy(), to_input)
    return result


def largest_gemm(task):
    """GFLOP/s of the best library on 2048 × 2048 matrices."""
    import torch

    torch.set_num_threads(task["threads"])
    n = 2048
    a, b = (np.random.default_rng(i).normal(size=(n, n)).astype(np.float32) for i in (1, 2))
    x, y = torch.from_numpy(a), torch.from_numpy(b)

    def best(call):
        times = []
        for _ in range(25):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return 2e-9 * n**3 / min(times)

    return {"gflops": max(best(lambda: x @ y), best(lambda: a @ b))}


CONTENDERS = {
    "keras": lambda task: with_keras(task, jit_compile="auto"),
    "keras_xla": lambda task: with_keras(task, jit_compile=True),
    "torch": lambda task: with_torch(task, fused=False, compiled=False),
    "torch_fused": lambda task: with_torch(task, fused=True, compiled=False),
    "torch_compile": lambda task: with_torch(task, fused=True, compiled=True),
    "gemm": largest_gemm,
}

if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](json.loads(sys.argv[2]))))
