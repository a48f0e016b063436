"""The part of bench/audio for librosa, torchaudio and essentia: `theirs.py CONTENDER TASK PATH` prints the median in ms."""

import json
import statistics
import sys
import time

SR = 22050
N_SEGMENTS = 10


def median_ms(run, n_runs=7, n_warm=2):
    times = []
    for _ in range(n_warm + n_runs):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[n_warm:])


def by_librosa(task, path):
    import librosa
    import numpy as np

    if task == "load":
        return lambda: librosa.load(path, sr=SR)
    if task == "load_mfcc":
        return lambda: segments(librosa.load(path, sr=SR)[0], lambda y: librosa.feature.mfcc(y=y, sr=SR, n_mfcc=13))
    y, _ = librosa.load(path, sr=SR)
    feature = librosa.feature
    stft = lambda: np.abs(librosa.stft(y))
    mfcc = lambda: feature.mfcc(y=y, sr=SR)
    return {
        "mfcc": mfcc,
        "mel": lambda: feature.melspectrogram(y=y, sr=SR),
        "log_mel": lambda: librosa.power_to_db(feature.melspectrogram(y=y, sr=SR)),
        "stft": stft,
        "spectrogram": lambda: stft() ** 2,
        "spectrogram_db": lambda: librosa.amplitude_to_db(stft()),
        "pcen": lambda: librosa.pcen(feature.melspectrogram(y=y, sr=SR), sr=SR),
        "mfcc_delta": lambda: feature.delta(mfcc()),
        "mfcc_delta2": lambda: feature.delta(mfcc(), order=2),
        "amplitude_envelope": lambda: librosa.util.frame(np.pad(y, 1024), frame_length=2048, hop_length=512).max(axis=0),
        "rms": lambda: feature.rms(y=y),
        "zero_crossing_rate": lambda: feature.zero_crossing_rate(y),
        "spectral_centroid": lambda: feature.spectral_centroid(y=y, sr=SR),
        "spectral_bandwidth": lambda: feature.spectral_bandwidth(y=y, sr=SR),
        "spectral_rolloff": lambda: feature.spectral_rolloff(y=y, sr=SR),
        "spectral_flatness": lambda: feature.spectral_flatness(y=y),
        "spectral_contrast": lambda: feature.spectral_contrast(y=y, sr=SR),
        "spectral_flux": lambda: np.linalg.norm(np.diff(stft(), axis=1), axis=0),
        "spectrum": lambda: np.abs(np.fft.fft(y))[: len(y) // 2],
        "power_spectrum": lambda: np.abs(np.fft.fft(y))[: len(y) // 2] ** 2,
        "chroma_stft": lambda: feature.chroma_stft(y=y, sr=SR),
        "chroma_cqt": lambda: feature.chroma_cqt(y=y, sr=SR),
        "cqt": lambda: np.abs(librosa.cqt(y, sr=SR)),
        "tonnetz": lambda: feature.tonnetz(y=y, sr=SR),
        "onset_strength": lambda: librosa.onset.onset_strength(y=y, sr=SR),
        "tempogram": lambda: feature.tempogram(y=y, sr=SR),
        "tempo": lambda: feature.tempo(y=y, sr=SR),
        "beats": lambda: librosa.beat.beat_track(y=y, sr=SR),
        "harmonic": lambda: librosa.decompose.hpss(stft())[0],
        "percussive": lambda: librosa.decompose.hpss(stft())[1],
    }[task]


def by_torchaudio(task, path):
    import soundfile
    import torch
    import torchaudio

    torch.set_num_threads(1)
    mel = {"n_fft": 2048, "hop_length": 512, "n_mels": 128, "mel_scale": "slaney", "norm": "slaney"}
    mfcc = torchaudio.transforms.MFCC(SR, 13, melkwargs=mel | {"pad_mode": "constant"})

    def load_mfcc():
        y, _ = soundfile.read(path, dtype="float32")
        with torch.inference_mode():
            return segments(torch.from_numpy(y), mfcc)

    return {"load_mfcc": load_mfcc}[task]


# essentia's algorithms of a frame: what they are computed from, their name, and their parameters.
HIGHEST = {"sampleRate": SR, "highFrequencyBound": SR / 2}
OF_FRAMES = {
    "mfcc": ("Spectrum", "MFCC", HIGHEST | {"inputSize": 1025, "numberBands": 128, "numberCoefficients": 20}),
    "mel": ("Spectrum", "MelBands", HIGHEST | {"inputSize": 1025, "numberBands": 128}),
    "stft": ("Spectrum", None, {}),
    "spectrogram": ("PowerSpectrum", None, {}),
    "rms": (None, "RMS", {}),
    "zero_crossing_rate": (None, "ZeroCrossingRate", {}),
    "spectral_centroid": ("Spectrum", "Centroid", {"range": SR / 2}),
    "spectral_rolloff": ("Spectrum", "RollOff", {"sampleRate": SR}),
    "spectral_flatness": ("PowerSpectrum", "Flatness", {}),
    "spectral_contrast": (
        "Spectrum",
        "SpectralContrast",
        {"frameSize": 2048, "sampleRate": SR, "numberBands": 7, "highFrequencyBound": 11000},
    ),
    "spectral_flux": ("Spectrum", "Flux", {}),
}


def by_essentia(task, path):
    import essentia

    essentia.log.infoActive = essentia.log.warningActive = False
    import essentia.standard as standard

    load = lambda sr=SR: standard.MonoLoader(filename=path, sampleRate=sr)()
    if task == "load":
        return load
    if task == "load_mfcc":
        return lambda: segments(load(), essentia_frames("mfcc", {"numberCoefficients": 13}))
    y = load(44100 if task == "beats" else SR)
    if task in OF_FRAMES:
        run = essentia_frames(task)
        return lambda: run(y)
    # Each run is a new object: an old one does not compute again.
    return {
        "tempo": lambda: standard.PercivalBpmEstimator(sampleRate=SR)(y),
        "beats": lambda: standard.BeatTrackerDegara()(y),  # of 44.1 kHz
    }[task]


def essentia_frames(task, more={}):
    """A function of samples to a list with what an algorithm returns for each frame."""
    import essentia.standard as standard

    source, name, parameters = OF_FRAMES[task]
    window = standard.Windowing(type="hann", normalized=False)
    spectrum = getattr(standard, source)() if source else None
    algorithm = getattr(standard, name)(**parameters | more) if name else lambda spectrum: spectrum

    def run(y):
        frames = standard.FrameGenerator(y, frameSize=2048, hopSize=512)
        return [algorithm(spectrum(window(frame)) if source else frame) for frame in frames]

    return run


def segments(y, mfcc):
    length = len(y) // N_SEGMENTS
    return [mfcc(y[i * length : (i + 1) * length]) for i in range(N_SEGMENTS)]


def main():
    contender, task, path = sys.argv[1:]
    run = {"librosa": by_librosa, "torchaudio": by_torchaudio, "essentia": by_essentia}[contender](task, path)
    print(json.dumps({"ms": median_ms(run)}))


if __name__ == "__main__":
    main()
