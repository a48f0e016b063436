"""Cross-validates our recipes and other methods on the same folds, and prints their accuracies as JSON lines.

    python bench/accuracy/run.py DATA [--recipes A,B] [--rivals A,B] [--seeds 0,1,2] [--python PATH] > results.jsonl

DATA is a folder of label folders whose files have artist tags. README.md describes what is compared and the output.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from environment import ROOT, built_binary, python_with, say  # noqa: E402

WORK = ROOT / "target" / "bench-accuracy"
PACKAGES = HERE / "requirements.txt"
RECIPES = ["best", "mlp", "mlp-normalised", "mlp-regularised", "cnn", "rnn", "lstm", "gru", "multi-timescale-lstm"]
RIVALS = ["svm", "svm-tuned", "forest", "boosting", "pyaudioanalysis"]
# The recipes all of whose layers Keras has.
KERAS = ["keras-" + recipe for recipe in RECIPES if recipe not in ("best", "multi-timescale-lstm")]
# Samples of the bootstrap; its error in an interval's end is then about a tenth of a point.
DRAWS = 10_000


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--recipes", default=",".join(RECIPES), help="built-in recipes, or TOML files")
    parser.add_argument("--rivals", default=",".join(RIVALS + KERAS), help="some of them, with commas; empty for none")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--python", help="an interpreter that has requirements.txt already")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", type=pathlib.Path, help="where to write the table")
    return parser.parse_args()


class Bench:
    """The steps of the benchmark; their results are cached under target/bench-accuracy."""

    def __init__(self, options):
        self.data, self.folds, self.threads = options.data.resolve(), options.folds, options.threads
        self.cantus = built_binary()
        self.python = options.python or (python_with(PACKAGES, WORK / "venv", "what is compared") if options.rivals else None)
        WORK.mkdir(parents=True, exist_ok=True)

    def features(self, recipe):
        """The feature store of a recipe; recipes with the same features share one."""
        name = "best" if recipe == "best" else "course" if recipe in RECIPES else pathlib.Path(recipe).stem
        store = WORK / f"features-{name}"
        if not (store / "store.toml").exists() or "complete = true" not in (store / "store.toml").read_text():
            self.call(self.cantus, "extract", self.data, "-o", store, "-m", recipe, "-q")
        return store

    def ours(self, recipe, seed):
        """The run folder of a cross-validation of one of our recipes."""
        run = WORK / f"{pathlib.Path(recipe).stem}-{seed}"
        if (run / "predictions.csv").exists():
            return run
        say(f"{recipe}, seed {seed}")
        command = [self.cantus, "train", self.features(recipe), "-m", recipe, "-o", run, "--group", "artist", "-q"]
        command += ["--folds", self.folds, "--seed", seed, "--jobs", self.threads]
        # Without early stopping, no validation part is needed.
        command += ["--validation", 0] if "early_stopping" not in recipe_of(recipe)["training"] else []
        self.call(*command, *(["--resume"] if run.exists() else []))
        return run

    def rival(self, name, seed, folds):
        """The predictions of another method for every track, on the folds of our runs."""
        out = WORK / f"{name}-{seed}.csv"
        if not out.exists():
            say(f"{name}, seed {seed}")
            # Keras's models use the split of our run of the same recipe.
            like = self.ours(name.removeprefix("keras-"), seed) if name.startswith("keras-") else folds
            store = self.features(name.removeprefix("keras-")) if name.startswith("keras-") else ""
            task = dict(data=str(self.data), run=str(like), store=str(store), seed=seed, threads=self.threads, cache=str(WORK), out=str(out))
            self.call(self.python, HERE / "theirs.py", name, json.dumps(task))
        return out

    def call(self, *command):
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads), OPENBLAS_NUM_THREADS=str(self.threads))
        subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, env=environment)


def recipe_of(recipe):
    path = ROOT / "crates" / "cantus" / "src" / "recipe" / f"{recipe}.toml"
    return tomllib.loads((path if path.exists() else pathlib.Path(recipe)).read_text())


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def folds_of(path):
    return {row["path"]: row["fold"] for row in rows(path)}


class Result:
    """The result of one method: for every track, the share of seeds with a correct prediction."""

    def __init__(self, name, tables):
        self.name, self.groups, self.right, self.folds = name, {}, {}, []
        for table in tables:
            by_fold = {}
            for row in table:
                right = row["predicted"] == row["label"]
                self.groups[row["path"]] = row["group"] or row["path"]
                self.right[row["path"]] = self.right.get(row["path"], 0) + right / len(tables)
                by_fold.setdefault(row["fold"], []).append(right)
            self.folds += [sum(fold) / len(fold) for _, fold in sorted(by_fold.items())]

    def accuracy(self):
        return sum(self.right.values()) / len(self.right)

    def lead(self, other):
        """The difference of its accuracy from another's, and the paired interval of the difference."""
        more = {path: self.right[path] - right for path, right in other.right.items()}
        return self.accuracy() - other.accuracy(), interval(self.groups, more)

    def line(self, best, counterpart):
        line = dict(contender=self.name, tracks=len(self.right), accuracy=self.accuracy(), interval=interval(self.groups, self.right))
        line["folds"] = [round(fold, 4) for fold in self.folds]
        if best is not None and best is not self:
            lead, ends = best.lead(self)
            line |= dict(best_is_better_by=lead, interval_of_difference=ends)
        if counterpart is not None:
            lead, ends = counterpart.lead(self)
            line |= dict(our_twin_is_better_by=lead, interval_to_twin=ends)
        return line


def interval(groups, values):
    """95 % interval of the mean, by a bootstrap over artists, since tracks of one artist are not independent."""
    sums = {}
    for path, value in values.items():
        total, n = sums.get(groups[path], (0.0, 0))
        sums[groups[path]] = (total + value, n + 1)
    drawn, rng, means = list(sums.values()), random.Random(0), []
    for _ in range(DRAWS):
        sample = rng.choices(drawn, k=len(drawn))
        means.append(sum(total for total, _ in sample) / sum(n for _, n in sample))
    means.sort()
    return [means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)]]


def markdown(lines):
    """The results as a Markdown table, in descending order of accuracy."""
    text = "| | track accuracy | 95 % interval | folds, lowest to highest | `best` is better by |\n|---|---|---|---|---|\n"
    for line in sorted(lines, key=lambda line: -line["accuracy"]):
        low, high = (f"{100 * end:.0f}" for end in line["interval"])
        difference = ""
        if "best_is_better_by" in line:
            ends = " to ".join(f"{100 * end:.1f}" for end in line["interval_of_difference"])
            difference = f"{100 * line['best_is_better_by']:.1f} ({ends})"
        folds = f"{100 * min(line['folds']):.0f}–{100 * max(line['folds']):.0f}"
        text += f"| {line['contender']} | {100 * line['accuracy']:.1f} % | {low}–{high} | {folds} | {difference} |\n"
    return text


def main():
    chosen = options()
    bench = Bench(chosen)
    recipes, rivals = ([name for name in text.split(",") if name] for text in (chosen.recipes, chosen.rivals))
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    tables = {}
    for seed in seeds:
        runs = {recipe: bench.ours(recipe, seed) for recipe in recipes}
        first = next(iter(runs.values()))
        for recipe, run in runs.items():
            assert folds_of(run / "folds.csv") == folds_of(first / "folds.csv"), f"{recipe} has other folds"
            tables.setdefault(pathlib.Path(recipe).stem, []).append(rows(run / "predictions.csv"))
        for rival in rivals:
            tables.setdefault(rival, []).append(rows(bench.rival(rival, seed, first)))
    results = [Result(name, table) for name, table in tables.items()]
    by_name = {result.name: result for result in results}
    best = by_name.get("best")
    # A model in Keras is compared with our recipe of the same name.
    lines = [result.line(best, by_name.get(result.name.removeprefix("keras-")) if result.name in KERAS else None) for result in results]
    for line in lines:
        print(json.dumps(line), flush=True)
    table = markdown(lines)
    say(table)
    if chosen.markdown:
        chosen.markdown.write_text(table)


if __name__ == "__main__":
    main()
