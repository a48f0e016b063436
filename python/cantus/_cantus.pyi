"""Types of the extension module; the modules of the package document its functions."""

__version__: str

# The command line (crates/cantus-py/src/command.rs)

def run_command(arguments: list[str]) -> int: ...
