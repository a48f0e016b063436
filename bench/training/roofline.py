"""The least time of a training step or an inference on this machine: the larger of that of its operations and that of its traffic.

The limits of the machine are measured by `crates/cantus-nn/examples/roofline`, operations and traffic are those of costs.py.
"""

import json
import os
import subprocess

from costs import flops_per_example, forward_flops_per_example, inference_traffic, training_traffic


class Machine:
    """Limits by number of threads; of several measurements the largest, since other programs only lower them."""

    def __init__(self, program, environment):
        self.program, self.environment = program, environment
        self.isa, self.caches, self.threads = None, [], {}

    def measure(self, n_threads):
        """Measures again, on as many processors as there are threads."""
        processors = sorted(os.sched_getaffinity(0))[:n_threads]
        pin = lambda: os.sched_setaffinity(0, processors)
        numbers = ",".join(map(str, sorted({1, n_threads})))
        command = [self.program, numbers]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=self.environment, preexec_fn=pin)
        found = json.loads(done.stdout)
        self.isa, self.caches = found["isa"], found["caches"]
        for number, limits in found["threads"].items():
            known = self.threads.setdefault(int(number), limits)
            known["fma_gflops"] = max(known["fma_gflops"], limits["fma_gflops"])
            for before, now in zip(known["levels"], limits["levels"]):
                for kind, value in now["gb_per_s"].items():
                    before["gb_per_s"][kind] = max(before["gb_per_s"][kind], value)

    def document(self):
        return {"isa": self.isa, "caches": self.caches, "threads": {str(n): limits for n, limits in self.threads.items()}}

    def seconds(self, flops, traffic, n_threads):
        """Seconds of the operations, of the traffic, and the outermost level from which the working set comes."""
        limits = self.threads[n_threads]
        levels = limits["levels"]
        of_traffic, level = 0.0, levels[0]["level"]
        for share, at in parts(levels, 0, traffic.working_set):
            speeds = at["gb_per_s"]
            of_traffic += share * (traffic.read / speeds["read"] + traffic.written / speeds["write"] + traffic.updated / speeds["update"])
            level = at["level"]
        for share, at in parts(levels, traffic.working_set, traffic.working_set + traffic.data_set):
            of_traffic += share * traffic.examples / at["gb_per_s"]["read"]
        return flops / (1e9 * limits["fma_gflops"]), 1e-9 * of_traffic, level

    def limit(self, measure, architecture, n_threads, batch=32, steps=60):
        """The roofline of a measure in its unit, for a line of output, or `None` if it has none."""
        if measure == "step":
            flops = batch * flops_per_example(architecture)
            traffic = training_traffic(architecture, batch, steps * batch, n_threads)
        elif measure in INFERENCES:
            n = INFERENCES[measure]
            # We compute one example on one thread; so does the limit.
            n_threads = 1 if n == 1 else n_threads
            flops, traffic = n * forward_flops_per_example(architecture), inference_traffic(architecture, n)
        else:
            return None
        of_flops, of_traffic, level = self.seconds(flops, traffic, n_threads)
        seconds = max(of_flops, of_traffic)
        return {
            "roofline": 256 / seconds if measure == "batch256" else 1e3 * seconds,
            "compute_ms": 1e3 * of_flops,
            "traffic_ms": 1e3 * of_traffic,
            "traffic_level": level,
            "fma_gflops": self.threads[n_threads]["fma_gflops"],
        }


# Examples of a call.
INFERENCES = {"single": 1, "batch256": 256}


def parts(levels, start, end):
    """Divides a range of bytes among the levels that hold it, innermost first: shares that add up to 1, with their level."""
    covered, inner = [], 0
    for level in levels:
        outer = end if level["capacity"] is None else level["capacity"]
        n = min(end, outer) - max(start, inner)
        if n > 0:
            covered.append((n / (end - start), level))
        inner = max(inner, outer)
    return covered
