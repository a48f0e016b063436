"""Sets up a virtual environment with pinned packages for a benchmark, and the variables that select an instruction set."""

import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
# By instruction set, what limits ours and theirs to it. TensorFlow's kernels of Eigen are compiled for one, and have no variable.
ISA = {
    "avx512": {"CANTUS_ISA": "avx512"},
    "avx2": {
        "CANTUS_ISA": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
    "baseline": {
        "CANTUS_ISA": "baseline",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ATEN_CPU_CAPABILITY": "default",
        "OPENBLAS_CORETYPE": "Nehalem",
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
    },
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment_of(isa):
    """The variables of a process that is to use an instruction set; `None` for the best of the processor."""
    return os.environ | (ISA[isa] if isa else {})


def release():
    """The folder of release builds."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


def built_binary():
    """The command `cantus` of this source, built in the release profile."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--package", "cantus-cli"], cwd=ROOT, check=True)
    return str(release() / "cantus")


def python_with(requirements, folder, what):
    """The interpreter of the virtual environment in `folder`, with the packages of `requirements`; created by the first call."""
    python = folder / "bin" / "python"
    wanted = requirements.read_text()
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        say(f"installing {what} into {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        installed.write_text(wanted)
    return str(python)
