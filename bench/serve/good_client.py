"""A client that harms no one: predictions and small requests one after the other, and the time of each as a JSON line.

    python bench/serve/good_client.py PORT RECORDING SECONDS

A process of its own, so that the work of hostile clients in Python does not count as time of the server.
"""

import http.client
import json
import pathlib
import sys
import time

# Time from the start of a request to the start of the next one.
INTERVAL_S = 0.05
# Each prediction with a new connection or on the last one, alternately.
REQUESTS = [("prediction", "POST", "/v1/predict"), ("small", "GET", "/v1/models")]


def timed(connection, method, path, body):
    """Status (0 without a response) and milliseconds, from the connection to the last byte of the response."""
    start = time.perf_counter()
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        status = response.status
    except (OSError, http.client.HTTPException):
        connection.close()
        status = 0
    return status, 1000 * (time.perf_counter() - start)


def main():
    port, recording, seconds = int(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes(), float(sys.argv[3])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        begun = time.monotonic()
        kind, method, path = REQUESTS[number % 2]
        status, ms = timed(connection, method, path, recording if method == "POST" else None)
        print(json.dumps({"kind": kind, "status": status, "ms": round(ms, 3)}), flush=True)
        number += 1
        if number % 4 == 0:
            connection.close()
        time.sleep(max(0, begun + INTERVAL_S - time.monotonic()))


main()
