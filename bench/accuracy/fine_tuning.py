"""Compares fine-tuning with a training from scratch and with the starting model alone, on few recordings of a new group; JSON lines.

    python bench/accuracy/fine_tuning.py MANIFEST [--recipe log-mel-cnn] [--per-label 1,3,10] [--seeds 0,1,2] [--cantus PATH] > fine-tuning.jsonl

MANIFEST has columns path, label and group. For each group, a model is trained on all other groups (`cantus train`); then, of the group's
recordings, `--per-label` of each label are trained on, and all but the largest number of them are the test part, the same one for all:

- `starting-model`: the model of the other groups, which has not seen any recording of the group;
- `scratch`: the recipe, trained on these recordings alone;
- `fine-tuned`: `--from` the model of the other groups; `output-layer`: the same with `--freeze all`;
- `together`: the recipe, trained on the other groups and these recordings.

A line for each method and number of recordings: mean accuracy over groups and seeds, and its lowest and highest value.
"""

import argparse
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import built_binary, say  # noqa: E402


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--recipe", default="log-mel-cnn")
    parser.add_argument("--per-label", default="1,3,10", help="recordings of each label of the new group")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--cantus", type=pathlib.Path, help="a release build of the binary")
    return parser.parse_args()


def recordings(manifest):
    with open(manifest, newline="") as file:
        rows = list(csv.DictReader(file))
    return [dict(row, path=str((manifest.parent / row["path"]).resolve())) for row in rows]


def divided(rows, counts, seed):
    """The recordings to train on, by their number per label, and the test part: what is left of each label after the largest number."""
    by_label = {}
    for row in sorted(rows, key=lambda row: row["path"]):
        by_label.setdefault(row["label"], []).append(row)
    draw = random.Random(seed)
    for found in by_label.values():
        draw.shuffle(found)
    few = {count: [row for found in by_label.values() for row in found[:count]] for count in counts}
    return few, [row for found in by_label.values() for row in found[max(counts) :]]


class Trainings:
    """Trainings in a folder, each tested on the same part."""

    def __init__(self, cantus, recipe, folder):
        self.cantus, self.recipe, self.folder = cantus, recipe, pathlib.Path(folder)

    def train(self, name, seed, train, test, *more):
        """The accuracy on the test part; None if there is none."""
        manifest, run = self.folder / f"{name}.csv", self.folder / name
        with open(manifest, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label", "split"])
            writer.writerows([row["path"], row["label"], part] for part, rows in [("train", train), ("test", test)] for row in rows)
        command = [self.cantus, "train", manifest, "-o", run, "--seed", seed, "--validation", 0, "-q", "--overwrite", *more]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        return json.loads((run / "report.json").read_text())["track_accuracy"]

    def results(self, rows, group, counts, seed):
        """Method, recordings per label, accuracy."""
        others, own = [row for row in rows if row["group"] != group], [row for row in rows if row["group"] == group]
        few, test = divided(own, counts, seed)
        recipe, start = ["-m", self.recipe], ["--from", self.folder / "start"]
        yield "starting-model", 0, self.train("start", seed, others, test, *recipe)
        for count in counts:
            yield "scratch", count, self.train("scratch", seed, few[count], test, *recipe)
            yield "fine-tuned", count, self.train("tuned", seed, few[count], test, *start)
            yield "output-layer", count, self.train("frozen", seed, few[count], test, *start, "--freeze", "all")
            yield "together", count, self.train("together", seed, others + few[count], test, *recipe)


def main():
    chosen = options()
    cantus = chosen.cantus or built_binary()
    rows = recordings(chosen.manifest)
    counts = [int(count) for count in chosen.per_label.split(",")]
    found = {}
    for group in sorted({row["group"] for row in rows}):
        for seed in map(int, chosen.seeds.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                for method, count, accuracy in Trainings(cantus, chosen.recipe, folder).results(rows, group, counts, seed):
                    say(f"{group}, seed {seed}, {method}, {count} per label: {100 * accuracy:.1f} %")
                    found.setdefault((method, count), []).append(accuracy)
    for (method, count), values in found.items():
        line = dict(method=method, per_label=count, accuracy=sum(values) / len(values), lowest=min(values), highest=max(values), n=len(values))
        print(json.dumps(line))


if __name__ == "__main__":
    main()
