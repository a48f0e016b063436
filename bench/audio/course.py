"""Prepares a data set as the lecture course does, one file after the other: `course.py MUSIC OUT.json`.

MUSIC has a folder for each class. Every track is cut into ten segments of three seconds, each gives thirteen MFCCs per
frame, and all are written to one JSON document.
"""

import json
import math
import os
import sys

import librosa

SR, SECONDS, N_SEGMENTS, HOP = 22050, 30, 10, 512


def prepare(music, out):
    data = {"mapping": [], "labels": [], "mfcc": []}
    length = int(SR * SECONDS / N_SEGMENTS)
    n_expected = math.ceil(length / HOP)
    folders = [entry for entry in sorted(os.walk(music)) if entry[0] != music]
    for label, (folder, _, files) in enumerate(folders):
        data["mapping"].append(os.path.basename(folder))
        for file in sorted(files):
            signal, _ = librosa.load(os.path.join(folder, file), sr=SR)
            for segment in range(N_SEGMENTS):
                piece = signal[segment * length : (segment + 1) * length]
                mfcc = librosa.feature.mfcc(y=piece, sr=SR, n_mfcc=13, n_fft=2048, hop_length=HOP).T
                if len(mfcc) == n_expected:
                    data["mfcc"].append(mfcc.tolist())
                    data["labels"].append(label)
    with open(out, "w") as file:
        json.dump(data, file, indent=4)


if __name__ == "__main__":
    prepare(*sys.argv[1:])
