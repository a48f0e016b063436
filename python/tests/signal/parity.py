"""The calls of librosa 0.11 that the package has, and the largest difference between the two.

``python python/tests/signal/parity.py``, with librosa 0.11 installed, prints the table of
docs/python.md. ``python python/tests/signal/parity.py librosa.npz`` writes sampled values of librosa's results, for
environments without librosa.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SR = 22050


@dataclass(frozen=True)
class Case:
    """A call that is the same in both libraries."""

    name: str
    #: The call, of a library and a signal.
    call: Callable[[Any, Any], Any]
    #: Largest difference, relative to the largest value of librosa's result.
    tolerance: float = 1e-4
    #: Whether channels are independent of each other.
    is_multichannel: bool = True


def signal(n_samples: int = 2 * SR) -> Any:
    """Return two seconds of tones, clicks and noise, in float64."""
    t = np.arange(n_samples) / SR
    rng = np.random.default_rng(0)
    tones = sum(
        np.sin(2 * np.pi * f * t * (1 + 0.01 * t)) / k for k, f in enumerate([220, 440, 663, 1320], 1)
    )
    y = 0.2 * tones * (1 + np.sin(2 * np.pi * 0.7 * t)) + 0.01 * rng.standard_normal(n_samples)
    for start in range(0, n_samples - 2000, SR // 2):
        y[start : start + 2000] += 0.4 * rng.standard_normal(2000) * np.exp(-np.arange(2000) / 300)
    return y / np.abs(y).max()


def magnitude(lib: Any, y: Any) -> Any:
    """Return magnitudes of an STFT."""
    return np.abs(lib.stft(y))


def decibels(lib: Any, y: Any) -> Any:
    """Return a mel spectrogram in dB."""
    return lib.power_to_db(lib.feature.melspectrogram(y=y))


FEATURES = [
    Case("feature.melspectrogram", lambda lib, y: lib.feature.melspectrogram(y=y, sr=SR)),
    Case(
        "feature.melspectrogram (htk, norm=None)",
        lambda lib, y: lib.feature.melspectrogram(
            y=y, sr=SR, htk=True, norm=None, n_mels=40, fmin=50, fmax=8000
        ),
    ),
    Case("feature.melspectrogram (S)", lambda lib, y: lib.feature.melspectrogram(S=magnitude(lib, y), sr=SR)),
    Case("feature.mfcc", lambda lib, y: lib.feature.mfcc(y=y, sr=SR, n_mfcc=13)),
    Case("feature.mfcc (lifter)", lambda lib, y: lib.feature.mfcc(y=y, sr=SR, lifter=22, dct_type=3)),
    Case("feature.mfcc (S)", lambda lib, y: lib.feature.mfcc(S=decibels(lib, y), n_mfcc=20)),
    Case("feature.rms", lambda lib, y: lib.feature.rms(y=y)),
    Case("feature.rms (S)", lambda lib, y: lib.feature.rms(S=magnitude(lib, y))),
    Case("feature.zero_crossing_rate", lambda lib, y: lib.feature.zero_crossing_rate(y)),
    Case("feature.spectral_centroid", lambda lib, y: lib.feature.spectral_centroid(y=y, sr=SR)),
    Case("feature.spectral_centroid (S)", lambda lib, y: lib.feature.spectral_centroid(S=magnitude(lib, y))),
    Case("feature.spectral_bandwidth", lambda lib, y: lib.feature.spectral_bandwidth(y=y, sr=SR)),
    Case("feature.spectral_bandwidth (p=3)", lambda lib, y: lib.feature.spectral_bandwidth(y=y, sr=SR, p=3)),
    Case(
        "feature.spectral_rolloff", lambda lib, y: lib.feature.spectral_rolloff(y=y, sr=SR, roll_percent=0.9)
    ),
    Case("feature.spectral_flatness", lambda lib, y: lib.feature.spectral_flatness(y=y)),
    Case("feature.spectral_contrast", lambda lib, y: lib.feature.spectral_contrast(y=y, sr=SR), 3e-4),
    Case("feature.chroma_stft", lambda lib, y: lib.feature.chroma_stft(y=y, sr=SR, tuning=0.1), 1e-4),
    Case("feature.chroma_stft (estimated tuning)", lambda lib, y: lib.feature.chroma_stft(y=y, sr=SR)),
    Case("feature.chroma_stft (S)", lambda lib, y: lib.feature.chroma_stft(S=magnitude(lib, y) ** 2, norm=2)),
    Case("feature.chroma_cqt", lambda lib, y: lib.feature.chroma_cqt(y=y, sr=SR, tuning=0.0), 2e-3),
    Case(
        "feature.tonnetz", lambda lib, y: lib.feature.tonnetz(chroma=lib.feature.chroma_stft(y=y, tuning=0.0))
    ),
    Case("feature.delta", lambda lib, y: lib.feature.delta(lib.feature.mfcc(y=y), width=5, order=2)),
    Case("feature.tempogram", lambda lib, y: lib.feature.tempogram(y=y, sr=SR, win_length=64), 1e-3),
    Case("feature.tempo", lambda lib, y: lib.feature.tempo(y=y, sr=SR)),
    Case(
        "feature.tempo (aggregate=None)",
        lambda lib, y: lib.feature.tempo(y=y, sr=SR, aggregate=None, std_bpm=4, ac_size=1.5),
    ),
]

SPECTRA = [
    Case("stft", lambda lib, y: lib.stft(y)),
    Case(
        "stft (window, win_length, pad_mode)",
        lambda lib, y: lib.stft(
            y, n_fft=1024, hop_length=100, win_length=800, window="hamming", pad_mode="reflect"
        ),
    ),
    Case("stft (center=False)", lambda lib, y: lib.stft(y, center=False, window="blackmanharris")),
    Case("istft", lambda lib, y: lib.istft(lib.stft(y))),
    Case("istft (length)", lambda lib, y: lib.istft(lib.stft(y), length=40000)),
    Case("cqt", lambda lib, y: lib.cqt(y, sr=SR), 2e-3),
    Case("magphase", lambda lib, y: lib.magphase(lib.stft(y), power=2)[0]),
    Case(
        "power_to_db",
        lambda lib, y: lib.power_to_db(magnitude(lib, y) ** 2, ref=np.max, top_db=60),
        is_multichannel=False,
    ),
    Case("amplitude_to_db", lambda lib, y: lib.amplitude_to_db(magnitude(lib, y)), is_multichannel=False),
    Case("db_to_power", lambda lib, y: lib.db_to_power(lib.power_to_db(y**2)), is_multichannel=False),
    Case(
        "db_to_amplitude",
        lambda lib, y: lib.db_to_amplitude(lib.amplitude_to_db(np.abs(y))),
        is_multichannel=False,
    ),
    Case("pcen", lambda lib, y: lib.pcen(lib.feature.melspectrogram(y=y) * 2.0**31, sr=SR)),
    Case("estimate_tuning", lambda lib, y: lib.estimate_tuning(y=y, sr=SR), is_multichannel=False),
    # soxr filters in two stages here; its first sample differs by 2 % of the largest.
    Case("resample", lambda lib, y: lib.resample(y, orig_sr=SR, target_sr=16000)[..., 2:], 3e-4),
    Case("resample (scale)", lambda lib, y: lib.resample(y, orig_sr=SR, target_sr=44100, scale=True)),
    Case("to_mono", lambda lib, y: lib.to_mono(np.stack([y, y[::-1]])), is_multichannel=False),
]

RHYTHM = [
    Case("onset.onset_strength", lambda lib, y: lib.onset.onset_strength(y=y, sr=SR)),
    Case(
        "onset.onset_strength (median, lag, max_size)",
        lambda lib, y: lib.onset.onset_strength(y=y, sr=SR, aggregate=np.median, lag=2, max_size=3),
    ),
    Case(
        "onset.onset_strength (S, detrend)",
        lambda lib, y: lib.onset.onset_strength(S=decibels(lib, y), detrend=True),
    ),
    Case(
        "onset.onset_detect",
        lambda lib, y: lib.onset.onset_detect(y=y, sr=SR, units="time"),
        is_multichannel=False,
    ),
    Case(
        "onset.onset_detect (backtrack)",
        lambda lib, y: lib.onset.onset_detect(y=y, sr=SR, backtrack=True),
        is_multichannel=False,
    ),
    Case("beat.beat_track (tempo)", lambda lib, y: lib.beat.beat_track(y=y, sr=SR)[0], is_multichannel=False),
    Case("beat.beat_track (beats)", lambda lib, y: lib.beat.beat_track(y=y, sr=SR)[1], is_multichannel=False),
]

EFFECTS = [
    Case("effects.hpss (harmonic)", lambda lib, y: lib.effects.hpss(y)[0]),
    Case("effects.percussive", lambda lib, y: lib.effects.percussive(y, margin=2.0)),
    Case("decompose.hpss", lambda lib, y: lib.decompose.hpss(lib.stft(y), margin=(1.0, 3.0))[1]),
    Case(
        "decompose.hpss (mask)",
        lambda lib, y: lib.decompose.hpss(magnitude(lib, y), mask=True, kernel_size=17)[0],
        2e-3,
    ),
    Case(
        "effects.trim", lambda lib, y: lib.effects.trim(_quiet_ends(y), top_db=40)[1], is_multichannel=False
    ),
    Case("effects.split", lambda lib, y: lib.effects.split(_quiet_ends(y), top_db=40), is_multichannel=False),
    Case("effects.preemphasis", lambda lib, y: lib.effects.preemphasis(y), is_multichannel=False),
    Case("effects.deemphasis", lambda lib, y: lib.effects.deemphasis(y)),
]

FILTERS = [
    Case("filters.mel", lambda lib, y: lib.filters.mel(sr=SR, n_fft=2048), is_multichannel=False),
    Case(
        "filters.mel (norm=1, htk)",
        lambda lib, y: lib.filters.mel(sr=SR, n_fft=1024, norm=1, htk=True),
        is_multichannel=False,
    ),
    Case("filters.chroma", lambda lib, y: lib.filters.chroma(sr=SR, n_fft=2048), is_multichannel=False),
    Case("filters.get_window", lambda lib, y: lib.filters.get_window("hann", 1000), is_multichannel=False),
    Case(
        "filters.get_window (symmetric)",
        lambda lib, y: lib.filters.get_window("nuttall", 999, fftbins=False),
        is_multichannel=False,
    ),
]

_HERTZ = np.array([20.0, 440.0, 999.0, 1000.0, 1001.0, 12000.0])
_TIMES = np.array([0.0, 0.1, 1.23456, 10.0])
_FRAMES = np.array([0, 1, 5, 1000])

CONVERSIONS = [
    Case(name, call, 1e-12, is_multichannel=False)
    for name, call in {
        "hz_to_mel": lambda lib, y: lib.hz_to_mel(_HERTZ),
        "hz_to_mel (htk)": lambda lib, y: lib.hz_to_mel(_HERTZ, htk=True),
        "mel_to_hz": lambda lib, y: lib.mel_to_hz(np.array([0, 1, 14.9, 15.0, 40])),
        "mel_to_hz (htk)": lambda lib, y: lib.mel_to_hz(_HERTZ, htk=True),
        "mel_frequencies": lambda lib, y: lib.mel_frequencies(40, fmin=20, fmax=8000),
        "fft_frequencies": lambda lib, y: lib.fft_frequencies(sr=SR, n_fft=1001),
        "cqt_frequencies": lambda lib, y: lib.cqt_frequencies(60, fmin=55, bins_per_octave=24, tuning=0.2),
        "tempo_frequencies": lambda lib, y: lib.tempo_frequencies(50)[1:],
        "frames_to_samples": lambda lib, y: lib.frames_to_samples(_FRAMES, n_fft=2048),
        "samples_to_frames": lambda lib, y: lib.samples_to_frames(np.array([0, 511, 512, 99999]), n_fft=1024),
        "frames_to_time": lambda lib, y: lib.frames_to_time(_FRAMES, sr=44100, hop_length=441),
        "time_to_frames": lambda lib, y: lib.time_to_frames(_TIMES),
        "time_to_samples": lambda lib, y: lib.time_to_samples(_TIMES),
        "samples_to_time": lambda lib, y: lib.samples_to_time(_FRAMES),
        "times_like": lambda lib, y: lib.times_like(np.zeros((3, 7)), hop_length=256),
        "samples_like": lambda lib, y: lib.samples_like(9),
        "hz_to_midi": lambda lib, y: lib.hz_to_midi(_HERTZ),
        "midi_to_hz": lambda lib, y: lib.midi_to_hz(np.arange(20, 100)),
        "note_to_midi": lambda lib, y: lib.note_to_midi(["A4", "C#3", "Bb", "C-1", "D♯5", "Cbb2"]),
        "note_to_hz": lambda lib, y: lib.note_to_hz(["A4", "C1", "E2+20"]),
        "hz_to_octs": lambda lib, y: lib.hz_to_octs(_HERTZ, tuning=0.1),
        "octs_to_hz": lambda lib, y: lib.octs_to_hz(np.array([0.0, 1.5, 4.0])),
        "get_duration (y)": lambda lib, y: lib.get_duration(y=y, sr=SR),
        "get_duration (S)": lambda lib, y: lib.get_duration(S=lib.stft(y), sr=SR),
    }.items()
]

CASES = SPECTRA + FEATURES + RHYTHM + EFFECTS + FILTERS + CONVERSIONS


def difference(case: Case, ours: Any, theirs: Any) -> float:
    """Return the largest difference of a call on `signal`, relative to the largest value; infinity for other shapes."""
    y = signal()
    found, expected = np.asarray(case.call(ours, y)), np.asarray(case.call(theirs, y))
    if found.shape != expected.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def sampled(values: Any) -> Any:
    """Return up to 64 values of an array, evenly spaced."""
    flat = np.asarray(values).ravel()
    return flat[np.linspace(0, flat.size - 1, min(64, flat.size)).astype(int)] if flat.size else flat


def reference(lib: Any) -> dict[str, Any]:
    """Return for each case the shape, sampled values and the largest magnitude of a library's result."""
    found: dict[str, Any] = {}
    for case in CASES:
        values = np.asarray(case.call(lib, signal()))
        found[f"{case.name}/shape"] = np.array(values.shape, dtype=np.int64)
        is_single = values.dtype.kind in "fc" and case.tolerance > 1e-9
        precision = (np.complex64 if values.dtype.kind == "c" else np.float32) if is_single else values.dtype
        found[f"{case.name}/values"] = sampled(values).astype(precision)
        found[f"{case.name}/largest"] = np.abs(values).max() if values.size else 0.0
    return found


def _quiet_ends(y: Any) -> Any:
    quiet = y.copy()
    quiet[:9000] *= 1e-4
    quiet[20000:30000] *= 1e-4
    quiet[-5000:] = 0
    return quiet


if __name__ == "__main__":
    import librosa

    import cantus

    if len(sys.argv) > 1:
        np.savez_compressed(sys.argv[1], **reference(librosa))
        sys.exit()
    print("| librosa | here | largest difference |\n|---|---|---|")
    for case in CASES:
        here = f"cantus.{case.name.split(' (')[0]}"
        print(f"| `{case.name}` | `{here}` | {difference(case, cantus, librosa):.1e} |")
