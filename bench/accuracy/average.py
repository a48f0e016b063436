"""Track accuracy of the averaged probabilities of several recipes, from the cross-validations of run.py.

    python bench/accuracy/average.py RECIPE RECIPE... [--seeds 0,1,2]
"""

import argparse

from run import WORK, rows


def accuracy(recipes, seed):
    tables = [{row["path"]: row for row in rows(WORK / f"{recipe}-{seed}" / "predictions.csv")} for recipe in recipes]
    first = tables[0]
    labels = sorted({row["label"] for row in first.values()})
    for table in tables:
        assert {path: row["fold"] for path, row in table.items()} == {path: row["fold"] for path, row in first.items()}, "other folds"
    right = 0
    for path, row in first.items():
        summed = {label: sum(float(table[path][label]) for table in tables) for label in labels}
        right += max(labels, key=summed.get) == row["label"]
    return right / len(first)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seeds", default="0,1,2")
    chosen = parser.parse_args()
    found = [accuracy(chosen.recipes, int(seed)) for seed in chosen.seeds.split(",")]
    print(f"{100 * sum(found) / len(found):.1f} %, by seed " + ", ".join(f"{100 * value:.1f}" for value in found))


if __name__ == "__main__":
    main()
