"""One row of the benchmark in one library: prints the median duration of a call, in seconds, as JSON.

python bench/python/calls.py LIBRARY ROW FOLDER
"""

import concurrent.futures
import importlib
import json
import pathlib
import statistics
import sys
import time

import peers

SR = 22050

#: Calls of a feature of 30 s of samples, the same in both libraries.
FEATURES = {
    "stft": lambda lib, y: lib.stft(y),
    "melspectrogram": lambda lib, y: lib.feature.melspectrogram(y=y, sr=SR),
    "mfcc": lambda lib, y: lib.feature.mfcc(y=y, sr=SR, n_mfcc=13),
    "rms": lambda lib, y: lib.feature.rms(y=y),
    "zero_crossing_rate": lambda lib, y: lib.feature.zero_crossing_rate(y),
    "spectral_centroid": lambda lib, y: lib.feature.spectral_centroid(y=y, sr=SR),
    "spectral_bandwidth": lambda lib, y: lib.feature.spectral_bandwidth(y=y, sr=SR),
    "spectral_rolloff": lambda lib, y: lib.feature.spectral_rolloff(y=y, sr=SR),
    "spectral_flatness": lambda lib, y: lib.feature.spectral_flatness(y=y),
    "spectral_contrast": lambda lib, y: lib.feature.spectral_contrast(y=y, sr=SR),
    "chroma_stft": lambda lib, y: lib.feature.chroma_stft(y=y, sr=SR),
    "chroma_cqt": lambda lib, y: lib.feature.chroma_cqt(y=y, sr=SR),
    "cqt": lambda lib, y: lib.cqt(y, sr=SR),
    "tonnetz": lambda lib, y: lib.feature.tonnetz(y=y, sr=SR),
    "onset_strength": lambda lib, y: lib.onset.onset_strength(y=y, sr=SR),
    "tempogram": lambda lib, y: lib.feature.tempogram(y=y, sr=SR),
    "tempo": lambda lib, y: lib.feature.tempo(y=y, sr=SR),
    "beat_track": lambda lib, y: lib.beat.beat_track(y=y, sr=SR),
    "hpss": lambda lib, y: lib.effects.hpss(y),
    "time_stretch": lambda lib, y: lib.effects.time_stretch(y, rate=1.25),
    "pitch_shift": lambda lib, y: lib.effects.pitch_shift(y, sr=SR, n_steps=4),
    "resample": lambda lib, y: lib.resample(y, orig_sr=SR, target_sr=16000),
}
LOADS = {"load_wav": "music.wav", "load_flac": "music.flac", "load_mp3": "music.mp3"}
BATCHES = {"batch_1_thread": 1, "batch_2_threads": 2}
#: Rows of an import, and the modules that are imported before it.
IMPORTS = {"import": [], "import_after_numpy": ["numpy"]}
ROWS = [*IMPORTS, *LOADS, *FEATURES, *BATCHES]


def libraries_of(row):
    """The libraries that have a row."""
    loads = ["soundfile"] if row in LOADS else []
    of_all = {*IMPORTS, *LOADS, *BATCHES}
    has_torchaudio = row in {*of_all, *peers.OF_TORCHAUDIO}
    has_essentia = row in {*of_all, *peers.OF_ESSENTIA}
    others = ["torchaudio"] * has_torchaudio + ["essentia"] * has_essentia
    return ["cantus", "librosa", *loads, *others]


def batch(compute, y, n_threads):
    """MFCCs of 32 recordings on a number of threads of Python."""
    with concurrent.futures.ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(lambda _: compute(y), range(32)))


def loader(library, path):
    """A function that loads a file; `soundfile` decodes only."""
    if library == "torchaudio":
        return peers.load_torchaudio(path)
    if library == "essentia":
        return peers.load_essentia(path)
    if library == "soundfile":
        import soundfile

        return lambda: soundfile.read(path, dtype="float32")
    lib = importlib.import_module(library)
    return lambda: lib.load(path)


def function(library, row, n_mfcc=13):
    """A function of samples to the feature of a row."""
    if library == "torchaudio":
        return peers.torchaudio_function(row, n_mfcc)
    if library == "essentia":
        return peers.essentia_function(row, n_mfcc)
    lib = importlib.import_module(library)
    if row == "mfcc":
        return lambda y: lib.feature.mfcc(y=y, sr=SR, n_mfcc=n_mfcc)
    return lambda y: FEATURES[row](lib, y)


def call(library, row, folder):
    """The call of a row."""
    if row in LOADS:
        return loader(library, str(folder / LOADS[row]))
    # Only here, since bench/python/run.py imports this file in an interpreter that may lack NumPy.
    import numpy as np

    y = np.load(folder / "music.npy")
    if row in BATCHES:
        compute = [function(library, "mfcc", 20) for _ in range(BATCHES[row])]
        if library != "essentia":
            return lambda: batch(compute[0], y, BATCHES[row])
        return lambda: batch_of_objects(compute, y)
    compute = function(library, row)
    return lambda: compute(y)


def batch_of_objects(functions, y):
    """The same with a function for each thread: essentia's objects have a state."""
    n_each = 32 // len(functions)
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        list(pool.map(lambda compute: [compute(y) for _ in range(n_each)], functions))


def first_use(library, before):
    """Seconds of the import in this process, and of the first use of five functions: librosa imports its modules then."""
    for module in before:
        importlib.import_module(module)
    begin = time.perf_counter()
    lib = importlib.import_module("essentia.standard" if library == "essentia" else library)
    if library in ("cantus", "librosa"):
        _ = lib.load, lib.stft, lib.feature.mfcc, lib.beat.beat_track, lib.effects.hpss
    return time.perf_counter() - begin


def seconds(work):
    """Median duration of 5 to 50 runs, about a second in all, after two that warm up."""
    durations = []
    for _ in range(2):
        work()
    end = time.perf_counter() + 1.0
    while len(durations) < 5 or (len(durations) < 50 and time.perf_counter() < end):
        begin = time.perf_counter()
        work()
        durations.append(time.perf_counter() - begin)
    return statistics.median(durations)


if __name__ == "__main__":
    library, row, folder = sys.argv[1:]
    is_import = row in IMPORTS
    result = (
        first_use(library, IMPORTS[row]) if is_import else seconds(call(library, row, pathlib.Path(folder)))
    )
    print(json.dumps(result))
