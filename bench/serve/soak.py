"""Measures a server under clients that do harm, compares with what docs/serve.md promises, and prints JSON lines and a table.

    python bench/serve/soak.py [--minutes N] [--binary PATH] [--short]

A good client sends predictions and small requests, first alone, then beside all kinds of hostile clients at once.
The exit status is 1 if a promise does not hold. `--short` takes a minute and leaves out the comparison of latencies,
which needs a machine at rest. Needs Linux and Python 3.11; README.md describes the output.
"""

import argparse
import asyncio
import http.client
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from hostile import Hostile
from process import HIGHEST, Server, built, small_model

# What docs/serve.md promises.
MAX_RATIO = 3
JOBS, WAITING, MAX_BODY_MB = 2, 16, 4
BASE_MB, PREDICTION_MB = 96, 64
MEMORY_MB = BASE_MB + (JOBS + WAITING) * MAX_BODY_MB + 2 * JOBS * PREDICTION_MB
# Beyond twice the time limit of a request.
SHUTDOWN_MARGIN_S = 5
# The status of a response to a hostile client that is none of the documentation.
UNDOCUMENTED = {0, 500, 502}
# Time in which the server closes connections of clients that are gone without a word: that of a header, and some seconds.
GONE_S = 40


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=10, help="under load; a tenth of it, at most one, in quiet before"
    )
    parser.add_argument("--binary", help="an existing build")
    parser.add_argument(
        "--short", action="store_true", help="15 s under load, short time limits, no latencies"
    )
    parser.add_argument("--idle", type=int, default=1000, help="connections that only exist")
    return parser.parse_args()


class GoodClient:
    """The good client as a process; its requests, each with its kind, status and milliseconds."""

    def __init__(self, port, recording, seconds):
        script = pathlib.Path(__file__).with_name("good_client.py")
        command = [sys.executable, script, str(port), recording, str(seconds)]
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=self.output)

    def requests(self):
        self.process.wait()
        self.output.seek(0)
        return [json.loads(line) for line in self.output]


def summary(phase, requests):
    """Numbers of requests and failures, and percentiles of the times of each kind."""
    row = {
        "phase": phase,
        "requests": len(requests),
        "failed": sum(request["status"] != 200 for request in requests),
    }
    for kind in ["prediction", "small"]:
        times = sorted(request["ms"] for request in requests if request["kind"] == kind)
        for percent in [50, 99]:
            row[f"{kind}_p{percent}_ms"] = round(times[min(len(times) - 1, len(times) * percent // 100)], 2)
    return row


async def under_load(server, recording, seconds, hostile):
    """The good client beside the hostile ones, and the highest number of descriptors meanwhile."""
    load = asyncio.create_task(hostile.run(seconds + 2))
    await asyncio.sleep(2)
    good = GoodClient(server.port, recording, seconds)
    descriptors = 0
    while not load.done():
        descriptors = max(descriptors, server.descriptors())
        await asyncio.sleep(1)
    await load
    return good.requests(), descriptors


async def shutdown(server, recording, timeout, hostile):
    """Ends the server while a good request is half sent and hostile clients go on: seconds, exit code, status."""
    load = asyncio.create_task(hostile.run(3600))
    await asyncio.sleep(3)
    body = recording.read_bytes()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/v1/predict")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:100_000])
    await asyncio.sleep(0.5)
    start = time.monotonic()
    server.ask_to_end()
    await asyncio.sleep(0.5)
    connection.send(body[100_000:])
    response = await asyncio.to_thread(connection.getresponse)
    response.read()
    # Without keep-alive the connection ends with the response.
    connection.close()
    code = await asyncio.to_thread(server.exit_code, 4 * timeout + 60)
    seconds = time.monotonic() - start
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    return round(seconds, 2), code, response.status


def results(chosen, quiet, load, system, hostile, end):
    """Each promise, whether it holds, and the number beside it."""
    statuses = {status for counts in hostile.counts.values() for status in counts if isinstance(status, int)}
    unexpected = hostile.counts["small"]["unexpected"]
    rows = [
        (
            "every good request gets status 200",
            quiet["failed"] + load["failed"] == 0,
            quiet["failed"] + load["failed"],
        ),
        ("small requests get the expected status", unexpected == 0, unexpected),
        ("statuses are documented", not statuses & UNDOCUMENTED, sorted(statuses)),
        (
            f"memory is at most {MEMORY_MB} MB",
            system["memory_highest_mb"] <= MEMORY_MB,
            system["memory_highest_mb"],
        ),
        (
            "no descriptor is left",
            system["descriptors_after"] <= system["descriptors_before"],
            system["descriptors_after"],
        ),
        ("no temporary file is left", system["temporary_files"] == 0, system["temporary_files"]),
        (f"shutdown takes at most {end['limit_s']} s", end["seconds"] <= end["limit_s"], end["seconds"]),
        ("the exit code is that of success", end["exit_code"] == 0, end["exit_code"]),
        ("a request in progress is completed", end["status"] == 200, end["status"]),
    ]
    if not chosen.short:
        for kind in ["prediction", "small"]:
            ratio = round(load[f"{kind}_p99_ms"] / quiet[f"{kind}_p99_ms"], 2)
            rows.append(
                (f"p99 of a {kind} is below {MAX_RATIO} times that in quiet", ratio < MAX_RATIO, ratio)
            )
    return [{"promise": promise, "holds": holds, "measured": measured} for promise, holds, measured in rows]


def print_table(rows):
    print("\n| promise | measured | holds |\n|---|---|---|")
    for row in rows:
        print(f"| {row['promise']} | {row['measured']} | {'yes' if row['holds'] else '**no**'} |")


def main():
    chosen = options()
    timeout, seconds = (3, 15) if chosen.short else (30, 60 * chosen.minutes)
    # Both ends of the connections of hostile clients, which are in this process.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    binary = chosen.binary or built()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        model, recording = small_model(binary, folder)
        limits = [
            "--jobs",
            str(JOBS),
            "--waiting",
            str(WAITING),
            "--max-body",
            str(MAX_BODY_MB),
            "--timeout",
            str(timeout),
        ]
        server = Server(binary, model, folder / "temporary", *limits)
        GoodClient(server.port, recording, 2).requests()
        quiet = summary("quiet", GoodClient(server.port, recording, min(60, max(3, seconds / 10))).requests())
        print(
            json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0], "seconds": seconds} | quiet),
            flush=True,
        )

        system = {"memory_before_mb": server.memory_mb(), "descriptors_before": server.descriptors()}
        server.reset_highest_memory()
        hostile = Hostile(server.port, recording.read_bytes(), MAX_BODY_MB << 20, chosen.idle)
        requests, system["descriptors_highest"] = asyncio.run(under_load(server, recording, seconds, hostile))
        load = summary("load", requests)
        print(json.dumps(load), flush=True)
        system["descriptors_after"] = server.settled_descriptors(system["descriptors_before"], GONE_S)
        system |= {"memory_highest_mb": server.memory_mb(HIGHEST), "memory_after_mb": server.memory_mb()}
        system["temporary_files"] = server.temporary_files()
        print(json.dumps(system), flush=True)
        for kind, counts in hostile.counts.items():
            print(json.dumps({"hostile": kind, **{str(name): n for name, n in counts.items()}}), flush=True)

        taken, code, status = asyncio.run(shutdown(server, recording, timeout, hostile))
        end = {
            "seconds": taken,
            "limit_s": 2 * timeout + SHUTDOWN_MARGIN_S,
            "exit_code": code,
            "status": status,
        }
        print(json.dumps({"shutdown": end}), flush=True)
        system["temporary_files"] += sum(len(files) for _, _, files in os.walk(server.temporary))
    rows = results(chosen, quiet, load, system, hostile, end)
    for row in rows:
        print(json.dumps(row), flush=True)
    print_table(rows)
    sys.exit(not all(row["holds"] for row in rows))


if __name__ == "__main__":
    main()
