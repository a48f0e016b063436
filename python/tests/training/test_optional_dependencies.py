"""What is not installed is named, and what is not used is not imported."""

import subprocess
import sys

import pytest

import cantus

OPTIONAL = ["jupytext", "matplotlib", "pandas", "pyarrow", "scipy", "sklearn", "torch", "tqdm"]


def test_importing_the_package_imports_no_optional_dependency():
    script = f"import sys, cantus; print([name for name in {OPTIONAL} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert printed.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "package", "call"),
    [
        ("pyarrow", "pyarrow", lambda store, run: store.to_arrow()),
        ("pyarrow", "pyarrow", lambda store, run: cantus.extract_batch(["x.wav"])),
        ("pyarrow", "pyarrow", lambda store, run: cantus.batch_schema()),
        ("pandas", "pandas", lambda store, run: store.to_pandas()),
        ("matplotlib.pyplot", "matplotlib", lambda store, run: run.plot_history()),
    ],
)
def test_a_missing_package_is_named(module, package, call, store, run, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"pip install .*{package}") as caught:
        call(store, run)
    assert "\n" not in str(caught.value)


def test_estimators_name_scikit_learn_if_it_is_missing():
    script = "import sys; sys.modules['sklearn'] = None; import cantus; cantus.sklearn"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("ImportError: cantus.sklearn needs scikit-learn 1.6")
