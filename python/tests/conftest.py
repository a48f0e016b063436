"""Tests of the Python package."""

import signal

# Ignored in background jobs of a shell, and so in the processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
