"""An independent implementation of the splits and folds that `tests/pinned_splits.rs` pins.

Python 3.10 or later, no packages: `python pinned_splits.py`. The rules of `src/split/stratification.rs` and
`src/split/iterative_stratification.rs` (Sechidis, Tsoumakas & Vlahavas 2011) and the generator (`keyed_random.py` of
`cantus-nn`).
"""

import pathlib
import sys
from collections import Counter

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "cantus-nn" / "tests" / "reference"))
from keyed_random import KeyedRng, text_key  # noqa: E402

N = 24
PARTS = (1.0 - 0.15 - 0.25, 0.15, 0.25)


def best(parts, value):
    """The first of the parts whose value is the largest."""
    return max(parts, key=lambda part: (value(part), -part))


def must_go(label, part, assigned, n_remaining, parts):
    without = [p for p in parts if assigned[label][p] == 0]
    return part in without and n_remaining[label] <= len(without)


def stratify(clusters, labels, shares, seed):
    order = KeyedRng(seed, text_key("split")).shuffled(len(clusters))
    order.sort(key=lambda b: -len(clusters[b]))
    counts = [Counter(label for track in cluster for label in labels[track]) for cluster in clusters]
    parts = range(len(shares))
    n_tracks = sum(counts, Counter())
    n_remaining = Counter(label for count in counts for label in count)
    total = sum(n_tracks.values())
    assigned = {label: [0] * len(shares) for label in n_tracks}
    assigned_in_all = [0] * len(shares)
    choice = [0] * len(clusters)
    for b in order:
        def urgency(part):
            return sum(must_go(label, part, assigned, n_remaining, parts) for label in counts[b])

        def lack(part):
            in_all = shares[part] - assigned_in_all[part] / total
            return sum(
                n * ((shares[part] - assigned[label][part] / n_tracks[label]) + in_all)
                for label, n in sorted(counts[b].items())
            )

        most = max(map(urgency, parts))
        part = choice[b] = best([p for p in parts if urgency(p) == most], lack)
        for label, n in counts[b].items():
            assigned[label][part] += n
            assigned_in_all[part] += n
            n_remaining[label] -= 1
    return choice


def stratify_tags(clusters, labels, shares, seed):
    order = KeyedRng(seed, text_key("split")).shuffled(len(clusters))
    counts = [Counter(label for track in cluster for label in labels[track]) for cluster in clusters]
    parts = range(len(shares))
    tracks_left = sum(counts, Counter())
    n_remaining = Counter(label for count in counts for label in count)
    desired = {label: [share * n for share in shares] for label, n in tracks_left.items()}
    desired_in_all = [share * sum(map(len, clusters)) for share in shares]
    assigned = {label: [0] * len(shares) for label in desired}
    choice = {}

    def assign(b, label):
        def priority(part):
            urgency = sum(must_go(own, part, assigned, n_remaining, parts) for own in counts[b])
            return urgency, 0.0 if label is None else desired[label][part], desired_in_all[part]

        part = choice[b] = best(parts, priority)
        for own, n in counts[b].items():
            desired[own][part] -= n
            assigned[own][part] += 1
            tracks_left[own] -= n
            n_remaining[own] -= 1
        desired_in_all[part] -= len(clusters[b])

    while left := [label for label in tracks_left if tracks_left[label] > 0]:
        rarest = min(left, key=lambda label: (tracks_left[label], n_remaining[label], label))
        with_it = [b for b in order if b not in choice and counts[b][rarest] > 0]
        for b in sorted(with_it, key=lambda b: -counts[b][rarest]):
            assign(b, rarest)
    for b in sorted(order, key=lambda b: -len(clusters[b])):
        if b not in choice:
            assign(b, None)
    return [choice[b] for b in range(len(clusters))]


def of_tracks(clusters, choice, letters):
    part_of = {track: part for cluster, part in zip(clusters, choice) for track in cluster}
    return "".join(letters[part_of[track]] for track in range(N))


if __name__ == "__main__":
    classes = [[track % 3] for track in range(N)]
    tags = [[0, 2] if track % 4 == 0 else [] if track == 5 else [track % 3] for track in range(N)]
    tracks, artists = [[track] for track in range(N)], [[2 * a, 2 * a + 1] for a in range(N // 2)]
    for seed in (0, 1):
        print("by track, seed", seed, of_tracks(tracks, stratify(tracks, classes, PARTS, seed), "tvx"))
    print("by group        ", of_tracks(artists, stratify(artists, classes, PARTS, 0), "tvx"))
    print("tags            ", of_tracks(tracks, stratify_tags(tracks, tags, PARTS, 0), "tvx"))
    for clusters in (tracks, artists):
        print("folds           ", of_tracks(clusters, stratify(clusters, classes, (0.25,) * 4, 0), "0123"))
