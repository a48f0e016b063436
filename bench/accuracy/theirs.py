"""The predictions of another method for every track, on the folds of a run of ours; writes `path,label,group,fold,predicted` as CSV.

    python theirs.py CONTENDER TASK

CONTENDER is svm, svm-tuned, forest, boosting (librosa's summary features and scikit-learn), pyaudioanalysis, keras-RECIPE, or log-mel-cnn (a convolutional
network in Keras on librosa's log-mel spectrograms). TASK is JSON: data (the
folder of recordings), run (ours, with folds.csv), store (its features, for Keras), seed, threads, cache, out.
"""

import csv
import glob
import json
import os
import pathlib
import sys
import tomllib
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def librosa_features(path):
    """Mean and deviation over the track of the features of librosa's tutorials: MFCCs and deltas, chroma, contrast and the shape of the spectrum."""
    import librosa

    y, sr = librosa.load(path, sr=22050)
    # The deltas need nine frames.
    y = np.pad(y, (0, max(0, 9 * 512 - len(y))))
    magnitude = np.abs(librosa.stft(y))
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=20)
    feature = librosa.feature
    series = np.vstack(
        [
            mfcc,
            feature.delta(mfcc),
            feature.chroma_stft(S=magnitude**2, sr=sr, tuning=0.0),
            feature.spectral_contrast(S=magnitude, sr=sr),
            feature.spectral_centroid(S=magnitude, sr=sr),
            feature.spectral_bandwidth(S=magnitude, sr=sr),
            feature.spectral_rolloff(S=magnitude, sr=sr),
            feature.spectral_flatness(S=magnitude),
            feature.zero_crossing_rate(y),
            feature.rms(S=magnitude),
        ]
    )
    return np.concatenate([series.mean(1), series.std(1)])


def pyaudioanalysis_features(path):
    """pyAudioAnalysis's mid-term features (means and deviations within 1 s), averaged over the track, as its training functions do."""
    import librosa
    from pyAudioAnalysis import MidTermFeatures

    y, sr = librosa.load(path, sr=22050)
    mid, _, _ = MidTermFeatures.mid_feature_extraction(y, sr, sr, sr, round(0.05 * sr), round(0.05 * sr))
    return np.nan_to_num(mid.mean(1))


def cached(name, of, task, tracks):
    """Features of all tracks, computed once."""
    path = pathlib.Path(task["cache"]) / f"{name}.npz"
    if not path.exists():
        values = np.array([of(os.path.join(task["data"], track["path"])) for track in tracks])
        np.savez(path, paths=[track["path"] for track in tracks], values=values)
    kept = np.load(path)
    places = {name: place for place, name in enumerate(kept["paths"])}
    return kept["values"][[places[track["path"]] for track in tracks]]


def classifier(name, seed, n_groups):
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if name == "forest":
        return RandomForestClassifier(500, random_state=seed)
    if name == "boosting":
        return GradientBoostingClassifier(random_state=seed)
    svm = make_pipeline(StandardScaler(), SVC())
    if name == "svm-tuned":
        grid = {"svc__C": [0.3, 1, 3, 10, 30], "svc__gamma": ["scale", 1e-3, 3e-3, 1e-2]}
        return GridSearchCV(svm, grid, cv=GroupKFold(min(4, n_groups)))
    return svm


def summaries(name, task, tracks):
    """The predictions of a classifier on summary features."""
    if name == "pyaudioanalysis":
        x = cached("pyaudioanalysis", pyaudioanalysis_features, task, tracks)
    else:
        x = cached("librosa", librosa_features, task, tracks)
    y, folds = (np.array([track[key] for track in tracks]) for key in ("label", "fold"))
    groups = np.array([track["group"] or track["path"] for track in tracks])
    predicted = np.empty_like(y)
    for fold in sorted(set(folds)):
        train, test = folds != fold, folds == fold
        more = {"groups": groups[train]} if name == "svm-tuned" else {}
        predicted[test] = classifier(name, task["seed"], len(set(groups[train]))).fit(x[train], y[train], **more).predict(x[test])
    return predicted


def keras_model(recipe, shape, n_labels):
    """The recipe's layers in Keras."""
    import keras

    def build(layer):
        options = dict(layer)
        kind = options.pop("type")
        if "kernel_regularizer" in options:
            options["kernel_regularizer"] = keras.regularizers.L2(options["kernel_regularizer"]["l2"])
        return getattr(keras.layers, kind)(**options)

    image = recipe["layers"][0]["type"] == "Conv2D"
    layers = [keras.layers.Input((*shape, 1) if image else shape)]
    layers += [build({key: value for key, value in layer.items() if not is_ours(key, value)}) for layer in recipe["layers"]]
    return keras.Sequential([*layers, keras.layers.Dense(n_labels, activation="softmax")])


def is_ours(key, value):
    """Whether a setting must not be passed to Keras, because it is the default there or does not exist, such as L1 of 0."""
    return value is None or (key.endswith("_regularizer") and not value.get("l2"))


def keras_fold(task, fold, table, x, y, labels):
    """The probabilities of a fold's test segments; parts, epochs, batches and optimizer are those of our run.

    So are normalisation and early stopping, if the recipe has them; the lectures' recipes have neither, and their runs need no validation part.
    """
    import keras

    folder = pathlib.Path(task["run"]) / f"fold-{fold}"
    recipe = tomllib.loads((pathlib.Path(task["run"]) / "recipe.toml").read_text())
    part_of = {row["path"]: row["part"] for row in rows(folder / "split.csv")}
    parts = np.array([part_of[path] for path in table])
    train, validation, test = (parts == part for part in ("train", "validation", "test"))
    # A run's recipe.toml always has the key; its default is true.
    if recipe.get("normalize", True):
        mean, deviation = (of(x[train], axis=(0, 1)) for of in (np.mean, np.std))
        x = (x - mean) / deviation
    keras.utils.set_random_seed(task["seed"])
    model = keras_model(recipe, x.shape[1:], len(labels))
    training = recipe["training"]
    optimizer = keras.optimizers.Adam(learning_rate=training["optimizer"]["learning_rate"])
    model.compile(optimizer=optimizer, loss=training["loss"], metrics=["accuracy"])
    stopping = training.get("early_stopping")
    if stopping:
        stopping = {"patience": stopping["patience"], "restore_best_weights": stopping.get("restore_best_weights", True)}
    model.fit(
        x[train],
        y[train],
        validation_data=(x[validation], y[validation]) if validation.any() else None,
        batch_size=training["batching"]["mini"],
        epochs=training["epochs"],
        callbacks=[keras.callbacks.EarlyStopping(**stopping)] if stopping else [],
        verbose=0,
    )
    return test, model.predict(x[test], verbose=0)


def keras_tracks(task, tracks):
    """The predictions of a recipe's model in Keras, trained on the features of our store."""
    import pyarrow as pa
    import pyarrow.ipc
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(task["threads"])
    parts = [pa.ipc.open_file(pa.memory_map(path)).read_all() for path in sorted(glob.glob(task["store"] + "/part-*.arrow"))]
    store = pa.concat_tables(part.replace_schema_metadata() for part in parts)
    shape = json.loads(store.schema.field("features").metadata[b"shape"])
    x = store["features"].combine_chunks().flatten().to_numpy().reshape(-1, *shape)
    paths = np.array(store["path"].to_pylist())
    labels = sorted(set(store["label"].to_pylist()))
    y = np.array([labels.index(label) for label in store["label"].to_pylist()])
    by_track = {}
    for fold in sorted({track["fold"] for track in tracks}):
        test, probabilities = keras_fold(task, fold, paths, x, y, labels)
        for path, row in zip(paths[test], probabilities):
            by_track.setdefault(path, []).append(row)
    return [labels[int(np.mean(by_track[track["path"]], axis=0).argmax())] for track in tracks]


# Frames of a patch of the log-mel spectrogram, 2 s; patches of a track, at equal distances.
PATCH, N_PATCHES = 87, 10


def log_mel_patches(path):
    """Patches of the log-mel spectrogram, `[n, PATCH, 64]`; a shorter recording is padded with silence."""
    import librosa

    y, sr = librosa.load(path, sr=22050)
    log_mel = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, n_mels=64)).T
    if len(log_mel) < PATCH:
        log_mel = np.pad(log_mel, ((0, PATCH - len(log_mel)), (0, 0)), constant_values=log_mel.min())
    n = min(N_PATCHES, max(1, len(log_mel) // PATCH))
    starts = np.linspace(0, len(log_mel) - PATCH, n).astype(int)
    return np.array([log_mel[start : start + PATCH] for start in starts])


def log_mel_cnn(task, tracks):
    """A usual convolutional network: three blocks of convolution, batch normalisation and pooling, dropout; Adam, early stopping on a tenth of the tracks."""
    import keras
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(task["threads"])
    patches = [log_mel_patches(os.path.join(task["data"], track["path"])) for track in tracks]
    labels = sorted({track["label"] for track in tracks})
    y = np.array([labels.index(track["label"]) for track in tracks])
    folds = np.array([track["fold"] for track in tracks])
    predicted = [""] * len(tracks)
    for fold in sorted(set(folds)):
        test, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        rest = np.random.default_rng(task["seed"]).permutation(rest)
        stopping, train = rest[: len(rest) // 10], rest[len(rest) // 10 :]
        stack = lambda places: np.concatenate([patches[place] for place in places])[..., None]
        repeat = lambda places: np.concatenate([np.full(len(patches[place]), y[place]) for place in places])
        x = stack(train)
        mean, deviation = x.mean(), x.std()
        scaled = lambda values: (values - mean) / deviation
        keras.utils.set_random_seed(task["seed"])
        layers = keras.layers
        blocks = [
            layer
            for filters in (32, 64, 128)
            for layer in (
                layers.Conv2D(filters, 3, padding="same", activation="relu"),
                # With the default of 0.99, the moving averages of few steps an epoch are still far off when training stops.
                layers.BatchNormalization(momentum=0.9),
                layers.MaxPool2D(),
            )
        ]
        head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.3), layers.Dense(len(labels), activation="softmax")]
        model = keras.Sequential([layers.Input((PATCH, 64, 1)), *blocks, *head])
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        early = keras.callbacks.EarlyStopping(patience=15, restore_best_weights=True)
        held_out = (scaled(stack(stopping)), repeat(stopping))
        model.fit(scaled(x), repeat(train), validation_data=held_out, epochs=60, batch_size=32, callbacks=[early], verbose=0)
        for place in test:
            probabilities = model.predict_on_batch(scaled(patches[place][..., None]))
            predicted[place] = labels[int(np.mean(probabilities, axis=0).argmax())]
    return predicted


def main():
    name, task = sys.argv[1], json.loads(sys.argv[2])
    tracks = rows(pathlib.Path(task["run"]) / "folds.csv")
    if name == "log-mel-cnn":
        predicted = log_mel_cnn(task, tracks)
    else:
        predicted = keras_tracks(task, tracks) if name.startswith("keras-") else summaries(name, task, tracks)
    partial = task["out"] + ".partial"
    with open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group", "fold", "predicted"])
        for track, label in zip(tracks, predicted):
            writer.writerow([track["path"], track["label"], track["group"], track["fold"], label])
    os.replace(partial, task["out"])


if __name__ == "__main__":
    main()
