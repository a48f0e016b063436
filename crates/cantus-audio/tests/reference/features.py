"""Reference numbers of windows, mel filters, decibels and features: writes features.json beside this script.

    pip install librosa==0.11.0 numpy==2.4.6 scipy==1.17.1
    python features.py

A case's "spec" is a FeatureSpec as the Rust side reads it; what it leaves out is at its default. Only the frames
named in "frames" are kept.
"""

import json
import pathlib
import warnings

import librosa
import numpy as np
import scipy.fft
import scipy.signal

SR = 22050
N_SAMPLES = 6615

WINDOWS = ["hann", "hamming", "blackman", "blackmanharris", "nuttall", "flattop", "bartlett", "boxcar"]

SMALL = {"n_fft": 256, "hop_length": 64}

CASES = [
    ("stft", {"kinds": ["stft"]}, N_SAMPLES, [6]),
    ("stft of a short window", {"kinds": ["stft"], "win_length": 200, "window": "hamming", **SMALL}, 2000, [0, 9]),
    ("stft not centred", {"kinds": ["stft"], "center": False, **SMALL}, 2000, [0, 27]),
    ("stft of odd length", {"kinds": ["stft"], **SMALL, "n_fft": 255}, 2000, [0, 31]),
    ("stft, edge held", {"kinds": ["stft"], "pad_mode": "edge", **SMALL}, 2000, [0, 31]),
    ("stft, ends reflected", {"kinds": ["stft"], "pad_mode": "reflect", **SMALL}, 2000, [0, 31]),
    ("stft, ends mirrored", {"kinds": ["stft"], "pad_mode": "symmetric", **SMALL}, 2000, [0, 31]),
    ("stft reflected over and over", {"kinds": ["stft"], "pad_mode": "reflect", **SMALL}, 50, [0]),
    ("mel", {"kinds": ["mel"]}, N_SAMPLES, [0, 6]),
    ("mel of magnitudes, htk", {"kinds": ["mel"], "power": 1.0, "htk": True, "n_mels": 40}, N_SAMPLES, [0, 6]),
    (
        "mel without norm",
        {"kinds": ["mel"], "norm": "none", "n_mels": 40, "f_min": 50.0, "f_max": 8000.0},
        N_SAMPLES,
        [0, 6],
    ),
    ("log-mel", {"kinds": ["log_mel"]}, N_SAMPLES, [0, 6, 12]),
    ("log-mel 30 dB deep", {"kinds": ["log_mel"], "top_db": 30.0, "n_mels": 40}, N_SAMPLES, [0, 6]),
    ("log-mel without floor", {"kinds": ["log_mel"], "top_db": "none", "n_mels": 40}, N_SAMPLES, [0, 6]),
    ("mfcc of the course", {"n_mfcc": 13}, N_SAMPLES, list(range(13))),
    ("mfcc", {}, N_SAMPLES, [0, 6, 12]),
    ("mfcc of less than a frame", {"n_mfcc": 13}, 1000, [0, 1]),
    ("mfcc liftered", {"lifter": 22.0}, N_SAMPLES, [0, 6]),
    ("mfcc by dct 1", {"dct_type": 1}, N_SAMPLES, [0, 6]),
    ("mfcc by dct 3", {"dct_type": 3}, N_SAMPLES, [0, 6]),
    (
        "mfcc, htk throughout",
        {"dct_type": 3, "htk": True, "norm": "none", "n_mels": 40, "lifter": 22.0, "sample_rate": 16000},
        N_SAMPLES,
        [0, 6],
    ),
]


def signal(n_samples):
    """A falling tone, a steady one that starts late, and noise: whole numbers of 1/32768, so that Rust and Python compute the same."""
    n = np.arange(n_samples, dtype=np.float64)
    tone = 9000 * np.sin(2 * np.pi * 440 * n / SR) * np.exp(-n / 2000)
    late = np.where(n >= 3000, 5000 * np.sin(2 * np.pi * 3520 * n / SR), 0)
    noise = np.empty(n_samples)
    state = 1
    for i in range(n_samples):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = (state >> 16) / 64 - 512
    return (np.round(tone + late + noise) / 32768).astype(np.float32)


def stft_options(spec):
    keys = ["n_fft", "hop_length", "win_length", "window", "center", "pad_mode"]
    return {"n_fft": 2048, "hop_length": 512} | {key: spec[key] for key in keys if key in spec}


def mel_options(spec):
    return {
        "n_mels": spec.get("n_mels", 128),
        "fmin": spec.get("f_min", 0.0),
        "fmax": spec.get("f_max"),
        "htk": spec.get("htk", False),
        "norm": None if spec.get("norm") == "none" else "slaney",
    }


def features(spec, n_samples):
    """[n_frames, n_bins] by librosa."""
    y, sr, kind = signal(n_samples), spec.get("sample_rate", SR), spec.get("kinds", ["mfcc"])[0]
    if kind == "stft":
        return np.abs(librosa.stft(y, **stft_options(spec))).T
    power = spec.get("power", 2.0)
    mel = librosa.feature.melspectrogram(y=y, sr=sr, power=power, **stft_options(spec), **mel_options(spec))
    if kind == "mel":
        return mel.T
    top_db = spec.get("top_db", 80.0)
    log_mel = librosa.power_to_db(mel, top_db=None if top_db == "none" else top_db)
    if kind == "log_mel":
        return log_mel.T
    options = {"n_mfcc": spec.get("n_mfcc", 20), "dct_type": spec.get("dct_type", 2), "lifter": spec.get("lifter", 0)}
    return librosa.feature.mfcc(S=log_mel, **options).T


def rounded(values, digits=7):
    return [float(f"{v:.{digits}g}") for v in np.asarray(values).ravel()]


def case(name, spec, n_samples, frames):
    values = features(spec, n_samples)
    return {
        "name": name,
        "spec": spec,
        "n_samples": n_samples,
        "n_frames": values.shape[0],
        "frames": frames,
        "values": [rounded(values[t]) for t in frames],
    }


def mel_filters():
    for htk in (False, True):
        for norm in ("slaney", None):
            options = {"n_mels": 40, "fmin": 20.0, "fmax": 10000.0, "htk": htk}
            dense = librosa.filters.mel(sr=SR, n_fft=256, norm=norm, **options)
            yield {
                "htk": htk,
                "norm": norm or "none",
                "centres_hz": rounded(librosa.mel_frequencies(**options), 12),
                "sum_of_rows": rounded(dense.sum(axis=1)),
                "sum_of_columns": rounded(dense.sum(axis=0)),
            }


def decibels():
    powers = np.array([0.0, 1e-12, 1e-10, 3e-7, 0.5, 1.0, 2.0, 1234.5], dtype=np.float32)
    options = [
        {"ref": 1.0, "amin": 1e-10, "top_db": 80.0},
        {"ref": 1.0, "amin": 1e-10, "top_db": None},
        {"ref": 0.25, "amin": 1e-5, "top_db": 20.0},
        {"ref": "max", "amin": 1e-10, "top_db": None},
    ]
    for option in options:
        call = option | {"ref": np.max if option["ref"] == "max" else option["ref"]}
        yield option | {
            "strengths": rounded(powers),
            "power_to_db": rounded(librosa.power_to_db(powers, **call)),
            "amplitude_to_db": rounded(librosa.amplitude_to_db(powers, **call)),
        }


def main():
    warnings.simplefilter("ignore")  # short signals and empty filters are intended
    curve = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0])
    levels = [-80.0, -3.0, 0.0, 12.0]
    reference = {
        "versions": {"librosa": librosa.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
        "samples_1_32768": [int(v) for v in np.round(signal(N_SAMPLES)[::601] * 32768)],
        "windows": {w: {n: rounded(scipy.signal.get_window(w, n), 16) for n in (1, 8, 9)} for w in WINDOWS},
        "mel_filters": list(mel_filters()),
        "decibels": list(decibels()),
        "levels": levels,
        "db_to_power": rounded(librosa.db_to_power(np.array(levels), ref=2.0), 12),
        "db_to_amplitude": rounded(librosa.db_to_amplitude(np.array(levels), ref=2.0), 12),
        "curve": list(curve),
        "dct": {t: rounded(scipy.fft.dct(curve, type=t, norm="ortho"), 12) for t in (1, 2, 3)},
        "cases": [case(*c) for c in CASES],
    }
    text = json.dumps(reference, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('"],"', '"],\n"')
    pathlib.Path(__file__).with_name("features.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
