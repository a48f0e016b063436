"""Tensors of PyTorch share the memory of results, and the data sets of docs/python-training.md work."""

import re
from pathlib import Path

import numpy as np
import pytest

import cantus

torch = pytest.importorskip("torch", reason="PyTorch is not installed: its examples are not run")

DOCUMENT = Path(__file__).parents[3] / "docs" / "python-training.md"


def test_tensors_share_the_memory_of_every_kind_of_result(store):
    y = np.random.default_rng(0).standard_normal(22050).astype(np.float32)
    results = {
        "stft": cantus.stft(y),
        "istft": cantus.istft(cantus.stft(y)),
        "cqt": cantus.cqt(y),
        "mfcc": cantus.feature.mfcc(y=y),
        "melspectrogram": cantus.feature.melspectrogram(y=y),
        "chroma_stft": cantus.feature.chroma_stft(y=y),
        "rms": cantus.feature.rms(y=y),
        "delta": cantus.feature.delta(cantus.feature.mfcc(y=y)),
        "power_to_db": cantus.power_to_db(cantus.feature.melspectrogram(y=y)),
        "onset_strength": cantus.onset.onset_strength(y=y),
        "hpss": cantus.effects.hpss(y)[0],
        "time_stretch": cantus.effects.time_stretch(y, rate=1.5),
        "resample": cantus.resample(y, orig_sr=22050, target_sr=16000),
        "mel filters": cantus.filters.mel(sr=22050, n_fft=2048),
        "store": store.to_numpy()[0],
    }
    for name, result in results.items():
        tensor = torch.from_numpy(result)
        assert tensor.data_ptr() == result.ctypes.data and tuple(tensor.shape) == result.shape, name
        tensor[(0,) * result.ndim] = 7.0
        assert result[(0,) * result.ndim] == 7.0, name


def test_the_data_sets_of_the_documentation_are_read_by_workers(store, paths):
    section = DOCUMENT.read_text(encoding="utf-8").split("## PyTorch")[1].split("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2
    code = "".join(blocks).replace('"features"', repr(store.path))
    names = {"cantus": cantus, "store": store, "paths": paths, "__name__": "__main__"}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    n_frames, n_bins = store.shape
    n_first = min(32, len(store))
    assert tuple(names["features"].shape) == (n_first, 1, n_bins, n_frames)
    assert names["classes"].shape == (n_first,) and int(names["classes"].max()) < len(store.labels)
    expected = cantus.feature.melspectrogram(y=cantus.load(paths[1], duration=3.0)[0])
    assert np.allclose(names["spectrograms"][1].numpy(), cantus.power_to_db(expected))
