"""The command line: ``python -m cantus`` and the console script ``cantus``."""

import signal
import sys

from cantus import _cantus


def main() -> int:
    """Run the command of ``sys.argv`` and return its exit code."""
    # The command handles Ctrl-C, as the binary does; Python would raise KeyboardInterrupt after it has ended.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _cantus.run_command(["cantus", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
