"""Effects and pictures that librosa does not have in the same form."""

import numpy as np
import pytest

import cantus

SR = 22050
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * SR) / SR)).astype(np.float32)


def pitch(y):
    """Return the frequency of the largest bin, in Hz."""
    values, hertz = cantus.feature.spectrum(y, sr=SR)
    return hertz[values.argmax()]


def test_a_stretched_tone_has_its_pitch_and_another_length():
    stretched = cantus.effects.time_stretch(TONE, rate=1.25)
    assert stretched.shape == (round(len(TONE) / 1.25),)
    assert pitch(stretched) == pytest.approx(440, rel=0.005)


@pytest.mark.parametrize(("n_steps", "bins_per_octave"), [(4, 12), (-12, 12), (6, 24)])
def test_a_shifted_tone_has_its_length_and_another_pitch(n_steps, bins_per_octave):
    shifted = cantus.effects.pitch_shift(TONE, sr=SR, n_steps=n_steps, bins_per_octave=bins_per_octave)
    assert shifted.shape == TONE.shape
    assert pitch(shifted) == pytest.approx(440 * 2 ** (n_steps / bins_per_octave), rel=0.005)


def test_the_parts_of_a_signal_add_up_to_it():
    y = TONE + 0.3 * np.random.default_rng(0).standard_normal(len(TONE)).astype(np.float32)
    harmonic, percussive = cantus.effects.hpss(y)
    np.testing.assert_allclose(harmonic + percussive, y, atol=1e-5)
    np.testing.assert_array_equal(cantus.effects.harmonic(y), harmonic)


def test_emphasis_is_inverted():
    y = cantus.effects.deemphasis(cantus.effects.preemphasis(TONE, coef=0.9), coef=0.9)
    np.testing.assert_allclose(y, TONE, atol=1e-5)


def test_augmentation_depends_on_its_key_only():
    audio = [{"type": "gain", "range": [-6.0, 6.0]}, {"type": "pitch_shift", "range": [-2.0, 2.0]}]
    first = cantus.effects.augment(TONE, sr=SR, audio=audio, seed=3, name="a", number=1)
    np.testing.assert_array_equal(cantus.effects.augment(TONE, sr=SR, audio=audio, seed=3, name="a"), first)
    assert not np.array_equal(
        cantus.effects.augment(TONE, sr=SR, audio=audio, seed=3, name="a", number=2), first
    )
    with pytest.raises(cantus.ParameterError, match="range"):
        cantus.effects.augment(TONE, sr=SR, audio=[{"type": "gain", "range": [9.0, -9.0]}])
    with pytest.raises(cantus.ParameterError, match="nonsense"):
        cantus.effects.augment(TONE, sr=SR, audio=[{"type": "nonsense"}])


def test_silence_is_trimmed_completely():
    y, index = cantus.effects.trim(np.zeros(5000, np.float32), ref=1.0)
    assert y.size == 0
    assert index.tolist() == [0, 0]


def test_an_audit_lists_damage_and_labels(tmp_path):
    cantus.compose(tmp_path / "music", n_tracks=2, duration=1.0, progress=False)
    (tmp_path / "music" / "text.wav").write_text("not audio")
    document = cantus.audit(tmp_path / "music")
    assert {track["label"] for track in document["tracks"]} > {None} or len(document["tracks"]) >= 2
    assert any("text.wav" in failed["path"] for failed in document["failed"])
    with pytest.raises(FileNotFoundError):
        cantus.audit(tmp_path / "missing")
    with pytest.raises(TypeError):
        cantus.audit(None)


@pytest.mark.parametrize("y_axis", [None, "linear", "log", "mel", "cqt_hz", "cqt_note", "tempo"])
def test_every_axis_of_a_picture_is_drawn(y_axis):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    data = cantus.amplitude_to_db(np.abs(cantus.stft(TONE, n_fft=256)))
    cantus.display.specshow(data, x_axis="time", y_axis=y_axis, sr=SR, hop_length=64, ax=axes)
    figure.canvas.draw()
    plt.close(figure)


def test_waveforms_and_chroma_are_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2)
    cantus.display.waveshow(TONE, sr=SR, ax=axes[0])
    cantus.display.waveshow(TONE[:3000], sr=SR, ax=axes[0])
    mesh = cantus.display.specshow(
        cantus.feature.chroma_stft(y=TONE), y_axis="chroma", x_axis="s", ax=axes[1]
    )
    figure.colorbar(mesh)
    figure.canvas.draw()
    plt.close(figure)
    with pytest.raises(cantus.ParameterError, match="y_axis"):
        cantus.display.specshow(np.zeros((3, 3)), y_axis="nonsense")
