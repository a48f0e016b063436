"""Exports trained models, runs them in onnxruntime, and compares the probabilities with those of `cantus predict`.

    python bench/export/onnxruntime_parity.py [DATA] [--recipes A,B] [--epochs 5] [--embedding MODEL] > results.jsonl

DATA is a folder of label folders with WAV files at 22050 Hz, or at the rate of the embedding model, which are read without
resampling; without it, music is synthesised. With --embedding the recipe is `embedding` unless others are named. Each
recipe is trained on it, exported with and without its front end, and run on every recording. One line of JSON per recipe:
the largest differences from `cantus predict` of the probabilities of tracks and of segments, with features and with
samples as input, and how many are above 1e-4. Exits with 1 if one is.

Also checked: the graphs by onnx's own checker, and the header of the model card by PyYAML and huggingface_hub.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, built_binary, python_with, say  # noqa: E402

WORK = ROOT / "target" / "bench-export"
RECIPES = ["mlp", "mlp-normalised", "mlp-regularised", "cnn", "rnn", "lstm", "gru", "multi-timescale-lstm", "best"]
TOLERANCE = 1e-4


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, nargs="?")
    parser.add_argument("--recipes", help="built-in recipes, or TOML files")
    parser.add_argument("--embedding", help="embedding models, by commas, for recipes with embeddings")
    parser.add_argument("--sample-rate", type=int, default=22050, help="of synthesised music")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--cantus", help="an existing binary")
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    return parser.parse_args()


def main(options):
    WORK.mkdir(parents=True, exist_ok=True)
    cantus = options.cantus or built_binary()
    data = options.data or composed(cantus, options.sample_rate)
    recipes = options.recipes or ("embedding" if options.embedding else ",".join(RECIPES))
    worst = 0.0
    for recipe in recipes.split(","):
        line = parity(cantus, data, recipe, options)
        print(json.dumps(line), flush=True)
        worst = max(worst, *(value for key, value in line.items() if key.endswith("_worst")))
    return 1 if worst > TOLERANCE else 0


def composed(cantus, sample_rate):
    music = WORK / f"music-{sample_rate}"
    subprocess.run([cantus, "compose", music, "--tracks", "6", "--sr", str(sample_rate), "--quiet"], check=True)
    return music


def parity(cantus, data, recipe, options):
    name = pathlib.Path(recipe).stem
    work = WORK / f"{data.name}-{name}"
    store, run = work / "features", work / "run"
    work.mkdir(parents=True, exist_ok=True)
    say(f"{name}: training")
    extract = [cantus, "extract", data, "-o", store, "-m", recipe, "--quiet", "--audit", "off"]
    extract += ["--embedding", options.embedding] if options.embedding else []
    subprocess.run(extract, check=True)
    epochs = ["--epochs", str(options.epochs)]
    train = [cantus, "train", store, "-m", recipe, "-o", run, *epochs, "--quiet", "--overwrite"]
    subprocess.run(train, check=True, stdout=subprocess.DEVNULL)
    feature_graph, sample_graph = work / "features.onnx", work / "samples.onnx"
    subprocess.run([cantus, "export", run, "-o", feature_graph, "--quiet"], check=True)
    subprocess.run([cantus, "export", run, "-o", sample_graph, "--with-features", "--quiet"], check=True)
    for path in (feature_graph, sample_graph):
        check_graph(path)
        check_card(path.with_suffix(".card.md"))
    return {"recipe": name, "data": data.name} | compare(cantus, data, store, run, feature_graph, sample_graph)


def check_graph(path):
    import onnx

    onnx.checker.check_model(onnx.load(path), full_check=True)


def check_card(path):
    """Checks a card against https://github.com/huggingface/hub-docs/blob/main/modelcard.md."""
    import huggingface_hub
    import yaml

    text = path.read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    [index] = head["model-index"]
    [result] = index["results"]
    assert index["name"] and result["task"]["type"] == "audio-classification" == head["pipeline_tag"]
    assert result["dataset"]["type"] and result["dataset"]["name"]
    assert all(metric["type"] == "accuracy" and 0 <= metric["value"] <= 1 for metric in result["metrics"])
    card = huggingface_hub.ModelCard(text, ignore_metadata_errors=False)
    assert len(card.data.eval_results) == len(result["metrics"]) == 2, card.data


def compare(cantus, data, store, run, feature_graph, sample_graph):
    import numpy
    import onnxruntime

    graphs = {path: onnxruntime.InferenceSession(path) for path in (feature_graph, sample_graph)}
    meta = graphs[sample_graph].get_modelmeta().custom_metadata_map
    labels, length = json.loads(meta["labels"]), int(meta["segment_samples"])
    features = features_by_path(store, graphs[feature_graph].get_inputs()[0].shape[1:])
    tracks, windows = predictions(cantus, run, data, labels)
    differences = {(feature_graph, 0): [], (feature_graph, 1): [], (sample_graph, 0): [], (sample_graph, 1): []}
    for path, features in features.items():
        given = {feature_graph: features, sample_graph: samples(data / path, int(meta["sample_rate"]), length)}
        if len(given[sample_graph]) != len(features):
            continue  # a last segment that is short by less than a hop, which only Cantus pads
        for graph, values in given.items():
            [name] = [value.name for value in graphs[graph].get_inputs()]
            segments, track = graphs[graph].run(["probabilities", "track_probabilities"], {name: values})
            differences[graph, 0].extend(abs(segments - windows[path]).max(axis=1))
            differences[graph, 1].append(abs(track - tracks[path]).max())
    line = {"n_tracks": len(differences[feature_graph, 1]), "n_segments": len(differences[feature_graph, 0])}
    for graph, given in ((feature_graph, "features"), (sample_graph, "samples")):
        for what, name in ((1, "tracks"), (0, "segments")):
            found = numpy.array(differences[graph, what])
            line[f"{given}_{name}_worst"] = float(found.max())
            line[f"{given}_{name}_above"] = int((found > TOLERANCE).sum())
    return line


def predictions(cantus, run, data, labels):
    """Cantus's probabilities of each recording, [n_labels], and of its segments, [n_segments, n_labels]."""
    import csv
    import numpy

    folder = WORK / "timelines"
    shutil.rmtree(folder, ignore_errors=True)
    timelines = ["--timeline", folder / "{dir}" / "{name}.csv"]
    for label in data.iterdir():
        (folder / label.name).mkdir(parents=True, exist_ok=True)
    output = subprocess.run([cantus, "predict", run, data, "--json", *timelines], check=True, capture_output=True).stdout
    tracks, windows = {}, {}
    for track in json.loads(output)["tracks"]:
        path = str(pathlib.Path(track["path"]).relative_to(data))
        tracks[path] = numpy.array([track["probabilities"][label] for label in labels])
        with open((folder / path).with_suffix(".csv")) as timeline:
            windows[path] = numpy.array([[float(row[label]) for label in labels] for row in csv.DictReader(timeline)])
    return tracks, windows


def features_by_path(store, shape):
    """The features of every track's segments, [n_segments, n_frames, n_bins], as extracted by Cantus."""
    import numpy
    import pyarrow.ipc

    rows = {}
    for part in sorted(store.glob("part-*.arrow")):
        table = pyarrow.ipc.open_file(part).read_all()
        columns = (table["path"].to_pylist(), table["segment"].to_pylist(), table["features"].to_pylist())
        for path, segment, values in zip(*columns):
            rows.setdefault(path, {})[segment] = numpy.array(values, dtype=numpy.float32).reshape(shape)
    return {path: numpy.stack([segments[i] for i in sorted(segments)]) for path, segments in rows.items()}


def samples(path, sample_rate, length):
    """The whole segments of a WAV file, [n_segments, length]."""
    import soundfile

    sound, found = soundfile.read(path, dtype="float32", always_2d=True)
    assert found == sample_rate, f"{path}: {found} Hz"
    mono = sound.mean(axis=1, dtype="float32")
    return mono[: len(mono) // length * length].reshape(-1, length)


if __name__ == "__main__":
    arguments = options()
    python = arguments.python or python_with(HERE / "requirements.txt", WORK / "venv", "onnxruntime")
    # Paths are compared and not resolved: the interpreter of a virtual environment is a link to another.
    if os.path.abspath(sys.executable) != os.path.abspath(python):
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:], "--python", python]).returncode)
    sys.exit(main(arguments))
