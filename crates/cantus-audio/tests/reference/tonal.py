"""Reference numbers of pitch and rhythm: CQT, chroma, tonnetz, onsets, tempo, beats, separation.

    pip install librosa==0.11.0 numpy==2.4.6 scipy==1.17.1 soundfile==0.14.0

    python tonal.py                 writes tonal.json beside this script, from a synthetic tune
    python tonal.py music DIR       writes tonal_music.json, from DIR/<genre>/<track>.wav

Rows are frames. Of long results only the frames named in "frames" are kept.
"""

import json
import pathlib
import sys
import warnings

import librosa
import numpy as np

SR = 22050
N_SAMPLES = 6 * SR
# Semitones above A3: a tune in A minor, slightly sharp.
TUNE = [0, 7, 12, 3, 15, 10, 8, 5]
SHARP_CENTS = 17
# A note every so many samples: 108 beats a minute.
BEAT = 12250


def signal(n_samples=N_SAMPLES):
    """Plucked notes with three overtones and a click at each beginning: whole numbers of 1/32768."""
    n = np.arange(n_samples)
    since, beat = n % BEAT, n // BEAT
    y = np.zeros(n_samples)
    for overtone in range(1, 5):
        note = np.array(TUNE)[beat % len(TUNE)] / 12 + SHARP_CENTS / 1200
        turns = 220 * 2.0**note * overtone * since / SR
        y += 6000 / overtone * np.sin(2 * np.pi * turns) * np.exp(-since / 6000)
    state, noise = 1, np.empty(n_samples)
    for i in range(n_samples):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = (state >> 16) / 32768 - 1
    y += 8000 * noise * np.exp(-since / 300) + 20 * noise
    return (np.round(y) / 32768).astype(np.float32)


def numbers(values, digits=7):
    return [float(f"{v:.{digits}g}") for v in np.asarray(values, dtype=float).ravel()]


def rows(matrix, frames):
    """Some rows of a matrix [n_bins, n_frames]."""
    return {"n_frames": matrix.shape[1], "frames": frames, "rows": [numbers(matrix[:, t]) for t in frames]}


FRAMES = [0, 24, 100, 170, 258]

CQT = {
    "default": {},
    "an octave and a half, lowered beforehand": {"n_bins": 18},
    "three bins a semitone, sharp": {"n_bins": 252, "bins_per_octave": 36, "tuning": 0.3},
    "high and short": {"fmin": 110.0, "n_bins": 60, "filter_scale": 0.5, "hop_length": 256},
    "unscaled, l2, all of the spectrum": {"scale": False, "norm": 2, "sparsity": 0.0, "n_bins": 24, "fmin": 220.0},
    "an odd hop": {"hop_length": 441, "n_bins": 36, "fmin": 220.0},
    "a hop that is even once, hamming, reflected": {
        "hop_length": 450,
        "n_bins": 40,
        "fmin": 110.0,
        "window": "hamming",
        "pad_mode": "reflect",
    },
}

CHROMA_STFT = {
    "default": {},
    "in tune, from A": {"tuning": 0.0, "base_c": False},
    "quarter tones, l2": {"n_chroma": 24, "norm": 2},
    "all octaves alike, l1": {"octwidth": None, "norm": 1},
    "low centre, no norm": {"ctroct": 4.0, "octwidth": 1.0, "norm": None, "n_fft": 4096},
}

CHROMA_CQT = {
    "default": {},
    "in tune, twelve bins": {"tuning": 0.0, "bins_per_octave": 12},
    "five octaves from A, l2": {"fmin": 55.0, "n_octaves": 5, "norm": 2, "threshold": 0.01},
}

ONSET = {
    "default": {},
    "median": {"aggregate": "median"},
    "wide, far, not centred": {"lag": 2, "max_size": 3, "center": False},
    "even width, detrended": {"max_size": 4, "detrend": True},
}


def onset(y, sr, options):
    aggregate = np.median if options.get("aggregate") == "median" else None
    return librosa.onset.onset_strength(y=y, sr=sr, **options | {"aggregate": aggregate})


HPSS = {
    "default": {},
    "margins": {"margin": (2.0, 3.0)},
    "narrow, even, soft": {"kernel_size": (17, 8), "power": 1.0},
    "hard": {"power": np.inf},
}


def main():
    y = signal()
    envelope = onset(y, SR, {})
    S = np.abs(librosa.stft(y))
    harmonic, percussive = librosa.effects.hpss(y)

    def cases(table, compute, frames=FRAMES):
        return [{"name": name, "options": options} | rows(compute(options), frames) for name, options in table.items()]

    def masks(options):
        mask = librosa.decompose.hpss(S, mask=True, **options)
        # every seventh bin is enough
        return np.concatenate([m[::7].astype(float) for m in mask])

    bpm, beats = librosa.beat.beat_track(y=y, sr=SR)
    loose_bpm, loose_beats = librosa.beat.beat_track(y=y, sr=SR, tightness=10, trim=False, start_bpm=60)
    reference = {
        "versions": {"librosa": librosa.__version__, "numpy": np.__version__},
        "samples_1_32768": [int(v) for v in np.round(y[::6007] * 32768)],
        "tuning": librosa.estimate_tuning(y=y, sr=SR),
        "tuning_36": librosa.estimate_tuning(y=y, sr=SR, bins_per_octave=36),
        "cqt": cases(CQT, lambda o: np.abs(librosa.cqt(y, sr=SR, **o))),
        "cqt_phase": rows(np.angle(librosa.cqt(y, sr=SR, n_bins=60)), [100]),
        "chroma_stft": cases(CHROMA_STFT, lambda o: librosa.feature.chroma_stft(y=y, sr=SR, **o)),
        "chroma_cqt": cases(CHROMA_CQT, lambda o: librosa.feature.chroma_cqt(y=y, sr=SR, **o)),
        "tonnetz": rows(librosa.feature.tonnetz(y=y, sr=SR), FRAMES),
        "onset": [{"name": n, "options": o, "values": numbers(onset(y, SR, o))} for n, o in ONSET.items()],
        "tempogram": rows(librosa.feature.tempogram(onset_envelope=envelope, sr=SR), FRAMES),
        "tempogram_not_centred": rows(
            librosa.feature.tempogram(onset_envelope=envelope, sr=SR, center=False, win_length=101, norm=1), [0, 100, 158]
        ),
        "tempo": float(librosa.feature.tempo(y=y, sr=SR)[0]),
        "tempo_slow": float(librosa.feature.tempo(y=y, sr=SR, start_bpm=40, std_bpm=0.2, ac_size=5.0)[0]),
        "beats": {"bpm": float(np.ravel(bpm)[0]), "frames": beats.tolist()},
        "beats_loose": {"bpm": float(np.ravel(loose_bpm)[0]), "frames": loose_beats.tolist()},
        "hpss": cases(HPSS, masks, [0, 24, 120]),
        "harmonic": numbers(harmonic[3000:3000 + 61 * 2000:61 * 20]),
        "percussive": numbers(percussive[3000:3000 + 61 * 2000:61 * 20]),
    }
    write("tonal.json", reference)


def music(folder):
    """Three frames, the tempo and the beats of the first clip of each genre and of nine more."""
    tracks = {}
    paths = sorted(folder.glob("*/*.00000.wav")) + sorted(folder.glob("rock/*.wav"))[1:]
    for path in paths:
        y, sr = librosa.load(path, sr=None)
        bpm, beats = librosa.beat.beat_track(y=y, sr=sr)
        envelope = onset(y, sr, {})
        frames = [10, len(envelope) // 2, len(envelope) - 10]
        tracks[str(path.relative_to(folder))] = {
            "tuning": librosa.estimate_tuning(y=y, sr=sr),
            "cqt": rows(np.abs(librosa.cqt(y, sr=sr)), frames),
            "chroma_stft": rows(librosa.feature.chroma_stft(y=y, sr=sr), frames),
            "chroma_cqt": rows(librosa.feature.chroma_cqt(y=y, sr=sr), frames),
            "tonnetz": rows(librosa.feature.tonnetz(y=y, sr=sr), frames),
            "onset": numbers(envelope[frames]),
            "tempogram": rows(librosa.feature.tempogram(onset_envelope=envelope, sr=sr)[::16], frames),
            "tempo": float(librosa.feature.tempo(y=y, sr=sr)[0]),
            "bpm": float(np.ravel(bpm)[0]),
            "beats": beats.tolist(),
        }
    write("tonal_music.json", tracks)


def write(name, content):
    text = json.dumps(content, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('},"', '},\n"')
    pathlib.Path(__file__).with_name(name).write_text(text.replace("Infinity", '"inf"') + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["music"]:
        music(pathlib.Path(sys.argv[2]))
    else:
        main()
