# pip install numpy==2.4.6; Debian 12: libchromaprint-tools 1.5.1
"""Chromaprint's fingerprints of synthesised music: python fingerprint.py > fingerprint.json

The music is that of `music` in src/fingerprint/tests.rs. fpcalc is Chromaprint's own program; its default algorithm is the second.
"""

import json
import subprocess
import tempfile
import wave

import numpy as np

RATE, SECONDS, N_PIECES = 44100, 20, 4


def music(seed):
    """Three voices of notes of different lengths, each with up to six harmonics below 4 kHz."""
    t = np.arange(RATE * SECONDS) / RATE
    samples = np.zeros(len(t))
    for voice in range(3):
        note = np.floor(t * (2 + voice)).astype(int)
        semitone = (note * 7 + note * note * 3 + 5 * voice + 11 * seed) % 24
        frequency = 110 * 2.0**voice * 2.0 ** (semitone / 12)
        for harmonic in range(1, 7):
            tone = np.sin(2 * np.pi * frequency * harmonic * t) / harmonic
            samples += 0.1 * np.where(frequency * harmonic < 4000, tone, 0)
    return samples


def main():
    pieces = []
    for seed in range(N_PIECES):
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            with wave.open(file.name, "wb") as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(RATE)
                wav.writeframes(np.round(music(seed) * 32767).astype("<i2").tobytes())
            # At the end of the file it prints the fingerprint, reports "End of file" as an error and exits with 3.
            done = subprocess.run(["fpcalc", "-raw", "-json", "-length", "0", file.name], capture_output=True)
        pieces.append(json.loads(done.stdout)["fingerprint"])
    print("[\n" + ",\n".join(json.dumps(piece) for piece in pieces) + "\n]")


main()
