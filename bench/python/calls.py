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
ROWS = ["import", *LOADS, *FEATURES, *BATCHES]


def batch(lib, y, n_threads):
    """MFCCs of 32 recordings on a number of threads of Python."""
    with concurrent.futures.ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(lambda _: lib.feature.mfcc(y=y, sr=SR), range(32)))


def call(library, row, folder):
    """The call of a row; of `soundfile`, reading without resampling."""
    if library == "soundfile":
        import soundfile

        return lambda: soundfile.read(str(folder / LOADS[row]), dtype="float32")
    lib = importlib.import_module(library)
    if row in LOADS:
        return lambda: lib.load(str(folder / LOADS[row]))
    # Only here, since bench/python/run.py imports this file in an interpreter that may lack NumPy.
    import numpy as np

    y = np.load(folder / "music.npy")
    if row in BATCHES:
        return lambda: batch(lib, y, BATCHES[row])
    return lambda: FEATURES[row](lib, y)


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
    if row == "import":
        # librosa imports its modules when they are used.
        begin = time.perf_counter()
        lib = importlib.import_module(library)
        _ = lib.load, lib.stft, lib.feature.mfcc, lib.beat.beat_track, lib.effects.hpss
        result = time.perf_counter() - begin
    else:
        result = seconds(call(library, row, pathlib.Path(folder)))
    print(json.dumps(result))
