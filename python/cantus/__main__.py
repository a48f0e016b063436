"""The command line: ``python -m cantus`` and the console script ``cantus``."""

import sys

from cantus import _cantus


def main() -> int:
    """Run the command of ``sys.argv`` and return its exit code."""
    return _cantus.run_command(["cantus", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
