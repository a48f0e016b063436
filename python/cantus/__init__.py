"""Audio features, training and evaluation of sound classifiers.

Signals have librosa's layout and names: a signal is ``(..., n)`` float32, a spectrogram ``(..., n_bins, n_frames)``.
"""

from typing import TYPE_CHECKING, Any

from cantus import beat, convert, decompose, display, effects, errors, feature, filters, metrics, nn, onset
from cantus._audit import audit
from cantus._cantus import __version__
from cantus._selection import Trial, Trials
from cantus.audio import DamageWarning, get_duration, get_samplerate, load, resample, to_mono
from cantus.batch import batch_schema, extract_batch
from cantus.convert import (
    cqt_frequencies,
    fft_frequencies,
    frames_to_samples,
    frames_to_time,
    hz_to_mel,
    hz_to_midi,
    hz_to_note,
    hz_to_octs,
    mel_frequencies,
    mel_to_hz,
    midi_to_hz,
    midi_to_note,
    note_to_hz,
    note_to_midi,
    octs_to_hz,
    samples_like,
    samples_to_frames,
    samples_to_time,
    tempo_frequencies,
    time_to_frames,
    time_to_samples,
    times_like,
)
from cantus.decibel import amplitude_to_db, db_to_amplitude, db_to_power, power_to_db
from cantus.errors import DataError, DecodeError, Error, InternalError, ModelError, ParameterError
from cantus.model import Model, Prediction
from cantus.run import Report, Run, evaluate
from cantus.spectrum import cqt, estimate_tuning, istft, magphase, pcen, stft
from cantus.store import Store, extract
from cantus.synthesis import compose
from cantus.training import train

if TYPE_CHECKING:
    from cantus import sklearn

__all__ = [
    "DamageWarning",
    "DataError",
    "DecodeError",
    "Error",
    "InternalError",
    "Model",
    "ModelError",
    "ParameterError",
    "Prediction",
    "Report",
    "Run",
    "Store",
    "Trial",
    "Trials",
    "__version__",
    "amplitude_to_db",
    "audit",
    "batch_schema",
    "beat",
    "compose",
    "convert",
    "cqt",
    "cqt_frequencies",
    "db_to_amplitude",
    "db_to_power",
    "decompose",
    "display",
    "effects",
    "errors",
    "estimate_tuning",
    "evaluate",
    "extract",
    "extract_batch",
    "feature",
    "fft_frequencies",
    "filters",
    "frames_to_samples",
    "frames_to_time",
    "get_duration",
    "get_samplerate",
    "hz_to_mel",
    "hz_to_midi",
    "hz_to_note",
    "hz_to_octs",
    "istft",
    "load",
    "magphase",
    "mel_frequencies",
    "mel_to_hz",
    "metrics",
    "midi_to_hz",
    "midi_to_note",
    "nn",
    "note_to_hz",
    "note_to_midi",
    "octs_to_hz",
    "onset",
    "pcen",
    "power_to_db",
    "resample",
    "samples_like",
    "samples_to_frames",
    "samples_to_time",
    "sklearn",
    "stft",
    "tempo_frequencies",
    "time_to_frames",
    "time_to_samples",
    "times_like",
    "to_mono",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import modules with optional dependencies when they are used."""
    if name == "sklearn":
        import importlib

        return importlib.import_module("cantus.sklearn")
    raise AttributeError(f"module 'cantus' has no attribute {name!r}")
