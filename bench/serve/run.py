"""Measures throughput and latency of a server on this machine, and prints them as JSON lines.

    python bench/serve/run.py [--seconds N] [--binary PATH] > results.jsonl

Needs Linux, cargo and Python 3.11, and nothing else; README.md describes the output. A fixed number of
clients and a fixed time for each line, on the loopback interface only.
"""

import argparse
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from process import HIGHEST, RESIDENT, built, memory_mb

# Concurrent clients. The last number exceeds workers and queue, so that some requests are rejected.
CLIENTS = [1, 2, 4, 16, 32]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6, help="for each number of clients")
    parser.add_argument("--binary", help="an existing release build")
    return parser.parse_args()


def client(port, song, end, responses):
    """Sends requests on one connection until `end`; adds status and seconds of each response."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.monotonic() < end:
        start = time.monotonic()
        connection.request("POST", "/v1/predict", song)
        response = connection.getresponse()
        response.read()
        responses.append((response.status, time.monotonic() - start))
        if response.status == 503:
            # The body of a rejected request was not read, so close the connection; retry sooner than Retry-After.
            connection.close()
            time.sleep(0.05)


def load(port, song, n_clients, seconds):
    responses = [[] for _ in range(n_clients)]
    start = time.monotonic()
    clients = [threading.Thread(target=client, args=(port, song, start + seconds, mine)) for mine in responses]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return time.monotonic() - start, [response for mine in responses for response in mine]


def report(port, pid, song, n_clients, seconds):
    took, responses = load(port, song, n_clients, seconds)
    times = sorted(1000 * s for status, s in responses if status == 200)
    others = sorted({status for status, _ in responses} - {200})
    assert all(status == 503 for status in others), others
    return {
        "clients": n_clients,
        "requests_per_s": round(len(times) / took, 1),
        "p50_ms": round(statistics.median(times), 1),
        "p99_ms": round(times[int(0.99 * (len(times) - 1))], 1),
        "answers": len(times),
        "turned_away": len(responses) - len(times),
        "memory_mb": round(memory_mb(pid, RESIDENT), 1),
        "peak_memory_mb": round(memory_mb(pid, HIGHEST), 1),
    }


def main():
    chosen = options()
    binary = chosen.binary or built()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        quiet = {"stdout": subprocess.DEVNULL, "check": True}
        subprocess.run([binary, "demo", "--quiet", "--tracks", "4", "-o", folder / "demo"], **quiet)
        song = next(folder.glob("demo/held-back/**/*.wav")).read_bytes()
        command = [binary, "serve", folder / "demo" / "run", "--port", "0", "--quiet"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            print(json.dumps({"song_bytes": len(song), "cores": os.cpu_count(), "memory_at_rest_mb": round(memory_mb(server.pid, RESIDENT), 1)}))
            load(port, song, 2, 1)
            for n_clients in CLIENTS:
                print(json.dumps(report(port, server.pid, song, n_clients, chosen.seconds)), flush=True)
            server.send_signal(signal.SIGTERM)
            if server.wait(60) != 0:
                sys.exit("the server did not end well")


main()
