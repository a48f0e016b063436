"""Sends requests that schemathesis generates from the server's OpenAPI document, and checks the responses.

    python bench/serve/openapi.py --schemathesis PATH [--seconds N] [--binary PATH]

Needs Linux, Python 3.11 and the program schemathesis (.ci/requirements-schemathesis.txt). The seed is fixed, so
that a failure can be reproduced; another one is an option.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from process import ROOT, Server, built, small_model


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schemathesis", default="schemathesis", help="the program")
    parser.add_argument("--seconds", type=int, default=20, help="time for generated requests")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--binary", help="an existing build")
    return parser.parse_args()


def main():
    chosen = options()
    binary = chosen.binary or built()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        model, _ = small_model(binary, folder)
        server = Server(binary, model, folder / "temporary")
        command = [
            chosen.schemathesis,
            "--config-file",
            ROOT / "bench" / "serve" / "schemathesis.toml",
            "run",
        ]
        command += [f"http://127.0.0.1:{server.port}/openapi.json", "--seed", chosen.seed, "--no-color"]
        command += ["--max-time", str(chosen.seconds)]
        code = subprocess.run(command, cwd=folder).returncode
        server.ask_to_end()
        ended = server.exit_code(70)
        if ended != 0:
            print(f"the server ended with exit code {ended}", file=sys.stderr)
    sys.exit(code or ended != 0)


main()
