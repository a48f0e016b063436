"""Writes the MusiCNN models of the Python package musicnn 0.1.0 as ONNX, with descriptions and expected outputs.

    python bench/transfer/musicnn.py [-o FOLDER] [--wheel FILE] [--compare FOLDER] [--python PATH]

Writes musicnn_mtt and musicnn_msd, each as .onnx, .toml and .check.json, and the licence of the weights. The package is
downloaded from PyPI and read as an archive; it is not installed. With --compare, one line of JSON per model and output has
the largest difference from the file of the same name in a folder; exits with 1 if one is above 1e-4, or above 1e-5 of the
output's largest value.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, python_with, say  # noqa: E402

WORK = ROOT / "target" / "bench-transfer"
WHEEL = "musicnn-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
# Name of the files: name in the package, title, training data.
MODELS = {
    "mtt": ("MTT_musicnn", "MagnaTagATune", "MagnaTagATune"),
    "msd": ("MSD_musicnn", "Million Song Dataset", "Million Song Dataset, with tags of Last.fm"),
}
# `musicnn/models.py` and `musicnn/configuration.py` of the package.
N_FRAMES, N_BANDS, N_TAGS = 187, 96, 50
CONVOLUTIONS = ["conv2d"] + [f"conv2d_{i}" for i in range(1, 8)]
NORMALIZATIONS = ["batch_normalization"] + [f"batch_normalization_{i}" for i in range(1, 11)]
STATISTICS = ["gamma", "beta", "moving_mean", "moving_variance"]
WEIGHTS = [f"{layer}/{part}" for layer in [*CONVOLUTIONS, "dense", "dense_1"] for part in ("kernel", "bias")]
TENSORS = WEIGHTS + [f"{layer}/{part}" for layer in NORMALIZATIONS for part in STATISTICS]
# TensorFlow's default.
EPSILON = 1e-3
OUTPUTS = {"tags": N_TAGS, "penultimate": 200, "mean_pool": 753, "max_pool": 753}
# Output and number of runs of the expected outputs.
CHECKED, N_CHECKED = "penultimate", 3
# Of the differences: absolute, or relative to the largest value of the output.
TOLERANCE, RELATIVE_TOLERANCE = 1e-4, 1e-5

DESCRIPTION = """\
name = "MusiCNN ({title})"
source = "https://pypi.org/project/musicnn/0.1.0, the weights {folder}, as ONNX"
licence = "ISC"
citation = "J. Pons and X. Serra, \\"musicnn: pre-trained convolutional neural networks for music audio tagging\\", ISMIR 2019 late-breaking demo"
training_data = ["{data}"]

[input]
name = "mel"
shape = ["patch", "frame", "band"]
sample_rate = 16000

[input.mel]
n_fft = 512
hop_length = 256
n_mels = 96
half_precision = true
compression = {{ type = "log10", factor = 10000, offset = 1 }}

[patch]
length = 187
hop = 187

[output]
name = "penultimate"
size = 200
pooling = ["mean", "deviation"]
"""


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=WORK / "models")
    parser.add_argument("--wheel", type=pathlib.Path, help=f"{WHEEL}, instead of downloading it")
    parser.add_argument("--compare", type=pathlib.Path, help="folder with files of the same names")
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    return parser.parse_args()


def main(options):
    import checkpoint

    wheel = options.wheel or downloaded()
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: SHA-256 is {found}, expected {WHEEL_SHA256}")
    options.output.mkdir(parents=True, exist_ok=True)
    same = True
    with zipfile.ZipFile(wheel) as package:
        (options.output / "LICENSE-musicnn.md").write_bytes(package.read(LICENCE))
        for name, (folder, title, data) in MODELS.items():
            parts = (package.read(f"musicnn/{folder}/{part}") for part in (".index", ".data-00000-of-00001"))
            path = options.output / f"musicnn_{name}.onnx"
            write_graph(checkpoint.tensors(*parts, TENSORS), path)
            path.with_suffix(".toml").write_text(DESCRIPTION.format(folder=folder, title=title, data=data))
            write_check(path)
            say(f"wrote {path}")
            if options.compare:
                same &= compare(path, options.compare / path.name)
    return 0 if same else 1


def downloaded():
    """The package's file, downloaded by the first call."""
    path = WORK / WHEEL
    if not path.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "musicnn==0.1.0", "-d", WORK]
        subprocess.run(pip, check=True)
    return path


class Graph:
    """Nodes and constants of an ONNX graph."""

    def __init__(self, tensors):
        self.tensors, self.nodes, self.constants = tensors, [], []

    def node(self, operator, *inputs, output=None, **attributes):
        from onnx import helper

        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name, values):
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def convolution(self, x, number, pads):
        """Convolution with bias, ReLU and batch normalization `number + 1`, channels first."""
        layer = CONVOLUTIONS[number]
        kernel = self.tensors[f"{layer}/kernel"].transpose(3, 2, 0, 1).copy()
        weights = self.constant(f"{layer}/kernel", kernel)
        bias = self.constant(f"{layer}/bias", self.tensors[f"{layer}/bias"])
        x = self.node("Conv", x, weights, bias, kernel_shape=kernel.shape[2:], pads=pads)
        return self.normalized(self.node("Relu", x), number + 1, (1, -1, 1, 1))

    def normalized(self, x, number, shape, output=None):
        """Batch normalization with the moving statistics, as a product and a sum."""
        import numpy as np

        layer = NORMALIZATIONS[number]
        gamma, beta, mean, variance = (self.tensors[f"{layer}/{part}"].astype(np.float64) for part in STATISTICS)
        factor = gamma / np.sqrt(variance + EPSILON)
        factors = self.constant(f"{layer}/factor", factor.astype(np.float32).reshape(shape))
        offsets = self.constant(f"{layer}/offset", (beta - mean * factor).astype(np.float32).reshape(shape))
        return self.node("Add", self.node("Mul", x, factors), offsets, output=output)

    def dense(self, x, layer):
        kernel, bias = (self.constant(f"{layer}/{part}", self.tensors[f"{layer}/{part}"]) for part in ("kernel", "bias"))
        return self.node("Add", self.node("MatMul", x, kernel), bias)


def build(graph):
    """The layers of `build_musicnn`. Shapes are [patch, channel, frame, band]."""
    import numpy as np

    axis = {i: graph.constant(f"axis_{i}", np.array([i], np.int64)) for i in (1, 2)}
    x = graph.normalized(graph.node("Unsqueeze", "mel", axis[1]), 0, (1, 1, 1, 1))
    # Two convolutions over 7 frames and parts of the bands, three over 128, 64 and 32 frames of one band.
    pads = [(3, 3), (3, 3), (63, 64), (31, 32), (15, 16)]
    branches = [graph.convolution(x, i, [before, 0, after, 0]) for i, (before, after) in enumerate(pads)]
    branches = [graph.node("ReduceMax", branch, axes=[3], keepdims=0) for branch in branches]
    features = graph.node("Transpose", graph.node("Concat", *branches, axis=1), perm=[0, 2, 1])
    layers = [graph.node("Unsqueeze", features, axis[1])]
    for number in (5, 6, 7):
        # [patch, 64, frame, 1] -> [patch, 1, frame, 64]
        x = graph.node("Transpose", graph.convolution(layers[-1], number, [3, 0, 3, 0]), perm=[0, 3, 2, 1])
        layers.append(x if number == 5 else graph.node("Add", x, layers[-1]))
    layers = graph.node("Squeeze", graph.node("Concat", *layers, axis=3), axis[1])
    graph.node("ReduceMax", layers, axes=[1], keepdims=0, output="max_pool")
    graph.node("ReduceMean", layers, axes=[1], keepdims=0, output="mean_pool")
    # Maximum and mean of a value are adjacent.
    pooled = [graph.node("Unsqueeze", pool, axis[2]) for pool in ("max_pool", "mean_pool")]
    pooled = graph.node("Flatten", graph.node("Concat", *pooled, axis=2), axis=1)
    hidden = graph.dense(graph.normalized(pooled, 9, (1, -1)), "dense")
    graph.normalized(graph.node("Relu", hidden), 10, (1, -1), output="penultimate")
    graph.node("Sigmoid", graph.dense("penultimate", "dense_1"), output="tags")


def write_graph(tensors, path):
    import onnx
    from onnx import helper

    graph = Graph(tensors)
    build(graph)
    value = lambda name, *sizes: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["patch", *sizes])
    outputs = [value(name, size) for name, size in OUTPUTS.items()]
    mel = [value("mel", N_FRAMES, N_BANDS)]
    proto = helper.make_graph(graph.nodes, "musicnn", mel, outputs, graph.constants)
    # IR version 8 is that of opset 17.
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def check_input(n_patches):
    """The input of `cantus embeddings check` with seed 0: pseudo-random values from 0 to 1."""
    import numpy as np

    k = np.arange(n_patches * N_FRAMES * N_BANDS, dtype=np.uint64)
    values = (k * np.uint64(2654435761)) % np.uint64(2**32) / 2.0**32
    return values.astype(np.float32).reshape(n_patches, N_FRAMES, N_BANDS)


def run(path, mel, outputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session.run(outputs, {"mel": mel})


def write_check(path):
    import onnxruntime

    runs = [run(path, patch[None], [CHECKED])[0].ravel() for patch in check_input(N_CHECKED)]
    # The shortest text that is the same f32.
    values = ",\n".join(f"  [{', '.join(str(value) for value in values)}]" for values in runs)
    text = f'{{ "seed": 0, "made_with": "onnxruntime {onnxruntime.__version__}", "outputs": [\n{values}\n] }}\n'
    json.loads(text)
    path.with_suffix(".check.json").write_text(text)


def compare(path, other):
    """Prints the largest difference of each output for a fixed input, in the range of log-mel values; whether all are small."""
    import numpy as np

    mel = 4 * check_input(4)
    found, expected = (run(file, mel, list(OUTPUTS)) for file in (path, other))
    same = True
    for output, ours, theirs in zip(OUTPUTS, found, expected):
        difference, largest = float(np.abs(ours.astype(float) - theirs).max()), float(np.abs(theirs).max())
        line = {"model": path.stem, "output": output, "n_values": ours.size}
        line |= {"largest_difference": float(f"{difference:.1e}"), "largest_value": round(largest, 3)}
        print(json.dumps(line), flush=True)
        same &= difference <= max(TOLERANCE, RELATIVE_TOLERANCE * largest)
    return same


if __name__ == "__main__":
    arguments = options()
    python = arguments.python or python_with(HERE / "requirements.txt", WORK / "venv", "onnx and onnxruntime")
    # Paths are compared and not resolved: the interpreter of a virtual environment is a link to another.
    if os.path.abspath(sys.executable) != os.path.abspath(python):
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:], "--python", python]).returncode)
    sys.exit(main(arguments))
