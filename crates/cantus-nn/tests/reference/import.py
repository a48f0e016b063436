"""Small models of Keras and PyTorch with random weights, for tests/import.rs: their weights, some inputs and their outputs.

    pip install keras==3.15.1 tensorflow-cpu==2.21.0 torch==2.15.0 safetensors==0.8.0 numpy==2.4.6
    python import.py

Writes import/<framework>_<model>.safetensors, as a user would save the weights, and import/answers.safetensors with the inputs
(channels last) and outputs of every model: `<framework>_<model>.inputs`, `….outputs`.
"""

import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent / "import"
HERE.mkdir(exist_ok=True)
rng = np.random.default_rng(8)
answers = {}


def inputs(name, *shape):
    x = rng.normal(size=(3, *shape)).astype(np.float32)
    answers[f"{name}.inputs"] = x
    return x


def with_keras(name, shape, layers):
    name = f"keras_{name}"
    model = keras.Sequential([keras.layers.Input(shape), *layers])
    for weight in model.weights:
        if weight.dtype == "float32":
            positive = weight.path.endswith("variance")
            values = rng.uniform(0.5, 2.0, weight.shape) if positive else rng.normal(0.0, 0.5, weight.shape)
            weight.assign(values.astype(np.float32))
    x = inputs(name, *shape)
    answers[f"{name}.outputs"] = model(x, training=False).numpy()
    safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, HERE / f"{name}.safetensors")


def with_torch(name, shape, model):
    name = f"torch_{name}"
    torch.manual_seed(3)
    model.eval()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif value.dtype == torch.float32:
                value.normal_(0.0, 0.5)
        x = torch.from_numpy(inputs(name, *shape))
        answers[f"{name}.outputs"] = model(x.permute(0, 3, 1, 2) if len(shape) == 3 else x).numpy()
    safetensors.torch.save_file(model.state_dict(), HERE / f"{name}.safetensors")


class Recurrent(torch.nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = kind(4, 5, batch_first=True, **options)
        self.fc1 = torch.nn.Linear(5 * (1 + self.rnn.bidirectional), 3)

    def forward(self, x):
        every_step, _ = self.rnn(x)
        if not self.rnn.bidirectional:
            return self.fc1(every_step[:, -1])
        # What each direction has seen last, as in Keras.
        return self.fc1(torch.cat([every_step[:, -1, :5], every_step[:, 0, 5:]], dim=1))


k, t = keras.layers, torch.nn

with_keras("mlp", (2, 3), [k.Flatten(), *(k.Dense(n, activation="tanh") for n in (5, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5)), k.Dense(2, activation="softmax")])
with_torch("mlp", (2, 3), t.Sequential(t.Flatten(), t.Linear(6, 5), t.Tanh(), t.Linear(5, 4, bias=False), t.Tanh(), t.Linear(4, 2), t.Softmax(dim=1)))

with_keras("cnn", (9, 8, 2), [
    k.Conv2D(3, (3, 2), activation="relu"), k.BatchNormalization(), k.MaxPool2D((2, 2)),
    k.Conv2D(4, (2, 2), activation="relu"), k.BatchNormalization(), k.Flatten(),
    k.Dense(5, activation="relu"), k.Dropout(0.3), k.Dense(3, activation="softmax"),
])
with_torch("cnn", (9, 8, 2), t.Sequential(
    t.Conv2d(2, 3, (3, 2)), t.ReLU(), t.BatchNorm2d(3, eps=1e-3), t.MaxPool2d(2),
    t.Conv2d(3, 4, (2, 2)), t.ReLU(), t.BatchNorm2d(4, eps=1e-3), t.Flatten(),
    t.BatchNorm1d(16, eps=1e-3), t.Linear(16, 5), t.ReLU(), t.Dropout(0.3), t.Linear(5, 3), t.Softmax(dim=1),
))

with_keras("lstm", (6, 4), [k.LSTM(5, return_sequences=True), k.LSTM(5), k.Dense(3)])
with_torch("lstm", (6, 4), Recurrent(t.LSTM, num_layers=2))
with_keras("gru", (6, 4), [k.GRU(5, return_sequences=True), k.GRU(5), k.Dense(3)])
with_torch("gru", (6, 4), Recurrent(t.GRU, num_layers=2))
with_keras("rnn", (6, 4), [k.SimpleRNN(5), k.Dense(3)])
with_torch("rnn", (6, 4), Recurrent(t.RNN))
with_keras("bidirectional", (6, 4), [k.Bidirectional(k.LSTM(5)), k.LayerNormalization(), k.Dense(3)])
with_torch("bidirectional", (6, 4), Recurrent(t.LSTM, bidirectional=True))

safetensors.numpy.save_file(answers, HERE / "answers.safetensors")
