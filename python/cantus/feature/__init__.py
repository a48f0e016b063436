"""Features of signals, with librosa's names, arguments, defaults and shapes ``(..., n_bins, n_frames)``.

A signal ``y`` is an array of shape ``(..., n)`` of float32 or float64; features are computed in float32, channel by
channel, and returned as views of rows of frames, without a copy. Where a function takes ``S``, a spectrogram that has been
computed before, it is used in place of ``y``. Arguments that several functions have:

- ``sr``: sample rate, in Hz;
- ``n_fft``, ``hop_length``, ``win_length``, ``window``, ``center``, ``pad_mode``: framing, as in `cantus.stft`;
- ``n_mels``, ``fmin``, ``fmax``, ``htk``, ``norm``, ``power``: mel bands, as in `melspectrogram`.

Errors: `cantus.ParameterError` for an argument out of range or an array with NaN, ``TypeError`` for one of a wrong type.
"""

from cantus.feature._frames import amplitude_envelope, rms, spectrum, zero_crossing_rate
from cantus.feature._mel import delta, melspectrogram, mfcc
from cantus.feature._rhythm import tempo, tempogram
from cantus.feature._spectral import (
    spectral_bandwidth,
    spectral_centroid,
    spectral_contrast,
    spectral_flatness,
    spectral_flux,
    spectral_rolloff,
)
from cantus.feature._tonal import chroma_cqt, chroma_stft, tonnetz

__all__ = [
    "amplitude_envelope",
    "chroma_cqt",
    "chroma_stft",
    "delta",
    "melspectrogram",
    "mfcc",
    "rms",
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_contrast",
    "spectral_flatness",
    "spectral_flux",
    "spectral_rolloff",
    "spectrum",
    "tempo",
    "tempogram",
    "tonnetz",
    "zero_crossing_rate",
]
