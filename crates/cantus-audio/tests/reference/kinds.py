"""Reference numbers of the features beyond those of features.py: writes kinds.json beside this script.

    pip install librosa==0.11.0 numpy==2.4.6 scipy==1.17.1
    python kinds.py

A case's "spec" is a FeatureSpec as the Rust side reads it; what it leaves out is at its default. Only the frames
named in "frames" are kept.
"""

import json
import pathlib
import warnings

import librosa
import numpy as np
import scipy.fft

from features import SMALL, SR, mel_options, rounded, signal, stft_options

ALL = list(range(13))
N_SAMPLES = 6615


def kind(name, **spec):
    return {"kinds": [name]} | spec


CASES = [
    ("spectrogram", kind("spectrogram"), N_SAMPLES, [6]),
    ("spectrogram of magnitudes to the 1.5", kind("spectrogram", power=1.5, **SMALL), 2000, [0, 9]),
    ("spectrogram in dB", kind("spectrogram_db"), N_SAMPLES, [0, 6]),
    ("spectrogram in dB, 30 deep", kind("spectrogram_db", top_db=30.0, **SMALL), 2000, [0, 9]),
    ("mel, norm 1", kind("mel", norm="l1", n_mels=40), N_SAMPLES, [6]),
    ("mel, norm 2", kind("mel", norm="l2", n_mels=40), N_SAMPLES, [6]),
    ("mel, norm inf", kind("mel", norm="inf", n_mels=40), N_SAMPLES, [6]),
    ("mfcc by dct 4", kind("mfcc", dct_type=4), N_SAMPLES, [0, 6]),
    ("mfcc by dct 1, no norm", kind("mfcc", dct_type=1, dct_norm="none"), N_SAMPLES, [0, 6]),
    ("mfcc by dct 2, no norm", kind("mfcc", dct_type=2, dct_norm="none"), N_SAMPLES, [0, 6]),
    ("mfcc by dct 3, no norm", kind("mfcc", dct_type=3, dct_norm="none"), N_SAMPLES, [0, 6]),
    ("mfcc by dct 4, no norm", kind("mfcc", dct_type=4, dct_norm="none"), N_SAMPLES, [0, 6]),
    ("mfcc delta", kind("mfcc_delta"), N_SAMPLES, ALL),
    ("mfcc delta, narrow", kind("mfcc_delta", n_mfcc=5, delta={"width": 3}), N_SAMPLES, ALL),
    ("mfcc delta-delta", kind("mfcc_delta2"), N_SAMPLES, ALL),
    ("pcen", kind("pcen"), N_SAMPLES, [0, 1, 6, 12]),
    ("pcen as the paper has it", kind("pcen", power=1.0, n_mels=40, pcen={"scale": 2.0**31}), N_SAMPLES, [0, 1, 6, 12]),
    (
        "pcen, other parameters",
        kind("pcen", n_mels=40, pcen={"gain": 0.8, "bias": 10.0, "power": 0.25, "time_constant": 0.06, "eps": 1e-3, "max_size": 3}),
        N_SAMPLES,
        [0, 6, 12],
    ),
    ("pcen, logarithm", kind("pcen", n_mels=40, pcen={"power": 0.0, "b": 0.3, "max_size": 4}), N_SAMPLES, [0, 6, 12]),
    ("amplitude envelope", kind("amplitude_envelope"), N_SAMPLES, ALL),
    ("amplitude envelope, not centred", kind("amplitude_envelope", center=False, **SMALL), 2000, [0, 1, 27]),
    ("rms", kind("rms"), N_SAMPLES, ALL),
    ("rms, ends reflected", kind("rms", pad_mode="reflect", **SMALL), 2000, [0, 1, 31]),
    ("rms, not centred", kind("rms", center=False, **SMALL), 2000, [0, 27]),
    ("zero-crossing rate", kind("zero_crossing_rate"), N_SAMPLES, ALL),
    ("zero-crossing rate, not centred", kind("zero_crossing_rate", center=False, **SMALL), 2000, [0, 1, 27]),
    ("centroid", kind("spectral_centroid"), N_SAMPLES, ALL),
    ("centroid of a short window", kind("spectral_centroid", win_length=200, window="hamming", **SMALL), 2000, [0, 9]),
    ("bandwidth", kind("spectral_bandwidth"), N_SAMPLES, ALL),
    ("bandwidth, p = 3", kind("spectral_bandwidth", bandwidth={"p": 3.0}), N_SAMPLES, ALL),
    ("bandwidth without norm", kind("spectral_bandwidth", bandwidth={"norm": False}), N_SAMPLES, ALL),
    ("roll-off", kind("spectral_rolloff"), N_SAMPLES, ALL),
    ("roll-off at half", kind("spectral_rolloff", rolloff={"roll_percent": 0.5}), N_SAMPLES, ALL),
    ("flatness", kind("spectral_flatness"), N_SAMPLES, ALL),
    ("flatness of magnitudes", kind("spectral_flatness", flatness={"power": 1.0, "amin": 1e-3}), N_SAMPLES, ALL),
    ("contrast", kind("spectral_contrast"), N_SAMPLES, ALL),
    ("contrast, linear", kind("spectral_contrast", contrast={"linear": True}), N_SAMPLES, ALL),
    (
        "contrast, other parameters",
        kind("spectral_contrast", contrast={"f_min": 300.0, "n_bands": 4, "quantile": 0.2}),
        N_SAMPLES,
        ALL,
    ),
    ("flux", kind("spectral_flux"), N_SAMPLES, ALL),
]


def framing(spec):
    options = stft_options(spec)
    return options["n_fft"], options["hop_length"], options.get("center", True)


def amplitude_envelope(y, spec):
    n_fft, hop_length, center = framing(spec)
    y = np.pad(y, n_fft // 2) if center else y
    return librosa.util.frame(y, frame_length=n_fft, hop_length=hop_length).max(axis=0, keepdims=True)


def from_samples(y, spec):
    n_fft, hop_length, center = framing(spec)
    options = {"frame_length": n_fft, "hop_length": hop_length, "center": center}
    if spec["kinds"][0] == "zero_crossing_rate":
        return librosa.feature.zero_crossing_rate(y, **options)
    return librosa.feature.rms(y=y, pad_mode=spec.get("pad_mode", "constant"), **options)


def pcen(y, spec):
    parameters = dict(spec.get("pcen", {}))
    scale = parameters.pop("scale", 1.0)
    mel = librosa.feature.melspectrogram(y=y, sr=SR, power=spec.get("power", 2.0), **stft_options(spec), **mel_options(spec))
    return librosa.pcen(mel * scale, sr=SR, hop_length=stft_options(spec)["hop_length"], **parameters)


def mfcc(y, spec):
    norm = None if spec.get("dct_norm") == "none" else "ortho"
    options = {"n_mfcc": spec.get("n_mfcc", 20), "dct_type": spec.get("dct_type", 2), "norm": norm}
    return librosa.feature.mfcc(y=y, sr=SR, **options)


def mel(y, spec):
    norm = {"l1": 1, "l2": 2, "inf": np.inf}[spec["norm"]]
    return librosa.feature.melspectrogram(y=y, sr=SR, n_mels=spec["n_mels"], norm=norm)


def features(spec, n_samples):
    """[n_bins, n_frames] by librosa."""
    y, name = signal(n_samples), spec["kinds"][0]
    magnitude = np.abs(librosa.stft(y, **stft_options(spec)))
    top_db = spec.get("top_db", 80.0)
    order = {"mfcc_delta": 1, "mfcc_delta2": 2}.get(name)
    if order:
        return librosa.feature.delta(mfcc(y, spec), order=order, **spec.get("delta", {}))
    contrast = {{"f_min": "fmin"}.get(key, key): value for key, value in spec.get("contrast", {}).items()}
    return {
        "spectrogram": lambda: magnitude ** spec.get("power", 2.0),
        "spectrogram_db": lambda: librosa.amplitude_to_db(magnitude, top_db=top_db),
        "mel": lambda: mel(y, spec),
        "mfcc": lambda: mfcc(y, spec),
        "pcen": lambda: pcen(y, spec),
        "amplitude_envelope": lambda: amplitude_envelope(y, spec),
        "rms": lambda: from_samples(y, spec),
        "zero_crossing_rate": lambda: from_samples(y, spec),
        "spectral_centroid": lambda: librosa.feature.spectral_centroid(y=y, sr=SR, **stft_options(spec)),
        "spectral_bandwidth": lambda: librosa.feature.spectral_bandwidth(y=y, sr=SR, **spec.get("bandwidth", {})),
        "spectral_rolloff": lambda: librosa.feature.spectral_rolloff(y=y, sr=SR, **spec.get("rolloff", {})),
        "spectral_flatness": lambda: librosa.feature.spectral_flatness(y=y, **spec.get("flatness", {})),
        "spectral_contrast": lambda: librosa.feature.spectral_contrast(y=y, sr=SR, **contrast),
        "spectral_flux": lambda: np.linalg.norm(np.diff(magnitude, axis=1, prepend=magnitude[:, :1]), axis=0, keepdims=True),
    }[name]()


def case(name, spec, n_samples, frames):
    values = features(spec, n_samples).T
    kept = [rounded(values[t]) for t in frames]
    return {"name": name, "spec": spec, "n_samples": n_samples, "n_frames": len(values), "frames": frames, "values": kept}


def spectrum():
    """numpy's spectrum of the first 999 samples: every 37th bin, magnitude and power."""
    magnitude = np.abs(np.fft.fft(signal(999)))
    return {"magnitude": rounded(magnitude[::37]), "power": rounded(magnitude[::37] ** 2)}


def main():
    warnings.simplefilter("ignore")  # short signals are intended
    reference = {
        "versions": {"librosa": librosa.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
        "spectrum": spectrum(),
        "cases": [case(*c) for c in CASES],
    }
    text = json.dumps(reference, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("kinds.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
