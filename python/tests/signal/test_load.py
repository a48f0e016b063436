"""Loading of recordings: forms, parts, channels, rates."""

import io
import warnings
import wave

import numpy as np
import pytest

import cantus


def wav(y, sr):
    """Return the content of a WAV file of 16-bit samples, ``(n,)`` or ``(n_channels, n)``."""
    channels = np.atleast_2d(y)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(sr)
        writer.writeframes(channels.T.astype("<i2").tobytes())
    return file.getvalue()


@pytest.fixture(scope="module")
def stereo():
    """Three seconds of 16-bit noise, two channels."""
    return np.random.default_rng(0).integers(-9000, 9000, (2, 66150)).astype(np.int16)


def test_all_forms_of_a_file_have_the_same_samples(stereo, tmp_path):
    content = wav(stereo, 22050)
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    expected, sr = cantus.load(str(path))
    assert (sr, expected.dtype, expected.shape) == (22050, np.float32, (66150,))
    np.testing.assert_allclose(expected, stereo.mean(axis=0) / 32768, atol=1e-7)
    with path.open("rb") as file:
        for form in (path, content, bytearray(content), memoryview(content), io.BytesIO(content), file):
            np.testing.assert_array_equal(cantus.load(form)[0], expected)


def test_channels_are_kept_where_mono_is_false(stereo):
    y, _ = cantus.load(wav(stereo, 22050), mono=False)
    np.testing.assert_array_equal(y, (stereo / 32768).astype(np.float32))
    assert cantus.load(wav(stereo[0], 22050), mono=False)[0].shape == (66150,)
    resampled, sr = cantus.load(wav(stereo, 22050), mono=False, sr=11025)
    assert (resampled.shape, sr) == ((2, 33075), 11025)


@pytest.mark.parametrize("mono", [True, False])
@pytest.mark.parametrize(
    ("offset", "duration"), [(0.0, 1.0), (0.5, 1.25), (2.9, 5.0), (1.0, None), (9.0, 1.0), (1.0, 0.0)]
)
def test_a_part_is_that_of_the_whole(stereo, mono, offset, duration):
    content = wav(stereo, 22050)
    whole, _ = cantus.load(content, sr=None, mono=mono)
    part, _ = cantus.load(content, sr=None, mono=mono, offset=offset, duration=duration)
    first = int(offset * 22050)
    end = None if duration is None else first + int(duration * 22050)
    np.testing.assert_array_equal(part, whole[..., first:end])


def test_the_own_rate_and_float64_are_given_on_request(stereo):
    y, sr = cantus.load(wav(stereo, 44100), sr=None, dtype=np.float64)
    assert (sr, y.dtype, y.shape) == (44100, np.float64, (66150,))


def test_damage_is_a_warning(stereo):
    with pytest.warns(cantus.DamageWarning, match="path"):
        cantus.load(wav(stereo, 22050)[:-5001])


def test_an_intact_file_gives_no_warning(stereo):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cantus.load(wav(stereo, 22050))


def test_durations_are_those_of_the_samples(stereo, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(stereo, 44100))
    assert cantus.get_duration(path=path) == pytest.approx(1.5)
    assert cantus.get_samplerate(path) == 44100
    with pytest.raises(FileNotFoundError):
        cantus.get_duration(path="no/such.wav")


@pytest.mark.parametrize(
    ("sr", "mono", "offset"), [(22050, True, 0.0), (None, False, 0.25), (16000, False, 1.0)]
)
def test_a_file_has_the_samples_that_librosa_loads(stereo, tmp_path, sr, mono, offset):
    librosa = pytest.importorskip("librosa")
    path = tmp_path / "a.wav"
    path.write_bytes(wav(stereo, 44100))
    found, rate = cantus.load(path, sr=sr, mono=mono, offset=offset, duration=0.75)
    expected, expected_rate = librosa.load(path, sr=sr, mono=mono, offset=offset, duration=0.75)
    assert (rate, found.shape) == (expected_rate, expected.shape)
    # soxr's first two samples differ where it filters in two stages.
    np.testing.assert_allclose(found[..., 2:], expected[..., 2:], atol=3e-4)
