"""Empty mel bands are a warning, as in librosa, at the line of the caller."""

import warnings

import numpy as np
import pytest

import cantus

Y = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
EMPTY = {"sr": 8000, "n_fft": 128, "n_mels": 128}


@pytest.mark.parametrize(
    "call",
    [
        lambda: cantus.feature.melspectrogram(y=Y, **EMPTY),
        lambda: cantus.feature.melspectrogram(S=np.abs(cantus.stft(Y, n_fft=128)), **EMPTY),
        lambda: cantus.feature.mfcc(y=Y, **EMPTY),
        lambda: cantus.onset.onset_strength(y=Y, **EMPTY),
        lambda: cantus.filters.mel(**EMPTY),
    ],
)
def test_empty_mel_bands_are_a_warning_of_the_caller(call):
    with pytest.warns(UserWarning, match=r"\d+ of 128 mel bands are empty: .* n_fft = 128") as caught:
        call()
    assert len(caught) == 1 and caught[0].filename == __file__


def test_bands_with_a_bin_and_spectrograms_of_bands_are_no_warning():
    log_mel = cantus.power_to_db(cantus.feature.melspectrogram(y=Y, sr=22050))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cantus.feature.mfcc(y=Y, sr=22050)
        # These bands are given: whether one is empty is not known.
        cantus.feature.mfcc(S=log_mel, sr=8000)
        cantus.onset.onset_strength(S=log_mel, sr=8000)
        cantus.feature.spectral_centroid(y=Y, sr=8000, n_fft=256)


def test_the_warning_agrees_with_the_filters():
    with pytest.warns(UserWarning) as caught:
        filters = cantus.filters.mel(**EMPTY)
    # A band that begins at 0 Hz is not counted, as in librosa.
    n_empty = int((filters[1:].max(axis=1) == 0).sum())
    assert str(caught[0].message).startswith(f"{n_empty} of 128 ")


def test_an_extraction_warns_of_empty_mel_bands(tmp_path):
    cantus.compose(tmp_path / "music", n_tracks=2, duration=2.0, progress=False)
    features = {"kinds": ["mel"], "n_fft": 128, "n_mels": 128, "segments": {"duration_s": 1.0}}
    with pytest.warns(UserWarning, match="mel bands are empty"):
        cantus.extract(tmp_path / "music", tmp_path / "f", features=features, progress=False)
