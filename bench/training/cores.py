"""A model of the duration of a training step on more threads than were measured. Its results are expectations, not measurements.

    T(n) = T(1) · (s + (1 - s) · ceil(k / n) / k) + b · c · (n - 1)

- s, the serial share: instructions of a step outside the tasks that the engine divides among threads, of all instructions
  (Amdahl 1967). `bench/serial_shares.py` counts them and writes serial_shares.json.
- k, the tasks of the phase with most work: a batch of 32 has 4 shards of 8 examples, and a dense layer with many weights one task for every 64 units (`train/plan.rs`, `train/column_parallel.rs`).
- b, the phases of a step, each of which ends with a barrier.
- c, the cost of a barrier for each further thread: what is left of T(2), divided by b. It contains imbalance between the threads.
"""

import json
import pathlib
from math import ceil

EXPECTED_ON = [4, 8, 16]
SHARES = json.loads((pathlib.Path(__file__).resolve().parent / "serial_shares.json").read_text())


def n_tasks(architecture):
    kinds = {layer["type"] for layer in architecture["layers"]}
    if kinds & {"LSTM", "GRU", "Conv2D"}:
        return 4
    return max(-(-layer["units"] // 64) for layer in architecture["layers"] if layer["type"] == "Dense")


def modelled(ms, share, k, barriers, n):
    """Without the cost of barriers if `barriers` is 0; ms of a step on n threads."""
    return ms * (share + (1 - share) * ceil(k / n) / k) + barriers * (n - 1)


def expected_steps(name, architecture, steps):
    """Serial shares, and ms of a step on more threads, from ms of a step on 1 and on 2."""
    k, counted = n_tasks(architecture), SHARES[name]
    share, n_phases = counted["serial_share"], counted["phases"]
    barriers = max(0.0, steps[2] - modelled(steps[1], share, k, 0.0, 2))
    expected = {str(n): round(modelled(steps[1], share, k, barriers, n), 3) for n in EXPECTED_ON}
    return {
        "unit": "ms",
        "tasks": k,
        "phases": n_phases,
        "serial_share": share,
        # What Amdahl's law alone makes of the two durations, barriers and imbalance included.
        "serial_share_by_time": round(2 * steps[2] / steps[1] - 1, 3),
        "barrier_us": round(1e3 * barriers / n_phases, 2),
        "measured": {str(n): ms for n, ms in steps.items()},
        "expected": expected,
    }
