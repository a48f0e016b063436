"""Compares `cantus train DATA`, with no recipe named, and the recipe `best` with other methods on several data sets, and prints their accuracies as JSON lines.

    python bench/accuracy/datasets.py DATA [DATA …] [--folds 3] [--seeds 0] [--budget 3] [--python PATH] [--markdown FILE] > datasets.jsonl

DATA is a folder of label folders or a manifest. All methods are tested on the same folds, those of `cantus train --folds`, which keep groups whole where
they are known. README.md describes the methods and the output.
"""

import argparse
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, built_binary, python_with, say  # noqa: E402

WORK = ROOT / "target" / "bench-accuracy" / "datasets"
RIVALS = ["svm-tuned", "forest", "boosting", "keras-cnn"]
OURS = ["automatic", "best"]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, nargs="+")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seeds", default="0", help="each gives other folds and trainings")
    parser.add_argument("--budget", type=float, default=3, help="minutes of `cantus train` for the selection of a recipe, in each fold")
    parser.add_argument("--rivals", default=",".join(RIVALS))
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", type=pathlib.Path, help="where to write the table")
    return parser.parse_args()


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def table(path, head, lines):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(lines)


class DataSet:
    """One data set: its folds by a seed, and the predictions of each method for its tracks. Results are cached under target/bench-accuracy/datasets."""

    def __init__(self, data, seed, chosen, cantus):
        self.data, self.seed, self.chosen, self.cantus = data.resolve(), seed, chosen, cantus
        self.root = self.data if self.data.is_dir() else self.data.parent
        self.work = WORK / f"{self.data.stem}-{seed}"
        self.work.mkdir(parents=True, exist_ok=True)
        self.name = self.data.stem

    def call(self, *command):
        threads = str(self.chosen.threads)
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, env=environment)

    def best(self):
        """The run folder of the cross-validation of `best`, whose folds all methods have."""
        run = self.work / "best"
        if not (run / "predictions.csv").exists():
            say(f"{self.name}: best")
            command = ["train", self.data, "-m", "best", "-o", run, "--validation", 0, "--folds", self.chosen.folds]
            self.call(self.cantus, *command, "--seed", self.seed, "-q", *(["--resume"] if run.exists() else []))
        return run

    def automatic(self):
        """`cantus train` without a recipe, once for each fold, with the fold as the test part of a manifest."""
        out = self.work / "automatic.csv"
        if out.exists():
            return rows(out)
        tracks, predictions = rows(self.best() / "folds.csv"), []
        for fold in sorted({track["fold"] for track in tracks}):
            run, manifest = self.work / f"automatic-{fold}", self.work / f"fold-{fold}.csv"
            if not (run / "predictions.csv").exists():
                say(f"{self.name}: automatic, fold {fold}")
                part = lambda track: "test" if track["fold"] == fold else "train"
                lines = [[self.root / track["path"], track["label"], track["group"], part(track)] for track in tracks]
                table(manifest, ["path", "label", "group", "split"], lines)
                command = ["train", manifest, "-o", run, "--split", "group" if any(track["group"] for track in tracks) else "track"]
                self.call(self.cantus, *command, "--budget", self.chosen.budget, "--seed", self.seed, "-q", "--overwrite")
            tried = json.loads((run / "selection.json").read_text())["trials"]
            say(f"{self.name}, fold {fold}: " + ", ".join(f"{trial['name']} {trial['outcome']}" for trial in tried))
            predictions += [dict(row, fold=fold) for row in rows(run / "predictions.csv")]
        head = ["path", "label", "fold", "predicted"]
        table(out, head, [[row[key] for key in head] for row in predictions])
        return rows(out)

    def rival(self, name):
        out = self.work / f"{name}.csv"
        if not out.exists():
            say(f"{self.name}: {name}")
            task = dict(data=str(self.root), run=str(self.best()), store="", seed=self.seed, threads=self.chosen.threads)
            task |= dict(cache=str(self.work), out=str(out))
            self.call(self.chosen.python, HERE / "theirs.py", "log-mel-cnn" if name == "keras-cnn" else name, json.dumps(task))
        return rows(out)

    def results(self):
        """Accuracy of each method on the tracks of all folds."""
        methods = {"automatic": self.automatic, "best": lambda: rows(self.best() / "predictions.csv")}
        methods |= {name: (lambda name=name: self.rival(name)) for name in self.chosen.rivals.split(",") if name}
        for method, predict in methods.items():
            predicted = predict()
            right = sum(row["predicted"] == row["label"] for row in predicted)
            yield dict(data=self.name, seed=self.seed, method=method, tracks=len(predicted), accuracy=right / len(predicted))


def markdown(lines):
    """A row for each data set, a column for each method, with means over the seeds; the last row has the means of the rows."""
    methods = list(dict.fromkeys(line["method"] for line in lines))
    names = list(dict.fromkeys(line["data"] for line in lines))
    found = {}
    for line in lines:
        found.setdefault((line["data"], line["method"]), []).append(line["accuracy"])
    of = {key: sum(values) / len(values) for key, values in found.items()}
    n = {line["data"]: line["tracks"] for line in lines}
    cells = lambda values: " | ".join(f"{100 * value:.1f} %" for value in values)
    text = "| data set | tracks | " + " | ".join(f"`{method}`" for method in methods) + " |\n" + "|---" * (2 + len(methods)) + "|\n"
    for name in names:
        text += f"| {name} | {n[name]} | {cells(of[name, method] for method in methods)} |\n"
    means = [sum(of[name, method] for name in names) / len(names) for method in methods]
    return text + f"| mean | | {cells(means)} |\n"


def main():
    chosen = options()
    cantus = built_binary()
    chosen.python = chosen.python or python_with(HERE / "requirements.txt", WORK.parent / "venv", "what is compared")
    lines = []
    for data, seed in itertools.product(chosen.data, map(int, chosen.seeds.split(","))):
        for line in DataSet(data, seed, chosen, cantus).results():
            print(json.dumps(line), flush=True)
            lines.append(line)
    text = markdown(lines)
    say(text)
    if chosen.markdown:
        chosen.markdown.write_text(text)


if __name__ == "__main__":
    main()
