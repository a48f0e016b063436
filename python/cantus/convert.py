"""Conversions of time, frames and frequency, in NumPy; librosa's names. All names are in ``cantus`` itself.

Each accepts a number or an array and returns the same; frames and samples are whole numbers, times are in seconds.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cantus import _arguments as check
from cantus.errors import ParameterError

Values = Any

# Slaney's mel scale: linear below 1 kHz, logarithmic above (Slaney, "Auditory Toolbox", 1998).
_HZ_PER_MEL = 200.0 / 3
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0

_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"#": 1, "♯": 1, "b": -1, "!": -1, "♭": -1}
_SHARPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
_NOTE = re.compile(r"^([A-Ga-g])([#♯b!♭]*)([+-]?\d+)?([+-]\d+)?$")


def hz_to_mel(frequencies: ArrayLike, *, htk: bool = False) -> Values:
    """Hertz to mels; Slaney's scale, or HTK's."""
    hertz = np.asarray(frequencies, dtype=float)
    if htk:
        return _same(2595.0 * np.log10(1.0 + hertz / 700.0))
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP
    return _same(np.where(hertz >= _KNEE_HZ, above, hertz / _HZ_PER_MEL))


def mel_to_hz(mels: ArrayLike, *, htk: bool = False) -> Values:
    """Mels to hertz: the inverse of `hz_to_mel`."""
    mel = np.asarray(mels, dtype=float)
    if htk:
        return _same(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    above = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return _same(np.where(mel >= _KNEE_MEL, above, mel * _HZ_PER_MEL))


def mel_frequencies(
    n_mels: int = 128, *, fmin: float = 0.0, fmax: float = 11025.0, htk: bool = False
) -> NDArray[np.float64]:
    """``n_mels`` frequencies in Hz, equally spaced in mels from ``fmin`` to ``fmax``."""
    ends = hz_to_mel([check.number("fmin", fmin), check.number("fmax", fmax)], htk=htk)
    mels = np.linspace(ends[0], ends[1], check.integer("n_mels", n_mels, least=0))
    return np.asarray(mel_to_hz(mels, htk=htk))


def fft_frequencies(*, sr: float = 22050, n_fft: int = 2048) -> NDArray[np.float64]:
    """Frequencies of the bins of an FFT, in Hz: ``(n_fft // 2 + 1,)``."""
    n = check.integer("n_fft", n_fft)
    return np.arange(n // 2 + 1, dtype=np.float64) * np.float64(check.number("sr", sr, above=0.0) / n)


def cqt_frequencies(
    n_bins: int, *, fmin: float, bins_per_octave: int = 12, tuning: float = 0.0
) -> NDArray[np.float64]:
    """Frequencies of the bins of a constant-Q transform, in Hz: ``(n_bins,)``."""
    per_octave = check.integer("bins_per_octave", bins_per_octave)
    octaves = np.arange(check.integer("n_bins", n_bins, least=0), dtype=float) / per_octave
    lowest = 2.0 ** (check.number("tuning", tuning) / per_octave) * check.number("fmin", fmin, above=0.0)
    return np.asarray(lowest * 2.0**octaves)


def tempo_frequencies(n_bins: int, *, hop_length: int = 512, sr: float = 22050) -> NDArray[np.float64]:
    """Tempi of the bins of a tempogram, in beats per minute: ``(n_bins,)``; bin 0 is infinite."""
    n = check.integer("n_bins", n_bins, least=0)
    bpm = np.full(n, np.inf)
    rate = 60.0 * check.number("sr", sr, above=0.0) / check.integer("hop_length", hop_length)
    bpm[1:] = rate / np.arange(1.0, n)
    return bpm


def frames_to_samples(frames: ArrayLike, *, hop_length: int = 512, n_fft: int | None = None) -> Values:
    """Frames to samples: ``frames * hop_length``, and half of ``n_fft`` if it is given."""
    return _same((np.asarray(frames) * check.integer("hop_length", hop_length) + _offset(n_fft)).astype(int))


def samples_to_frames(samples: ArrayLike, *, hop_length: int = 512, n_fft: int | None = None) -> Values:
    """Samples to frames, rounded down: the inverse of `frames_to_samples`."""
    shifted = np.asarray(samples) - _offset(n_fft)
    return _same(np.asarray(np.floor(shifted // check.integer("hop_length", hop_length)), dtype=int))


def frames_to_time(
    frames: ArrayLike, *, sr: float = 22050, hop_length: int = 512, n_fft: int | None = None
) -> Values:
    """Frames to seconds."""
    return samples_to_time(frames_to_samples(frames, hop_length=hop_length, n_fft=n_fft), sr=sr)


def time_to_frames(
    times: ArrayLike, *, sr: float = 22050, hop_length: int = 512, n_fft: int | None = None
) -> Values:
    """Seconds to frames, rounded down."""
    return samples_to_frames(time_to_samples(times, sr=sr), hop_length=hop_length, n_fft=n_fft)


def time_to_samples(times: ArrayLike, *, sr: float = 22050) -> Values:
    """Seconds to samples, rounded down."""
    return _same((np.asarray(times) * check.number("sr", sr, above=0.0)).astype(int))


def samples_to_time(samples: ArrayLike, *, sr: float = 22050) -> Values:
    """Samples to seconds."""
    return _same(np.asarray(samples) / check.number("sr", sr, above=0.0))


def times_like(
    X: ArrayLike | int, *, sr: float = 22050, hop_length: int = 512, n_fft: int | None = None, axis: int = -1
) -> NDArray[np.float64]:
    """Times of the frames of a matrix, or of a number of frames, in seconds."""
    return np.asarray(samples_to_time(samples_like(X, hop_length=hop_length, n_fft=n_fft, axis=axis), sr=sr))


def samples_like(
    X: ArrayLike | int, *, hop_length: int = 512, n_fft: int | None = None, axis: int = -1
) -> NDArray[np.int64]:
    """Samples of the frames of a matrix, or of a number of frames."""
    shape = np.shape(X)
    n = int(np.asarray(X)) if not shape else shape[axis]
    return np.asarray(frames_to_samples(np.arange(n), hop_length=hop_length, n_fft=n_fft))


def hz_to_midi(frequencies: ArrayLike) -> Values:
    """Hertz to MIDI note numbers; 69 is A4, 440 Hz."""
    return _same(12 * (np.log2(np.asarray(frequencies, dtype=float)) - np.log2(440.0)) + 69)


def midi_to_hz(notes: ArrayLike) -> Values:
    """MIDI note numbers to hertz."""
    return _same(440.0 * 2.0 ** ((np.asarray(notes, dtype=float) - 69.0) / 12.0))


def note_to_midi(note: str | Iterable[str], *, round_midi: bool = True) -> Values:
    """Names of notes, such as ``A4``, ``C#3``, ``Bb`` or ``C4+25`` (cents), to MIDI note numbers."""
    if not isinstance(note, str):
        return np.array([note_to_midi(name, round_midi=round_midi) for name in note])
    match = _NOTE.match(note)
    if match is None:
        raise ParameterError(f"note = {check.short(note)}: a name such as A4, C#3 or Bb")
    pitch, accidentals, octave, cents = match.groups()
    semitones = _NATURALS[pitch.upper()] + sum(_ACCIDENTALS[sign] for sign in accidentals)
    midi = 12 * (int(octave or 0) + 1) + semitones + int(cents or 0) * 1e-2
    return round(midi) if round_midi else midi


def note_to_hz(note: str | Iterable[str], *, round_midi: bool = True) -> Values:
    """Names of notes, such as ``A4``, to hertz; cents are rounded off unless ``round_midi`` is False."""
    return midi_to_hz(note_to_midi(note, round_midi=round_midi))


def midi_to_note(midi: ArrayLike, *, octave: bool = True, cents: bool = False) -> Values:
    """MIDI note numbers to names, with sharps: ``C♯4``."""
    values = np.asarray(midi, dtype=float)
    if values.ndim:
        return np.array([midi_to_note(value, octave=octave, cents=cents) for value in values])
    number = round(float(values))
    name = _SHARPS[number % 12]
    name += str(number // 12 - 1) if octave else ""
    return f"{name}{round(100 * (float(values) - number)):+02d}" if cents else name


def hz_to_note(frequencies: ArrayLike, *, octave: bool = True, cents: bool = False) -> Values:
    """Hertz to names of notes, with sharps."""
    return midi_to_note(hz_to_midi(frequencies), octave=octave, cents=cents)


def hz_to_octs(frequencies: ArrayLike, *, tuning: float = 0.0, bins_per_octave: int = 12) -> Values:
    """Hertz to octaves above A0."""
    a4 = 440.0 * 2.0 ** (check.number("tuning", tuning) / check.integer("bins_per_octave", bins_per_octave))
    return _same(np.log2(np.asarray(frequencies, dtype=float) / (a4 / 16)))


def octs_to_hz(octs: ArrayLike, *, tuning: float = 0.0, bins_per_octave: int = 12) -> Values:
    """Octaves above A0 to hertz."""
    a4 = 440.0 * 2.0 ** (check.number("tuning", tuning) / check.integer("bins_per_octave", bins_per_octave))
    return _same((a4 / 16) * 2.0 ** np.asarray(octs, dtype=float))


def _offset(n_fft: int | None) -> int:
    return 0 if n_fft is None else check.integer("n_fft", n_fft) // 2


def _same(values: NDArray[Any]) -> Values:
    """Return a number of NumPy for an array without axes."""
    return np.asarray(values)[()]
