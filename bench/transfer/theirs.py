"""Computes embeddings with librosa and onnxruntime, as a description says: for timing, and to compare with a feature store.

    theirs.py time MODEL.onnx THREADS SECONDS RECORDING…    one JSON document: seconds of the graph and of extractions
    theirs.py compare MODEL.onnx STORE DATA                 one JSON document: largest difference from a store of Cantus
"""

import json
import pathlib
import statistics
import sys
import time
import tomllib

import librosa
import numpy as np
import onnxruntime

# Normalisation of mel filters, by its name in a description.
NORMS = {"slaney": "slaney", "none": None, "l1": 1, "1": 1, "l2": 2, "2": 2, "inf": np.inf}
# Runs of the graph on one input, of which the median is taken.
N_GRAPH_RUNS = 5


class Model:
    """An embedding model with its description."""

    def __init__(self, path, n_threads=1):
        text = pathlib.Path(path).with_suffix(".toml").read_text()
        description = tomllib.loads(text)
        self.input, self.patch, self.output = (description[name] for name in ("input", "patch", "output"))
        self.sample_rate, self.mel = self.input["sample_rate"], self.input.get("mel")
        self.pooling = self.output.get("pooling", ["mean", "deviation"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = n_threads, 1
        # Threads that wait in a loop take the processor from other programs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def values(self, samples):
        """The embedding of a segment: the statistics of the values over its patches."""
        per_patch = self.run(self.patches(self.features(samples))).astype(np.float64)
        statistic = {"mean": np.mean, "deviation": np.std, "max": np.max}
        return np.concatenate([statistic[name](per_patch, axis=0) for name in self.pooling])

    def features(self, samples):
        """Samples, or the compressed mel spectrogram [n_frames, n_bands]; at least a patch."""
        samples = np.pad(samples, (0, max(0, self.patch_samples() - len(samples)))) * np.float32(self.input.get("gain", 1))
        if a := self.input.get("preemphasis", 0):
            samples = np.append(samples[:1], samples[1:] - np.float32(a) * samples[:-1])
        if self.mel is None:
            return samples
        mel = librosa.feature.melspectrogram(
            y=samples,
            sr=self.sample_rate,
            n_fft=self.mel["n_fft"],
            hop_length=self.mel["hop_length"],
            win_length=self.mel.get("win_length"),
            window=self.mel.get("window", "hann"),
            center=self.mel.get("center", True),
            pad_mode=self.mel.get("pad_mode", "constant"),
            power=self.mel.get("power", 2.0),
            n_mels=self.mel["n_mels"],
            fmin=self.mel.get("f_min", 0.0),
            fmax=self.mel.get("f_max"),
            htk=self.mel.get("htk", False),
            norm=NORMS[self.mel.get("norm", "slaney")],
        ).T
        if self.mel.get("half_precision", False):
            mel = np.minimum(mel, np.finfo(np.float16).max).astype(np.float16).astype(np.float32)
        compressed = compress(mel, self.mel.get("compression", {"type": "none"}))
        return (compressed - np.float32(self.mel.get("mean", 0))) / np.float32(self.mel.get("deviation", 1))

    def patch_samples(self):
        """Number of samples that a patch needs."""
        if self.mel is None:
            return self.patch["length"]
        centred = (self.patch["length"] - 1) * self.mel["hop_length"]
        return centred if self.mel.get("center", True) else centred + self.mel["n_fft"]

    def patches(self, features):
        """Patches in the shape of the graph's input."""
        length, hop = self.patch["length"], self.patch["hop"]
        starts = range(0, len(features) - length + 1, hop)
        patches = np.stack([features[start : start + length] for start in starts])
        shape = [axis for axis in self.input["shape"] if axis not in ("patch", 1)]
        if shape == ["band", "frame"]:
            patches = patches.transpose(0, 2, 1)
        for i, axis in enumerate([axis for axis in self.input["shape"] if axis != "patch"]):
            if axis == 1:
                patches = np.expand_dims(patches, i + 1)
        return patches

    def run(self, patches):
        """The values of each patch, [n_patches, size]; further axes are averaged."""
        run = lambda batch: self.session.run([self.output["name"]], {self.input["name"]: batch})[0]
        if self.input["shape"][0] != "patch":
            rows = [run(patch) for patch in patches]
        else:
            per_run = self.patch.get("per_run", 1)
            # The last run is filled up with zeros.
            filled = np.concatenate([patches, np.zeros((-len(patches) % per_run, *patches.shape[1:]), np.float32)])
            runs = np.split(filled, len(filled) // per_run)
            rows = np.concatenate([run(batch).reshape(per_run, -1) for batch in runs])[: len(patches)]
        size = self.output["size"]
        return np.stack([np.reshape(row, (-1, size)).mean(axis=0, dtype=np.float64) for row in rows]).astype(np.float32)


def compress(mel, compression):
    match compression["type"]:
        case "none":
            return mel
        case "log10" | "ln" as name:
            log = np.log10 if name == "log10" else np.log
            mel = mel.astype(np.float64)
            return log(compression.get("factor", 1) * mel + compression["offset"]).astype(np.float32)
        case "db":
            return librosa.power_to_db(mel, amin=compression["amin"], top_db=compression.get("top_db"))


def load(path, sample_rate, seconds=None):
    return librosa.load(path, sr=sample_rate, mono=True, duration=seconds, res_type="soxr_hq")[0]


def measured(path, n_threads, seconds, recordings):
    """Seconds of a run of the graph, of one with all patches of a recording, and of the extraction of all recordings."""
    model = Model(path, n_threads)
    patches = model.patches(model.features(load(recordings[0], model.sample_rate, seconds)))
    per_run, feed = model.patch.get("per_run", 1), model.input["name"]
    run = lambda batch: of_runs(lambda: model.session.run([model.output["name"]], {feed: batch}))
    document = {"n_patches": len(patches), "per_run": per_run}
    if model.input["shape"][0] != "patch":
        document["run"] = run(patches[0])
    else:
        document["run"] = run(np.resize(patches, (per_run, *patches.shape[1:])))
        if per_run == 1:
            document["patches"] = run(patches)
    start = time.perf_counter()
    for recording in recordings:
        model.values(load(recording, model.sample_rate, seconds))
    return document | {"extraction": time.perf_counter() - start}


def of_runs(call):
    """Median duration of a call, in seconds; the first is not measured."""
    times = []
    for _ in range(N_GRAPH_RUNS + 1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def compare(path, store, data):
    """Largest difference of the values in a store from ours; segments that reach beyond their recording are left out."""
    model = Model(path)
    features = tomllib.loads((store / "store.toml").read_text())["features"]
    if features["sample_rate"] != model.sample_rate:
        raise SystemExit(f"{store}: {features['sample_rate']} Hz, the model takes {model.sample_rate}")
    length = round(segment_seconds(features["segments"]) * model.sample_rate)
    size = model.output["size"]
    worst, n_segments, n_left_out = dict.fromkeys(model.pooling, 0.0), 0, 0
    for recording, segments in rows(store).items():
        samples = load(data / recording, model.sample_rate)
        for start_s, found in segments:
            start = round(start_s * model.sample_rate)
            if start + length > len(samples):
                n_left_out += 1
                continue
            difference = np.abs(found.astype(np.float64) - model.values(samples[start : start + length]))
            for name, values in zip(model.pooling, difference.reshape(-1, size)):
                worst[name] = max(worst[name], float(values.max()))
            n_segments += 1
    return {"n_segments": n_segments, "n_left_out": n_left_out, "largest_difference": worst}


def segment_seconds(segments):
    """Duration of the segments of a store: windows, or equal parts of a track."""
    if "duration_s" in segments:
        return segments["duration_s"]
    return segments["track_duration_s"] / segments["n_segments"]


def rows(store):
    """Start in seconds and values of each segment, by recording."""
    import pyarrow.ipc

    found = {}
    for part in sorted(store.glob("part-*.arrow")):
        table = pyarrow.ipc.open_file(part).read_all()
        names = ("path", "copy", "start_s", "features")
        for recording, copy, start_s, values in zip(*(table[name].to_pylist() for name in names)):
            if copy == 0:
                found.setdefault(recording, []).append((start_s, np.array(values, np.float32)))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "time":
        result = measured(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
    else:
        result = compare(sys.argv[2], *map(pathlib.Path, sys.argv[3:5]))
    print(json.dumps(result))
