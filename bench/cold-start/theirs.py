"""The same prediction by librosa and Keras.

    python theirs.py convert MODEL.safetensors OUT     writes OUT.keras, the network with our weights, and OUT.json, the rest of the model
    python theirs.py predict OUT FILE                  prints JSON: label, probabilities

`predict` uses the libraries of the lecture course: it loads the network, cuts the song into segments, computes the MFCCs of each, and predicts.
It imports no more than it needs and calls the network directly, which is faster than `model.predict`.
"""

import json
import os
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np


def tensors(path):
    """The content of a model file of ours: its description, and its tensors by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    about = json.loads(header.pop("__metadata__")["cantus"])
    cut = lambda entry: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
    return about, {name: cut(entry) for name, entry in header.items()}


def convert(path, out):
    import keras

    about, values = tensors(path)
    network = keras.Sequential([keras.layers.Input(about["architecture"]["input_shape"])])
    for layer in about["architecture"]["layers"]:
        options = dict(layer)
        network.add(getattr(keras.layers, options.pop("type"))(**options))
    for number, layer in enumerate(network.layers):
        if layer.weights:
            layer.set_weights([values[f"layers.{number}.{name}"] for name in ("kernel", "bias")])
    network.save(out + ".keras")
    rest = {name: values[name].tolist() for name in ("normalization.mean", "normalization.deviation", "calibration.temperatures")}
    with open(out + ".json", "w") as file:
        json.dump({"labels": about["labels"], "features": about["features"], **rest}, file)


def predict(model, path):
    import keras
    import librosa

    with open(model + ".json") as file:
        about = json.load(file)
    network = keras.models.load_model(model + ".keras", compile=False)
    spec = about["features"]
    sr, segments = spec["sample_rate"], spec["segments"]
    length = int(sr * segments["track_duration_s"] / segments["n_segments"])
    y, _ = librosa.load(path, sr=sr)
    of = {name: spec[name] for name in ("n_mfcc", "n_fft", "hop_length")}
    pieces = [y[begin : begin + length] for begin in range(0, len(y) - length + 1, length)]
    x = np.stack([librosa.feature.mfcc(y=piece, sr=sr, **of).T for piece in pieces])
    x = (x - np.array(about["normalization.mean"])) / np.array(about["normalization.deviation"])
    mean = np.asarray(network(x.astype(np.float32), training=False), np.float64).mean(0)
    mean = mean ** (1 / about["calibration.temperatures"][1])
    probabilities = dict(zip(about["labels"], (mean / mean.sum()).tolist()))
    print(json.dumps({"label": max(probabilities, key=probabilities.get), "probabilities": probabilities}))


if __name__ == "__main__":
    {"convert": convert, "predict": predict}[sys.argv[1]](*sys.argv[2:])
