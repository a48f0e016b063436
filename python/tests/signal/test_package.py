"""The package itself: import, documentation, memory, threads, panics, the command line."""

import inspect
import signal as signals
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import cantus

MODULES = [
    cantus,
    cantus.feature,
    cantus.effects,
    cantus.onset,
    cantus.beat,
    cantus.filters,
    cantus.decompose,
    cantus.metrics,
    cantus.display,
    cantus.convert,
]
Y = np.sin(np.arange(60000) * 0.05).astype(np.float32)


def public_functions():
    for module in MODULES:
        for name in getattr(module, "__all__", [n for n in dir(module) if not n.startswith("_")]):
            value = getattr(module, name)
            is_ours = getattr(value, "__module__", "").startswith("cantus")
            if is_ours and (inspect.isfunction(value) or inspect.isclass(value)):
                yield f"{module.__name__}.{name}", value


def test_every_public_function_has_documentation_and_types():
    names = dict(public_functions())
    assert len(names) > 90
    for name, value in names.items():
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            hints = inspect.signature(value)
            assert hints.return_annotation is not inspect.Signature.empty, name
            for parameter in hints.parameters.values():
                assert parameter.annotation is not inspect.Parameter.empty, f"{name}: {parameter}"


@pytest.mark.parametrize("module", [m for m in MODULES if m is not cantus.convert], ids=lambda m: m.__name__)
def test_all_lists_only_what_exists(module):
    for name in module.__all__:
        assert hasattr(module, name), name


def test_optional_dependencies_are_not_imported():
    code = (
        "import sys, cantus; "
        "print([m for m in ('matplotlib', 'pandas', 'pyarrow', 'sklearn', 'scipy', 'tqdm') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_results_are_views_of_memory_that_numpy_owns():
    mfcc = cantus.feature.mfcc(y=Y)
    assert mfcc.flags.f_contiguous
    assert mfcc.base is not None
    assert mfcc.flags.writeable
    assert cantus.resample(Y, orig_sr=22050, target_sr=16000).flags.c_contiguous


def test_a_result_survives_its_input():
    y = Y.copy()
    S = cantus.stft(y)
    expected = S.copy()
    del y
    np.testing.assert_array_equal(S, expected)


def test_the_input_is_not_changed():
    y = Y.copy()
    cantus.effects.hpss(y)
    cantus.power_to_db(y)
    cantus.effects.preemphasis(y)
    np.testing.assert_array_equal(y, Y)


def test_other_threads_run_during_a_computation():
    y = np.tile(Y, 100)
    stop, beats = threading.Event(), []

    def beat():
        while not stop.wait(0.001):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    thread.start()
    begin = time.monotonic()
    cantus.feature.chroma_cqt(y=y)
    end = time.monotonic()
    stop.set()
    thread.join()
    assert sum(begin < beat < end for beat in beats) >= 3


def test_threads_give_the_result_of_one():
    expected = cantus.feature.mfcc(y=Y)
    results = [None] * 8

    def work(n):
        results[n] = cantus.feature.mfcc(y=Y)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for result in results:
        np.testing.assert_array_equal(result, expected)


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself SIGINT")
def test_ctrl_c_interrupts_work_between_channels():
    y = np.stack([np.tile(Y, 20)] * 400)
    timer = threading.Timer(0.3, signals.raise_signal, [signals.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cantus.effects.hpss(y)
    timer.join()


def test_the_module_is_the_command_line():
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "cantus", *arguments], capture_output=True, text=True)

    version = run("--version")
    assert (version.returncode, version.stdout.strip()) == (0, f"cantus {cantus.__version__}")
    listed = run("features", "--list")
    assert listed.returncode == 0
    assert "mfcc" in listed.stdout
    wrong = run("nonsense")
    assert wrong.returncode == 2
    assert "Usage: cantus" in wrong.stderr
    assert run("predict", "no-such-run", "x.wav").returncode == 1


def test_every_kind_of_the_command_line_has_a_function():
    out = subprocess.run(
        [sys.executable, "-m", "cantus", "features", "--list"], capture_output=True, text=True
    ).stdout
    renamed = {
        "mel": cantus.feature.melspectrogram,
        "log_mel": cantus.power_to_db,
        "stft": cantus.stft,
        "spectrogram": cantus.magphase,
        "spectrogram_db": cantus.amplitude_to_db,
        "pcen": cantus.pcen,
        "mfcc_delta": cantus.feature.delta,
        "mfcc_delta2": cantus.feature.delta,
        "cqt": cantus.cqt,
        "onset_strength": cantus.onset.onset_strength,
        "harmonic": cantus.effects.harmonic,
        "percussive": cantus.effects.percussive,
        "waveform": cantus.display.waveshow,
        "spectrum": cantus.feature.spectrum,
        "spectrum_full": cantus.feature.spectrum,
        "power_spectrum": cantus.feature.spectrum,
        "power_spectrum_full": cantus.feature.spectrum,
        "beats": cantus.beat.beat_track,
        "embedding": cantus.extract,
    }
    lines = [line.split() for line in out.splitlines()[1:]]
    names = [words[0].replace("-", "_") for words in lines if words and words[0][0].islower()]
    kinds = [name for name in names if name != "kinds"]
    assert len(kinds) > 25
    missing = [kind for kind in kinds if kind not in renamed and not hasattr(cantus.feature, kind)]
    assert missing == []


@pytest.mark.parametrize("function", ["chroma_stft", "mfcc", "rms", "spectral_contrast"])
def test_a_call_that_reuses_the_plan_of_the_one_before_gives_what_a_first_call_gives(function):
    compute = getattr(cantus.feature, function)
    rng = np.random.default_rng(3)
    first, second = (rng.standard_normal(30000).astype(np.float32) for _ in range(2))
    # A new thread has no plan of an earlier call.
    expected = []
    thread = threading.Thread(target=lambda: expected.append(compute(y=second)))
    thread.start()
    thread.join()
    for y in [first, second, second[:20000], np.stack([first, second])]:
        found = compute(y=y)
    np.testing.assert_array_equal(found[1], expected[0])
    np.testing.assert_array_equal(compute(y=second), expected[0])
    np.testing.assert_array_equal(compute(y=second), expected[0])
