"""The rows of the benchmark in torchaudio and in essentia, for those that they have too."""

import ctypes
import importlib.util
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "audio"))

SR = 22050
N_FFT, HOP_LENGTH, N_MELS = 2048, 512, 128

#: Rows of samples in memory that each has, with the parameters of librosa's defaults as far as it has them.
OF_TORCHAUDIO = ["stft", "melspectrogram", "mfcc", "spectral_centroid", "resample"]
OF_ESSENTIA = {
    "stft": "stft",
    "melspectrogram": "mel",
    "mfcc": "mfcc",
    "rms": "rms",
    "zero_crossing_rate": "zero_crossing_rate",
    "spectral_centroid": "spectral_centroid",
    "spectral_rolloff": "spectral_rolloff",
    "spectral_flatness": "spectral_flatness",
    "spectral_contrast": "spectral_contrast",
}


def load_torchaudio(path):
    """A function that decodes by torchcodec, mixes and resamples; it fails where FFmpeg's libraries are missing."""
    import torch
    import torchaudio

    _load_npp()
    torch.set_num_threads(1)

    def load():
        with torch.inference_mode():
            y, sr = torchaudio.load(path)
            return torchaudio.functional.resample(y.mean(dim=0), sr, SR)

    return load


def _load_npp():
    """Loads NVIDIA's image library, to which torchcodec's wheel is linked although it decodes on the processor; it does not find it."""
    spec = importlib.util.find_spec("nvidia")
    folders = [pathlib.Path(folder) for folder in spec.submodule_search_locations] if spec else []
    libraries = sorted(path for folder in folders for path in folder.glob("cu*/lib/libnpp*.so.*"))
    # The core library is the one that all others need.
    for path in sorted(libraries, key=lambda path: not path.name.startswith("libnppc.")):
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


def torchaudio_function(row, n_mfcc=13):
    """A function of an array to the feature of a row. Transforms are made once, as its tutorials do."""
    import torch
    import torchaudio

    torch.set_num_threads(1)
    frames = {"n_fft": N_FFT, "hop_length": HOP_LENGTH, "pad_mode": "constant"}
    mel = frames | {"n_mels": N_MELS, "mel_scale": "slaney", "norm": "slaney"}
    transforms = torchaudio.transforms
    work = {
        "stft": lambda: transforms.Spectrogram(**frames, power=None),
        "melspectrogram": lambda: transforms.MelSpectrogram(SR, **mel),
        "mfcc": lambda: transforms.MFCC(SR, n_mfcc, melkwargs=mel),
        "spectral_centroid": lambda: transforms.SpectralCentroid(SR, n_fft=N_FFT, hop_length=HOP_LENGTH),
        "resample": lambda: transforms.Resample(SR, 16000),
    }[row]()

    def compute(y):
        with torch.inference_mode():
            return work(torch.from_numpy(y)).numpy()

    return compute


def load_essentia(path):
    """A function that decodes, mixes and resamples."""
    return lambda: _standard().MonoLoader(filename=path, sampleRate=SR)()


def essentia_function(row, n_mfcc=13):
    """A function of an array to the list of the values of all frames."""
    _standard()
    from theirs import essentia_frames

    more = {"numberCoefficients": n_mfcc} if row == "mfcc" else {}
    return essentia_frames(OF_ESSENTIA[row], more)


def _standard():
    import essentia

    essentia.log.infoActive = essentia.log.warningActive = False
    import essentia.standard

    return essentia.standard
