"""Counts how often classifiers give a class to sounds of no class, with and without `--background`; JSON lines.

    python bench/accuracy/noise.py DATA [DATA …] [--recipe best] [--folds 3] [--cantus PATH] > noise.jsonl

DATA is a folder of label folders or a manifest. Each is cross-validated twice by `cantus train`: as it is, and with five recordings of
filtered noise and of clicks as examples of no class. A line for each: accuracy of the tracks, the probability that 95 % of the
right predictions reach, and of the report's 101 synthesised sounds, by the models of all folds, how many are above it (docs/evaluation.md).
"""

import argparse
import array
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import wave

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import built_binary, say  # noqa: E402

SAMPLE_RATE, DURATION_S = 22_050, 10
# Feedback of the one-pole filter, for each recording of noise: low ones are bright, negative ones have no low frequencies.
FEEDBACKS = [0.9, 0.5, -0.5, -0.9]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, nargs="+")
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--cantus", type=pathlib.Path, help="a release build of the binary")
    return parser.parse_args()


def filtered_noise(feedback, draw):
    value = 0.0
    for _ in range(SAMPLE_RATE * DURATION_S):
        value = feedback * value + draw.gauss(0, 1)
        yield value


def clicks(draw):
    for _ in range(SAMPLE_RATE * DURATION_S):
        yield draw.uniform(-1, 1) if draw.random() < 3 / SAMPLE_RATE else 0.001 * draw.gauss(0, 1)


def write(path, samples):
    samples = list(samples)
    largest = max(map(abs, samples))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(array.array("h", [round(16_000 * sample / largest) for sample in samples]).tobytes())


def recordings_of_no_class(folder):
    draw = random.Random(0)
    folder.mkdir()
    for number, feedback in enumerate(FEEDBACKS):
        write(folder / f"noise-{number}.wav", filtered_noise(feedback, draw))
    write(folder / "clicks.wav", clicks(draw))
    return folder


def cross_validated(cantus, data, chosen, run, background):
    more = ["--background", background] if background else []
    command = [cantus, "train", data, "-m", chosen.recipe, "-o", run, "--validation", 0, "--folds", chosen.folds, "-q", *more]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    report = json.loads((run / "report.json").read_text())
    noise = report["noise"]
    above = {kind["name"]: [kind["n_above"], kind["n"]] for kind in noise["kinds"]}
    total = [sum(numbers) for numbers in zip(*above.values())]
    return dict(track_accuracy=report["track_accuracy"], threshold=noise["threshold"], above=total, of_kinds=above)


def main():
    chosen = options()
    cantus = chosen.cantus or built_binary()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        noise = recordings_of_no_class(folder / "noise")
        for number, data in enumerate(chosen.data):
            for background in (None, noise):
                say(f"{data.stem}, {'with' if background else 'without'} --background")
                run = folder / f"{number}-{'with' if background else 'without'}"
                result = cross_validated(cantus, data.resolve(), chosen, run, background)
                print(json.dumps(dict(data=data.stem, recipe=chosen.recipe, background=bool(background), **result)), flush=True)


if __name__ == "__main__":
    main()
