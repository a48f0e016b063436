"""Thousands of calls with unusable values: each raises an exception of one line, and none crashes."""

import io
import random
import warnings
import wave
from pathlib import Path

import numpy as np
import pytest

import cantus

ACCEPTED = (TypeError, ValueError, OSError, cantus.Error)
GOOD = np.sin(np.arange(6000) * 0.05).astype(np.float32)
SPECTRUM = np.abs(np.random.default_rng(0).standard_normal((1025, 12))).astype(np.float32)
COMPLEX = SPECTRUM.astype(np.complex64)


def bad_arrays():
    """Arrays that no function of signals accepts, and what is no array."""
    with_nan, with_inf = GOOD.copy(), GOOD.astype(np.float64)
    with_nan[17], with_inf[3] = np.nan, np.inf
    return {
        "none": None,
        "text": "song.wav",
        "bytes": b"abc",
        "number": 3.0,
        "empty": np.zeros(0, np.float32),
        "no_channels": np.zeros((0, 100), np.float32),
        "no_samples": np.zeros((2, 0)),
        "zero_dimensional": np.array(1.0),
        "nan": with_nan,
        "infinity": with_inf,
        "beyond_float32": np.full(100, 1e300),
        "int16": (GOOD * 1000).astype(np.int16),
        "uint8": np.zeros(100, np.uint8),
        "bool": np.zeros(100, bool),
        "object": np.array([None, 1.0, "a"], dtype=object),
        "strings": np.array(["a", "b"]),
        "datetime": np.zeros(10, "datetime64[s]"),
        "structured": np.zeros(10, [("a", "f4")]),
        "ragged": [[1.0, 2.0], [3.0]],
        "dictionary": {"y": 1},
        "class": type,
        "generator": (x for x in [1.0]),
    }


SETTINGS = {
    "n_fft": [0, -1, 1.5, "2048", None, 2**40, np.nan, [1], True],
    "hop_length": [0, -512, 0.5, "a", 2**62, np.inf, {}],
    "win_length": [0, 4096, -3, "x"],
    "window": ["han", None, 3, np.ones(2048), ("kaiser", 4.0)],
    "center": ["yes", None, 1.5],
    "pad_mode": ["wrap", None, 0],
    "sr": [0, -22050, "22050", np.nan, np.inf, 2**40, None, 0.5],
    "n_mels": [0, -1, 10**9, "a", None, 1.5],
    "fmin": [-1.0, np.nan, 1e30, "a", None],
    "fmax": [0, -5, np.inf, 1e6, "a"],
    "htk": ["no", None],
    "norm": ["l3", 7, object()],
    "power": [0, -1, np.nan, "2", None],
    "n_mfcc": [0, 129, -1, 2.5, "a", None],
    "dct_type": [0, 5, "2", None],
    "lifter": [-1, np.nan, "a"],
    "roll_percent": [0, -1, 2, np.nan, "a"],
    "n_bands": [0, 40, "a", -2],
    "quantile": [0, 1, 2, np.nan],
    "n_chroma": [0, -1, 10**8, "a"],
    "tuning": [np.nan, 1e9, "a"],
    "lag": [0, -1, "a"],
    "max_size": [0, -1, 10**9],
    "aggregate": [np.std, "mean", 3],
    "start_bpm": [0, -1, np.nan, "a"],
    "tightness": [0, -1, np.nan],
    "units": ["hours", None],
    "rate": [0, -1, np.nan, 1e9, "a", None],
    "n_steps": [1e9, np.nan, "a", None],
    "orig_sr": [0, -1, None, "a", 1e12],
    "target_sr": [0, -1, None, "a", np.nan],
    "res_type": ["kaiser_best", None, 1],
    "kernel_size": [0, -1, "a", 10**9],
    "margin": [0.5, np.nan, "a"],
    "width": [1, 2, 4, 10**6, "a", 1.5],
    "order": [0, 10**6, -1],
    "axis": [5, "a"],
    "length": [-1, "a", 1.5],
    "dtype": [np.int16, "nonsense", str],
    "top_db": [-1, np.nan, "a"],
    "ref": [np.nan, "a", None, lambda x: x],
    "amin": [0, -1, np.nan, "a"],
}

SIGNALS = {
    "stft": lambda y, **k: cantus.stft(y, **k),
    "cqt": lambda y, **k: cantus.cqt(y, **{"n_bins": 24, "fmin": 200.0, **k}),
    "resample": lambda y, **k: cantus.resample(y, **{"orig_sr": 22050, "target_sr": 16000, **k}),
    "melspectrogram": lambda y, **k: cantus.feature.melspectrogram(y=y, **k),
    "mfcc": lambda y, **k: cantus.feature.mfcc(y=y, **k),
    "zero_crossing_rate": lambda y, **k: cantus.feature.zero_crossing_rate(y, **k),
    "spectral_centroid": lambda y, **k: cantus.feature.spectral_centroid(y=y, **k),
    "spectral_bandwidth": lambda y, **k: cantus.feature.spectral_bandwidth(y=y, **k),
    "spectral_rolloff": lambda y, **k: cantus.feature.spectral_rolloff(y=y, **k),
    "spectral_flatness": lambda y, **k: cantus.feature.spectral_flatness(y=y, **k),
    "spectral_contrast": lambda y, **k: cantus.feature.spectral_contrast(y=y, **k),
    "chroma_stft": lambda y, **k: cantus.feature.chroma_stft(y=y, **k),
    "chroma_cqt": lambda y, **k: cantus.feature.chroma_cqt(y=y, **{"n_octaves": 2, "fmin": 200.0, **k}),
    "tempogram": lambda y, **k: cantus.feature.tempogram(y=y, **{"win_length": 8, **k}),
    "tempo": lambda y, **k: cantus.feature.tempo(y=y, **k),
    "onset_strength": lambda y, **k: cantus.onset.onset_strength(y=y, **k),
    "onset_detect": lambda y, **k: cantus.onset.onset_detect(y=y, **k),
    "beat_track": lambda y, **k: cantus.beat.beat_track(y=y, **k),
    "hpss": lambda y, **k: cantus.effects.hpss(y, **k),
    "time_stretch": lambda y, **k: cantus.effects.time_stretch(y, **{"rate": 1.1, **k}),
    "pitch_shift": lambda y, **k: cantus.effects.pitch_shift(y, **{"sr": 22050, "n_steps": 1, **k}),
    "trim": lambda y, **k: cantus.effects.trim(y, **k),
    "deemphasis": lambda y, **k: cantus.effects.deemphasis(y, **k),
    "preemphasis": lambda y, **k: cantus.effects.preemphasis(y, **k),
    "augment": lambda y, **k: cantus.effects.augment(y, **{"sr": 22050, "audio": [], **k}),
    "spectrum": lambda y, **k: cantus.feature.spectrum(y, **k),
}

SPECTROGRAMS = {
    "centroid_of_S": lambda S, **k: cantus.feature.spectral_centroid(S=S, **k),
    "mel_of_S": lambda S, **k: cantus.feature.melspectrogram(S=S, **k),
    "mfcc_of_S": lambda S, **k: cantus.feature.mfcc(S=S, **k),
    "contrast_of_S": lambda S, **k: cantus.feature.spectral_contrast(S=S, **k),
    "chroma_of_S": lambda S, **k: cantus.feature.chroma_stft(S=S, **k),
    "rms_of_S": lambda S, **k: cantus.feature.rms(S=S, **k),
    "pcen": lambda S, **k: cantus.pcen(S, **k),
    "decompose": lambda S, **k: cantus.decompose.hpss(S, **k),
    "tonnetz": lambda S, **k: cantus.feature.tonnetz(chroma=S),
    "delta": lambda S, **k: cantus.feature.delta(S, **k),
    "power_to_db": lambda S, **k: cantus.power_to_db(S, **k),
    "amplitude_to_db": lambda S, **k: cantus.amplitude_to_db(S, **k),
    "istft": lambda S, **k: cantus.istft(S, **k),
}


def outcome(call):
    """Return what a call raises, or None; anything but one line of an accepted exception is a failure."""
    try:
        call()
    except ACCEPTED as error:
        text = str(error)
        assert text and "\n" not in text and len(text) < 500, text
        assert not isinstance(error, cantus.InternalError), text
        return error
    return None


@pytest.mark.parametrize("name", SIGNALS)
def test_no_function_accepts_an_array_that_is_no_signal(name):
    for kind, value in bad_arrays().items():
        error = outcome(lambda v=value: SIGNALS[name](v))
        # The emphasis of float64 is computed in float64.
        assert error is not None or (name, kind) == ("preemphasis", "beyond_float32"), kind


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_no_function_accepts_an_array_that_is_no_spectrogram(name):
    unusual_but_valid = {
        # Levels have any shape and any sign; masks and products keep NaN where a caller has put it.
        "power_to_db": {"number", "zero_dimensional", "int16", "uint8", "bool"},
        "amplitude_to_db": {"number", "zero_dimensional", "int16", "uint8", "bool"},
        "rms_of_S": {"nan", "infinity", "beyond_float32"},
    }
    for kind, value in bad_arrays().items():
        error = outcome(lambda v=value: SPECTROGRAMS[name](v))
        assert error is not None or kind in unusual_but_valid.get(name, set()), kind


@pytest.mark.parametrize("name", [*SIGNALS, *SPECTROGRAMS])
def test_every_setting_out_of_range_gives_one_line_or_a_result(name):
    is_signal = name in SIGNALS
    call = SIGNALS[name] if is_signal else SPECTROGRAMS[name]
    values = GOOD if is_signal else (COMPLEX if name == "istft" else SPECTRUM)
    for setting, bad in SETTINGS.items():
        for value in bad:
            outcome(lambda s=setting, v=value: call(values, **{s: v}))


def test_random_combinations_of_settings_give_one_line_or_a_result():
    rng = random.Random(0)
    arrays = [GOOD, *bad_arrays().values()]
    names = list(SETTINGS)
    for _ in range(3000):
        call = rng.choice([*SIGNALS.values(), *SPECTROGRAMS.values()])
        chosen = {name: rng.choice(SETTINGS[name]) for name in rng.sample(names, rng.randint(0, 3))}
        array = rng.choice(arrays)
        outcome(lambda c=call, a=array, k=chosen: c(a, **k))


@pytest.mark.parametrize(
    "layout",
    list(
        {
            "negative stride": lambda y: y[::-1][::-1],
            "every other": lambda y: np.repeat(y, 2)[::2],
            "read-only": lambda y: np.frombuffer(y.tobytes(), np.float32),
            "big-endian": lambda y: y.astype(">f4"),
            "big-endian float64": lambda y: y.astype(">f8"),
            "float64": lambda y: y.astype(np.float64),
            "unaligned": lambda y: np.frombuffer(b"\0" + y.tobytes(), np.uint8)[1:].view(np.float32),
            "list": lambda y: y.tolist(),
            "tuple": lambda y: tuple(y.tolist()),
            "column of Fortran order": lambda y: np.asfortranarray(np.stack([y, y])).T[:, 0],
            "memory view": lambda y: memoryview(y),
        }.items()
    ),
    ids=lambda it: it[0],
)
def test_every_layout_of_an_array_gives_the_same_result(layout):
    y = layout[1](GOOD)
    np.testing.assert_array_equal(cantus.feature.mfcc(y=y), cantus.feature.mfcc(y=GOOD))
    S = np.asfortranarray(SPECTRUM)[:, ::-1]
    np.testing.assert_array_equal(
        cantus.feature.spectral_centroid(S=S), cantus.feature.spectral_centroid(S=S.copy())
    )


def test_three_dimensional_signals_have_their_axes_kept():
    y = np.stack([np.stack([GOOD, -GOOD])] * 3)
    assert cantus.feature.mfcc(y=y).shape == (3, 2, 20, 12)
    assert cantus.stft(y).shape == (3, 2, 1025, 12)
    assert cantus.istft(cantus.stft(y), length=6000).shape == (3, 2, 6000)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, TypeError),
        (3, TypeError),
        ([1.0], TypeError),
        (GOOD, TypeError),
        ((GOOD, 22050), TypeError),
        ("no/such/file.wav", FileNotFoundError),
        (Path("no/such/file.wav"), FileNotFoundError),
        ("a\0b.wav", ValueError),
        ("", OSError),
        ("/", OSError),
        (b"", cantus.DecodeError),
        (b"not audio at all" * 100, cantus.DecodeError),
        (b"RIFF\x24\0\0\0WAVEfmt ", cantus.DecodeError),
        (b"fLaC" + bytes(100), cantus.DecodeError),
        (b"\xff\xfb\x90\x00" + bytes(30), cantus.DecodeError),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(50)), cantus.DecodeError),
        (io.StringIO("text"), TypeError),
    ],
    ids=repr,
)
def test_what_is_no_recording_is_named(value, expected):
    error = outcome(lambda: cantus.load(value))
    assert isinstance(error, expected), repr(error)


def test_random_bytes_and_cut_files_give_one_line_or_samples(tmp_path):
    path = tmp_path / "a.wav"
    _write_wav(path, GOOD)
    content = bytearray(path.read_bytes())
    rng = random.Random(0)
    for _ in range(300):
        damaged = bytearray(content[: rng.randrange(len(content))])
        for _ in range(rng.randrange(4)):
            if damaged:
                damaged[rng.randrange(min(len(damaged), 60))] = rng.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cantus.DamageWarning)
            outcome(lambda d=bytes(damaged): cantus.load(d, sr=rng.choice([None, 8000])))


@pytest.mark.parametrize("value", [-1, np.nan, "a", 1e300], ids=repr)
@pytest.mark.parametrize("name", ["offset", "duration"])
def test_parts_of_a_recording_out_of_range_are_named(tmp_path, name, value):
    path = tmp_path / "a.wav"
    _write_wav(path, GOOD)
    error = outcome(lambda: cantus.load(path, **{name: value}))
    assert error is not None
    assert name in str(error)


def _write_wav(path, y, sr=22050):
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sr)
        writer.writeframes((y * 32767).astype("<i2").tobytes())
