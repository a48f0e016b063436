"""Calls of librosa's tutorial and gallery with `import cantus as librosa`, on a synthesised recording."""

import wave

import numpy as np
import pytest

import cantus as librosa


@pytest.fixture(scope="module")
def filename(tmp_path_factory):
    """Eight seconds of a melody over a beat of 120 per minute, as a WAV file of 44.1 kHz."""
    t = np.arange(8 * 44100) / 44100
    notes = np.array([220.0, 277.18, 329.63, 440.0])[(t * 2).astype(int) % 4]
    melody = 0.3 * np.sin(2 * np.pi * np.cumsum(notes) / 44100)
    beat = np.random.default_rng(0).standard_normal(t.size) * np.exp(-(t % 0.5) * 40) * 0.4
    path = tmp_path_factory.mktemp("recording") / "song.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(44100)
        writer.writeframes((np.clip(melody + beat, -1, 1) * 32767).astype("<i2").tobytes())
    return str(path)


def test_the_beats_of_the_tutorial_are_half_a_second_apart(filename):
    y, sr = librosa.load(filename)
    tempo, beat_frames = librosa.beat.beat_track(y=y, sr=sr)
    beat_times = librosa.frames_to_time(beat_frames, sr=sr)
    assert tempo[0] == pytest.approx(120, rel=0.03)
    assert np.diff(beat_times).mean() == pytest.approx(0.5, abs=0.02)


def test_the_features_of_the_tutorial_have_one_row_per_coefficient(filename):
    y, sr = librosa.load(filename)
    hop_length = 512
    y_harmonic, y_percussive = librosa.effects.hpss(y)
    tempo, beat_frames = librosa.beat.beat_track(y=y_percussive, sr=sr)
    mfcc = librosa.feature.mfcc(y=y, sr=sr, hop_length=hop_length, n_mfcc=13)
    mfcc_delta = librosa.feature.delta(mfcc)
    chromagram = librosa.feature.chroma_cqt(y=y_harmonic, sr=sr)
    assert np.vstack([mfcc, mfcc_delta]).shape == (26, chromagram.shape[1])
    assert chromagram.shape[0] == 12
    assert beat_frames.max() < mfcc.shape[1]
    # A, C♯ and E: the melody.
    assert set(np.argsort(chromagram.mean(axis=1))[-3:]) == {9, 1, 4}


def test_the_onsets_of_the_gallery_are_those_of_the_beats(filename):
    y, sr = librosa.load(filename)
    o_env = librosa.onset.onset_strength(y=y, sr=sr, aggregate=np.median)
    times = librosa.times_like(o_env, sr=sr)
    onset_frames = librosa.onset.onset_detect(onset_envelope=o_env, sr=sr)
    found = times[onset_frames]
    for beat in np.arange(0.5, 8, 0.5):
        assert np.abs(found - beat).min() < 0.06


def test_a_spectrogram_of_the_gallery_is_inverted(filename):
    y, sr = librosa.load(filename, duration=3.0)
    S_full, phase = librosa.magphase(librosa.stft(y))
    np.testing.assert_allclose(librosa.istft(S_full * phase, length=len(y)), y, atol=1e-5)
    D_harmonic, D_percussive = librosa.decompose.hpss(S_full * phase)
    np.testing.assert_allclose(D_harmonic + D_percussive, S_full * phase, atol=1e-3)
    rolloff = librosa.feature.spectral_rolloff(S=S_full, sr=sr, roll_percent=0.99)
    centroid = librosa.feature.spectral_centroid(S=S_full, sr=sr)
    assert (rolloff >= centroid).mean() > 0.9


def test_a_picture_of_the_gallery_is_drawn(filename):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    y, sr = librosa.load(filename)
    fig, ax = plt.subplots(nrows=2, sharex=True)
    S = librosa.feature.melspectrogram(y=y, sr=sr, n_mels=128, fmax=8000)
    S_dB = librosa.power_to_db(S, ref=np.max)
    img = librosa.display.specshow(S_dB, x_axis="time", y_axis="mel", sr=sr, fmax=8000, ax=ax[0])
    fig.colorbar(img, ax=ax[0], format="%+2.0f dB")
    librosa.display.waveshow(y, sr=sr, ax=ax[1])
    fig.canvas.draw()
    plt.close(fig)


def test_the_superflux_onsets_of_the_gallery_are_found(filename):
    y, sr = librosa.load(filename, sr=44100, duration=5, offset=1)
    n_fft, lag, n_mels, fmin, fmax, max_size = 1024, 2, 138, 27.5, 16000.0, 3
    hop_length = int(librosa.time_to_samples(1.0 / 200, sr=sr))
    S = librosa.feature.melspectrogram(
        y=y, sr=sr, n_fft=n_fft, hop_length=hop_length, fmin=fmin, fmax=fmax, n_mels=n_mels
    )
    S_dB = librosa.power_to_db(S, ref=np.max)
    odf_sf = librosa.onset.onset_strength(S=S_dB, sr=sr, hop_length=hop_length, lag=lag, max_size=max_size)
    onset_sf = librosa.onset.onset_detect(onset_envelope=odf_sf, sr=sr, hop_length=hop_length, units="time")
    for beat in np.arange(0.5, 5, 0.5):
        assert np.abs(onset_sf - beat).min() < 0.03


def test_the_margins_of_the_gallery_leave_a_residual(filename):
    y, sr = librosa.load(filename, duration=3.0)
    D = librosa.stft(y)
    rp = np.max(np.abs(D))
    shares = []
    for margin in (1, 2, 4, 8, 16):
        D_harmonic, D_percussive = librosa.decompose.hpss(D, margin=margin)
        assert librosa.amplitude_to_db(np.abs(D_harmonic), ref=rp).shape == D.shape
        power = [librosa.magphase(part, power=2)[0] for part in (D_harmonic, D_percussive)]
        shares.append(float(sum(np.sqrt(part).sum() for part in power) / np.abs(D).sum()))
    assert shares[0] == pytest.approx(1, abs=1e-3)
    assert shares == sorted(shares, reverse=True) and shares[-1] < 0.95


def test_the_chroma_of_the_gallery_is_cleaner_for_the_harmonic_part(filename):
    y, sr = librosa.load(filename)
    C = np.abs(librosa.cqt(y=y, sr=sr, bins_per_octave=12 * 3, n_bins=7 * 12 * 3))
    assert C.shape[0] == 252
    y_harm = librosa.effects.harmonic(y=y, margin=8)
    chroma = librosa.feature.chroma_cqt(y=y, sr=sr, bins_per_octave=12 * 3)
    chroma_harm = librosa.feature.chroma_cqt(y=y_harm, sr=sr, bins_per_octave=12 * 3)
    melody = [9, 1, 4]
    share = [values[melody].sum() / values.sum() for values in (chroma, chroma_harm)]
    assert share[1] > share[0] > 0.3
    assert librosa.feature.chroma_stft(y=y, sr=sr).shape == chroma.shape


def test_the_tempo_of_the_gallery_is_one_for_each_frame(filename):
    y, sr = librosa.load(filename)
    tempo, beats = librosa.beat.beat_track(y=y, sr=sr, units="time", trim=False)
    tempo_dynamic = librosa.feature.tempo(y=y, sr=sr, aggregate=None, std_bpm=4)
    times = librosa.times_like(tempo_dynamic, sr=sr)
    assert tempo_dynamic.shape == times.shape and len(beats) >= 14
    assert tempo[0] == pytest.approx(120, rel=0.03)
    # With so wide a prior, every second beat counts as well.
    assert np.median(tempo_dynamic) == pytest.approx(60, rel=0.03)


def test_the_axes_of_the_gallery_are_drawn(filename):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    y, sr = librosa.load(filename, duration=3.0)
    C_db = librosa.amplitude_to_db(np.abs(librosa.cqt(y=y, sr=sr)), ref=np.max)
    mag, phase = librosa.magphase(librosa.stft(y))
    fig, ax = plt.subplots(nrows=3)
    librosa.display.specshow(C_db, y_axis="cqt_hz", x_axis="time", ax=ax[0])
    librosa.display.specshow(C_db, y_axis="cqt_note", x_axis="time", ax=ax[1])
    rainbow = np.diff(np.unwrap(np.angle(phase), axis=1), axis=1, prepend=0)
    alpha = np.clip(librosa.amplitude_to_db(mag, ref=np.max) / 80 + 1, 0, 1)
    librosa.display.specshow(rainbow, cmap="hsv", alpha=alpha, ax=ax[2], y_axis="log", x_axis="time")
    fig.canvas.draw()
    assert [label.get_text() for label in ax[1].get_yticklabels()][:2] == ["C1", "C2"]
    plt.close(fig)
